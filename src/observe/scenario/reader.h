/*
 * reader.h - the inside of reading a scenario, shared by the read_*.c files and nobody else.
 *
 * read.c        files, documents, include, params and texts
 * read_like.c   steps that are like another
 * read_step.c   one step: keys, verb, body
 * read_keys.c   the pieces steps are made of: conditions, lists of names and faults, retry
 * read_names.c  what names mean, what needs what, cycles, the order
 *
 * All steps' sources are known (and `like` resolved) before the first step is read, so that a name
 * can be judged where it stands.
 */
#ifndef OBSERVE_SCENARIO_READER_H
#define OBSERVE_SCENARIO_READER_H

#include "base/map.h"
#include "base/vec.h"
#include "observe/scenario/scenario.h"

#define INCLUDE_DEPTH 8

struct source_key {
	const struct yaml *key, *value;
	const char *file;
};

enum like_state { LIKE_OPEN, LIKE_BUSY, LIKE_DONE };

/* A step as it was written, after `like`. */
struct source {
	const struct yaml *name;
	const char *file;
	VEC(struct source_key) keys;
	enum like_state like;
	struct yaml *merged; /* a body made of two: its shell is owned, its children are not */
};

/* What a step names, by what has to wait for it. */
struct links {
	VEC(size_t) start;   /* before it may start */
	VEC(size_t) end;     /* before it can end: conditions, the steps a stream goes around */
	VEC(size_t) login;   /* for those who log in there */
	VEC(size_t) logs_in; /* where it logs in itself */
	VEC(size_t) via;     /* jump servers and members: their log-in is part of this one's */
};

struct reader {
	struct scenario *s;
	const struct kinds *kinds;
	const char *const *dirs;
	struct error_list *errors;
	VEC(struct yaml_file *) files;
	VEC(struct source) sources;
	bool too_many;         /* steps: said once */
	struct map by_name;    /* step -> index + 1 */
	unsigned char *judged; /* of each text, for the place at hand: enum text_state */
	struct links *links;
	VEC(const char *) open_includes; /* names of the files being read, outermost first */
};

/* Where a name stands, which decides what it may be. */
struct place {
	size_t step;
	const char *file;
	bool index, it; /* `i` and `it` have a meaning here */
	bool outside;   /* of steps: params, which may use params only */
	bool in_text;   /* of a text that is used: the outer place has begun the judging */
	enum { LINK_NONE, LINK_START, LINK_END, LINK_LOGIN, LINK_VIA } link;
};

void reader_error(struct reader *r, const char *file, const struct yaml *at, const char *fmt, ...)
	like_printf(4, 5);
/* "; did you mean \"x\"?" or "". */
const char *reader_meant(struct slice word, const char *const *names, size_t n, char *text);
#define MEANT_TEXT 100

/* read_like.c */
void read_like(struct reader *r);
const struct source_key *source_get(const struct source *src, const char *key);
bool source_is_many(const struct source *src);

/* read_step.c */
void read_step(struct reader *r, size_t step);
bool read_is_common_key(struct slice name); /* not a verb's or a kind's */

/* read_guest.c */
/* What stands inside the bodies of guest, mesh, throughput and bench. */
void read_guest_body(struct reader *r, const struct source_key *k, enum verb verb);

/* read_keys.c */
struct expr *read_expression(
	struct reader *r, const struct source_key *k, const struct place *place);
void read_conditions(struct reader *r, const struct source_key *k, const struct place *place,
	struct condition_list *ret);
void read_faults(struct reader *r, const struct source_key *k, struct fault_list *ret);
void read_retry(struct reader *r, const struct source_key *k, struct retry *ret);
void read_step_names(
	struct reader *r, const struct source_key *k, size_t **ret_steps, size_t *ret_n);
bool read_step_name(
	struct reader *r, const struct yaml *y, const char *file, const char *key, size_t *ret);
struct interp *read_interp(
	struct reader *r, const struct yaml *y, const char *file, const struct place *place);

/* read_names.c */
void names_of_interp(struct reader *r, const struct interp *t, const struct place *place);
void names_of_expr(struct reader *r, const struct expr *e, const struct place *place);
/* The step a text of exactly ${name} or ${name[…]} names whole, or `it`'s; for log-ins. */
void names_logs_in(struct reader *r, const struct yaml *y, size_t step);
void names_check_params(struct reader *r);
void names_order(struct reader *r);

#endif
