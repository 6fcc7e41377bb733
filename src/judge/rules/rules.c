/*
 * rules.c - the rules being judged: which series are whose, and round after round. See rules.h.
 */

#include "judge/rules/rules.h"

#include <stdio.h>
#include <string.h>

#include "judge/rules/rules_inside.h"

#define TURN_NS (2 * NS_PER_MS)

struct watching { /* those that look at series of one name, or at those of patterns */
	VEC(struct watch_ref {
		struct run *run;
		size_t watch;
	})
	refs;
};

void rules_say(struct run *run, const char *fmt, ...)
{
	const struct rules_options *o = &run->rules->options;
	char *text;
	va_list ap;
	if (run->said || !o->say)
		return;
	run->said = true;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	o->say(o->arg, run->rule, text);
	free(text);
}

/* --- groups ----------------------------------------------------------------------------------- */

static size_t ring_buckets(const struct rules *r, const struct rule_watch *w)
{
	const size_t ahead = (size_t)(r->ahead_ms / w->bucket_ms);
	return w->buckets + ahead + 2;
}

/* FNV-1a, so that what is drawn for a rule is the same in each run. */
static uint64_t seed_of(const char *text)
{
	uint64_t h = 14695981039346656037ULL;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ULL;
	return h;
}

static struct group *group_new(struct run *run, const char *value)
{
	const struct rule *rule = run->rule;
	struct group *g = mem_new(struct group);
	g->run = run;
	g->value = mem_strdup(value);
	g->by = *value ? mem_printf("rule:%s[%s]", rule->as.name, value)
		       : mem_printf("rule:%s", rule->as.name);
	g->rings = mem_new_array(rule->watches.n, sizeof(*g->rings));
	g->pasts = mem_new_array(rule->terms.n, sizeof(*g->pasts));
	g->changes = mem_new_array(rule->terms.n, sizeof(*g->changes));
	for (size_t i = 0; i < rule->watches.n; i++)
		ring_init(&g->rings[i], rule->watches.p[i].bucket_ms,
			ring_buckets(run->rules, &rule->watches.p[i]));
	for (size_t i = 0; i < rule->terms.n; i++)
		change_init(&g->changes[i].change, seed_of(g->by) + i);
	vec_push(&run->groups, g);
	return g;
}

static void group_free(struct group *g)
{
	for (size_t i = 0; i < g->run->rule->watches.n; i++)
		ring_fini(&g->rings[i]);
	for (size_t i = 0; i < g->run->rule->terms.n; i++)
		bucket_fini(&g->pasts[i].sum);
	free(g->rings);
	free(g->pasts);
	free(g->changes);
	free(g->value);
	free(g->by);
	free(g->text);
	json_decref(g->evidence);
	free(g);
}

static struct group *find_group(struct run *run, const char *value)
{
	VEC_EACH (&run->groups, struct group *, g)
		if (!strcmp((*g)->value, value))
			return *g;
	return NULL;
}

static struct group *group_of(struct run *run, struct series *s)
{
	const char *each = run->rule->as.each;
	if (!each)
		return run->groups.p[0];
	char *value = series_group(s, each);
	struct group *g = find_group(run, value);
	if (!g && run->groups.n < RULE_GROUPS_MAX)
		g = group_new(run, value);
	else if (!g)
		rules_say(run, "more than %d values of %s: those that came later are left out",
			RULE_GROUPS_MAX, each);
	free(value);
	return g;
}

/* --- series ------------------------------------------------------------------------------------
 */

/* Numbers of several kinds cannot be added up: the first that came decides. */
static bool is_of_kind(struct run *run, size_t watch, const struct series *s)
{
	struct of_kind *k = &run->kinds[watch];
	if (!k->unit)
		*k = (struct of_kind){series_unit(s), series_kind(s)};
	if (!strcmp(k->unit, series_unit(s)) && k->kind == series_kind(s))
		return true;
	rules_say(run, "%s is of another kind or unit than what fits besides, and is left out",
		series_text(s));
	return false;
}

