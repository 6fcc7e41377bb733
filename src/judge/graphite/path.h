/*
 * path.h - the paths of all series as a tree, and their tags: what names, patterns and tag
 * expressions of Graphite find.
 *
 * A series is one or several leaves (graphite.h says which). Series of one name that were measured
 * at several locations are one leaf. A pattern goes down the tree part by part, so that it costs
 * the nodes that fit and their children, not all series there are.
 * Thread: one at a time; what it keeps of a series never changes.
 */
#ifndef JUDGE_GRAPHITE_PATH_H
#define JUDGE_GRAPHITE_PATH_H

#include <jansson.h>

#include "store/series.h"

#define PATH_PARTS 64 /* of one pattern */

enum leaf_field { /* what of a series a leaf shows */
	LEAF_VALUE,
	LEAF_COUNT,
	LEAF_RATE,
	LEAF_OK,
	LEAF_FAILED,
	LEAF_MEAN,
	LEAF_LOWER,
	LEAF_UPPER,
	LEAF_SUM,
	LEAF_STD,
	LEAF_MEDIAN,
	LEAF_MEAN_90,
	LEAF_UPPER_90,
	LEAF_SUM_90,
	LEAF_P50,
	LEAF_P75,
	LEAF_P90,
	LEAF_P95,
	LEAF_P99,
	LEAF_FAULT /* and the fault itself on top */
};

struct path_leaf {        /* borrowed during the call */
	const char *path; /* name;k=v of one with tags */
	int field;        /* LEAF_FAULT + fault */
	struct series *const *series;
	size_t n;
	bool wild; /* found by a pattern */
};

struct paths;

struct paths *paths_new(void);
void paths_free(struct paths *p);
void paths_add(struct paths *p, struct series *s); /* each once */
/* A leaf that is no series (of none, LEAF_VALUE), under a number of its owner's; of several of one
 * path the first. One of SERIES_KEY_MAX bytes is left out. */
void paths_add_leaf(struct paths *p, const char *path, size_t number);
/* The number of such a leaf; SIZE_MAX: there is none. */
size_t paths_leaf(const struct paths *p, const char *path);
size_t paths_count(const struct paths *p); /* series */

/* Calls cb for each leaf until it returns false; no path twice; in no order. False: *err. */
typedef bool path_found(void *arg, const struct path_leaf *leaf);
bool paths_match(
	struct paths *p, const char *pattern, path_found *cb, void *arg, struct error *err);
/* The nodes that the pattern fits, whatever is below: their path, whether they are a leaf, whether
 * something is below them. */
typedef bool path_node_found(void *arg, const char *path, bool leaf, bool branch);
bool paths_nodes(
	struct paths *p, const char *pattern, path_node_found *cb, void *arg, struct error *err);
/* All leaves of the tree; of all series with tags. */
void paths_each(struct paths *p, path_found *cb, void *arg);
void paths_each_tagged(struct paths *p, path_found *cb, void *arg);

/* --- tags (path_tags.c) ----------------------------------------------------------------------- */

/* Those for which all expressions hold: tag=value, tag!=value, tag=~regex, tag!=~regex; a regular
 * expression fits from the begin of the value. */
bool paths_tagged(struct paths *p, const char *const *exprs, size_t n, path_found *cb, void *arg,
	struct error *err);
/* The tags of a path "name;k=v": {"name": ..., "k": "v"}; owned. */
json_t *path_tags(const char *path);

#endif
