/*
 * judge_replay_model.c - the judge over what is stored: one of its own, in virtual time, with a
 * directory of its own that goes with it.
 */

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/judge_replay_hour.h"
#include "judge/judge.h"

#define HOUR_MS SERIES_HOUR_MS
#define STEP_MS 1000 /* a change waits no longer for the disk, which virtual time does not know */

struct model {
	struct replay *replay;
	struct hours hours;
	char *dir;
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge *judge; /* NULL: between two lives */
	bool heard;          /* it heard of a result */
	VEC(char *) components;
	const char *component; /* whose history is read */
	struct error err;
};

/* --- its own house ---------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static bool make_dir(struct model *m, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	m->dir = mem_printf("%s/glasshouse-replay-XXXXXX", tmp && *tmp ? tmp
							   : access("/dev/shm", W_OK) == 0
								   ? "/dev/shm"
								   : "/tmp");
	if (mkdtemp(m->dir))
		return true;
	error_sys(err, errno, "%s", m->dir);
	free(m->dir);
	m->dir = NULL;
	return false;
}

static bool open_house(struct model *m, struct error *err)
{
	if (!make_dir(m, err))
		return false;
	clock_init_virtual(&m->clock, m->replay->begin_ms * 1000);
	m->loop = loop_new(&m->clock, err);
	m->facts = m->loop ? facts_open(m->dir, m->loop, err) : NULL;
	m->series = m->facts ? series_open(m->dir, m->loop, NULL, err) : NULL;
	return m->series && judge_migrate(m->facts, err);
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
	VEC_EACH (&m->components, char *, id)
		free(*id);
	vec_fini(&m->components);
}

/* --- the judge -------------------------------------------------------------------------------- */