static void attach(struct run *run, size_t watch, struct series *s)
{
	struct rules *r = run->rules;
	const struct rule_watch *w = &run->rule->watches.p[watch];
	struct group *g;
	if (!is_of_kind(run, watch, s) || !(g = group_of(run, s)))
		return;
	struct attached *a = mem_new(struct attached);
	a->series = s;
	a->group = g;
	a->watch = watch;
	a->kind = series_kind(s);
	g->series++;
	vec_push(&run->attached, a);
	const int64_t begin = r->at_ms - (int64_t)w->buckets * w->bucket_ms;
	read_before(a, begin, r->at_ms);
}

static void attach_fitting(const struct watching *w, struct series *s)
{
	for (size_t i = 0; w && i < w->refs.n; i++) {
		struct run *run = w->refs.p[i].run;
		const size_t watch = w->refs.p[i].watch;
		if (selector_fits(run->rule->watches.p[watch].selector, s))
			attach(run, watch, s);
	}
}

static int64_t real_ns(void)
{
	return clock_mono_ns(&clock_system);
}

/* False: the turn is over, there are more. */
static bool take_series(struct rules *r, int64_t until_ns)
{
	struct series *s;
	while ((s = series_nth(r->store, r->taken))) {
		r->taken++;
		attach_fitting(map_get(&r->by_name, series_name(s)), s);
		attach_fitting(r->patterns, s);
		if (until_ns && real_ns() > until_ns)
			return false;
	}
	return true;
}

/* --- rounds -------------------------------------------------------------------------------------
 */

static void on_timer(struct timer *t);

static void judge_run(struct run *run, int64_t at_ms)
{
	const struct rule *rule = run->rule;
	if (!run->attached.n && at_ms - run->rules->started_ms >= rule->as.over_ns / NS_PER_MS)
		rules_say(run,
			"no series fits %s yet; `glasshouse series --list` has those there are",
			rule->terms.p[0].selector.text);
	VEC_EACH (&run->groups, struct group *, g) {
		if (!group_is_ready(*g, at_ms))
			continue;
		group_step(*g, at_ms);
		run->rules->states++;
	}
}

/* False: the turn is over. */
static bool judge_more(struct rules *r, int64_t until_ns)
{
	while (r->next < r->run_count) {
		judge_run(&r->runs[r->next++], r->at_ms);
		if (until_ns && real_ns() > until_ns)
			return false;
	}
	return true;
}

static int64_t now_ms(const struct rules *r)
{
	return clock_unix_us(loop_clock(r->loop)) / 1000;
}

static void wait_for_round(struct rules *r)
{
	const int64_t now = now_ms(r);
	const int64_t next = (now / RULES_TICK_MS + 1) * RULES_TICK_MS;
	timer_start(r->loop, &r->timer, (next - now) * NS_PER_MS, on_timer, r);
}

static void on_timer(struct timer *t)
{
	struct rules *r = t->arg;
	const int64_t begin = real_ns();
	if (r->next >= r->run_count) { /* a new round */
		r->at_ms = now_ms(r) / RULES_TICK_MS * RULES_TICK_MS;
		r->next = r->states = 0;
		r->round_ns = 0;
	}
	const bool whole = take_series(r, begin + TURN_NS) && judge_more(r, begin + TURN_NS);
	r->round_ns += real_ns() - begin;
	reads_begin(r->reads);
	if (!whole) {
		timer_start(r->loop, &r->timer, 0, on_timer, r);
		return;
	}
	r->last_round_ns = r->round_ns;
	r->last_states = r->states;
	wait_for_round(r);
}

size_t rules_states(const struct rules *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->run_count; i++)
		n += r->runs[i].groups.n;
	return n;
}

int64_t rules_round_ns(const struct rules *r, size_t *ret_states)
{
	if (ret_states)
		*ret_states = r->last_states;
	return r->last_round_ns;
}

