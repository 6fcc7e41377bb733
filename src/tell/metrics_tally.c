/*
 * metrics_tally.c - counts, sums and buckets of what was measured, by labels, since the start.
 *
 * Labels come from tables of our own and from scenarios, so their combinations are bounded here:
 * beyond TALLY_SERIES_MAX a measure is counted in one series that says so.
 */

#include <string.h>

#include "tell/metrics_inside.h"

#define CALL_BOUNDS                                                                                \
	{                                                                                          \
		0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10          \
	}
#define LONG_BOUNDS                                                                                \
	{                                                                                          \
		0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 3600          \
	}

/* What differs between two places is in the first labels, which OTLP has in its resource. */
const struct tally_row tally_rows[TALLY_FAMILIES] = {
	[TALLY_CALL] = {"call_duration_seconds", "Exchanges with services of the cloud.",
		"http.client.request.duration", "s",
		{"cloud", "region", "service", "call", "status", "fault"},
		{NULL, NULL, "glasshouse.service", "url.template", "http.response.status_code",
			"error.type"},
		CALL_BOUNDS},
	[TALLY_WAIT] = {"wait_duration_seconds", "Waits until an object was ready or gone.",
		"glasshouse.wait.duration", "s",
		{"cloud", "region", "kind", "until", "zone", "fault"},
		{NULL, NULL, "glasshouse.kind", "glasshouse.until", "glasshouse.zone",
			"error.type"},
		LONG_BOUNDS},
	[TALLY_CHECK] = {"check_duration_seconds", "Measuring steps of scenarios.",
		"glasshouse.check.duration", "s",
		{"cloud", "region", "scenario", "step", "check", "fault"},
		{NULL, NULL, "glasshouse.scenario", "glasshouse.step", "glasshouse.check",
			"error.type"},
		LONG_BOUNDS},
	[TALLY_RUN] = {"run_duration_seconds", "Runs until everything was built and measured.",
		"glasshouse.run.duration", "s", {"cloud", "region", "scenario", "fault"},
		{NULL, NULL, "glasshouse.scenario", "error.type"}, LONG_BOUNDS},
	[TALLY_BENCH] = {"bench_value", "The last figure of a benchmark, in its unit.",
		"glasshouse.bench", "1",
		{"cloud", "region", "scenario", "step", "index", "bench", "unit"},
		{NULL, NULL, "glasshouse.scenario", "glasshouse.step", "glasshouse.index",
			"glasshouse.bench", "glasshouse.unit"},
		{0}},
	[TALLY_ERROR] = {"errors_total", "What did not end well.", "glasshouse.errors", "{error}",
		{"cloud", "region", "what", "service", "fault"},
		{NULL, NULL, "glasshouse.what", "glasshouse.service", "error.type"}, {0}},
};

size_t tally_label_count(enum tally_family f)
{
	size_t n = 0;
	while (tally_rows[f].labels[n])
		n++;
	return n;
}

size_t tally_bound_count(enum tally_family f)
{
	size_t n = 0;
	while (n < TALLY_BOUNDS_MAX && tally_rows[f].bounds[n] > 0)
		n++;
	return n;
}

/* --- series ------------------------------------------------------------------------------------
 */

static struct tally_series *add_series(
	struct tally *t, enum tally_family f, const char *key, const char *const *values)
{
	struct tally_series *s = mem_new(struct tally_series);
	for (size_t i = 0; i < tally_label_count(f); i++)
		s->values[i] = mem_strdup(values[i]);
	map_put(&t->series[f], key, s);
	return s;
}

/* Cloud and region stay told apart beyond the limit; they are configured, not met. */
static struct tally_series *overflow_of(
	struct tally *t, enum tally_family f, const char *const *values)
{
	const char *others[TALLY_LABELS_MAX] = {values[0], values[1]};
	char *key = mem_printf("%s\x1f%s", values[0], values[1]);
	struct tally_series *s = map_get(&t->series[f], key);
	for (size_t i = 2; i < tally_label_count(f); i++)
		others[i] = "other";
	t->overflowed++;
	if (!s) {
		s = add_series(t, f, key, others);
		s->overflow = true;
	}
	free(key);
	return s;
}

