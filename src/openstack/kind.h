/*
 * kind.h - the kinds of things a cloud can make, one row each: how they are made, known, found
 * again, waited for and removed. kinds/NAME.yaml adds rows or overrides fields.
 *
 * Paths may hold {names}: of the body (moved from body to path), {id}, {project}. Rows are data:
 * nothing here talks to a cloud. Thread: loaded once, then immutable.
 */
#ifndef OPENSTACK_KIND_H
#define OPENSTACK_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "net/http_client.h"
#include "text/expr.h"
#include "text/yaml.h"

/* Where our mark travels in the create request. */
enum kind_mark {
	MARK_NONE,
	MARK_DESCRIPTION, /* "description": "glasshouse I R S i" */
	MARK_METADATA,    /* "metadata": {"glasshouse": "…"} */
	MARK_PROPERTY,    /* glance: top-level property "glasshouse" */
	MARK_TAGS,        /* "tags": ["glasshouse …"] */
	MARK_TAG_TEXT, /* heat: "tags": "glasshouse …", a list with commas that is answered as one
			*/
};

/* How a second create of the same thing ends. */
enum kind_unique {
	UNIQUE_NO,    /* doubles are possible: look before a second attempt */
	UNIQUE_ADOPT, /* refused with `unique` status: send again, adopt what is there */
};

struct kind {
	const char *name;        /* "floating_ip" */
	const char *service;     /* "network" */
	const char *version;     /* microversion pinned for all its requests, or NULL */
	const char *create;      /* "POST /floatingips" */
	const char *wrapper;     /* "floatingip": key around the body, in and out; NULL: none */
	const char *wrapper_in;  /* where the request's differs ("" = none); NULL: as wrapper */
	const char *wrapper_out; /* where that of `get` and `list` differs; NULL: as wrapper */
	const char *id;          /* field of the answer, "id" */
	const char *get;         /* "GET /floatingips/{id}" */
	const char *list;        /* "GET /floatingips" */
	const char *collection;  /* "floatingips" */
	const char *set;         /* "PUT /floatingips/{id}" or NULL */
	const char *remove;      /* "DELETE /floatingips/{id}" */
	const char *remove_body; /* body keys sent with remove ("subnet_id"), comma-separated, or
				    NULL */
	const char *name_field;  /* "name"; NULL: has none */
	enum kind_mark mark;
	const char *find; /* query of a list that finds ours: "name={name}&description={mark}";
			     a regex field is written ~name={name} and gets escaped and anchored */
	enum kind_unique unique;
	int unique_status;  /* 409, 400 */
	const char *ready;  /* condition on [BODY], or NULL: ready with the answer */
	const char *failed; /* condition on [BODY], or NULL */
	const char *gone;   /* condition on [STATUS]/[BODY]; NULL: [STATUS] == 404 */
	const char *busy;   /* condition on [STATUS]/[BODY]: a remove refused for now; NULL: 409 */
	/* What only an administrator can end: a condition on [STATUS] and [MESSAGE] of a refused
	 * remove (0 and "" without one) and on [BODY], the object as it is; NULL: nothing. */
	const char *stuck;
	const char *holders; /* a list of what keeps it from being removed, "GET /ports?…={id}"; or
				the field of the object that is such a list; NULL: not known */
	const char *fix;     /* what an administrator types then, with {id} and {holder}, the id of
				what holds it; NULL: not known */
	const char *lock; /* body or path keys, comma-separated, the first that is there names what
			     admits one change at a time; NULL: nothing does */
	const char *lock_of; /* the kind of that, found through what `lock` names when that is only
				a part of it: changes wait until it is ready again; NULL: any */
	const char *awaits;  /* body key whose object somebody must take into use before this is
				ready (a port, by its server), or NULL */
	const char *with; /* body or path key whose object takes this along when deleted, or NULL */
	const char *component; /* "Compute", "Network", "Block storage", "Image" */
	int rank;              /* sweep removes higher ranks first */
	bool answer_partial;   /* the create answer lacks fields: GET before it is used */
	bool chosen_id;        /* we choose the id (image) */
	bool uploads;          /* image: data follows by PUT {get}/file */
	bool headers;       /* swift: body keys travel as headers and answers are read from them */
	bool several;       /* server_batch: one create makes min_count or more of them */
	const char *secret; /* a field that only the answer to the create holds, or NULL: when that
			       is lost, another one has to be made */
	const char *user_data; /* body key that is base64-encoded on the way, or NULL */
	int64_t request_ns, timeout_ns;

