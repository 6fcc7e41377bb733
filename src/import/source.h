/*
 * source.h - the documents an importer reads, and what became of each part of them.
 *
 * A *node* is a part of a document together with the way to it; nodes live on the stack of who
 * walks, a child points to its parent. What an importer tells of a node (import_tell() and its
 * kin) is told of everything below it. import_rest() tells of all that nobody told of, so that
 * nothing can be forgotten, not even keys that the importer has never heard of. Texts of notes
 * never hold values that could be secret. Thread: one at a time.
 */
#ifndef IMPORT_SOURCE_H
#define IMPORT_SOURCE_H

#include <jansson.h>

#include "base/map.h"
#include "import/report.h"
#include "text/yaml.h"

struct import { /* one import under way */
	struct import_report *report;
	VEC(struct yaml_file *) files;
	VEC(const char *) targets;     /* that the user named */
	json_t *config;                /* the keys of glasshouse.yaml that are made */
	json_t *endpoints;             /* the rows of endpoints/NAME.yaml that are made */
	struct map names;              /* of probes, so far; the values are of no meaning */
	VEC(const struct yaml *) told; /* keys and items; a value may be shared by an alias */
};

struct import_node {
	const struct import_node *up; /* NULL: the root of a document */
	const struct yaml *key;       /* of an entry of a map; NULL: an item of a list */
	const struct yaml *y;         /* NULL: it is not there */
	size_t index;
	const char *file;
};

struct import_node import_root(const struct import *in, size_t file, size_t document);
struct import_node import_get(const struct import_node *map, const char *key);
/* Of a list or a map; i < import_size(). */
struct import_node import_item(const struct import_node *of, size_t i);
size_t import_size(const struct import_node *n); /* 0 of scalars and of what is not there */
/* The way to it, "endpoints[3].client.timeout"; returns `text`. */
const char *import_path(const struct import_node *n, char *text, size_t size);

/* What a scalar says; NULL: it is not there, null, or no scalar. Borrows. */
const char *import_text(const struct import_node *n);
bool import_flag(const struct import_node *n); /* whether it says true */
bool import_whole(const struct import_node *n, int64_t *ret);
/* A time with a unit, as Go and Prometheus write it ("1m30s", "2w"). */
bool import_time(const struct import_node *n, int64_t *ret_ns);

void import_tell(struct import *in, const struct import_node *n, enum import_fate fate,
	const char *fmt, ...) like_printf(4, 5);
/* What is always said of a key, whatever its value. */
struct import_answer {
	const char *key;
	enum import_fate fate;
	const char *why;
};
/* Tells of each key of the table that is there. */
void import_answer(struct import *in, const struct import_node *map,
	const struct import_answer *table, size_t n);
/* Tells that each part that nobody told of is not carried. */
void import_rest(struct import *in);

#endif
