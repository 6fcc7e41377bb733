/*
 * simulated.h - a simulated cloud and a client of it on one loop with a virtual clock: a request
 * takes the time that the cloud draws for it, and no real time passes.
 *
 * In bodies ' stands for ", in paths and bodies $P for the project and $1 … $9 for kept ids.
 */
#ifndef TESTS_SIM_SIMULATED_H
#define TESTS_SIM_SIMULATED_H

#include <jansson.h>

#include "../check.h"
#include "net/http_client.h"
#include "sim/sim.h"

struct simulated {
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
	struct sim *sim;
	struct sim_options options;
	char *token;
	char project[64];
	const char *version;      /* value of OpenStack-API-Version, or NULL */
	const char *type;         /* Content-Type, NULL: JSON */
	const char *accept;       /* Accept, "": none, NULL: anything */
	const char *range;        /* Range, or NULL */
	const char *match;        /* If-Match, or NULL */
	struct http_header extra; /* sent too when it has a name */
	char kept[10][64];        /* $1 … $9 */
	/* The last answer. */
	enum fault fault;
	int status;
	json_t *json; /* NULL: none */
	char *text;
	size_t text_n;
	char *headers; /* "name: value\n" each, names in lower case */
};

/* For cmocka: a cloud of seed 1, logged in as demo in demo. */
int simulated_set_up(void **state);
int simulated_set_up_as(void **state, const struct sim_options *options); /* `faults` NULL */
int simulated_tear_down(void **state);
/* Another cloud instead; `faults` is a faults file's text, or NULL. */
void simulated_restart(struct simulated *s, uint64_t seed, const char *faults);
/* The same, but returns whether the faults file was taken; *err says why not. */
bool simulated_try(struct simulated *s, const char *faults, struct error *err);
void simulated_login(struct simulated *s, const char *user, const char *project);

/* One request, waited for; returns the status, 0 when no answer came. `body` may be NULL. */
int simulated_call(struct simulated *s, const char *method, const char *path, const char *body);
/* The same with the text as it is. */
int simulated_send(
	struct simulated *s, const char *method, const char *path, const void *body, size_t n);
/* Lets time pass. */
void simulated_wait(struct simulated *s, int64_t ns);
/* Fails the test, with the answer, unless the status is this and the body has the text. */
void simulated_said(struct simulated *s, int status, const char *text);
/* The text at the keys of the answer, "" if absent; the size of the list there. */
const char *simulated_str(const struct simulated *s, ...) __attribute__((sentinel));
size_t simulated_count(const struct simulated *s, const char *key);
/* The first header of that name (lower case), "" if absent; valid until the next call. */
const char *simulated_header(const struct simulated *s, const char *name);
/* Keeps answer[wrapper].id (or .id without a wrapper) as $n. */
void simulated_keep(struct simulated *s, int n, const char *wrapper);
/* Adds faults as /sim/faults takes them. */
void simulated_fault(struct simulated *s, const char *rule);
/* How many violations of that rule there are. */
size_t simulated_violations(struct simulated *s, const char *rule);

#endif