/* Rules that split nothing have their one group from the beginning. */
static void groups_begin(struct rules *r)
{
	for (size_t i = 0; i < r->run_count; i++)
		if (!r->runs[i].rule->as.each)
			group_new(&r->runs[i], "");
}

/* --- a replay
 * ------------------------------------------------------------------------------------- */

#define CHUNK_MS SERIES_HOUR_MS

static void replay_end(struct rules *r)
{
	void (*done)(void *arg, const struct error *err) = r->done;
	r->done = NULL;
	if (done)
		done(r->done_arg, NULL);
}

static void replay_chunk(struct rules *r)
{
	const int64_t end = r->chunk_ms + CHUNK_MS;
	for (size_t i = 0; i < r->run_count; i++)
		VEC_EACH (&r->runs[i].attached, struct attached *, a)
			read_before(*a, r->chunk_ms, end);
}

static void on_replay(struct timer *t);

/* Judges as far as what it needs is there; readings that end call it again. */
static void replay_more(struct rules *r)
{
	const int64_t until = real_ns() + TURN_NS;
	while (r->at_ms <= r->to_ms) {
		if (r->at_ms >= r->chunk_ms + CHUNK_MS && r->at_ms < r->to_ms) {
			r->chunk_ms += CHUNK_MS;
			replay_chunk(r);
		}
		bool ready = reads_idle(r->reads);
		for (size_t i = 0; ready && i < r->run_count; i++)
			VEC_EACH (&r->runs[i].groups, struct group *, g)
				ready = group_is_ready(*g, r->at_ms) && ready;
		if (!ready) {
			reads_begin(r->reads);
			return;
		}
		if (!judge_more(r, until)) {
			timer_start(r->loop, &r->timer, 0, on_replay, r);
			return;
		}
		r->next = 0;
		r->at_ms += RULES_TICK_MS;
	}
	replay_end(r);
}

static void on_replay(struct timer *t)
{
	struct rules *r = t->arg;
	replay_more(r);
}

static void on_reading_ended(void *arg)
{
	struct rules *r = arg;
	if (r->listens)
		reads_begin(r->reads);
	else if (!timer_running(&r->timer))
		timer_start(r->loop, &r->timer, 0, on_replay, r);
}

