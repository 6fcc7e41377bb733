/*
 * house_outposts.c - both halves of outposts in /metrics.
 */

#include <math.h>

#include "base/json.h"
#include "text/exposition.h"
#include "web/house_inside.h"

/* Its number, or NAN where it is null. */
static double number(const json_t *outpost, const char *key, double scale)
{
	const json_t *v = json_object_get(outpost, key);
	return json_is_integer(v) ? (double)json_integer_value(v) * scale : (double)NAN;
}

static void add_outposts(struct buf *b, const json_t *all)
{
	static const struct {
		const char *name, *type, *help, *key;
		double scale;
	} rows[] = {{"outpost_heard_time_seconds", "gauge", "When it was heard last, Unix time.",
			    "heard_ms", 1e-3},
		{"outpost_lag_seconds", "gauge", "Age of the oldest that waits there.", "lag_ms",
			1e-3},
		{"outpost_spooled_samples", "gauge", "Samples that wait there.", "samples", 1},
		{"outpost_spooled_bytes", "gauge", "Bytes of them.", "bytes", 1},
		{"outpost_clock_offset_seconds", "gauge", "Its clock minus ours.", "clock_ms",
			1e-3},
		{"outpost_probes", "gauge", "Probes that run there.", "probes", 1},
		{"outpost_taken_samples_total", "counter", "Samples taken of it.", "taken", 1},
		{"outpost_refused_samples_total", "counter",
			"Samples not taken: too old, or ahead of our clock.", "refused", 1},
		{"outpost_dropped_old_samples_total", "counter",
			"Samples that it dropped: they waited too long.", "too_old", 1},
		{"outpost_dropped_full_samples_total", "counter",
			"Samples that it dropped for lack of room.", "too_many", 1}};
	for (size_t r = 0; r < array_len(rows); r++) {
		size_t i;
		json_t *o;
		exposition_family(b, rows[r].name, rows[r].type, rows[r].help);
		json_array_foreach (all, i, o) {
			const struct exposition_label l = {"location", json_str(o, "location")};
			const double x = number(o, rows[r].key, rows[r].scale);
			if (!isnan(x))
				exposition_value(b, rows[r].name, &l, 1, x);
		}
	}
}

static void add_report(struct buf *b, const struct reporter_state *s, const struct outbox_state *o)
{
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {{"report_taken_samples_total", "counter", "Samples that the house took.",
			    s->samples},
		{"report_taken_parcels_total", "counter", "Parcels that the house took.",
			s->parcels},
		{"report_failures_total", "counter", "Tries that the house did not take.",
			s->failures},
		{"report_spooled_samples", "gauge", "Samples that wait for the house.", o->samples},
		{"report_spooled_bytes", "gauge", "Bytes of them.", o->bytes},
		{"report_dropped_old_samples_total", "counter",
			"Samples that waited too long for the house.", o->too_old},
		{"report_dropped_full_samples_total", "counter",
			"Samples dropped for lack of room in the spool.", o->too_many}};
	for (size_t r = 0; r < array_len(rows); r++) {
		exposition_family(b, rows[r].name, rows[r].type, rows[r].help);
		exposition_value(b, rows[r].name, NULL, 0, (double)rows[r].value);
	}
}

void metrics_outposts(struct buf *b, const struct house *h)
{
	if (h->outposts) {
		json_t *all = outposts_json(h->outposts);
		if (json_array_size(all))
			add_outposts(b, all);
		json_decref(all);
	}
	if (h->reporter) {
		const struct reporter_state s = reporter_state(h->reporter);
		const struct outbox_state o = outbox_state(h->series);
		add_report(b, &s, &o);
	}
}