static struct tally_series *series_of(
	struct tally *t, enum tally_family f, const char *const *values)
{
	struct buf key = BUF(BUF_LINE);
	for (size_t i = 0; i < tally_label_count(f); i++)
		buf_printf(&key, "%s\x1f", values[i]);
	struct tally_series *s = map_get(&t->series[f], buf_str(&key));
	if (!s)
		s = t->series[f].n < TALLY_SERIES_MAX ? add_series(t, f, buf_str(&key), values)
						      : overflow_of(t, f, values);
	buf_fini(&key);
	return s;
}

static void count(struct tally *t, enum tally_family f, const char *const *values, double x)
{
	const char *given[TALLY_LABELS_MAX] = {0};
	for (size_t i = 0; i < tally_label_count(f); i++)
		given[i] = values[i] ? values[i] : "";
	struct tally_series *s = series_of(t, f, given);
	const size_t bounds = tally_bound_count(f);
	size_t i = 0;
	while (i < bounds && x > tally_rows[f].bounds[i])
		i++;
	s->counts[i]++;
	s->n++;
	s->sum += x;
	s->last = x;
}

/* --- measures ----------------------------------------------------------------------------------
 */

static const char *fault_label(const struct measure *m)
{
	return m->fault == FAULT_NONE ? "" : fault_name(m->fault);
}

static void count_error(struct tally *t, const struct measure *m)
{
	static const char *const whats[] = {"call", "wait", "check", "bench", "run", "", "probe"};
	if (m->fault != FAULT_NONE)
		count(t, TALLY_ERROR,
			(const char *[]){
				m->cloud, m->region, whats[m->what], m->service, fault_label(m)},
			1);
}

void tally_take(struct tally *t, const struct measure *m)
{
	const double s = (double)m->total_us / 1e6;
	const char *until = strrchr(m->name, ' ');
	char number[24] = "";
	switch (m->what) {
	case MEASURE_CALL:
		if (m->status)
			snprintf(number, sizeof(number), "%d", m->status);
		count(t, TALLY_CALL,
			(const char *[]){
				m->cloud, m->region, m->service, m->name, number, fault_label(m)},
			s);
		break;
	case MEASURE_WAIT:
		count(t, TALLY_WAIT,
			(const char *[]){m->cloud, m->region, m->kind, until ? until + 1 : m->name,
				json_string_value(json_object_get(m->dimensions, "zone")),
				fault_label(m)},
			s);
		break;
	case MEASURE_CHECK:
		count(t, TALLY_CHECK,
			(const char *[]){
				m->cloud, m->region, m->scenario, m->step, m->name, fault_label(m)},
			s);
		break;
	case MEASURE_RUN:
		count(t, TALLY_RUN,
			(const char *[]){m->cloud, m->region, m->scenario, fault_label(m)}, s);
		break;
	case MEASURE_ENDPOINT:
	case MEASURE_PROBE: return; /* metrics_probes.c has the last of each */
	case MEASURE_BENCH:
		if (m->index >= 0)
			snprintf(number, sizeof(number), "%d", m->index);
		count(t, TALLY_BENCH,
			(const char *[]){m->cloud, m->region, m->scenario, m->step, number, m->name,
				m->unit},
			m->value);
		return; /* its check tells whether it went well */
	}
	count_error(t, m);
}

void tally_fini(struct tally *t)
{
	for (int f = 0; f < TALLY_FAMILIES; f++) {
		MAP_EACH (&t->series[f], e) {
			struct tally_series *s = e->value;
			for (size_t i = 0; i < TALLY_LABELS_MAX; i++)
				free(s->values[i]);
			free(s);
		}
		map_fini(&t->series[f]);
	}
}
