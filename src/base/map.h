/*
 * map.h - text keys to pointers, in order of insertion.
 *
 * Keys are copied, unless the map borrows them; values are the caller's. Hashing is keyed at random per process (SipHash), so
 * outsiders cannot choose collisions. Thread: one at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct map_entry {
	char *key; /* NULL: removed */
	size_t key_n;
	void *value;
};

struct map {
	struct map_entry *entries; /* in order of insertion, with holes */
	size_t n, used, cap;       /* live, slots in use, slots */
	unsigned *index;
	size_t index_size;
	bool borrows; /* keys: each lives as long as its entry, mostly as a part of the value */
};
#define MAP_BORROWING ((struct map){.borrows = true})

void map_fini(struct map *m);                        /* frees its keys and table, not the values */
void *map_get(const struct map *m, const char *key); /* NULL if absent */
void *map_get_slice(const struct map *m, struct slice key);
/* Sets; returns the value that was there, or NULL. */
void *map_put(struct map *m, const char *key, void *value);
void *map_put_slice(struct map *m, struct slice key, void *value);
/* Removes; returns the value that was there, or NULL. */
void *map_remove(struct map *m, const char *key);

/* The body may remove the current entry and nothing else. */
#define MAP_EACH(m, e)                                                                             \
	for (struct map_entry *e = (m)->entries; e && e < (m)->entries + (m)->used; e++)           \
		if (e->key)

#endif
