/*
 * metrics_otlp_body.c - the tally as the JSON of OTLP 1.x (ExportMetricsServiceRequest), a piece at
 * a time, so that no turn of the loop is long however much was met.
 *
 * Sums and histograms are cumulative since we started. Numbers of 64 bits are texts, enumerations
 * numbers, names lowerCamelCase, as its JSON wants. A cloud is a resource; states and open waits
 * are gauges of the last piece.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tell/metrics_inside.h"

#define PIECE_SERIES 150
#define BODY_MAX     (8u << 20)
#define CUMULATIVE   2 /* AGGREGATION_TEMPORALITY_CUMULATIVE */
/* After the tally's families, as if it were one more. */
#define GAUGES TALLY_FAMILIES

struct writing {
	struct metrics *metrics;
	struct buf out;
	size_t points;
	int64_t now_us;
	const char *cloud, *region; /* of the resource that is open; NULL: none is */
	bool in_metric, first_point;
};

static void add_text(struct writing *w, const char *text)
{
	json_t *j = json_string(text);
	if (!j) /* no UTF-8 */
		j = json_string("?");
	json_write(&w->out, j);
	json_decref(j);
}

static void add_attribute(struct writing *w, bool first, const char *key, const char *value)
{
	buf_printf(&w->out, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":", first ? "" : ",", key);
	add_text(w, value);
	buf_add_str(&w->out, "}}");
}

static void add_int_attribute(struct writing *w, bool first, const char *key, int64_t n)
{
	buf_printf(&w->out, "%s{\"key\":\"%s\",\"value\":{\"intValue\":\"%" PRId64 "\"}}",
		first ? "" : ",", key, n);
}

/* --- resources and metrics ---------------------------------------------------------------------
 */

static void end_metric(struct writing *w, const char *tail)
{
	if (w->in_metric)
		buf_printf(&w->out, "]%s}}", tail);
	w->in_metric = false;
}

static void end_resource(struct writing *w)
{
	if (w->cloud)
		buf_add_str(&w->out, "]}]}");
	w->cloud = NULL;
}

static void begin_resource(struct writing *w, const char *cloud, const char *region, bool first)
{
	const struct metrics_site *site = &w->metrics->site;
	buf_printf(&w->out, "%s{\"resource\":{\"attributes\":[", first ? "" : ",");
	add_attribute(w, true, "service.name", "glasshouse");
	add_attribute(w, false, "service.version", GLASSHOUSE_VERSION);
	add_attribute(w, false, "service.instance.id", site->instance);
	if (site->location && *site->location)
		add_attribute(w, false, "glasshouse.location", site->location);
	if (*cloud) {
		add_attribute(w, false, "cloud.provider", "openstack");
		add_attribute(w, false, "glasshouse.cloud", cloud);
	}
	if (*region)
		add_attribute(w, false, "cloud.region", region);
	buf_add_str(&w->out,
		"]},\"scopeMetrics\":[{\"scope\":{\"name\":\"glasshouse\"},"
		"\"metrics\":[");
	w->cloud = cloud;
	w->region = region;
}

static void begin_metric(struct writing *w, bool first, const char *name, const char *help,
	const char *unit, const char *kind)
{
	buf_printf(&w->out,
		"%s{\"name\":\"%s\",\"description\":\"%s\",\"unit\":\"%s\",\"%s\":{\"dataPoints\":[",
		first ? "" : ",", name, help, unit, kind);
	w->in_metric = w->first_point = true;
}

static void begin_point(struct writing *w)
{
	buf_printf(&w->out, "%s{\"timeUnixNano\":\"%" PRId64 "000\"", w->first_point ? "" : ",",
		w->now_us);
	w->first_point = false;
	w->points++;
}

static void add_start(struct writing *w)
{
	buf_printf(&w->out, ",\"startTimeUnixNano\":\"%" PRId64 "000\"", w->metrics->began_unix_us);
}

/* --- series ------------------------------------------------------------------------------------
 */

static const char *method_of(const char *call, char *text, size_t n)
{
	snprintf(text, n, "%.*s", (int)strcspn(call, " "), call);
	return text;
}

static void add_attributes(struct writing *w, enum tally_family f, const struct tally_series *s)
{
	const struct tally_row *row = &tally_rows[f];
	bool first = true;
	char method[16];
	buf_add_str(&w->out, ",\"attributes\":[");
	if (s->overflow)
		buf_add_str(&w->out,
			"{\"key\":\"otel.metric.overflow\",\"value\":{\"boolValue\":"
			"true}}");
	for (size_t i = 0; i < tally_label_count(f) && !s->overflow; i++) {
		const char *key = row->attributes[i], *value = s->values[i];
		if (!key || !*value)
			continue;
		if (!strcmp(key, "url.template") && strchr(value, ' ')) {
			add_attribute(w, first, "http.request.method",
				method_of(value, method, sizeof(method)));
			first = false;
			value = strchr(value, ' ') + 1;
		}
		if (!strcmp(key, "http.response.status_code"))
			add_int_attribute(w, first, key, strtoll(value, NULL, 10));
		else
			add_attribute(w, first, key, value);
		first = false;
	}
	buf_add_char(&w->out, ']');
}

static void add_histogram(struct writing *w, enum tally_family f, const struct tally_series *s)
{
	const size_t bounds = tally_bound_count(f);
	buf_printf(&w->out, ",\"count\":\"%" PRIu64 "\",\"sum\":%.9g,\"bucketCounts\":[", s->n,
		s->sum);
	for (size_t i = 0; i <= bounds; i++)
		buf_printf(&w->out, "%s\"%" PRIu64 "\"", i ? "," : "", s->counts[i]);
	buf_add_str(&w->out, "],\"explicitBounds\":[");
	for (size_t i = 0; i < bounds; i++)
		buf_printf(&w->out, "%s%.15g", i ? "," : "", tally_rows[f].bounds[i]);
	buf_add_char(&w->out, ']');
}

