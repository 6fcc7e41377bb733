/*
 * metrics_expose.c - the tally, the open waits and the receivers in Prometheus' text format.
 */

#include <stdio.h>
#include <string.h>

#include "tell/metrics_inside.h"
#include "text/exposition.h"

#define PIECE 100 /* series: about a thousand lines */

typedef struct exposition_label label;

/* --- the tally ---------------------------------------------------------------------------------
 */

static void expose_histogram(struct buf *out, const struct tally_row *row,
	const struct tally_series *s, const label *of, size_t n)
{
	char name[80], le[32];
	label l[TALLY_LABELS_MAX + 1];
	const size_t bounds = tally_bound_count((enum tally_family)(row - tally_rows));
	uint64_t below = 0;
	snprintf(name, sizeof(name), "%s_bucket", row->name);
	memcpy(l, of, n * sizeof(*l));
	l[n] = (label){"le", le};
	for (size_t i = 0; i <= bounds; i++) {
		below += s->counts[i];
		if (i < bounds)
			snprintf(le, sizeof(le), "%.15g", row->bounds[i]);
		else
			snprintf(le, sizeof(le), "+Inf");
		exposition_value(out, name, l, n + 1, (double)below);
	}
	snprintf(name, sizeof(name), "%s_sum", row->name);
	exposition_value(out, name, l, n, s->sum);
	snprintf(name, sizeof(name), "%s_count", row->name);
	exposition_value(out, name, l, n, (double)s->n);
}

static void expose_series(struct buf *out, const struct tally_series *s, enum tally_family f)
{
	const struct tally_row *row = &tally_rows[f];
	const size_t n = tally_label_count(f);
	label l[TALLY_LABELS_MAX];
	for (size_t i = 0; i < n; i++)
		l[i] = (label){row->labels[i], s->values[i]};
	if (tally_bound_count(f))
		expose_histogram(out, row, s, l, n);
	else
		exposition_value(out, row->name, l, n, f == TALLY_BENCH ? s->last : (double)s->n);
}

/* A piece of one family; nothing is ever taken out of the tally, and what is new comes last. */
static void expose_family(struct buf *out, const struct tally *t, struct metrics_exposed *at)
{
	const enum tally_family f = (enum tally_family)at->family;
	const struct tally_row *row = &tally_rows[f];
	const struct map *all = &t->series[f];
	const size_t end = at->series + PIECE < all->used ? at->series + PIECE : all->used;
	if (!at->series)
		exposition_family(out, row->name,
			f == TALLY_BENCH   ? "gauge"
			: f == TALLY_ERROR ? "counter"
					   : "histogram",
			row->help);
	for (; at->series < end; at->series++)
		expose_series(out, all->entries[at->series].value, f);
	if (at->series == all->used)
		*at = (struct metrics_exposed){.family = at->family + 1};
}

/* --- open waits: of each cloud, kind and end how many, and the age of the oldest ----------------
 */

struct open_wait {
	char *values[3];
	size_t n;
	int64_t oldest_us;
};

static void on_open(void *arg, const struct measure *m)
{
	struct map *all = arg;
	const char *until = strrchr(m->name, ' ');
	char *key = mem_printf("%s\x1f%s\x1f%s", m->cloud, m->kind, until);
	struct open_wait *w = map_get(all, key);
	if (!w) {
		w = mem_new(struct open_wait);
		w->values[0] = mem_strdup(m->cloud);
		w->values[1] = mem_strdup(m->kind);
		w->values[2] = mem_strdup(until ? until + 1 : "");
		map_put(all, key, w);
	}
	w->n++;
	if (m->total_us > w->oldest_us)
		w->oldest_us = m->total_us;
	free(key);
}

static void expose_open(struct buf *out, const struct metrics *m)
{
	struct map all = {0};
	if (m->site.open_waits)
		m->site.open_waits(m->site.arg, on_open, &all);
	for (int pass = 0; pass < 2; pass++) {
		const char *name = pass ? "open_wait_seconds" : "open_waits";
		exposition_family(out, name, "gauge",
			pass ? "How long the oldest of them lasts so far."
			     : "Objects that are waited for: until they are ready, or gone.");
		MAP_EACH (&all, e) {
			const struct open_wait *w = e->value;
			const label l[] = {{"cloud", w->values[0]}, {"kind", w->values[1]},
				{"until", w->values[2]}};
			exposition_value(
				out, name, l, 3, pass ? (double)w->oldest_us / 1e6 : (double)w->n);
		}
	}
	MAP_EACH (&all, e) {
		struct open_wait *w = e->value;
		for (size_t i = 0; i < array_len(w->values); i++)
			free(w->values[i]);
		free(w);
	}
	map_fini(&all);
}

/* --- receivers ---------------------------------------------------------------------------------
 */

static void expose_receivers(struct buf *out, struct metrics *m)
{
	static const struct {
		const char *name, *type, *help;
	} rows[] = {
		{"exporter_sent_points_total", "counter", "Points that the receiver took."},
		{"exporter_lost_points_total", "counter",
			"Points that were refused, or for which there was no room."},
		{"exporter_failures_total", "counter", "Attempts that failed."},
		{"exporter_waiting_points", "gauge", "Points that wait."},
	};
	const struct metrics_state *states;
	const size_t n = metrics_states(m, &states);
	for (size_t r = 0; r < array_len(rows); r++) {
		exposition_family(out, rows[r].name, rows[r].type, rows[r].help);
		for (size_t i = 0; i < n; i++) {
			const label l = {"exporter", states[i].name};
			const double x[] = {(double)states[i].sent, (double)states[i].lost,
				(double)states[i].failures, (double)states[i].waiting};
			exposition_value(out, rows[r].name, &l, 1, x[r]);
		}
	}
	exposition_family(out, "tally_overflow_total", "counter",
		"Measures beyond the limit of series, counted together as \"other\".");
	exposition_value(out, "tally_overflow_total", NULL, 0, (double)m->tally.overflowed);
}

bool metrics_expose(struct metrics *m, struct metrics_exposed *at, struct buf *out)
{
	if (at->family < TALLY_FAMILIES) {
		expose_family(out, &m->tally, at);
		return true;
	}
	expose_open(out, m);
	probes_expose(out, m);
	expose_receivers(out, m);
	return false;
}
