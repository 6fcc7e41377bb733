/*
 * list.h - what the lists of cinder and glance have in common: an order by several members, and
 * filters by time. Thread: the loop's.
 */
#ifndef SIM_LIST_H
#define SIM_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "sim/object.h"

#define ORDER_MAX 4

struct order {
	char key[ORDER_MAX][32]; /* members of the documents */
	int sign[ORDER_MAX];
	size_t n;
};

/* False when there are ORDER_MAX already. */
bool order_add(struct order *order, struct slice key, bool ascending);
/* What is equal comes newest first. */
void order_sort(const struct order *order, struct object **p, size_t n);

/* "gt:2026-11-26T03:34:39,lt:…" or a moment alone; seconds are compared, zones are not looked at.
 * `have` may be NULL: fits nothing. */
bool time_fits(const char *have, const char *wanted);

#endif
