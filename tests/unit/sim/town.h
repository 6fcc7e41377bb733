/*
 * town.h - a simulated cloud with servers made by hand, as nova would make them, and clients that
 * log in to their guests.
 */
#ifndef TESTS_SIM_TOWN_H
#define TESTS_SIM_TOWN_H

#include "base/secret.h"
#include "net/ssh.h"
#include "sim/compute.h"
#include "sim/state.h"

struct town {
	struct loop *loop;
	struct sim *sim;
	struct ssh_pool *pool;
	struct secret *key, *stranger;
	char *public_key;
	char dir[32]; /* for files of ssh(1) */
	char project[PROJECT_TEXT], user[PROJECT_TEXT];
	char net[ID_TEXT], subnet[ID_TEXT], router[ID_TEXT], group[ID_TEXT];
};

/* What a log-in or a command came to. */
struct said {
	enum fault fault;
	int status;
	char out[4096], err[4096];
	char detail[256], host_key[64];
};

/* With a network 10.7.0.0/24 behind a router and an empty security group. */
int town_setup(void **state);
int town_teardown(void **state);

/* A request as the project's user, must answer `status`; the id of what it made goes to `ret_id`
 * (ID_TEXT), which may be NULL. `body` with ' for ". */
void town_call(struct town *t, const char *path, int status, char *ret_id, const char *body, ...)
	like_printf(5, 6);
struct object *town_object(struct town *t, enum kind k, const char *id);
/* Removes it as its service would. */
void town_delete(struct town *t, enum kind k, const char *id);
void town_network(struct town *t, const char *cidr, const char *router, char *ret_net);
/* "tcp 22" or "icmp" from a prefix, from a group, or (both NULL) from everywhere. */
void town_allow(struct town *t, const char *group, const char *what, const char *prefix,
	const char *remote_group, char *ret_id);

/* A server that is up, with a port on the network in the group. */
struct object *town_server(struct town *t, const char *name, const char *net, const char *group);
const char *town_fixed(const struct object *server);
/* A floating IP that leads to the server, ACTIVE; the N of 172.24.4.N. */
unsigned town_floating(struct town *t, const struct object *server, char *ret_id);

/* Runs the loop until a connection to 127.77.4.N is accepted (or refused); fails after a while. */
void town_await(struct town *t, unsigned n, unsigned port, bool open);
/* Runs the loop until what was changed has come to the guests' thread. */
void town_settle(struct town *t);

/* `via` 0: straight to 127.77.4.N, else `host` as seen from the guest at 127.77.4.VIA. */
void town_ssh(struct town *t, unsigned via, const char *host, const char *user,
	const struct secret *key, const char *command, struct said *ret);
void town_run(struct town *t, unsigned n, const char *command, struct said *ret); /* as debian */
/* ssh(1) with these arguments and a config in which gN is the guest at 127.77.4.N. */
void town_openssh(struct town *t, const char *arguments, struct said *ret);
bool town_same_files(const struct town *t, const char *a, const char *b);
/* A TCP connection to 127.77.4.N; -1 when refused. */
int town_connect(unsigned n, unsigned port);
/* A file in t->dir; one of those that town_teardown() removes. */
void town_file(const struct town *t, const char *name, const char *text);

#endif
