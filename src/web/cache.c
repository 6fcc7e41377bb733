/*
 * cache.c - documents by key, the least recently used first to go; see cache.h.
 */

#include "web/cache.h"

#include <string.h>

#include "base/map.h"

struct entry {
	struct entry *next, *prev; /* most recently used first */
	char *key;
	struct cache_doc *doc;
	int64_t revision, until_ns;
	size_t bytes;
};

struct cache {
	struct map entries;
	struct entry *first, *last;
	size_t bytes, max;
};

static void unlink_entry(struct cache *c, struct entry *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		c->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		c->last = e->prev;
	e->next = e->prev = NULL;
}

static void link_first(struct cache *c, struct entry *e)
{
	e->next = c->first;
	if (c->first)
		c->first->prev = e;
	else
		c->last = e;
	c->first = e;
}

static void drop(struct cache *c, struct entry *e)
{
	unlink_entry(c, e);
	map_remove(&c->entries, e->key);
	c->bytes -= e->bytes;
	cache_doc_unref(e->doc);
	free(e->key);
	free(e);
}

struct cache *cache_new(size_t bytes_max)
{
	struct cache *c = mem_new(struct cache);
	c->max = bytes_max;
	return c;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->first)
		drop(c, c->first);
	map_fini(&c->entries);
	free(c);
}

struct cache_doc *cache_get(struct cache *c, const char *key, int64_t revision, int64_t now_ns)
{
	struct entry *e = map_get(&c->entries, key);
	if (!e)
		return NULL;
	if (e->until_ns <= now_ns || (e->revision >= 0 && e->revision != revision)) {
		drop(c, e);
		return NULL;
	}
	unlink_entry(c, e);
	link_first(c, e);
	return e->doc;
}

void cache_put(
	struct cache *c, const char *key, struct cache_doc *d, int64_t revision, int64_t until_ns)
{
	struct entry *e = map_get(&c->entries, key);
	if (e)
		drop(c, e);
	e = mem_new(struct entry);
	e->key = mem_strdup(key);
	e->doc = cache_doc_ref(d);
	e->revision = revision;
	e->until_ns = until_ns;
	e->bytes = cache_doc_bytes(d) + sizeof(*e) + strlen(key);
	map_put(&c->entries, key, e);
	link_first(c, e);
	c->bytes += e->bytes;
	while (c->bytes > c->max)
		drop(c, c->last);
}

size_t cache_bytes(const struct cache *c)
{
	return c->bytes;
}
