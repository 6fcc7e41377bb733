/*
 * heap.h - a binary heap of nodes that live in their owners, ordered by an int64 key.
 *
 * Removing any node is O(log n): the node remembers its place. Equal keys leave in order of
 * arrival. Thread: one at a time.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key;
	uint64_t seq;
	size_t place; /* index + 1; 0 when in no heap */
};

struct heap {
	struct heap_node **p;
	size_t n, cap;
	uint64_t seq;
};

void heap_fini(struct heap *h);                                     /* the nodes are the caller's */
void heap_add(struct heap *h, struct heap_node *node, int64_t key); /* node in no heap */
void heap_remove(struct heap *h, struct heap_node *node);           /* no-op when in none */
struct heap_node *heap_first(const struct heap *h);                 /* NULL when empty */

#endif
