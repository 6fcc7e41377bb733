/*
 * metrics_point.c - a measure as a point of our own dialect; docs/metrics.md has its tags and
 * fields.
 */

#include <string.h>

#include "tell/metrics_inside.h"
#include "text/line_protocol.h"

#define TAGS_MAX 24

static const char *const whats[] = {"call", "wait", "check", "bench", "run", "", "probe"};

struct tags {
	const char *keys[TAGS_MAX], *values[TAGS_MAX];
	size_t n;
};

/* A key that is there keeps its value: a dimension cannot pose as another step. */
static void add_tag(struct tags *t, const char *key, const char *value)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->keys[i], key))
			return;
	if (t->n == TAGS_MAX || !value || !*value)
		return;
	t->keys[t->n] = key;
	t->values[t->n++] = value;
}

static void add_dimensions(struct tags *t, const json_t *dimensions)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)dimensions, key, value) {
		/* the receiver's own name for a point's time */
		add_tag(t, strcmp(key, "time") ? key : "time_", json_string_value(value));
	}
}

static void begin(struct line *l, struct buf *out, const char *measurement, const char *what,
	const struct measure *m)
{
	struct tags t = {0};
	char index[24];
	snprintf(index, sizeof(index), "%d", m->index);
	add_tag(&t, "what", what);
	add_tag(&t, "cloud", m->cloud);
	add_tag(&t, "region", m->region);
	add_tag(&t, "location", m->location);
	add_tag(&t, "scenario", m->scenario);
	add_tag(&t, "step", m->step);
	if (m->index >= 0)
		add_tag(&t, "index", index);
	add_tag(&t, "service", m->service);
	if (m->what != MEASURE_RUN)
		add_tag(&t, whats[m->what], m->name);
	add_tag(&t, "kind", m->kind);
	if (m->what == MEASURE_BENCH)
		add_tag(&t, "unit", m->unit);
	add_dimensions(&t, m->dimensions);
	line_begin(l, out, measurement);
	for (size_t i = 0; i < t.n; i++)
		line_tag(l, t.keys[i], t.values[i]);
}

bool metrics_point(struct buf *out, const char *measurement, const struct measure *m, int64_t at)
{
	struct line l;
	begin(&l, out, measurement, whats[m->what], m);
	if (m->what == MEASURE_BENCH)
		line_real(&l, "value", m->value, 6);
	else
		line_real(&l, "duration_ms", (double)m->total_us / 1000, 3);
	line_int(&l, "failed", m->fault != FAULT_NONE);
	line_text(&l, "fault", fault_name(m->fault));
	if (m->status)
		line_int(&l, "status", m->status);
	line_text(&l, "run", m->run);
	line_text(&l, "request_id", m->request_id);
	return line_end(&l, at);
}

bool metrics_point_open(
	struct buf *out, const char *measurement, const struct measure *wait, int64_t at)
{
	struct line l;
	begin(&l, out, measurement, "open", wait);
	line_real(&l, "age_ms", (double)wait->total_us / 1000, 3);
	line_text(&l, "run", wait->run);
	return line_end(&l, at);
}