static bool add_component(void *arg, const struct component *c)
{
	struct model *m = arg;
	VEC_EACH (&m->components, char *, id)
		if (!strcmp(*id, c->id))
			return true;
	vec_push(&m->components, mem_strdup(c->id));
	judge_component(m->judge, c);
	return true;
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

/* What it was told of components before is there again (judge_component()). */
static bool start_judge(struct model *m, struct error *err)
{
	const struct config *c = m->replay->config;
	const struct judge_options options = {.confirm = c->confirm,
		.minimum_ns = c->minimum_ns,
		.quorum = c->quorum,
		.flap_changes = c->flap_changes,
		.flap_within_ns = c->flap_within_ns,
		.flap_quiet_ns = c->flap_quiet_ns};
	m->judge = judge_new(m->loop, m->facts, m->series, &options, NULL, NULL, err);
	return m->judge && add_rests(m, err);
}

static bool add_components(struct model *m, struct facts *facts, struct error *err)
{
	if (facts && !judge_known(facts, add_component, m, err))
		return false;
	VEC_EACH (&m->hours.sources, struct replay_source, s) {
		const struct component c = {s->component, s->component, "", s->cloud, ""};
		add_component(m, &c);
	}
	return true;
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	(void)tx, (void)arg, (void)err;
	return true;
}

/* A change that was written may bring the next. */
static void settle(struct model *m)
{
	do {
		if (facts_call(m->facts, nothing, NULL, &m->err))
			loop_advance(m->loop, 0);
	} while (m->judge && judge_is_writing(m->judge) && !m->err.kind);
}

static void stop_judge(struct model *m)
{
	settle(m);
	judge_free(m->judge);
	m->judge = NULL;
	settle(m);
}

static void pass_until(struct model *m, int64_t at_ms)
{
	int64_t now = clock_unix_us(&m->clock) / 1000;
	while (now < at_ms && !m->err.kind) {
		const int64_t step = at_ms - now < STEP_MS ? at_ms - now : STEP_MS;
		loop_advance(m->loop, step * NS_PER_MS);
		now += step;
		if (m->judge && judge_is_writing(m->judge))
			settle(m);
	}
}

/* --- what happens ----------------------------------------------------------------------------- */

static bool is_so(const struct given *g, int64_t now_ms)
{
	return g->from_ms <= now_ms && now_ms < g->until_ms;
}

static void give_windows(struct model *m, int64_t now_ms)
{
	VEC(struct judge_window) list = {0};
	VEC_EACH (&m->replay->givens, struct given, g)
		if (g->what == GIVEN_WINDOW && is_so(g, now_ms))
			vec_push(&list, ((struct judge_window){*g->one ? g->one : NULL, g->other,
						g->x, g->y, *g->third ? g->third : NULL}));
	judge_windows(m->judge, list.p, list.n);
	vec_fini(&list);
}

/* It ends because another of its begins. */
static bool is_replaced(const struct model *m, const struct given *old)
{
	VEC_EACH (&m->replay->givens, struct given, g)
		if (g != old && g->what == old->what && g->from_ms == old->until_ms &&
			!strcmp(g->one, old->one) &&
			(g->what != GIVEN_PACE ||
				(!strcmp(g->other, old->other) && !strcmp(g->third, old->third))))
			return true;
	return false;
}

static void begin(struct model *m, const struct given *g, int64_t now_ms)
{
	switch (g->what) {
	case GIVEN_LIFE: break;
	case GIVEN_PACE:
		judge_expect(m->judge, &(struct judge_probe){g->third, g->one, g->other,
					       g->x * NS_PER_MS, g->y * NS_PER_MS});
		break;
	case GIVEN_BLIND: judge_blind(m->judge, true, g->other); break;
	case GIVEN_WINDOW: give_windows(m, now_ms); break;
	case GIVEN_WHATS: break;
	}
}

static void end(struct model *m, const struct given *g, int64_t now_ms)
{
	switch (g->what) {
	case GIVEN_LIFE: stop_judge(m); break;
	case GIVEN_PACE:
		if (!is_replaced(m, g))
			judge_unexpect(
				m->judge, &(struct judge_probe){g->third, g->one, g->other, 0, 0});
		break;
	case GIVEN_BLIND:
		if (!is_replaced(m, g))
			judge_blind(m->judge, false, NULL);
		break;
	case GIVEN_WINDOW: give_windows(m, now_ms); break;
	case GIVEN_WHATS: break;
	}
}

static void tell(struct model *m, const struct replay_told *t)
{
	judge_tell(m->judge, &(struct judge_told){.component = t->component,
				     .by = t->by,
				     .health = t->health,
				     .at_ms = t->at_ms,
				     .fresh_ms = m->replay->to_ms + HOUR_MS,
				     .text = t->text});
}

static void see(struct model *m, const struct happening *h)
{
	const struct replay_source *s = &m->hours.sources.p[h->index];
	const struct observation o = {
		.location = s->location,
		.cloud = s->cloud,
		.probe = s->probe,
		.step = s->step,
		.component = s->component,
		.series = s->samples ? series_text(s->samples) : NULL,
		.at_ms = h->began_ms,
		.total_us = h->total_us,
		.fault = (enum fault)h->fault,
		.warned = h->warned,
		.tries = 1,
		.severity = (enum severity)h->severity,
	};
	m->heard = true;
	judge_take(m->judge, &o);
}

/* One that began before marks were kept goes on, if it knows anything yet. */
static void live(struct model *m)
{
	if (m->judge && !m->heard)
		stop_judge(m);
	if (!m->judge && !m->err.kind)
		(void)!start_judge(m, &m->err);
}

static void happen(struct model *m, const struct happening *h)
{
	const struct given *g = h->what <= HAPPENS_BEGIN ? &m->replay->givens.p[h->index] : NULL;
	pass_until(m, h->at_ms);
	if (g && g->what == GIVEN_LIFE && h->what == HAPPENS_BEGIN)
		live(m);
	if (!m->judge || m->err.kind)
		return;
	switch ((enum happens)h->what) {
	case HAPPENS_END: end(m, g, h->at_ms); break;
	case HAPPENS_BEGIN: begin(m, g, h->at_ms); break;
	case HAPPENS_TOLD: tell(m, &m->replay->told.p[h->index]); break;
	case HAPPENS_SEEN: see(m, h); break;
	}
	if (m->judge && judge_is_writing(m->judge))
		settle(m);
}

/* Nobody kept how often it was meant to run. */
static void guess_paces(struct model *m, int64_t begin_ms, int64_t end_ms)
{
	if (!m->judge || hours_lived(m->replay, begin_ms, end_ms))
		return;
	VEC_EACH (&m->hours.sources, struct replay_source, s)
		if (s->gap_ms && s->samples)
			judge_expect(
				m->judge, &(struct judge_probe){s->location, s->cloud, s->probe,
						  s->gap_ms * NS_PER_MS, 10 * NS_PER_S});
}

static void play_hour(struct model *m, int64_t begin_ms, int64_t end_ms)
{
	if (!hours_read(&m->hours, begin_ms, end_ms, &m->err))
		return;
	guess_paces(m, begin_ms, end_ms);
	for (size_t i = 0; i < m->hours.due && !m->err.kind; i++)
		happen(m, &m->hours.all.p[i]);
	pass_until(m, end_ms);
}

/* --- what came of it -------------------------------------------------------------------------- */

static bool on_span(void *arg, const struct judge_span *s)
{
	struct model *m = arg;
	replay_add(m->replay, &(struct replay_change){.by = (char *)"judge",
				      .component = (char *)(uintptr_t)m->component,
				      .text = (char *)(uintptr_t)s->text,
				      .maintenance = (char *)(uintptr_t)s->maintenance,
				      .root = (char *)(uintptr_t)s->root,
				      .health = s->health,
				      .at_ms = s->from_ms});
	return true;
}

static bool add_history(struct model *m, struct error *err)
{
	const struct replay *r = m->replay;
	VEC_EACH (&m->components, char *, id) {
		m->component = *id;
		if (!judge_history(m->facts, *id, r->from_ms, r->to_ms, on_span, m, err))
			return false;
	}
	return true;
}

bool replay_model(struct replay *r, struct loop *l, struct series_store *store, struct facts *facts,
	struct error *err)
{
	struct model m = {.replay = r};
	hours_init(&m.hours, r, l, store);
	bool good = open_house(&m, err) && start_judge(&m, err) && add_components(&m, facts, err);
	for (int64_t at = r->begin_ms; good && m.hours.sources.n && at < r->to_ms && !m.err.kind;) {
		const int64_t hour = (at / HOUR_MS + 1) * HOUR_MS;
		const int64_t end_ms = hour < r->to_ms ? hour : r->to_ms;
		play_hour(&m, at, end_ms);
		at = end_ms;
	}
	if (good && !m.err.kind && m.judge)
		stop_judge(&m);
	if (good && m.err.kind) {
		*err = m.err;
		good = false;
	}
	good = good && add_history(&m, err);
	close_house(&m);
	hours_fini(&m.hours);
	return good;
}
