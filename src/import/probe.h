/*
 * probe.h - makes the items of `probes:` (docs/probes.md), and tells of each part of the source
 * what it became there. Thread: one at a time.
 */
#ifndef IMPORT_PROBE_H
#define IMPORT_PROBE_H

#include "import/source.h"

#define IMPORT_EVERY_MIN_S 1
#define IMPORT_EVERY_MAX_S (7 * 24 * 3600)

struct import_probe {
	struct import *in;
	json_t *json;     /* the item; its first keys are `name` and the kind */
	json_t *map;      /* of the kind, in the item */
	const char *kind; /* static */
	const char *name; /* in the item */
	size_t first;     /* of the notes that may be about it */
};

/* `wanted` is made a name: other characters than names may have become '-', and one that is there
 * already gets a number. */
struct import_probe import_probe_new(struct import *in, const char *kind, const char *wanted);
/* Another probe of the same, with a name of its own. */
struct import_probe import_probe_copy(
	struct import *in, const struct import_probe *from, const char *wanted);
/* Into the configuration, which has the probe's texts from then on. False: the configuration would
 * refuse it; it is left out, and what was said to be carried of it is told as not carried, with
 * why: at `n`, or without a place when it is NULL. */
bool import_probe_add(struct import_probe *p, const struct import_node *n);
/* Nothing comes of it: what was said to be carried is not, and told so. */
void import_probe_abandon(struct import_probe *p);

/* Sets "every" of the item, or "http.url" of the kind's map; takes value. */
void import_set(struct import_probe *p, const char *key, json_t *value);
/* Sets it and tells of the node that it is carried, or with `why` that it is so differently. */
void import_carry(
	struct import_probe *p, const struct import_node *n, const char *key, json_t *value);
void import_change(struct import_probe *p, const struct import_node *n, const char *key,
	json_t *value, const char *why);
/* Adds a condition to `expect`. */
void import_expect(struct import_probe *p, const char *condition);

/* A text, true or false, a time, as it stands there; what it cannot be is told as not carried.
 * Nothing if the node is not there. */
void import_carry_text(struct import_probe *p, const struct import_node *n, const char *key);
void import_carry_flag(struct import_probe *p, const struct import_node *n, const char *key);
void import_carry_flag_not(struct import_probe *p, const struct import_node *n, const char *key);
/* Within what `every` and `timeout` may be. `every` goes first. */
void import_carry_every(struct import_probe *p, const struct import_node *n, int64_t ns);
void import_carry_timeout(struct import_probe *p, const struct import_node *n, int64_t ns);
void import_set_time(struct import_probe *p, const char *key, int64_t ns);

/* A name for a probe or a file out of any text, owned: letters, digits, '-', '_', '.'. */
char *import_name(const char *text);
/* The same, and no other name of this import; owned. */
char *import_own_name(struct import *in, const char *text);
/* Whether it is one as it stands. */
bool import_is_name(const char *text);
/* Whether it can be a heading or a name for people: a line of 1 to 80 bytes. */
bool import_is_line(const char *text);
/* Whether what goes by that name (of a header, a key, a variable) is nothing to print. */
bool import_is_secret(const char *name);
/* "file:secrets/NAME", for what the user has to put there; NAME is made of both. Owned. */
char *import_secret(const char *owner, const char *what);
/* Sets the key to such a reference, and tells where to put what stands at the node. */
void import_carry_secret(
	struct import_probe *p, const struct import_node *n, const char *key, const char *what);
/* A header: its value as it is, or, where it goes by a name of secrets, a reference; with
 * `variable` (may be NULL) the value is that of the environment. */
void import_carry_header(struct import_probe *p, const struct import_node *n, const char *name,
	const char *value, const char *variable);
/* An address without user and password, which become `user` and a reference, and without secrets
 * in its query. False: not an address of http or of the like (told as not carried). */
bool import_carry_url(
	struct import_probe *p, const struct import_node *n, const char *key, const char *url);

#endif
