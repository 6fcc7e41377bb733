/*
 * list.h - what the lists of several services have in common: an order by several members, filters
 * by time, links to other pages. Thread: the loop's.
 */
#ifndef SIM_LIST_H
#define SIM_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sim/call.h"
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

/* Appends the request's own arguments to `url`, but the marker given (NULL: none) and nothing of
 * the name `without` (NULL: nothing). */
void list_link(const struct call *c, const char *marker, const char *without, struct buf *url);

/* What `fields` asks for of a view, as neutron and octavia cut it: takes the view, returns owned.
 */
json_t *list_fields(const struct call *c, json_t *view);

#endif