void rules_replay(struct rules *r, int64_t from_ms, int64_t to_ms,
	void (*done)(void *arg, const struct error *err), void *arg)
{
	r->done = done;
	r->done_arg = arg;
	r->from_ms = (from_ms + RULES_TICK_MS - 1) / RULES_TICK_MS * RULES_TICK_MS;
	r->to_ms = to_ms;
	r->started_ms = r->from_ms;
	/* What came before the hour of the first round is read when it is attached. */
	r->at_ms = r->chunk_ms = r->from_ms / CHUNK_MS * CHUNK_MS;
	groups_begin(r);
	take_series(r, 0);
	replay_chunk(r);
	r->at_ms = r->from_ms;
	r->next = 0;
	timer_start(r->loop, &r->timer, 0, on_replay, r);
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void watch_name(struct rules *r, struct run *run, size_t watch)
{
	const struct selector *s = run->rule->watches.p[watch].selector;
	struct watching *w = s->exact ? map_get(&r->by_name, s->name) : r->patterns;
	if (!w) {
		w = mem_new(struct watching);
		map_put(&r->by_name, s->name, w);
	}
	vec_push(&w->refs, ((struct watch_ref){run, watch}));
}

struct rules *rules_new(struct loop *l, struct series_store *st, const struct rules_options *o)
{
	struct rules *r = mem_new(struct rules);
	r->loop = l;
	r->store = st;
	r->options = *o;
	r->reads = reads_new(on_reading_ended, r);
	r->ahead_ms = 2 * CHUNK_MS;
	r->patterns = mem_new(struct watching);
	r->run_count = r->next = o->n;
	r->runs = mem_new_array(o->n ? o->n : 1, sizeof(*r->runs));
	for (size_t i = 0; i < o->n; i++) {
		struct run *run = &r->runs[i];
		run->rules = r;
		run->rule = o->rules[i];
		run->as = rule_json(run->rule);
		run->kinds = mem_new_array(run->rule->watches.n, sizeof(*run->kinds));
		for (size_t w = 0; w < run->rule->watches.n; w++)
			watch_name(r, run, w);
	}
	return r;
}

static struct run *find_run(struct rules *r, const struct run *like)
{
	for (size_t i = 0; i < r->run_count; i++)
		if (!strcmp(r->runs[i].rule->as.name, like->rule->as.name) &&
			json_equal(r->runs[i].as, like->as))
			return &r->runs[i];
	return NULL;
}

/* Its states, not its series: those are found again. */
static void take_over(struct run *run, const struct run *before)
{
	VEC_EACH (&before->groups, struct group *, old) {
		struct group *g = find_group(run, (*old)->value);
		g = g ? g : group_new(run, (*old)->value);
		g->state = (*old)->state;
		g->fired = (*old)->fired;
		g->since_ms = (*old)->since_ms;
		g->true_ms = (*old)->true_ms;
		g->false_ms = (*old)->false_ms;
		g->known_ms = (*old)->known_ms;
		g->text = mem_strdup((*old)->text);
		g->evidence = json_incref((*old)->evidence);
	}
	run->said = before->said;
}

static bool tells(struct rules *r, const struct group *like)
{
	for (size_t i = 0; i < r->run_count; i++)
		VEC_EACH (&r->runs[i].groups, struct group *, g)
			if (!strcmp((*g)->by, like->by) &&
				!strcmp(group_component(*g), group_component(like)) &&
				r->runs[i].rule->as.severity != RULE_NOTE)
				return true;
	return false;
}

static void untell_rest(struct rules *r, const struct rules *before)
{
	for (size_t i = 0; i < before->run_count; i++)
		VEC_EACH (&before->runs[i].groups, struct group *, g)
			if ((*g)->told_ms && r->options.untell && !tells(r, *g))
				r->options.untell(r->options.arg, group_component(*g), (*g)->by);
}

void rules_start(struct rules *r, struct rules *before)
{
	r->listens = true;
	r->ahead_ms = 0;
	r->at_ms = r->started_ms = now_ms(r);
	groups_begin(r);
	for (size_t i = 0; i < r->run_count; i++) {
		const struct run *same = before ? find_run(before, &r->runs[i]) : NULL;
		if (same)
			take_over(&r->runs[i], same);
	}
	if (before) {
		r->started_ms = before->started_ms;
		untell_rest(r, before);
	}
	timer_start(r->loop, &r->timer, 0, on_timer, r);
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	timer_cancel(&r->timer);
	reads_free(r->reads);
	for (size_t i = 0; i < r->run_count; i++) {
		struct run *run = &r->runs[i];
		VEC_EACH (&run->attached, struct attached *, a) {
			series_unlisten((*a)->series, &(*a)->listener);
			free(*a);
		}
		vec_fini(&run->attached);
		VEC_EACH (&run->groups, struct group *, g)
			group_free(*g);
		vec_fini(&run->groups);
		free(run->kinds);
		json_decref(run->as);
	}
	MAP_EACH (&r->by_name, e) {
		struct watching *w = e->value;
		vec_fini(&w->refs);
		free(w);
	}
	map_fini(&r->by_name);
	vec_fini(&r->patterns->refs);
	free(r->patterns);
	free(r->runs);
	free(r);
}

size_t rules_count(const struct rules *r)
{
	return r ? r->run_count : 0;
}

json_t *rules_json(const struct rules *r, size_t i)
{
	const struct run *run = &r->runs[i];
	json_t *j = json_copy(run->as), *states = json_array();
	VEC_EACH (&run->groups, struct group *, g)
		json_array_append_new(states, group_json(*g));
	json_object_set_new(j, "series", json_integer((json_int_t)run->attached.n));
	json_object_set_new(j, "states", states);
	return j;
}
