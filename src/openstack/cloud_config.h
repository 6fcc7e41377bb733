/*
 * cloud_config.h - which cloud, who we are there: clouds.yaml and the OS_* environment.
 *
 * Follows openstacksdk: clouds.yaml, secure.yaml, clouds-public.yaml looked for in the current
 * directory, $XDG_CONFIG_HOME/openstack, ~/.config/openstack, /etc/openstack
 * (OS_CLIENT_CONFIG_FILE, OS_CLIENT_SECURE_FILE first); secure.yaml merged over; `profile` from
 * clouds-public.yaml (or a vendor file) merged under; `auth` keys also accepted beside `auth`; a
 * cloud named `envvars` is made from OS_*. Every value that is taken says where it came from in
 * errors. Our own keys in a cloud: `reach` (see struct reach) and `dns`. Thread: one at a time; a
 * loaded configuration is immutable.
 */
#ifndef OPENSTACK_CLOUD_CONFIG_H
#define OPENSTACK_CLOUD_CONFIG_H

#include <stdbool.h>

#include "base/error.h"
#include "base/map.h"
#include "base/secret.h"

enum auth_type { AUTH_PASSWORD, AUTH_TOKEN, AUTH_APPLICATION_CREDENTIAL };

/* How addresses inside the cloud's outer network are reached from here when not directly: a
 * simulated cloud maps them to loopback so that an ordinary user can run it. An address of
 * `network` becomes the address with the same host bits in `map`; port 22 becomes `ssh` and a ping
 * becomes a TCP connection to port `ping` when these are not 0. Other ports become what `ports`
 * says (`ports: {80: 34001, 8080: 34002}`), or stay. */
struct reach_port {
	unsigned port, mapped;
};

struct reach {
	char *network, *map; /* CIDR texts; NULL: reached directly */
	unsigned ssh, ping;
	struct reach_port *ports;
	size_t port_count;
};

struct cloud_config {
	char *name;
	char *file; /* where it was found; "environment" for envvars */
	unsigned line, col;
	enum auth_type auth_type;
	char *auth_url;
	char *username, *user_id, *user_domain_name, *user_domain_id;
	char *project_name, *project_id, *project_domain_name, *project_domain_id;
	char *domain_name, *domain_id, *system_scope;
	char *application_credential_id, *application_credential_name;
	struct secret *password, *token, *application_credential_secret;
	char *region;    /* NULL: the only one there is, else an error that lists them */
	char *interface; /* "public" (default), "internal", "admin" */
	char *ca_file, *cert_file, *key_file;
	bool verify;
	struct map endpoint_override; /* service type with _ ("block_storage") -> char * */
	struct map api_version;       /* same keys -> char * */
	struct reach reach;
	/* `dns`: where the cloud's name servers are asked, "ADDRESS:PORT" or "ADDRESS", when not at
	 * the names that its zones have as name servers: behind another port, or hidden. */
	char **dns;
	size_t dns_count;
};

/* `name` NULL: OS_CLOUD, else `envvars` if OS_AUTH_URL is set, else the only cloud of the file.
 * Returns owned, or NULL with every error found. */
struct cloud_config *cloud_config_load(const char *name, struct error_list *errors) must_check;
void cloud_config_free(struct cloud_config *c);
/* Names of all clouds that can be found, owned, NULL-terminated; for messages and doctor. */
char **cloud_config_names(void);

/* Where `address`:`port` is reached from here; returns owned text of the address, sets *port.
 * ping: *port is set to the TCP port that stands for ICMP, or 0. */
char *reach_address(const struct reach *r, const char *address, unsigned *port, bool ping);
/* Where the host of an http address is reached from here, as "ADDRESS:PORT", owned; NULL: where the
 * URL says. */
char *reach_peer(const struct reach *r, const char *url);

#endif
