/*
 * heap.c - see heap.h.
 */

#include "base/heap.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void heap_fini(struct heap *h)
{
	free(h->p);
	memset(h, 0, sizeof(*h));
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static void put(struct heap *h, size_t i, struct heap_node *node)
{
	h->p[i] = node;
	node->place = i + 1;
}

static void rise(struct heap *h, size_t i, struct heap_node *node)
{
	for (; i && before(node, h->p[(i - 1) / 2]); i = (i - 1) / 2)
		put(h, i, h->p[(i - 1) / 2]);
	put(h, i, node);
}

static void sink(struct heap *h, size_t i, struct heap_node *node)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= h->n)
			break;
		if (child + 1 < h->n && before(h->p[child + 1], h->p[child]))
			child++;
		if (!before(h->p[child], node))
			break;
		put(h, i, h->p[child]);
		i = child;
	}
	put(h, i, node);
}

void heap_add(struct heap *h, struct heap_node *node, int64_t key)
{
	assert(!node->place);
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 16;
		h->p = mem_resize(h->p, h->cap, sizeof(*h->p));
	}
	node->key = key;
	node->seq = h->seq++;
	h->n++;
	rise(h, h->n - 1, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	if (!node->place)
		return;
	const size_t i = node->place - 1;
	assert(i < h->n && h->p[i] == node);
	struct heap_node *last = h->p[--h->n];
	node->place = 0;
	if (last == node)
		return;
	if (i && before(last, h->p[(i - 1) / 2]))
		rise(h, i, last);
	else
		sink(h, i, last);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->n ? h->p[0] : NULL;
}
