/*
 * leaves.c - the names of a tree that is no series: see graphite.h.
 */

#include <stdatomic.h>

#include "judge/graphite/graphite_inside.h"

struct graphite_leaves {
	atomic_uint refs;
	struct paths *paths;
};

struct graphite_leaves *graphite_leaves_new(void)
{
	struct graphite_leaves *l = mem_new(struct graphite_leaves);
	atomic_init(&l->refs, 1);
	l->paths = paths_new();
	return l;
}

void graphite_leaves_add(struct graphite_leaves *l, const char *path, size_t number)
{
	paths_add_leaf(l->paths, path, number);
}

struct graphite_leaves *graphite_leaves_ref(struct graphite_leaves *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void graphite_leaves_unref(struct graphite_leaves *l)
{
	if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) > 1)
		return;
	paths_free(l->paths);
	free(l);
}

size_t graphite_leaves_find(const struct graphite_leaves *l, const char *path)
{
	return paths_leaf(l->paths, path);
}

struct paths *leaves_paths(const struct graphite_leaves *l)
{
	return l->paths;
}
