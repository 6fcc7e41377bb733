/*
 * seed.h - what the simulated cloud has before anybody comes; the same as the lab where it can be.
 */
#ifndef SIM_SEED_H
#define SIM_SEED_H

struct sim;

#define SEED_PASSWORD       "simsecret"
#define SEED_APP_CREDENTIAL "0a5cf0d4e37b4b4f9c3f6d1f5a2b7c88"
#define SEED_APP_SECRET     "sim-application-secret"
#define SEED_PUBLIC_CIDR    "172.24.4.0/24"
#define SEED_PUBLIC_GATEWAY "172.24.4.1"
#define SEED_DOMAIN         "default"

/* Projects, users, the application credential, flavors, images, the public network, volume types.
 */
void seed_cloud(struct sim *s);

#endif
