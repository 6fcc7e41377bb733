/*
 * judge_replay_model.c - the default model over what is stored: a judge of its own, in virtual
 * time, with a directory of its own that goes with it.
 */

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "cli/judge_replay.h"
#include "judge/judge.h"

#define HOUR_MS   SERIES_HOUR_MS
#define SETTLE_MS 10000

struct source { /* a series of a component */
	struct series *series;
	char *cloud, *probe, *step, *component;
	int64_t every_ms; /* 0: the judge does not expect it yet */
};

struct seen {
	int64_t end_ms; /* when it was known */
	size_t source;
	struct series_sample sample;
};

struct model {
	struct replay *replay;
	char *dir;
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge *judge;
	VEC(struct source) sources;
	VEC(struct seen) seen; /* of one hour */
	size_t reading;        /* source */
	bool read;
	struct error err;
};

/* --- its own house
 * ------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void on_verdict(void *arg, const struct verdict *from, const struct verdict *to)
{
	struct model *m = arg;
	(void)from;
	replay_add(m->replay, &(struct replay_change){.by = (char *)"model",
				      .component = (char *)(uintptr_t)to->component,
				      .text = (char *)(uintptr_t)to->text,
				      .health = to->health,
				      .at_ms = to->since_ms});
}

static bool open_house(struct model *m, struct error *err)
{
	const struct config *c = m->replay->config;
	const struct judge_options options = {.confirm = c->confirm,
		.minimum_ns = c->minimum_ns,
		.quorum = c->quorum,
		.flap_changes = c->flap_changes,
		.flap_within_ns = c->flap_within_ns,
		.flap_quiet_ns = c->flap_quiet_ns};
	const char *tmp = getenv("TMPDIR");
	m->dir = mem_printf("%s/glasshouse-replay-XXXXXX", tmp && *tmp ? tmp
							   : access("/dev/shm", W_OK) == 0
								   ? "/dev/shm"
								   : "/tmp");
	if (!mkdtemp(m->dir)) {
		error_sys(err, errno, "%s", m->dir);
		free(m->dir);
		m->dir = NULL;
		return false;
	}
	clock_init_virtual(&m->clock, m->replay->from_ms * 1000);
	m->loop = loop_new(&m->clock, err);
	m->facts = m->loop ? facts_open(m->dir, m->loop, err) : NULL;
	m->series = m->facts ? series_open(m->dir, m->loop, NULL, err) : NULL;
	m->judge = m->series ? judge_new(m->loop, m->facts, m->series, &options, on_verdict, m, err)
			     : NULL;
	return m->judge != NULL;
}

static void close_house(struct model *m)
{
	judge_free(m->judge);
	series_close(m->series);
	facts_close(m->facts);
	if (m->loop)
		loop_free(m->loop);
	if (m->dir)
		nftw(m->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(m->dir);
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	(void)tx, (void)arg, (void)err;
	return true;
}

/* A change waits for the disk, which virtual time does not. */
static void settle(struct model *m)
{
	for (int i = 0; i < 2 && !m->err.kind; i++) {
		if (facts_call(m->facts, nothing, NULL, &m->err))
			loop_advance(m->loop, 0);
	}
}

static void pass_until(struct model *m, int64_t at_ms)
{
	int64_t now = clock_unix_us(&m->clock) / 1000;
	while (now < at_ms && !m->err.kind) {
		const int64_t step = at_ms - now < SETTLE_MS ? at_ms - now : SETTLE_MS;
		loop_advance(m->loop, step * NS_PER_MS);
		now += step;
		if (step == SETTLE_MS)
			settle(m);
	}
}

/* --- what there is
 * ----------------------------------------------------------------------------------------- */

static void add_source(struct model *m, struct series *s)
{
	struct source one = {.series = s};
	char *scenario = series_tag_value(s, "scenario");
	one.component = series_kind(s) == SERIES_PROBE ? series_tag_value(s, "component") : NULL;
	one.probe = scenario ? scenario : series_tag_value(s, "probe");
	one.step = scenario ? series_tag_value(s, "step") : NULL;
	one.cloud = series_tag_value(s, "cloud");
	one.cloud = one.cloud ? one.cloud : mem_strdup("");
	if (one.component && *one.component && one.probe) {
		const struct component c = {one.component, one.component, "", one.cloud, ""};
		judge_component(m->judge, &c);
		vec_push(&m->sources, one);
		return;
	}
	free(one.component);
	free(one.probe);
	free(one.step);
	free(one.cloud);
}

