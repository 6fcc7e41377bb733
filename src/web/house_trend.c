/*
 * house_trend.c - the last 24 hours of a probe or a step in steps of ten minutes; less of a house
 * that has seen less.
 *
 * Series that differ in dimensions (zones, types) alone are one trend: their points are added.
 */

#include <string.h>

#include "web/house_inside.h"

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

struct house_trend *trend_of(struct house_asked *a, const char *cloud, const char *probe,
	const char *step, const char *component)
{
	cloud = cloud && *cloud ? cloud : NULL; /* what belongs to none */
	VEC_EACH (&a->trends, struct house_trend *, t)
		if (same((*t)->cloud, cloud) && same((*t)->probe, probe) && same((*t)->step, step))
			return *t;
	if (a->trends.n == TREND_MAX)
		return NULL;
	struct house_trend *t = mem_new(struct house_trend);
	vec_push(&a->trends, t);
	t->asked = a;
	t->cloud = mem_strdup(cloud);
	t->probe = mem_strdup(probe);
	t->step = mem_strdup(step);
	t->component = mem_strdup(component);
	return t;
}

/* A day would be an empty picture in the first hours of a house. */
void trend_begin(struct house_asked *a)
{
	int64_t longest_s = 0;
	MAP_EACH (&a->house->days, e) {
		const struct house_days *d = e->value;
		int64_t seen_s = 0;
		for (size_t i = HOUSE_KEPT - MODEL_DAYS; i < HOUSE_KEPT; i++)
			for (int h = 0; h < HEALTH_COUNT; h++)
				seen_s += d->days[i].s[h];
		longest_s = seen_s > longest_s ? seen_s : longest_s;
	}
	a->trend_step_ms = longest_s < 3600       ? TREND_STEP_MS / 20
			   : longest_s < 5 * 3600 ? TREND_STEP_MS / 4
						  : TREND_STEP_MS;
}

static int64_t trend_from(const struct house_asked *a)
{
	return (a->now_ms / a->trend_step_ms - TREND_POINTS + 1) * a->trend_step_ms;
}

/* An error leaves what was not read as not measured. */
static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct house_trend *t = arg;
	const int64_t from_ms = trend_from(t->asked), step_ms = t->asked->trend_step_ms;
	for (size_t i = 0; !err && i < points->n; i++) {
		const int64_t at = (points->p[i].at_ms - from_ms) / step_ms;
		if (points->p[i].n && at >= 0 && at < TREND_POINTS)
			series_point_merge(&t->points[at], &points->p[i]);
	}
	asked_part_done(t->asked);
}

static bool on_series(void *arg, struct series *s)
{
	struct house_asked *a = arg;
	if (series_kind(s) != SERIES_PROBE)
		return true;
	char *cloud = series_tag_value(s, "cloud"), *probe = series_tag_value(s, "scenario");
	char *step = probe ? series_tag_value(s, "step") : NULL,
	     *component = series_tag_value(s, "component");
	if (!probe)
		probe = series_tag_value(s, "probe");
	struct house_trend *t = probe && (!a->cloud || same(a->cloud, cloud))
					? trend_of(a, cloud, probe, step, component)
					: NULL;
	if (t) {
		const int64_t from_ms = trend_from(a), step_ms = a->trend_step_ms;
		a->parts_due++;
		series_read(
			s, from_ms, from_ms + TREND_POINTS * step_ms, step_ms, false, on_points, t);
	}
	free(cloud);
	free(probe);
	free(step);
	free(component);
	return a->parts_due < TREND_SERIES_MAX;
}

void trend_series(struct house_asked *a, const char *key, const char *value)
{
	const struct series_tag tag = {key, value};
	series_find(a->house->series, "*", &tag, 1, on_series, a);
}

json_t *trend_point_json(const struct series_point *p, int64_t at_ms)
{
	json_t *j = json_object();
	put_int(j, "at_ms", at_ms);
	put_int(j, "n", (int64_t)p->n);
	put_int(j, "ok", (int64_t)p->ok);
	const bool any = p->ok > 0;
	put(j, "p50_ms", any ? json_real(series_point_quantile(p, 0.5) / 1000) : json_null());
	put(j, "p95_ms", any ? json_real(series_point_quantile(p, 0.95) / 1000) : json_null());
	put(j, "max_ms", any ? json_real(p->max / 1000) : json_null());
	return j;
}

json_t *trend_json(const struct house_trend *t)
{
	const int64_t from_ms = trend_from(t->asked), step_ms = t->asked->trend_step_ms;
	json_t *j = json_object(), *points = json_array();
	for (size_t i = 0; i < TREND_POINTS; i++)
		json_array_append_new(
			points, trend_point_json(&t->points[i], from_ms + (int64_t)i * step_ms));
	put_int(j, "from_ms", from_ms);
	put_int(j, "to_ms", from_ms + TREND_POINTS * step_ms);
	put_int(j, "step_ms", step_ms);
	put(j, "points", points);
	return j;
}

void trends_free(struct house_asked *a)
{
	VEC_EACH (&a->trends, struct house_trend *, at) {
		struct house_trend *t = *at;
		free(t->cloud);
		free(t->probe);
		free(t->step);
		free(t->component);
		for (size_t k = 0; k < TREND_POINTS; k++)
			series_point_fini(&t->points[k]);
		free(t);
	}
	vec_fini(&a->trends);
}
