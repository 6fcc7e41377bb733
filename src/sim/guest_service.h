/*
 * guest_service.h - what guests serve: TCP ports that answer with a text. Made by commands in a
 * guest (docs/sim-guests.md), asked by whoever connects to it: other guests, the doors of floating
 * IPs, load balancers and their health monitors.
 *
 * A service lives as long as that boot of its guest. Thread: any; a mutex inside.
 */
#ifndef SIM_GUEST_SERVICE_H
#define SIM_GUEST_SERVICE_H

#include <stdbool.h>

#define GUEST_SERVICES_MAX 64 /* ports of one guest */

struct guest_services;

struct guest_services *guest_services_new(void);
void guest_services_free(struct guest_services *s); /* NULL is fine */

/* From now on `port` of this boot of the guest (its server's id) accepts connections, and answers
 * an HTTP request with 200 and `text` as its body. False: the port is taken, or too many. Copies.
 */
bool guest_service_start(struct guest_services *s, const char *guest, unsigned boots, unsigned port,
	const char *text);
/* False: nobody served there. */
bool guest_service_stop(struct guest_services *s, const char *guest, unsigned boots, unsigned port);
/* The text that is served there, owned; NULL: nobody serves there, connections are refused. */
char *guest_service_text(
	struct guest_services *s, const char *guest, unsigned boots, unsigned port);
/* All ports served by that boot: writes at most n, returns how many there are. */
unsigned guest_service_ports(
	struct guest_services *s, const char *guest, unsigned boots, unsigned *ports, unsigned n);
/* Calls back, from whichever thread changed something. Set once, before any service. */
void guest_services_watch(struct guest_services *s, void (*changed)(void *arg), void *arg);

#endif
