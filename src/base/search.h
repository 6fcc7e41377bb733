/*
 * search.h - where something stands in a sorted array, or belongs.
 */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* Of n items of `size` bytes, those that come before the key first: how many these are. Inline, so
 * that the comparison is too. Thread: any. */
static inline size_t search_before(const void *items, size_t n, size_t size,
	bool (*comes_before)(const void *item, const void *key), const void *key)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (comes_before((const char *)items + middle * size, key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
