/*
 * map.c - open addressing over an array in order of insertion; see map.h.
 *
 * The index holds places in `entries` + 1; a removed entry keeps its place (key NULL) until the
 * next rebuild, so that iteration may remove.
 */

#include "base/map.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static unsigned char hash_key[crypto_shorthash_KEYBYTES];

static __attribute__((constructor)) void draw_key(void)
{
	if (sodium_init() < 0)
		mem_panic("libsodium cannot start");
	randombytes_buf(hash_key, sizeof(hash_key));
}

static uint64_t hash(struct slice key)
{
	uint64_t h;
	crypto_shorthash((unsigned char *)&h, (const unsigned char *)key.p, key.n, hash_key);
	return h;
}

static void insert_index(struct map *m, size_t place)
{
	const size_t mask = m->index_size - 1;
	const struct map_entry *e = &m->entries[place];
	size_t i = hash(slice_from(e->key, e->key_n)) & mask;
	while (m->index[i])
		i = (i + 1) & mask;
	m->index[i] = (unsigned)place + 1;
}

static void rebuild(struct map *m)
{
	size_t live = 0;
	for (size_t i = 0; i < m->used; i++)
		if (m->entries[i].key)
			m->entries[live++] = m->entries[i];
	m->used = live;
	size_t size = 4; /* most of many thousands hold one thing */
	while (size < (live + 1) * 3)
		size *= 2;
	free(m->index);
	m->index = mem_new_array(size, sizeof(*m->index));
	m->index_size = size;
	for (size_t i = 0; i < live; i++)
		insert_index(m, i);
}

static struct map_entry *find(const struct map *m, struct slice key)
{
	if (!m->index_size)
		return NULL;
	const size_t mask = m->index_size - 1;
	for (size_t i = hash(key) & mask; m->index[i]; i = (i + 1) & mask) {
		struct map_entry *e = &m->entries[m->index[i] - 1];
		if (e->key && slice_eq(slice_from(e->key, e->key_n), key))
			return e;
	}
	return NULL;
}

void map_fini(struct map *m)
{
	for (size_t i = 0; i < m->used && !m->borrows; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->index);
	*m = (struct map){.borrows = m->borrows};
}

void *map_get_slice(const struct map *m, struct slice key)
{
	const struct map_entry *e = find(m, key);
	return e ? e->value : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	return map_get_slice(m, slice_of(key));
}

void *map_put_slice(struct map *m, struct slice key, void *value)
{
	struct map_entry *e = find(m, key);
	if (e) {
		void *old = e->value;
		e->value = value;
		if (m->borrows) /* the old one goes with its value */
			e->key = (char *)key.p;
		return old;
	}
	if ((m->used + 1) * 2 > m->index_size)
		rebuild(m);
	if (m->used == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 2;
		m->entries = mem_resize(m->entries, m->cap, sizeof(*m->entries));
	}
	m->entries[m->used] =
		(struct map_entry){m->borrows ? (char *)key.p : slice_dup(key), key.n, value};
	insert_index(m, m->used);
	m->used++;
	m->n++;
	return NULL;
}

void *map_put(struct map *m, const char *key, void *value)
{
	return map_put_slice(m, slice_of(key), value);
}

void *map_remove(struct map *m, const char *key)
{
	struct map_entry *e = find(m, slice_of(key));
	if (!e)
		return NULL;
	if (!m->borrows)
		free(e->key);
	e->key = NULL;
	m->n--;
	return e->value;
}