	struct expr *ready_expr, *failed_expr, *gone_expr, *busy_expr,
		*stuck_expr; /* parsed at load */
};

struct kinds;

/* Where kinds/NAME.yaml is looked for: ./kinds, $GLASSHOUSE_KINDS, the installed one. Borrows. */
const char *const *kinds_dirs(void);

/* The built-in table, overridden by each kinds/NAME.yaml of `dirs` (NULL-terminated, may be NULL).
 * Returns owned, or NULL with errors. */
struct kinds *kinds_load(const char *const *dirs, struct error_list *errors) must_check;
void kinds_free(struct kinds *k);
const struct kind *kind_find(const struct kinds *k, struct slice name);
size_t kinds_count(const struct kinds *k);
const struct kind *kind_at(const struct kinds *k, size_t i);
/* For "did you mean". Borrows; n names. */
const char *const *kinds_names(const struct kinds *k, size_t *ret_n);

/* A request built from a row: method and path with {names} filled in. */
struct kind_request {
	char *method, *path;
	json_t *body; /* wrapped; NULL when none */
	struct http_header *headers;
	size_t header_count;
};
void kind_request_fini(struct kind_request *r);
/* `body`: the step's own keys, unwrapped, and what else the path needs ({user}, {project}); name
 * and mark are added when the row has a field for them and the body has not its own. Fails when a
 * {name} of the path is missing. */
bool kind_create_request(const struct kind *k, const json_t *body, const char *name,
	const char *mark, struct kind_request *ret, struct error *err);
/* `template` is get, set, remove …; `object` holds id and the path keys. */
bool kind_object_request(const struct kind *k, const char *template, const json_t *object,
	struct kind_request *ret, struct error *err);
/* The row's `set`, or false when it has none; `object` as above. */
bool kind_set_request(const struct kind *k, const json_t *object, const json_t *fields,
	struct kind_request *ret, struct error *err);
/* The {names} of a row's request, one after the other: false after the last. `rest` begins as the
 * request. */
bool kind_path_name(struct slice *rest, struct slice *ret_name);
/* The keys of `object` that the row's requests need later, added to `path`; a missing one is taken
 * from KEY_id, as answers name their parents. */
void kind_path_learn(const struct kind *k, const json_t *object, json_t *path);
/* The list request that finds what a create with this name and mark made; false: the kind has no
 * way (then `unique` is ADOPT). `body` has the keys the list's path needs. */
bool kind_find_request(const struct kind *k, const json_t *body, const char *name, const char *mark,
	struct kind_request *ret);
/* Whether a list item is exactly that name and mark (services match loosely). */
bool kind_is(const struct kind *k, const json_t *item, const char *name, const char *mark);
/* Takes the wrapper off an answer; borrows, NULL if it is not there. Keypair list items too. */
const json_t *kind_unwrap(const struct kind *k, const json_t *answer);
const char *kind_id(const struct kind *k, const json_t *object); /* borrows; NULL if absent */
/* The id where a create's body or name already says it (key pairs, attachments); NULL: the service
 * gives it. Borrows. */
const char *kind_known_id(const struct kind *k, const json_t *body, const char *name);
const char *kind_mark_of(const struct kind *k, const json_t *object); /* our mark, or NULL */
const char *kind_name_of(const struct kind *k, const json_t *object);
/* `fix` with its {names} filled in from the path keys of an object; {holder} is that id. NULL where
 * the kind has none, or one of them is not known or no plain word. Owned. */
char *kind_fix(const struct kind *k, const json_t *path, const char *holder);
/* An extra field of an answer that a kind adds for expressions: server.address, … NULL if none;
 * owned reference. */
json_t *kind_field(const struct kind *k, const json_t *object, struct slice field);

#endif
