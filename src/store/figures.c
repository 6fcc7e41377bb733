/*
 * figures.c - see figures.h. Reading asks a few series at a time, so that no query waits for its
 * turn until its deadline.
 */

#include "store/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "store/series_roll.h"

#define AT_ONCE 8

static const char *const what_names[FIGURE_WHATS] = {"call", "wait", "check", "bench"};

const char *figure_what_name(enum figure_what what)
{
	return what_names[what];
}

/* --- keeping ---------------------------------------------------------------------------------- */

struct figures {
	struct series_store *store;
	struct map series; /* key_of() -> struct series *, but "other" */
};

/* Owned. */
static char *key_of(enum figure_what what, const char *location, const char *cloud,
	const char *region, const char *service, const char *name)
{
	return mem_printf("%d\n%s\n%s\n%s\n%s\n%s", (int)what, location, cloud,
		region ? region : "", service ? service : "", name);
}

static enum figure_what what_of(const struct series *s)
{
	for (int i = 0; i < FIGURE_WHATS; i++)
		if (!strcmp(series_name(s), what_names[i]))
			return (enum figure_what)i;
	return FIGURE_WHATS;
}

/* What an earlier process defined is counted. */
static bool on_defined(void *arg, struct series *s)
{
	struct figures *f = arg;
	const enum figure_what what = what_of(s);
	char *cloud = series_tag_value(s, "cloud"), *region = series_tag_value(s, "region"),
	     *service = series_tag_value(s, "service"),
	     *name = what == FIGURE_WHATS ? NULL : series_tag_value(s, what_names[what]);
	if (cloud && name && strcmp(name, "other") != 0) {
		char *key = key_of(what, series_location(s), cloud, region, service, name);
		map_put(&f->series, key, s);
		free(key);
	}
	free(cloud);
	free(region);
	free(service);
	free(name);
	return true;
}

struct figures *figures_new(struct series_store *st)
{
	struct figures *f = mem_new(struct figures);
	f->store = st;
	for (size_t i = 0; i < FIGURE_WHATS; i++)
		series_find(st, what_names[i], NULL, 0, on_defined, f);
	return f;
}

void figures_free(struct figures *f)
{
	if (!f)
		return;
	map_fini(&f->series);
	free(f);
}

static struct series *define(struct figures *f, enum figure_what what, const struct measure *m,
	const char *service, const char *name)
{
	const struct series_tag tags[] = {{"cloud", m->cloud},
		{"region", *m->region ? m->region : NULL}, {"service", service},
		{what_names[what], name}};
	const struct series_key key = {.kind = what == FIGURE_BENCH ? SERIES_GAUGE : SERIES_PROBE,
		.unit = what == FIGURE_BENCH ? m->unit : "us",
		.location = m->location,
		.name = what_names[what],
		.tags = tags,
		.tag_count = array_len(tags)};
	return series_get(f->store, &key);
}

static struct series *series_of(
	struct figures *f, enum figure_what what, const struct measure *m, const char *name)
{
	const char *service = what == FIGURE_CALL ? m->service : NULL;
	char *key = key_of(what, m->location, m->cloud, m->region, service, name);
	struct series *s = map_get(&f->series, key);
	if (!s) {
		const bool room = f->series.n < FIGURES_MAX;
		s = define(f, what, m, service, room ? name : "other");
		if (s && room)
			map_put(&f->series, key, s);
	}
	free(key);
	return s;
}

static bool kind_of(const struct measure *m, enum figure_what *ret)
{
	switch (m->what) {
	case MEASURE_CALL: *ret = FIGURE_CALL; return true;
	case MEASURE_WAIT: *ret = FIGURE_WAIT; return true;
	case MEASURE_CHECK: *ret = FIGURE_CHECK; return true;
	case MEASURE_BENCH: *ret = FIGURE_BENCH; return m->fault == FAULT_NONE;
	case MEASURE_RUN:
	case MEASURE_ENDPOINT:
	case MEASURE_PROBE: break; /* a series of its own each */
	}
	return false;
}

