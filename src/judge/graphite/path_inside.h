/* path_inside.h - shared by path.c (the tree) and path_tags.c (what has tags). */
#ifndef JUDGE_GRAPHITE_PATH_INSIDE_H
#define JUDGE_GRAPHITE_PATH_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "judge/graphite/path.h"

struct field { /* a leaf of a kind of series */
	const char *name;
	int field;
};

struct source { /* series of one name, kind and tags, measured at one or several places; or none */
	struct source *next; /* of another kind, with the same path */
	enum series_kind kind;
	struct series **series; /* exactly as many: there are many sources of one */
	size_t n;
	size_t number; /* of a leaf that is no series */
};

struct path_node {
	struct map children;    /* struct path_node */
	struct source *sources; /* nearly always one, or none */
};

struct tagged {       /* a source whose series have tags */
	char *name;   /* of the series; PROBE: its path's beginning */
	char *suffix; /* ;k=v;... */
	struct source source;
};

struct paths {
	struct path_node root;
	struct map tagged;    /* name and suffix: struct tagged */
	struct map tag_index; /* "k=v": struct tag_list, those that have it */
	size_t count;
};

struct tag_list {
	VEC(struct tagged *) p;
};

/* The leaves of a kind. */
const struct field *path_fields(enum series_kind kind, size_t *n);
void source_add(struct source *src, struct series *s);

/* path_tags.c */
json_t *path_series_tags(const struct series *s); /* {"k": "v"}, in order of keys; owned */
void tagged_add(struct paths *p, struct series *s, const char *name);
void tagged_free(struct paths *p);
bool tagged_exact(struct paths *p, const char *pattern, path_found *cb, void *arg,
	struct error *err); /* a pattern with `;` in it */

#endif
