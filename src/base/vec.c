/*
 * vec.c - see vec.h.
 */

#include "base/vec.h"

void *vec_room(void *p, size_t n, size_t *cap, size_t size)
{
	if (n <= *cap)
		return p;
	*cap = *cap ? *cap * 2 : 8;
	return mem_resize(p, *cap, size);
}