void figures_take(void *figures, const struct measure *m)
{
	struct figures *f = figures;
	enum figure_what what;
	if (!f || !kind_of(m, &what))
		return;
	const bool of_scenario = what == FIGURE_CHECK || what == FIGURE_BENCH;
	char *name = of_scenario && m->scenario ? mem_printf("%s %s", m->scenario, m->name)
						: mem_strdup(m->name);
	struct series *s = series_of(f, what, m, name);
	free(name);
	if (s)
		series_append(s, &(struct series_sample){.at_ms = m->at_ms,
					 .fault = m->fault,
					 .tries = 1,
					 .total_us = m->total_us,
					 .value = m->value});
}

/* --- reading ---------------------------------------------------------------------------------- */

struct part {
	struct figures_reading *reading;
	struct series *series;
	size_t figure;
	struct series_query *query; /* NULL: not under way */
};

struct figures_reading {
	struct figures_query q;
	VEC(struct figure) list;
	VEC(struct part) parts;
	size_t next, under_way, unread;
	bool cancelled;
	struct error err; /* of the first that was not read */
	struct timer begin;
	figures_done *done;
	void *arg;
};

static bool same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Series that differ in region or location alone are one figure. */
static size_t figure_of(struct figures_reading *r, enum figure_what what, const char *cloud,
	const char *service, const char *name)
{
	for (size_t i = 0; i < r->list.n; i++) {
		const struct figure *f = &r->list.p[i];
		if (f->what == what && same(f->cloud, cloud) && same(f->service, service) &&
			same(f->name, name))
			return i;
	}
	struct figure *f = vec_add(&r->list);
	f->what = what;
	f->cloud = mem_strdup(cloud);
	f->service = mem_strdup(service ? service : "");
	f->name = mem_strdup(name);
	f->step_count = (size_t)((r->q.to_ms - r->q.from_ms + r->q.step_ms - 1) / r->q.step_ms);
	f->steps = mem_new_array(f->step_count, sizeof(*f->steps));
	for (size_t i = 0; i < f->step_count; i++)
		f->steps[i].at_ms = r->q.from_ms + (int64_t)i * r->q.step_ms;
	return r->list.n - 1;
}

static bool on_series(void *arg, struct series *s)
{
	struct figures_reading *r = arg;
	const enum figure_what what = what_of(s);
	if (what == FIGURE_WHATS ||
		series_kind(s) != (what == FIGURE_BENCH ? SERIES_GAUGE : SERIES_PROBE))
		return true;
	char *cloud = series_tag_value(s, "cloud"), *service = series_tag_value(s, "service"),
	     *name = series_tag_value(s, what_names[what]);
	if (cloud && name && (!r->q.cloud || !strcmp(r->q.cloud, cloud))) {
		const size_t i = figure_of(r, what, cloud, service, name);
		r->list.p[i].unit = series_unit(s);
		vec_push(&r->parts, ((struct part){.reading = r, .series = s, .figure = i}));
	}
	free(cloud);
	free(service);
	free(name);
	return true;
}

static int by_p95(const void *a, const void *b)
{
	const struct figure *x = a, *y = b;
	if ((x->what == FIGURE_BENCH) != (y->what == FIGURE_BENCH))
		return x->what == FIGURE_BENCH ? 1 : -1;
	const double px = x->all.ok ? series_point_quantile(&x->all, 0.95) : -1;
	const double py = y->all.ok ? series_point_quantile(&y->all, 0.95) : -1;
	if (px != py)
		return px < py ? 1 : -1;
	return x->all.n == y->all.n ? strcmp(x->name, y->name) : x->all.n < y->all.n ? 1 : -1;
}

static void figure_fini(struct figure *f)
{
	series_point_fini(&f->all);
	for (size_t i = 0; i < f->step_count; i++)
		series_point_fini(&f->steps[i]);
	free(f->steps);
	free(f->cloud);
	free(f->service);
	free(f->name);
}

void figure_list_free(struct figure *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		figure_fini(&list[i]);
	free(list);
}