/* As in a running house, where the first cloud's components have no prefix. */
static bool add_rests(struct model *m, struct error *err)
{
	char *none = (char *)"";
	struct config_rests all = config_rests(m->replay->config, &none, 1);
	const bool good = judge_depend(m->judge, all.rests.p, all.rests.n, err);
	config_rests_fini(&all);
	return good;
}

static void free_sources(struct model *m)
{
	VEC_EACH (&m->sources, struct source, s) {
		free(s->component);
		free(s->probe);
		free(s->step);
		free(s->cloud);
	}
	vec_fini(&m->sources);
	vec_fini(&m->seen);
}

/* --- an hour
 * --------------------------------------------------------------------------------------------------
 */

static int by_gap(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The rate is not stored: most gaps are as long as it is. */
static int64_t usual_gap(const struct series_sample *p, size_t n)
{
	int64_t *gaps = mem_new_array(n, sizeof(*gaps));
	for (size_t i = 1; i < n; i++)
		gaps[i - 1] = p[i].at_ms - p[i - 1].at_ms;
	if (n > 1)
		qsort(gaps, n - 1, sizeof(*gaps), by_gap);
	const int64_t gap = n > 1 ? gaps[(n - 1) / 2] : HOUR_MS;
	free(gaps);
	return gap < 1000 ? 1000 : gap;
}

static void on_runs(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct model *m = arg;
	struct source *s = &m->sources.p[m->reading];
	m->read = true;
	if (err) {
		m->err = *err;
		return;
	}
	for (size_t i = 0; i < n; i++)
		vec_push(&m->seen,
			((struct seen){p[i].at_ms + p[i].total_us / 1000, m->reading, p[i]}));
	if (n && !s->every_ms) {
		s->every_ms = usual_gap(p, n);
		judge_expect(m->judge, &(struct judge_probe){.location = series_location(s->series),
					       .cloud = s->cloud,
					       .probe = s->probe,
					       .every_ns = s->every_ms * NS_PER_MS,
					       .timeout_ns = 10 * NS_PER_S});
	}
}

static int by_end(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	if (x->end_ms != y->end_ms)
		return x->end_ms < y->end_ms ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source;
}

static void take(struct model *m, const struct seen *seen)
{
	const struct source *s = &m->sources.p[seen->source];
	const struct observation o = {
		.location = series_location(s->series),
		.cloud = s->cloud,
		.probe = s->probe,
		.step = s->step,
		.component = s->component,
		.series = series_text(s->series),
		.at_ms = seen->sample.at_ms,
		.total_us = seen->sample.total_us,
		.fault = seen->sample.fault,
		.tries = seen->sample.tries,
		.severity = SEVERITY_OUTAGE,
	};
	const struct verdict *v = judge_verdict(m->judge, s->component);
	const bool calm = seen->sample.fault == FAULT_NONE && v && v->health == HEALTH_OPERATIONAL;
	pass_until(m, seen->end_ms);
	judge_take(m->judge, &o);
	if (!calm)
		settle(m);
}

static void play_hour(struct model *m, struct loop *l, int64_t begin, int64_t end)
{
	m->seen.n = 0;
	for (m->reading = 0; m->reading < m->sources.n && !m->err.kind; m->reading++) {
		m->read = false;
		series_runs(m->sources.p[m->reading].series, begin, end, on_runs, m);
		loop_run_until(l, &m->read);
	}
	if (m->seen.n)
		qsort(m->seen.p, m->seen.n, sizeof(*m->seen.p), by_end);
	for (size_t i = 0; i < m->seen.n && !m->err.kind; i++)
		take(m, &m->seen.p[i]);
	pass_until(m, end);
}

bool replay_model(struct replay *r, struct loop *l, struct series_store *store, struct error *err)
{
	struct model m = {.replay = r};
	struct series *s;
	bool good = open_house(&m, err) && add_rests(&m, err);
	for (size_t i = 0; good && (s = series_nth(store, i)); i++)
		add_source(&m, s);
	for (int64_t at = r->from_ms; good && m.sources.n && at < r->to_ms && !m.err.kind;) {
		const int64_t hour = (at / HOUR_MS + 1) * HOUR_MS;
		const int64_t end = hour < r->to_ms ? hour : r->to_ms;
		play_hour(&m, l, at, end);
		at = end;
	}
	if (good && !m.err.kind)
		settle(&m);
	if (good && m.err.kind) {
		*err = m.err;
		good = false;
	}
	close_house(&m);
	free_sources(&m);
	return good;
}
