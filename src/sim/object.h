/*
 * object.h - what exists in the simulated cloud: one table a kind, in order of creation.
 *
 * An object is its JSON document (everything a member could see, the services cut views out of it)
 * and what the sim knows besides: whose it is, when lists begin to show it, whether it was planted,
 * and which mark it carries. Pointers stay valid until object_remove(). Thread: the loop's.
 */
#ifndef SIM_OBJECT_H
#define SIM_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/vec.h"
#include "net/loop.h"

struct sim;

enum kind {
#define KIND(name, word, service) KIND_##name,
#include "sim/kind.def"
#undef KIND
	KIND_COUNT
};

#define ID_TEXT      64
#define PROJECT_TEXT 33

enum made_by {
	MADE_BY_API,
	MADE_BY_NOVA,
	MADE_BY_NEUTRON,
	MADE_BY_DESIGNATE,
	MADE_BY_BARBICAN,
	MADE_BY_HEAT,
	MADE_BY_OCTAVIA,
	MADE_BY_SEED,
	MADE_BY_PLANT
};

struct object {
	enum kind kind;
	enum made_by made_by;
	char id[ID_TEXT];
	char project[PROJECT_TEXT]; /* "" for what belongs to the cloud */
	char user[PROJECT_TEXT];
	uint64_t ordinal;   /* of its kind, from 1 */
	json_t *doc;        /* owned */
	int64_t visible_ns; /* lists show it from then on (loop time) */
	bool stuck;         /* a fault holds it in its present state */
	bool gone;          /* deleted; only shown to who asks for what was */
	bool touched;       /* planted, and somebody changed or deleted it */
	char *mark;         /* "glasshouse INSTANCE RUN STEP i", owned, or NULL */
	char *instance;     /* of the mark, or of who made it, owned, or NULL */
	struct timer timer; /* its next change by itself */
	void *more;         /* of the service, freed by free_more */
	void (*free_more)(struct object *o);
	struct sim *sim;
};

struct table {
	VEC(struct object *) list;
	struct map by_id;
	uint64_t ordinal;
};

const char *kind_word(enum kind k);
const char *kind_service(enum kind k);
bool kind_parse(const char *word, enum kind *ret);

/* Makes and enters an object with an empty document. `id` NULL: one is drawn. Borrows. */
struct object *object_new(
	struct sim *s, enum kind k, const char *id, const char *project, const char *user);
/* Takes it out, cancels its timer, frees it. */
void object_remove(struct object *o);
struct object *object_get(struct sim *s, enum kind k, const char *id); /* NULL if absent */
void tables_fini(struct sim *s);

/* Starts its timer: `cb` finds the object in t->arg. */
void object_after(struct object *o, int64_t delay_ns, void (*cb)(struct timer *t));
/* Whether lists show it by now. */
bool object_listed(const struct object *o);

/* In order of creation; the body must not add or remove objects of this kind. */
#define OBJECT_EACH(s, k, o)                                                                       \
	for (struct object * o, **o##_at = (s)->tables[k].list.p;                                  \
		o##_at && o##_at < (s)->tables[k].list.p + (s)->tables[k].list.n && (o = *o##_at); \
		o##_at++)
/* Newest first; the body may remove the current object and add none. */
#define OBJECT_EACH_BACK(s, k, o)                                                                  \
	for (size_t o##_n = (s)->tables[k].list.n; o##_n > 0; o##_n--)                             \
		for (struct object *o = (s)->tables[k].list.p[o##_n - 1]; o; o = NULL)

/* Document shorthands. */
const char *object_str(const struct object *o, const char *key);   /* "" if absent */
void object_set(struct object *o, const char *key, json_t *value); /* takes the value */
void object_set_str(struct object *o, const char *key, const char *value);
/* The present as services write it: "2026-11-24T13:31:05Z"; returns `text` (32 bytes). */
const char *object_now(const struct sim *s, char *text);
/* "2026-11-24T13:31:05.000000", without a zone, as cinder and some of nova do. */
const char *object_now_micro(const struct sim *s, char *text);

#endif