static void add_series(struct writing *w, enum tally_family f, const struct tally_series *s)
{
	begin_point(w);
	if (f != TALLY_BENCH)
		add_start(w);
	add_attributes(w, f, s);
	if (tally_bound_count(f))
		add_histogram(w, f, s);
	else if (f == TALLY_BENCH)
		buf_printf(&w->out, ",\"asDouble\":%.9g", s->last);
	else
		buf_printf(&w->out, ",\"asInt\":\"%" PRIu64 "\"", s->n);
	buf_add_char(&w->out, '}');
}

static const char *kind_of(enum tally_family f)
{
	return f == TALLY_BENCH ? "gauge" : f == TALLY_ERROR ? "sum" : "histogram";
}

static const char *tail_of(enum tally_family f)
{
	return f == TALLY_BENCH   ? ""
	       : f == TALLY_ERROR ? ",\"aggregationTemporality\":2,\"isMonotonic\":true"
				  : ",\"aggregationTemporality\":2";
}
_Static_assert(CUMULATIVE == 2, "as written in tail_of()");

/* A piece of one family: a resource, and so a metric, begins anew where the cloud is another. */
static void add_family(struct writing *w, enum tally_family f, size_t *at)
{
	const struct tally_row *row = &tally_rows[f];
	const struct map *all = &w->metrics->tally.series[f];
	const size_t until = *at + PIECE_SERIES;
	bool first = true;
	for (; *at < all->used && *at < until; (*at)++) {
		const struct map_entry *e = &all->entries[*at];
		const struct tally_series *s = e->key ? e->value : NULL;
		if (!s)
			continue;
		if (!w->cloud || strcmp(w->cloud, s->values[0]) != 0 ||
			strcmp(w->region, s->values[1]) != 0) {
			end_metric(w, tail_of(f));
			end_resource(w);
			begin_resource(w, s->values[0], s->values[1], first);
			begin_metric(w, true, row->otlp, row->help, row->unit, kind_of(f));
			first = false;
		}
		add_series(w, f, s);
	}
	end_metric(w, tail_of(f));
	end_resource(w);
}

/* --- states and open waits: of all clouds, which their points name ------------------------------
 */

static void add_states(struct writing *w)
{
	const struct judge *j = w->metrics->site.judge;
	const size_t n = j ? judge_component_count(j) : 0;
	if (!n)
		return;
	begin_metric(w, true, "glasshouse.component.health",
		"State of a component: 0 operational, 1 degraded, 2 outage, 3 unknown, 4 maintenance.",
		"1", "gauge");
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(j, i);
		begin_point(w);
		buf_add_str(&w->out, ",\"attributes\":[");
		add_attribute(w, true, "glasshouse.component", c->id);
		if (c->cloud && *c->cloud)
			add_attribute(w, false, "glasshouse.cloud", c->cloud);
		buf_printf(&w->out, "],\"asInt\":\"%d\"}", (int)judge_verdict(j, c->id)->health);
	}
	end_metric(w, "");
}

static void on_open(void *arg, const struct measure *m)
{
	struct writing *w = arg;
	if (w->points >= 2 * PIECE_SERIES || w->out.n > BODY_MAX / 2)
		return; /* the oldest of thousands is seen in /metrics */
	begin_point(w);
	buf_add_str(&w->out, ",\"attributes\":[");
	add_attribute(w, true, "glasshouse.cloud", m->cloud);
	add_attribute(w, false, "glasshouse.scenario", m->scenario);
	add_attribute(w, false, "glasshouse.run", m->run);
	add_attribute(w, false, "glasshouse.step", m->step);
	if (m->index >= 0)
		add_int_attribute(w, false, "glasshouse.index", m->index);
	add_attribute(w, false, "glasshouse.kind", m->kind);
	add_attribute(w, false, "glasshouse.until", strrchr(m->name, ' ') + 1);
	buf_printf(&w->out, "],\"asDouble\":%.9g}", (double)m->total_us / 1e6);
}

static void add_gauges(struct writing *w)
{
	const size_t before = w->out.n;
	begin_resource(w, "", "", true);
	add_states(w);
	if (w->metrics->site.open_waits) {
		begin_metric(w, w->points == 0, "glasshouse.wait.open.age",
			"How long an object is waited for so far.", "s", "gauge");
		w->metrics->site.open_waits(w->metrics->site.arg, on_open, w);
		end_metric(w, "");
	}
	end_resource(w);
	if (!w->points)
		buf_cut(&w->out, before);
}

char *otlp_body(struct metrics *m, size_t *family, size_t *at, size_t *ret_points, size_t *ret_n)
{
	struct writing w = {.metrics = m, .out = BUF(BODY_MAX), .now_us = metrics_now_us(m)};
	buf_add_str(&w.out, "{\"resourceMetrics\":[");
	while (!w.points && *family <= GAUGES) {
		if (*family == GAUGES) {
			add_gauges(&w);
			(*family)++;
		} else {
			add_family(&w, (enum tally_family) * family, at);
			if (*at >= m->tally.series[*family].used) {
				(*family)++;
				*at = 0;
			}
		}
	}
	if (!w.points)
		*family = *at = 0;
	buf_add_str(&w.out, "]}");
	*ret_points = w.points;
	*ret_n = w.out.n;
	return buf_take(&w.out);
}
