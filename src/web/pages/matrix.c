/*
 * matrix.c - who reached whom: the matrix of a mesh as a table, colours with words.
 *
 * A row is a guest, a column an address of one; a cell has the median round-trip time, or says what
 * came instead of it. What does not fit MATRIX_LINES or MATRIX_SHOWN is left out and counted.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "web/pages/view.h"

#define MATRIX_LINES 100 /* rows, and columns */
#define MATRIX_SHOWN 4   /* of a run */

struct matrix {
	struct view *v;
	const json_t *names, *addresses, *owners, *rtt, *loss;
};

static const json_t *cell_of(const json_t *lines, size_t row, size_t column)
{
	return json_array_get(json_array_get(lines, row), column);
}

/* A class of state, for the colour, and a text. */
static json_t *cell_view(const struct matrix *m, size_t row, size_t column)
{
	struct view *v = m->v;
	const json_t *rtt = cell_of(m->rtt, row, column), *loss = cell_of(m->loss, row, column);
	const bool own = json_integer_value(json_array_get(m->owners, column)) == (json_int_t)row;
	const double lost = json_number_value(loss);
	const char *name = "o", *text;
	if (own) {
		name = "own";
		text = "\xc2\xb7"; /* a middle dot: nobody asks himself */
	} else if (!json_is_number(loss)) {
		name = "u";
		text = say(v, "pair_unasked", NULL);
	} else if (lost >= 1) {
		name = "x";
		text = say(v, "pair_lost", NULL);
	} else if (json_is_number(rtt)) {
		text = say_real(v, json_number_value(rtt), json_number_value(rtt) < 9.95 ? 1 : 0);
	} else {
		text = say(v, "pair_open", NULL);
	}
	json_t *o = json_pack(
		"{s:s, s:s, s:n}", "name", lost > 0 && lost < 1 ? "d" : name, "text", text, "part");
	if (lost > 0 && lost < 1)
		view_put(o, "part", say(v, "pair_part", say_percent(v, lost, ROUND_UP), NULL));
	return o;
}

static const char *text_at(const json_t *list, size_t i)
{
	const char *text = json_string_value(json_array_get(list, i));
	return text ? text : "";
}

static json_t *rows_view(const struct matrix *m, size_t rows, size_t columns)
{
	json_t *all = json_array();
	for (size_t i = 0; i < rows; i++) {
		json_t *cells = json_array();
		for (size_t k = 0; k < columns; k++)
			json_array_append_new(cells, cell_view(m, i, k));
		json_array_append_new(
			all, json_pack("{s:s, s:o}", "name", text_at(m->names, i), "cells", cells));
	}
	return all;
}

static json_t *columns_view(const struct matrix *m, size_t columns)
{
	json_t *all = json_array();
	for (size_t k = 0; k < columns; k++) {
		const json_int_t owner = json_integer_value(json_array_get(m->owners, k));
		json_array_append_new(
			all, json_pack("{s:s, s:s}", "name",
				     owner >= 0 ? text_at(m->names, (size_t)owner) : "", "address",
				     text_at(m->addresses, k)));
	}
	return all;
}

/* Pairs of which nothing is known: the guest that was to ask could not be logged in to. */
static int64_t unasked_count(const struct matrix *m)
{
	int64_t n = 0;
	for (size_t i = 0; i < json_array_size(m->names); i++)
		for (size_t k = 0; k < json_array_size(m->addresses); k++) {
			const json_t *owner = json_array_get(m->owners, k);
			n += json_integer_value(owner) != (json_int_t)i &&
			     !json_is_number(cell_of(m->loss, i, k));
		}
	return n;
}

/* "9,900 pairs, 3 lost, 12 asked twice", how many were not asked, and the times, where there are
 * any. */
static const char *sums(const struct matrix *m, const json_t *measured)
{
	struct view *v = m->v;
	const int64_t unasked = unasked_count(m);
	int64_t rtt = 0, most = 0;
	const char *pairs = say_number(v, json_int(measured, "PAIRS", 0));
	const char *lost = say_number(v, json_int(measured, "LOST", 0));
	const char *counts = say(v, "pair_counts", pairs, lost,
		say_number(v, json_int(measured, "RETRIED", 0)), NULL);
	if (unasked)
		counts = say(v, "pair_counts_unasked", counts, say_number(v, unasked), NULL);
	if (!units_parse_time(slice_of(json_str(measured, "RTT")), &rtt) ||
		!units_parse_time(slice_of(json_str(measured, "RTT_MAX")), &most))
		return counts;
	return say(v, "pair_times", counts, say_duration(v, (double)rtt / 1e6),
		say_duration(v, (double)most / 1e6), NULL);
}

static json_t *matrix_view(struct view *v, const json_t *step)
{
	const json_t *measured = json_object_get(step, "measured");
	const json_t *found = json_object_get(measured, "MATRIX");
	const struct matrix m = {.v = v,
		.names = json_object_get(found, "names"),
		.addresses = json_object_get(found, "addresses"),
		.owners = json_object_get(found, "owners"),
		.rtt = json_object_get(found, "rtt_ms"),
		.loss = json_object_get(found, "loss")};
	const size_t all_rows = json_array_size(m.names), all = json_array_size(m.addresses);
	const size_t rows = all_rows < MATRIX_LINES ? all_rows : MATRIX_LINES;
	const size_t columns = all < MATRIX_LINES ? all : MATRIX_LINES;
	if (!rows || !columns)
		return NULL;
	json_t *o = json_pack("{s:o, s:o, s:b, s:n}", "rows", rows_view(&m, rows, columns),
		"columns", columns_view(&m, columns), "bad", json_int(measured, "LOST", 0) > 0,
		"more");
	view_put(o, "step", json_str(step, "name"));
	view_put(o, "sums", sums(&m, measured));
	if (all > columns || all_rows > rows)
		view_put(o, "more",
			say(v, "matrix_more", say_number(v, (int64_t)rows),
				say_number(v, (int64_t)columns), say_number(v, (int64_t)all_rows),
				say_number(v, (int64_t)all), NULL));
	return o;
}

json_t *matrices_view(struct view *v, const json_t *steps)
{
	json_t *shown = json_array();
	const json_t *step;
	size_t i;
	json_array_foreach (steps, i, step) {
		json_t *m = json_array_size(shown) < MATRIX_SHOWN ? matrix_view(v, step) : NULL;
		if (m)
			json_array_append_new(shown, m);
	}
	return shown;
}
