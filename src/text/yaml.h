/*
 * yaml.h - YAML 1.2 documents as a tree whose every node knows its line and column.
 *
 * libfyaml parses; this keeps what it read with marks. Refused with a clear error: documents over
 * YAML_SIZE_MAX, nesting over YAML_DEPTH_MAX, over YAML_ALIAS_MAX expanded nodes (billion laughs),
 * duplicate keys, keys that are not scalars, tags, invalid UTF-8. Anchors, aliases and `<<` merges
 * are resolved; a merged node keeps the mark of where it was written. Thread: one at a time.
 */
#ifndef TEXT_YAML_H
#define TEXT_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"

#define YAML_SIZE_MAX  (1u << 20)
#define YAML_DEPTH_MAX 64
#define YAML_ALIAS_MAX 10000

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	bool plain;          /* a scalar without quotes, not a block scalar */
	unsigned line, col;  /* from 1, code points */
	struct slice text;   /* scalars, NUL-terminated too; "" for an empty one */
	const char *tag;     /* of documents of others: "tag:yaml.org,2002:binary"; NULL: none */
	size_t n;            /* children of lists and maps */
	struct yaml **items; /* lists: children; maps: the values */
	struct yaml **keys;  /* maps: scalars, same order */
};

struct yaml_file; /* owns the trees of all documents of one input */

/* `name` is what errors call the input. Appends every error found to `errors` and returns NULL if
 * there was one. Returns owned. An empty input has 0 documents. */
struct yaml_file *yaml_parse(struct slice text, const char *name, struct error_list *errors);
struct yaml_file *yaml_load(const char *path, struct error_list *errors);
/* The same for documents of other programs: tags are not refused but kept. */
struct yaml_file *yaml_parse_tagged(struct slice text, const char *name, struct error_list *errors);
struct yaml_file *yaml_load_tagged(const char *path, struct error_list *errors);
void yaml_free(struct yaml_file *f);
const char *yaml_name(const struct yaml_file *f);
size_t yaml_documents(const struct yaml_file *f);
const struct yaml *yaml_root(const struct yaml_file *f, size_t document);

const struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL if absent or no map */
/* YAML 1.2 core schema: plain `null ~` and empty; `true false`; numbers. */
bool yaml_is_null(const struct yaml *y);
bool yaml_bool(const struct yaml *y, bool *ret);
bool yaml_int(const struct yaml *y, int64_t *ret);
bool yaml_real(const struct yaml *y, double *ret);
/* The tree by the core schema; returns an owned reference. */
json_t *yaml_json(const struct yaml *y);
const char *yaml_kind_name(const struct yaml *y); /* for messages: "a list", "a map", "text" … */

#endif