static void end(struct figures_reading *r)
{
	size_t n = 0;
	if (r->cancelled)
		error_set(&r->err, ERROR_CANCELLED, "the reading was cancelled");
	for (size_t i = 0; i < r->list.n; i++) {
		if (r->list.p[i].all.n && !r->cancelled)
			r->list.p[n++] = r->list.p[i];
		else
			figure_fini(&r->list.p[i]);
	}
	if (n)
		qsort(r->list.p, n, sizeof(*r->list.p), by_p95);
	r->done(r->arg, r->list.p, n, r->unread, r->err.kind ? &r->err : NULL);
	vec_fini(&r->parts);
	free(r);
}

static void go_on(struct figures_reading *r);

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct part *p = arg;
	struct figures_reading *r = p->reading;
	struct figure *f = &r->list.p[p->figure];
	p->query = NULL;
	r->under_way--;
	if (err) {
		r->unread++;
		if (!r->err.kind)
			r->err = *err;
	}
	for (size_t i = 0; !err && i < points->n; i++) {
		const int64_t at = (points->p[i].at_ms - r->q.from_ms) / r->q.step_ms;
		if (!points->p[i].n || at < 0 || at >= (int64_t)f->step_count)
			continue;
		series_point_merge(&f->all, &points->p[i]);
		series_point_merge(&f->steps[at], &points->p[i]);
	}
	go_on(r);
}

static void go_on(struct figures_reading *r)
{
	while (!r->cancelled && r->under_way < AT_ONCE && r->next < r->parts.n) {
		struct part *p = &r->parts.p[r->next++];
		r->under_way++;
		p->query = series_read(
			p->series, r->q.from_ms, r->q.to_ms, r->q.step_ms, false, on_points, p);
	}
	if (!r->under_way) {
		r->unread += r->parts.n - r->next;
		end(r);
	}
}

static void on_begin(struct timer *t)
{
	go_on(t->arg);
}

struct figures_reading *figures_read(struct loop *l, struct series_store *st,
	const struct figures_query *q, figures_done *done, void *arg)
{
	struct figures_reading *r = mem_new(struct figures_reading);
	r->q = *q;
	r->done = done;
	r->arg = arg;
	for (int i = 0; i < FIGURE_WHATS; i++)
		if (q->what & (1u << i))
			series_find(st, what_names[i], NULL, 0, on_series, r);
	r->q.cloud = NULL; /* the caller's */
	timer_start(l, &r->begin, 0, on_begin, r);
	return r;
}

void figures_cancel(struct figures_reading *r)
{
	r->cancelled = true;
	VEC_EACH (&r->parts, struct part, p) {
		if (p->query)
			series_cancel(p->query);
	}
	if (!r->under_way) {
		timer_cancel(&r->begin);
		go_on(r);
	}
}

/* --- as a document ---------------------------------------------------------------------------- */

static void put_ms(json_t *o, const char *key, bool known, double us)
{
	json_object_set_new(o, key, known ? json_real(us / 1000) : json_null());
}

json_t *figure_json(const struct figure *f)
{
	const struct series_point *p = &f->all;
	const bool any = p->ok > 0;
	json_t *faults = json_object();
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "what", what_names[f->what],
		"cloud", f->cloud, "service", f->service, "name", f->name, "n", (json_int_t)p->n,
		"errors", (json_int_t)(p->n - p->ok));
	put_ms(o, "min_ms", any, p->min);
	put_ms(o, "mean_ms", any, any ? p->sum / (double)p->ok : 0);
	put_ms(o, "p50_ms", any, any ? series_point_quantile(p, 0.5) : 0);
	put_ms(o, "p95_ms", any, any ? series_point_quantile(p, 0.95) : 0);
	put_ms(o, "p99_ms", any, any ? series_point_quantile(p, 0.99) : 0);
	put_ms(o, "max_ms", any, p->max);
	for (int i = 0; i < FAULT_COUNT; i++)
		if (p->faults[i] && i != FAULT_NONE)
			json_object_set_new(
				faults, fault_name((enum fault)i), json_integer(p->faults[i]));
	json_object_set_new(o, "faults", faults);
	return o;
}
