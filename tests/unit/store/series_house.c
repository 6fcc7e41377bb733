/* series_house.c - see series_house.h. */
#include "series_house.h"

#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "remove_tree.h"

static void open_store(struct series_house *h)
{
	h->store = series_open(h->root, h->loop, &h->options, &h->err);
	if (!h->store)
		fail_msg("%s", h->err.msg);
}

int series_house_setup(void **state)
{
	struct series_house *h = mem_new(struct series_house);
	int64_t us;

	/* in memory where there is such a place: hundreds of hours are sealed, each with its fsyncs
	 */
	snprintf(h->root, sizeof(h->root), "%s/test-series-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(h->root))
		return -1;
	assert_true(clock_parse_rfc3339("2026-12-29T22:10:00Z", &us));
	clock_init_virtual(&h->clock, us);
	h->loop = loop_new(&h->clock, &h->err);
	assert_non_null(h->loop);
	open_store(h);
	*state = h;
	return 0;
}

int series_house_teardown(void **state)
{
	struct series_house *h = *state;

	series_close(h->store);
	loop_free(h->loop);
	remove_tree(h->root);
	free(h);
	return 0;
}

void series_house_reopen(struct series_house *h)
{
	series_close(h->store);
	open_store(h);
}

int64_t series_house_now(const struct series_house *h)
{
	return clock_unix_us(&h->clock) / 1000;
}

void series_house_pass(struct series_house *h, int64_t ms)
{
	loop_advance(h->loop, ms * NS_PER_MS);
	series_settle(h->store);
}

struct series *kind_series(struct series_store *st, enum series_kind kind, const char *name)
{
	const struct series_tag tags[] = {{"zone", "az1"}, {"cloud", "sim"}, {"none", NULL}};
	const struct series_key key = {kind, "us", "here", name, tags, 3};
	struct series *s = series_get(st, &key);

	assert_non_null(s);
	return s;
}

struct series *probe_series(struct series_store *st, const char *name)
{
	return kind_series(st, SERIES_PROBE, name);
}

struct series_sample probe_sample(int64_t at_ms, int64_t total_us)
{
	return (struct series_sample){.at_ms = at_ms,
		.tries = 1,
		.total_us = total_us,
		.phase_us = {[SERIES_WAIT] = total_us}};
}

/* --- answers -----------------------------------------------------------------------------------
 */

void answer_fini(struct answer *a)
{
	for (size_t i = 0; i < a->points.n; i++)
		series_point_fini(&a->points.p[i]);
	free(a->points.p);
	VEC_EACH (&a->runs, struct series_sample, s) {
		struct series_hist *hist = (struct series_hist *)s->hist;

		if (hist)
			series_hist_fini(hist);
		free(hist);
	}
	vec_fini(&a->runs);
	vec_fini(&a->days);
	*a = (struct answer){0};
}

static void end(struct answer *a, const struct error *err)
{
	a->calls++;
	a->done = true;
	if (err)
		a->err = *err;
}

void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct answer *a = arg;

	end(a, err);
	if (err)
		return;
	a->points.n = points->n;
	a->points.resolution_ms = points->resolution_ms;
	a->points.p = mem_new_array(points->n ? points->n : 1, sizeof(*points->p));
	for (size_t i = 0; i < points->n; i++) {
		a->points.p[i] = points->p[i];
		a->points.p[i].hist = (struct series_hist){0};
		series_hist_merge(&a->points.p[i].hist, &points->p[i].hist);
	}
}

void on_runs(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct answer *a = arg;

	end(a, err);
	for (size_t i = 0; i < n; i++) {
		struct series_sample s = p[i];

		if (s.hist) {
			struct series_hist *copy = mem_new(struct series_hist);

			series_hist_merge(copy, s.hist);
			s.hist = copy;
		}
		vec_push(&a->runs, s);
	}
}

static void on_days(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	struct answer *a = arg;

	end(a, err);
	for (size_t i = 0; i < n; i++) {
		struct series_day d = days[i];

		d.point.hist = (struct series_hist){0};
		vec_push(&a->days, d);
	}
}

static bool answered(struct answer *a, struct loop *l)
{
	loop_run_until(l, &a->done);
	assert_int_equal(a->calls, 1);
	return a->err.kind == ERROR_NONE;
}

bool ask_points(struct series *s, struct loop *l, int64_t from, int64_t to, int64_t step, bool fill,
	struct answer *a)
{
	*a = (struct answer){0};
	series_read(s, from, to, step, fill, on_points, a);
	assert_false(a->done);
	return answered(a, l);
}

bool ask_runs(struct series *s, struct loop *l, int64_t from, int64_t to, struct answer *a)
{
	*a = (struct answer){0};
	series_runs(s, from, to, on_runs, a);
	return answered(a, l);
}

bool ask_last(struct series *s, struct loop *l, struct answer *a)
{
	*a = (struct answer){0};
	series_last(s, on_runs, a);
	return answered(a, l);
}

bool ask_days(struct series *s, struct loop *l, int64_t day, size_t n, struct answer *a)
{
	*a = (struct answer){0};
	series_days(s, day, n, on_days, a);
	return answered(a, l);
}

void count_trouble(void *arg, const struct error *why)
{
	struct troubles *t = arg;

	if (why)
		t->stopped++;
	else
		t->went_on++;
}
