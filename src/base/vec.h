/*
 * vec.h - a typed growing array.
 *
 *	VEC(struct point) points = {0};
 *	vec_push(&points, ((struct point){1, 2}));
 *	VEC_EACH(&points, struct point, p) { use(p->x); }
 *	vec_fini(&points);
 *
 * Growing moves the elements: pointers into a vec die with the next push. Thread: one at a time.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *p;                                                                           \
		size_t n, cap;                                                                     \
	}

void *vec_room(void *p, size_t n, size_t *cap, size_t size);

#define vec_push(v, item)                                                                          \
	((v)->p = vec_room((v)->p, (v)->n + 1, &(v)->cap, sizeof(*(v)->p)),                        \
		(v)->p[(v)->n] = (item), (void)(v)->n++)
/* Appends a zeroed element and yields its address. */
#define vec_add(v)                                                                                 \
	((v)->p = vec_room((v)->p, (v)->n + 1, &(v)->cap, sizeof(*(v)->p)),                        \
		memset(&(v)->p[(v)->n], 0, sizeof(*(v)->p)), &(v)->p[(v)->n++])
#define vec_pop(v) ((v)->p[--(v)->n])
/* Takes element i out, keeping the order. */
#define vec_remove(v, i)                                                                           \
	(memmove(&(v)->p[i], &(v)->p[(i) + 1], ((v)->n - (i)-1) * sizeof(*(v)->p)), (void)(v)->n--)
#define vec_fini(v)           (free((v)->p), (v)->p = NULL, (v)->n = (v)->cap = 0)
#define VEC_EACH(v, type, it) for (type *it = (v)->p; it && it < (v)->p + (v)->n; it++)

#endif
