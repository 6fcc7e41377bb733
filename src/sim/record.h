/*
 * record.h - every request the simulated cloud got, every object that requests made, and the rules
 * a good client keeps.
 *
 * The newest RECORD_MAX of both are kept in memory, requests without bodies; with a log file each
 * request is a JSON line there, bodies included (secrets masked), until the file has
 * RECORD_FILE_MAX bytes.
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

struct record_ring {
	VEC(json_t *) list;
	size_t at; /* the oldest, once it is full */
};

struct record {
	struct record_ring requests, made;
	uint64_t count; /* of requests */
	FILE *file;
	int64_t file_n;
};

bool record_init(struct record *r, const char *path, struct error *err) must_check;
void record_fini(struct record *r);
void record_call(struct sim *s, struct call *c); /* once, when its answer is decided */
/* Takes the entry; the oldest makes room. */
void record_keep(struct record_ring *r, json_t *entry);
/* Oldest first; an owned reference. */
json_t *record_json(const struct record_ring *r);

/* A request made an object, which is entered: finds its mark, and whether another living one
 * carries the same. */
void rule_created(struct call *c, struct object *o);
/* Somebody deletes or changes an object: is it theirs? */
void rule_changed(struct call *c, struct object *o, bool deleted);
/* A request that needs a token came without any. */
void rule_no_token(struct call *c);

#endif
