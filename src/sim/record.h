/*
 * record.h - every request the simulated cloud got, and the rules a good client keeps.
 *
 * The newest RECORD_MAX requests are kept in memory without bodies; with a log file each one is
 * a JSON line there, bodies included (secrets masked), until the file has RECORD_FILE_MAX bytes.
 * Thread: the loop's.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/vec.h"

struct call;
struct object;
struct sim;

#define RECORD_MAX      20000
#define RECORD_FILE_MAX (256ll << 20)

struct record {
	VEC(json_t *) ring;
	size_t at; /* the oldest, once the ring is full */
	uint64_t count;
	FILE *file;
	int64_t file_n;
};

bool record_init(struct record *r, const char *path, struct error *err) must_check;
void record_fini(struct record *r);
void record_call(struct sim *s, struct call *c); /* once, when its answer is decided */
json_t *record_json(const struct record *r);     /* oldest first; owned reference */

/* An object was made: finds its mark, and whether another living one carries the same. */
void rule_created(struct call *c, struct object *o);
/* Somebody deletes or changes an object: is it theirs? */
void rule_changed(struct call *c, struct object *o, bool deleted);
/* A request that needs a token came without any. */
void rule_no_token(struct call *c);

#endif
