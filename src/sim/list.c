#include "sim/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

#define SECONDS 19 /* of "2026-11-26T03:34:39" */

bool order_add(struct order *order, struct slice key, bool ascending)
{
	if (order->n == ORDER_MAX)
		return false;
	snprintf(order->key[order->n], sizeof(order->key[0]), "%.*s", SLICE_ARG(key));
	order->sign[order->n++] = ascending ? 1 : -1;
	return true;
}

static int compare_values(const json_t *x, const json_t *y)
{
	if (json_is_integer(x) && json_is_integer(y)) {
		json_int_t p = json_integer_value(x), q = json_integer_value(y);
		return (p > q) - (p < q);
	}
	return strcmp(json_is_string(x) ? json_string_value(x) : "",
		json_is_string(y) ? json_string_value(y) : "");
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	const struct order *order = arg;

	for (size_t i = 0; i < order->n; i++) {
		int d = order->sign[i] * compare_values(json_object_get(x->doc, order->key[i]),
						 json_object_get(y->doc, order->key[i]));
		if (d)
			return d;
	}
	return (x->ordinal < y->ordinal) - (x->ordinal > y->ordinal);
}

void order_sort(const struct order *order, struct object **p, size_t n)
{
	if (n > 1)
		qsort_r(p, n, sizeof(*p), compare, (void *)order);
}

bool time_fits(const char *have, const char *wanted)
{
	static const char *const ops[] = {"gt:", "gte:", "lt:", "lte:", "neq:", "eq:"};
	struct slice rest = slice_of(wanted), part;

	while (slice_next(&rest, ',', &part)) {
		size_t op = array_len(ops) - 1;
		for (size_t i = 0; i < array_len(ops); i++)
			if (slice_starts(part, ops[i])) {
				op = i;
				part = slice_sub(part, strlen(ops[i]), part.n);
				break;
			}
		const int d =
			have ? strncmp(have, part.p, part.n < SECONDS ? part.n : SECONDS) : -1;
		const bool fits[] = {d > 0, d >= 0, d < 0, d <= 0, d != 0, d == 0};
		if (!have || !fits[op])
			return false;
	}
	return true;
}

void list_link(const struct call *c, const char *marker, const char *without, struct buf *url)
{
	VEC_EACH (&c->arguments, struct pair, p)
		if (strcmp(p->name, "marker") && (!without || strcmp(p->name, without)))
			url_add_query(url, p->name, slice_of(p->value));
	if (marker)
		url_add_query(url, "marker", slice_of(marker));
}

json_t *list_fields(const struct call *c, json_t *view)
{
	json_t *cut = NULL;

	VEC_EACH (&c->arguments, struct pair, p) {
		if (strcmp(p->name, "fields"))
			continue;
		if (!cut)
			cut = json_object();
		json_t *v = json_object_get(view, p->value);
		if (v)
			json_object_set(cut, p->value, v);
	}
	if (!cut)
		return view;
	json_decref(view);
	return cut;
}
