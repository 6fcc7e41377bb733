/*
 * asked.h - one run of a probe written as in glasshouse.yaml, and programs that answer it.
 */
#ifndef TESTS_UNIT_OBSERVE_ASKED_H
#define TESTS_UNIT_OBSERVE_ASKED_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/probe/probe.h"

struct asked { /* a loop and what probes need of it */
	struct loop *loop;
	struct resolver *resolver;
	struct ssh_pool *ssh;
	struct probe_tools tools;
	/* of the last run, kept */
	bool done;
	enum fault fault;
	bool warned;
	char detail[400], address[64];
	int status;
	struct phases phases;
	json_t *measured;
};

int asked_set_up(void **state);
int asked_tear_down(void **state);
/* The kind and its value as YAML, more keys after a comma: "tcp: {to: ...}, expect: [...]". Made by
 * printf. Fails the test when it cannot be read. */
enum fault ask(struct asked *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same item twice, with something done in between. Returns what came of the second. */
enum fault ask_again(struct asked *a, void (*between)(struct asked *a, void *arg), void *arg,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same, stopped after `ms`: nothing is left of it when this returns. */
void ask_and_stop(struct asked *a, unsigned ms, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The errors of an item that must be wrong; owned. */
char *ask_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What the last run measured; "" when it did not. */
const char *asked_text(const struct asked *a, const char *name);
int64_t asked_int(const struct asked *a, const char *name);
/* Fails unless the detail of the last run has this part. */
void assert_detail(const struct asked *a, const char *part);
void assert_text(const struct asked *a, const char *name, const char *part);

/* --- real servers, by tests/unit/observe/servers.py ---------------------------------------------
 */

struct served {
	pid_t pid;
	int in; /* its end ends it */
	unsigned port;
};

/* Arguments as of the script, NULL-terminated; it answers when this returns. False: this machine
 * does not have what it takes. */
bool served_start(struct served *s, const char *const *args);
void served_stop(struct served *s);

#endif
