/*
 * nova_client.h - for tests of the simulated nova: what they ask for again and again, on top of
 * simulated.h. Tokens do not expire, since servers take their hours.
 */
#ifndef TESTS_UNIT_SIM_NOVA_CLIENT_H
#define TESTS_UNIT_SIM_NOVA_CLIENT_H

#include "sim/state.h"
#include "simulated.h"

struct nova {
	struct simulated *cloud;
	struct loop *loop;        /* the cloud's */
	struct sim *sim;          /* the cloud's */
	char *tokens[3];          /* of demo in demo, of demo in second, of demo-b in demo */
	unsigned as;              /* which of them asks */
	struct http_header extra; /* sent too when it has a name */
	/* The last answer. */
	int status;
	json_t *answer;           /* NULL: no JSON */
	char *location, *version; /* NULL: no such header */
	char request_id[64];
};

int nova_setup(void **state);
int nova_teardown(void **state);
/*
 * Asks; a path below /compute/v2.1, or from "//" on below the sim's root. In bodies ' stands for ".
 * The answer stays until the next. Version 0: no header. Fails the test on another status (0: any).
 */
json_t *nova_ask(struct nova *n, int version, const char *method, const char *path,
	const char *body, int status);
/* The same with a body in the form of printf. */
json_t *nova_post(struct nova *n, int version, const char *path, int status, const char *fmt, ...)
	like_printf(5, 6);
/* What an error says. */
const char *nova_message(struct nova *n);
void nova_pass(struct nova *n, int64_t ns);
void nova_fault(struct nova *n, const char *rule);

const char *nova_image(struct nova *n);
const char *nova_flavor(struct nova *n, const char *name);
/* A network with a subnet 10.N.0.0/24; its id, owned by the sim. */
const char *nova_network(struct nova *n, int number);
/* A server on the network ("": none) that is ACTIVE; its id, owned by the sim. */
const char *nova_server(struct nova *n, const char *name, const char *network);
struct object *nova_object(struct nova *n, enum kind k, const char *id);
/* Time passes until the status of a server is this; fails after an hour. */
void nova_until(struct nova *n, const char *server, const char *status);

#endif
