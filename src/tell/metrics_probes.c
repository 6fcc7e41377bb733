/*
 * metrics_probes.c - what each probe saw last, for /metrics: so many that a scrape stays small.
 */

#include <string.h>

#include "tell/metrics_inside.h"
#include "text/exposition.h"

struct last_seen {
	char *kind;
	bool up;
	int64_t total_us, certificate_at_s;
	unsigned tries;
};

static void last_seen_free(struct last_seen *l)
{
	if (!l)
		return;
	free(l->kind);
	free(l);
}

void probes_take(struct metrics *m, const struct measure *x)
{
	if (x->what != MEASURE_PROBE)
		return;
	struct last_seen *l = map_get(&m->probes, x->name);
	if (!l && m->probes.n == TALLY_SERIES_MAX) {
		m->tally.overflowed++;
		return;
	}
	if (!l) {
		l = mem_new(struct last_seen);
		map_put(&m->probes, x->name, l);
	}
	mem_replace(&l->kind, x->kind);
	l->up = x->fault == FAULT_NONE;
	l->total_us = x->total_us;
	l->tries = x->tries;
	/* One that could not be reached has the certificate it had. */
	if (x->certificate_at_s)
		l->certificate_at_s = x->certificate_at_s;
}

void metrics_forget_probe(struct metrics *m, const char *name)
{
	if (m)
		last_seen_free(map_remove(&m->probes, name));
}

void probes_expose(struct buf *out, const struct metrics *m)
{
	static const struct {
		const char *name, *help;
	} rows[] = {
		{"probe_up", "1 when the last run of the probe was good."},
		{"probe_duration_seconds", "How long the last run of the probe took."},
		{"probe_tries", "How many tries the last run of the probe took."},
		{"probe_certificate_expiry_timestamp_seconds",
			"When the certificate that the probe saw last expires, Unix time."},
	};
	for (size_t r = 0; r < array_len(rows); r++) {
		exposition_family(out, rows[r].name, "gauge", rows[r].help);
		MAP_EACH (&m->probes, e) {
			const struct last_seen *l = e->value;
			const struct exposition_label of[] = {{"probe", e->key}, {"kind", l->kind}};
			const double x[] = {l->up, (double)l->total_us / 1e6, l->tries,
				(double)l->certificate_at_s};
			if (r < 3 || l->certificate_at_s)
				exposition_value(out, rows[r].name, of, 2, x[r]);
		}
	}
}

void probes_fini(struct metrics *m)
{
	MAP_EACH (&m->probes, e)
		last_seen_free(e->value);
	map_fini(&m->probes);
}
