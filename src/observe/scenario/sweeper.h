/*
 * sweeper.h - the inside of a sweep: sweep.c finds what is ours, sweep_remove.c removes it.
 */
#ifndef OBSERVE_SCENARIO_SWEEPER_H
#define OBSERVE_SCENARIO_SWEEPER_H

#include "base/map.h"
#include "base/vec.h"
#include "observe/scenario/stuck.h"
#include "observe/scenario/sweep.h"
#include "openstack/kind_exchange.h"

enum found_state {
	FOUND_LOOKING, /* a row without an id: is it there at all? */
	FOUND_WAITING, /* for its rank's turn */
	FOUND_BUSY,    /* a request or a pause is under way */
	FOUND_OVER,
};

struct found {
	struct sweep *sweep;
	const struct kind *kind;
	char *id, *name, *mark, *run;
	json_t *path;
	const char *proof;
	int64_t row; /* of the journal, 0: none */
	enum object_fate fate;
	int64_t created_unix_us;
	enum found_state state;
	bool asked;
	bool leaks_looked; /* leak_clear() found nothing */
	bool seen;         /* of a batch: servers of it */
	unsigned tries;
	int64_t patience_ns; /* mono: what has not gone by then is stuck */
	struct stuck stuck;
	struct cloud_call *call;
	struct timer timer;
};

struct sweep {
	struct loop *loop;
	struct cloud *cloud;
	const struct kinds *kinds;
	struct journal *journal;
	char *instance;
	int64_t older_ns, until_ns;
	bool dry_run, journal_only;
	void (*event)(void *arg, const struct sweep_event *e);
	void (*done)(void *arg, const struct sweep_report *r);
	void *arg;

	VEC(struct found *) found;
	struct map known; /* "kind/id" -> found: what is there already, or must be left alone */
	struct map marks; /* "kind mark" -> found: to see doubles */
	unsigned lists;   /* under way */
	bool removing, cancelled, over;
	struct cloud_call *listing[64];
	struct timer turn;
	struct sweep_report report;
	struct error error;
};

void sweep_tell(struct sweep *s, const struct found *f, const char *fmt, ...) like_printf(3, 4);
void sweep_kick(struct sweep *s);
/* Adds unless that object is known already; takes path. NULL if it was known. */
struct found *sweep_add(
	struct sweep *s, const struct kind *k, const char *id, json_t *path, const char *proof);
void sweep_end(struct sweep *s);
/* A route has none, but its router's. */
bool sweep_has_own_id(const struct kind *k);
/* One list; `done` gets a struct listing, whose place in `listing` it empties, which it frees, and
 * ends with sweep_list_over(). */
struct listing {
	struct sweep *sweep;
	const struct kind *kind;
	const struct found *parent; /* what the items lie in; NULL: nothing */
	size_t at;
};
void sweep_list(struct sweep *s, const struct kind *k, const char *path, const char *collection,
	const struct found *parent, cloud_list_done *done);
void sweep_list_over(
	struct sweep *s, const struct cloud_answer *a, const char *service, const char *what);

/* sweep_parts.c */
void sweep_take_routes(struct sweep *s, const struct found *router, const json_t *routes);
bool sweep_list_parts(struct sweep *s); /* true: lists are under way */
void sweep_look_batch(struct found *f); /* also when its turn to go has come */

/* sweep_remove.c */
void sweep_look(struct found *f);
void sweep_remove(struct found *f);
void sweep_is_gone(struct found *f);   /* by us */
void sweep_not_there(struct found *f); /* not yet, or never */
void sweep_could_not_look(struct found *f, const struct cloud_answer *a);
void sweep_give_up(struct found *f, enum object_fate fate, const char *why);

#endif
