/*
 * inside.h - the inside of the user's own probes, shared by their common files and by no kind.
 *
 *	config.c     an item as it is read: what every probe has, and what its kind makes of the rest
 *	condition.c  its conditions: read, and held against what was measured
 *	kinds.c      which kinds there are
 *	run.c        one run: its attempts, their deadlines, what came of it
 *	probe.c      a probe on the schedule: from its time to its sample
 *	once.c       one run now, told in full
 *	push.c       probes that are told from outside
 */
#ifndef OBSERVE_PROBE_INSIDE_H
#define OBSERVE_PROBE_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "observe/probe/kind.h"
#include "text/expr.h"

/* --- config.c --------------------------------------------------------------------------------- */

struct condition {
	char *text;
	struct expr *expr;
	unsigned refs; /* of the first one: of all of them together */
};

struct conditions {
	struct condition *p; /* as many as there are: most probes have one or two */
	size_t n;
	bool names_connected; /* they judge what could not be reached too */
};

struct taken_secret { /* a value that stands elsewhere */
	char *from;
	unsigned line, col;
	struct secret **into;
};

struct probe_config {
	struct probe_about about; /* its texts, but the kind's name, are owned */
	const char *file;
	const struct probe_kind *kind;
	void *spec;                       /* the kind's */
	char *written;                    /* the item as compact JSON */
	int64_t tries, pause_ns, slow_ns; /* slow: 0: none */
	int family;                       /* AF_UNSPEC too when it is both */
	struct conditions expect, warn;
	VEC(struct taken_secret) secrets;
};

/* --- condition.c ------------------------------------------------------------------------------ */

/* Reads a text or a list of them; says what is wrong. */
void conditions_read(
	struct probe_reader *r, const struct yaml *y, const char *what, struct conditions *into);
void conditions_fini(struct conditions *c);
/* Keeps but one of both when they say the same. Both are of one kind. */
void conditions_share(struct conditions *c, const struct conditions *like);

enum held {
	HELD_ALL,
	HELD_NOT,    /* `why` says which does not hold, and what it saw */
	HELD_BROKEN, /* one takes more than an evaluation may; `why` says so */
};
/* Appends to why. */
enum held conditions_hold(
	const struct conditions *c, const struct attempt *a, unsigned tries, struct buf *why);
/* Each of them with what it saw, appended to the list; `of` is "expect" or "warn". */
void conditions_tell(const struct conditions *c, const struct attempt *a, unsigned tries,
	const char *of, json_t *list);
/* What [NAME] is; false: not measured. *ret is owned. */
bool attempt_measured(
	const struct attempt *a, unsigned tries, struct slice name, struct value *ret);

/* --- run.c ------------------------------------------------------------------------------------ */

struct outcome { /* borrowed during `ended` */
	enum fault fault;
	bool warned;
	const char *detail; /* "" */
};

struct run {
	struct attempt attempt; /* first: attempt_end() finds the run by it */
	const struct probe_config *config;
	struct run *next; /* of the same probe */
	struct timer timer;
	int64_t at_ms, began_ns, attempt_ns; /* loop's clock */
	unsigned tries;
	bool told_in_full; /* everything that was measured is wanted */
	bool asking;       /* an attempt is under way */
	char before[80];   /* what the attempt before this one ended with */
	void (*ended)(struct run *r, const struct outcome *o); /* ends it with run_done() */
	void *arg;
};

/* Begins; `ended` comes once, never from in here. The run is the caller's until then. */
void run_begin(struct run *r);
/* Stops at once and frees it; nothing is told. */
void run_drop(struct run *r);
/* Frees one that has ended. */
void run_done(struct run *r);

/* --- probe.c ---------------------------------------------------------------------------------- */

struct probe {
	const struct probe_tools *tools;
	const struct probe_config *config;
	const char *component;
	char *name; /* NULL: the configuration's */
	int family;
	struct job *job; /* NULL: it is told from outside */
	struct series *series;
	struct series *rtt, *loss; /* of rounds; NULL: there was none yet */
	struct run *runs;          /* under way */
	bool fails;                /* its last run did */
	struct push *push;         /* NULL: it asks itself */
};

/* Stores and tells what came of it at `at_ms`. The last thing that is done with the probe: who is
 * told may close it. */
void probe_tell(struct probe *p, const struct attempt *a, unsigned tries, int64_t at_ms,
	const struct outcome *o);

/* Tokens by their SHA-256 in hex. `all` may be NULL: nobody is found, everybody may be added. */
struct probe *probes_by_token(const struct probes *all, const char *key);
bool probes_add_token(struct probes *all, const char *key, struct probe *p); /* false: taken */
void probes_remove_token(struct probes *all, const char *key);

/* --- push.c ----------------------------------------------------------------------------------- */

bool push_open(struct probe *p, struct error *err); /* its secret is read */
void push_close(struct probe *p);
int64_t push_due_ns(const struct probe *p); /* until a beat is late */

#endif
