/*
 * test_suspect.c - events that open themselves, in virtual time, over real tables.
 *
 * Each case is played twice: as it is, and with a crash after every step (all is closed, and goes
 * on from the tables); what is left of it must be the same.
 */
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "base/json.h"
#include "judge/judge_inside.h"
#include "tell/suspect_inside.h"

#define COMPONENTS 6

struct seen { /* a component as the judge would show it */
	struct component c;
	struct verdict v;
	bool there;
};

struct world {
	char root[64];
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct suspects *suspects;
	struct suspect_policy policy;
	struct seen seen[COMPONENTS];
	bool crashes;       /* after each step */
	bool regions;       /* there are several */
	const char *shared; /* the region of more than one cloud; or NULL */
	unsigned changed;
	struct error err;
};

static const char *const english[] = {"en", NULL};
static const char *const both[] = {"de", "en", NULL};

static void must(bool good, const struct world *w)
{
	if (!good)
		fail_msg("%s", w->err.msg);
}

static int64_t now_ms(const struct world *w)
{
	return clock_unix_us(&w->clock) / 1000;
}

/* --- the house ---------------------------------------------------------------------------------
 */

static struct seen *find(struct world *w, const char *id)
{
	for (size_t i = 0; i < COMPONENTS; i++)
		if (!strcmp(w->seen[i].c.id, id))
			return &w->seen[i];
	fail_msg("there is no component %s", id);
	return NULL;
}

static bool look(void *arg, const char *component, const struct component **ret_component,
	const struct verdict **ret_verdict)
{
	const struct seen *s = find(arg, component);
	*ret_component = &s->c;
	*ret_verdict = &s->v;
	return s->there;
}

static void places(void *arg, const char *region, bool *ret_regions, bool *ret_clouds)
{
	const struct world *w = arg;
	*ret_regions = w->regions;
	*ret_clouds = !strcmp(region, w->shared ? w->shared : "none");
}

static void on_changed(void *arg)
{
	((struct world *)arg)->changed++;
}

static void start(struct world *w)
{
	struct judge j = {0};
	w->facts = facts_open(w->root, w->loop, &w->err);
	must(w->facts != NULL, w);
	j.facts = w->facts;
	j.span_from_ms = now_ms(w);
	must(rows_open(&j, &w->err) && event_migrate(w->facts, &w->err), w);
	w->suspects =
		suspects_new(w->loop, w->facts, &w->policy, look, places, on_changed, w, &w->err);
	must(w->suspects != NULL, w);
}

static int setup(void **state)
{
	static const char *const ids[COMPONENTS] = {
		"compute", "network", "image", "identity", "dns", "far"};
	static const char *const names[COMPONENTS] = {
		"Compute", "Network", "Image", "Identity", "DNS", "Far Compute"};
	struct world *w = mem_new(struct world);
	snprintf(w->root, sizeof(w->root), "/tmp/test-suspect-XXXXXX");
	if (!mkdtemp(w->root))
		return -1;
	clock_init_virtual(&w->clock, 1795000000LL * 1000000); /* 2026-11-18T11:06:40Z */
	w->loop = loop_new(&w->clock, &w->err);
	for (size_t i = 0; i < COMPONENTS; i++) {
		w->seen[i].c = (struct component){
			.id = ids[i], .name = names[i], .category = "", .cloud = "a", .region = ""};
		w->seen[i].v = (struct verdict){.component = ids[i]};
		w->seen[i].there = true;
	}
	w->seen[5].c.cloud = "b";
	w->policy = (struct suspect_policy){.lasting_ms = SUSPECT_LASTING_MS,
		.announce_ms = SUSPECT_ANNOUNCE_MS,
		.after_ms = SUSPECT_AFTER_MS,
		.regroup_ms = SUSPECT_REGROUP_MS,
		.languages = english};
	start(w);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void stop(struct world *w)
{
	suspects_free(w->suspects);
	facts_close(w->facts);
	w->suspects = NULL;
}

static int teardown(void **state)
{
	struct world *w = *state;
	stop(w);
	loop_free(w->loop);
	nftw(w->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	return true;
}

static void settle(struct world *w)
{
	for (int quiet = 0, turns = 0; quiet < 3; turns++) {
		if (turns > 20000)
			fail_msg("it does not settle");
		must(facts_call(w->facts, nothing, NULL, &w->err), w);
		loop_advance(w->loop, 0);
		quiet = w->suspects->turn ? 0 : quiet + 1;
	}
}

static void crash(struct world *w)
{
	stop(w);
	start(w);
	suspects_wake(w->suspects);
	settle(w);
}

static void pass(struct world *w, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		loop_advance(w->loop, NS_PER_S);
		if (w->suspects->turn)
			settle(w);
		if (w->crashes && i % 97 == 0)
			crash(w);
	}
	settle(w);
}

static bool write_verdict(struct facts_tx *tx, void *arg, struct error *err)
{
	return rows_write(tx, arg, err);
}

/* A verdict as the judge writes it. */
static void verdict(struct world *w, const char *id, enum health health, const char *rule)
{
	struct seen *s = find(w, id);
	char evidence[] = "{}", *name = mem_strdup(s->c.name);
	struct row_change c = {.name = name, .evidence = evidence};
	s->v.health = health;
	s->v.rule = rule;
	s->v.text = "internal: 10.0.0.1 refused";
	s->v.since_ms = s->v.evidence_ms = now_ms(w);
	c.to.v = s->v;
	must(facts_call(w->facts, write_verdict, &c, &w->err), w);
	s->v.id = c.id;
	free(name);
	if (w->crashes)
		crash(w);
	suspects_wake(w->suspects);
	settle(w);
}

static void fails(struct world *w, const char *id)
{
	verdict(w, id, HEALTH_OUTAGE, "silent");
}

static void degrades(struct world *w, const char *id)
{
	verdict(w, id, HEALTH_DEGRADED, "failing");
}

static void recovers(struct world *w, const char *id)
{
	verdict(w, id, HEALTH_OPERATIONAL, "good");
}

/* --- events -------------------------------------------------------------------------------------
 */

static json_t *events(struct world *w, enum audience audience)
{
	const struct event_filter all = {.audience = audience, .kind = -1};
	json_t *list = event_list(w->facts, &all, &w->err);
	must(list != NULL, w);
	return list;
}

static size_t count(struct world *w, enum audience audience)
{
	json_t *list = events(w, audience);
	const size_t n = json_array_size(list);
	json_decref(list);
	return n;
}

/* The one that began as the nth; owned. */
static json_t *event(struct world *w, size_t nth)
{
	json_t *list = events(w, AUDIENCE_OPERATORS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *e = json_array_get(list, i);
		char key[32];
		snprintf(key, sizeof(key), "suspect:%zu", nth + 1);
		if (!strcmp(json_str(e, "key"), key)) {
			json_incref(e);
			json_decref(list);
			return e;
		}
	}
	fail_msg("there are only %zu events", json_array_size(list));
	return NULL;
}

static int64_t impact(const json_t *e, const char *component)
{
	const json_t *list = json_object_get(e, "components");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_str(json_array_get(list, i), "id"), component))
			return json_int(json_array_get(list, i), "impact", -1);
	return -1;
}

static void assert_event(
	struct world *w, size_t nth, const char *title, const char *phase, bool is_public)
{
	json_t *e = event(w, nth);
	assert_string_equal(json_str(e, "title"), title);
	assert_string_equal(json_str(e, "phase"), phase);
	assert_int_equal(json_flag(e, "public"), is_public);
	assert_true(json_flag(e, "machine"));
	json_decref(e);
}

static const char *text_at(const json_t *e, size_t n)
{
	const json_t *update = json_array_get(json_object_get(e, "updates"), n);
	if (!update)
		fail_msg("there is no update %zu", n);
	return json_str(update, "text");
}

static size_t updates(const json_t *e)
{
	return json_array_size(json_object_get(e, "updates"));
}

struct human {
	const char *id;
	const struct event_change *c;
	int64_t now_ms;
};

static bool do_human(struct facts_tx *tx, void *arg, struct error *err)
{
	static const struct event_author alice = {"alice", false};
	const struct human *h = arg;
	return event_tx_change(tx, h->id, h->c, &alice, h->now_ms, err);
}

static void by_human(struct world *w, size_t nth, const struct event_change *c)
{
	json_t *e = event(w, nth);
	struct human h = {json_str(e, "id"), c, now_ms(w)};
	must(facts_call(w->facts, do_human, &h, &w->err), w);
	json_decref(e);
	if (w->crashes)
		crash(w);
	suspects_wake(w->suspects);
	settle(w);
}

#define CHANGE .phase = -1, .starts_ms = -1, .until_ms = -1

/* --- one component ------------------------------------------------------------------------------
 */

static void what_lasts_is_drafted_announced_and_closed(struct world *w)
{
	json_t *e;
	const int64_t began = now_ms(w);
	degrades(w, "compute");
	pass(w, 179);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 0);
	pass(w, 1);
	assert_event(w, 0, "Compute: degraded", "detected", false);
	assert_int_equal(count(w, AUDIENCE_PUBLIC), 0);
	e = event(w, 0);
	assert_int_equal(json_int(e, "starts_ms", 0), began);
	assert_int_equal(impact(e, "compute"), 33);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(e, "evidence"), 0)), 1);
	assert_string_equal(text_at(e, 0),
		"Some requests to Compute have been failing since 11:06 UTC. This was found"
		" automatically, and nobody has confirmed it yet.");
	json_decref(e);
	pass(w, 419);
	assert_int_equal(count(w, AUDIENCE_PUBLIC), 0);
	pass(w, 1);
	assert_event(w, 0, "Compute: degraded", "detected", true);
	fails(w, "compute");
	pass(w, 60);
	assert_event(w, 0, "Compute: outage", "detected", true);
	e = event(w, 0);
	assert_int_equal(impact(e, "compute"), 100);
	assert_string_equal(text_at(e, updates(e) - 1), "Compute is not usable any more.");
	json_decref(e);
	degrades(w, "compute");
	pass(w, 60);
	e = event(w, 0);
	assert_int_equal(impact(e, "compute"), 33);
	assert_string_equal(json_str(e, "title"), "Compute: outage");
	assert_string_equal(
		text_at(e, updates(e) - 1), "Compute answers again, but not yet as it should.");
	json_decref(e);
	pass(w, 60);
	const int64_t well = now_ms(w);
	recovers(w, "compute");
	pass(w, 299);
	assert_event(w, 0, "Compute: outage", "detected", true);
	pass(w, 1);
	assert_event(w, 0, "Compute: outage", "resolved", true);
	e = event(w, 0);
	assert_in_range(json_int(e, "ended_ms", 0), well, well + 1000);
	assert_int_equal(json_array_size(json_object_get(e, "evidence")), 4);
	json_decref(e);
	pass(w, 2000);
	assert_int_equal(w->suspects->list.n, 0);
	assert_int_equal(w->suspects->parts.n, 0);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
}

static void what_is_short_opens_none(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		fails(w, "compute");
		pass(w, 170);
		recovers(w, "compute");
		pass(w, 100);
	}
	verdict(w, "network", HEALTH_UNKNOWN, "stale");
	pass(w, 1000);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 0);
	assert_int_equal(w->suspects->parts.n, 0);
}

static void unknown_opens_none_and_closes_none(struct world *w)
{
	fails(w, "compute");
	pass(w, 100);
	verdict(w, "compute", HEALTH_UNKNOWN, "stale");
	pass(w, 600);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 0);
	fails(w, "compute"); /* it was not well in between */
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	verdict(w, "compute", HEALTH_UNKNOWN, "blind");
	pass(w, 3000);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "detected");
	assert_int_equal(impact(e, "compute"), 100);
	assert_int_equal(updates(e), 1);
	json_decref(e);
	recovers(w, "compute");
	pass(w, 300);
	e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "resolved");
	json_decref(e);
}

static void who_fails_again_soon_opens_it_again(struct world *w)
{
	fails(w, "compute");
	pass(w, 700);
	recovers(w, "compute");
	pass(w, 300);
	assert_event(w, 0, "Compute: outage", "resolved", true);
	pass(w, 300);
	degrades(w, "compute");
	pass(w, 179);
	assert_event(w, 0, "Compute: outage", "resolved", true);
	pass(w, 1);
	assert_event(w, 0, "Compute: outage", "detected", true);
	recovers(w, "compute");
	pass(w, 301 + 900);
	degrades(w, "compute");
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 2);
	assert_event(w, 1, "Compute: degraded", "detected", false);
}

static void one_that_flaps_has_one_event(struct world *w)
{
	for (int i = 0; i < 10; i++) {
		degrades(w, "compute");
		find(w, "compute")->v.flapping = i > 3;
		pass(w, 60);
		recovers(w, "compute");
		pass(w, 60);
	}
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	assert_event(w, 0, "Compute: unstable", "detected", true);
	json_t *e = event(w, 0);
	assert_int_equal(updates(e), 1);
	assert_non_null(strstr(text_at(e, 0), "again and again"));
	json_decref(e);
	find(w, "compute")->v.flapping = false;
	pass(w, 311);
	e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "resolved");
	json_decref(e);
}

/* --- several ------------------------------------------------------------------------------------
 */

static void what_fails_together_is_one_event(struct world *w)
{
	fails(w, "compute");
	pass(w, 100);
	fails(w, "far"); /* of another cloud */
	degrades(w, "network");
	pass(w, 20);
	verdict(w, "image", HEALTH_DEGRADED, "slow"); /* another kind of fault */
	pass(w, 200);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 3);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "title"), "Compute and Network: outage");
	assert_int_equal(impact(e, "compute"), 100);
	assert_int_equal(impact(e, "network"), 33);
	json_decref(e);
	pass(w, 1000); /* later than that: another cause */
	fails(w, "dns");
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 4);
	recovers(w, "compute");
	pass(w, 400);
	e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "detected");
	assert_int_equal(impact(e, "compute"), 0);
	json_decref(e);
	recovers(w, "network");
	pass(w, 301);
	e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "resolved");
	json_decref(e);
}

static void a_title_names_the_region_where_there_are_several(struct world *w)
{
	find(w, "compute")->c.region = find(w, "dns")->c.region = "north";
	fails(w, "compute");
	pass(w, 180);
	assert_event(w, 0, "Compute: outage", "detected", false);
	recovers(w, "compute");
	pass(w, 2000);
	w->regions = true;
	fails(w, "dns");
	fails(w, "image"); /* of none */
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 3);
	assert_event(w, 1, "DNS (north): outage", "detected", false);
	assert_event(w, 2, "Image: outage", "detected", false);
}

static void titles_of_two_clouds_in_one_region_are_not_the_same(struct world *w)
{
	find(w, "compute")->c.name = find(w, "far")->c.name = "Compute";
	find(w, "compute")->c.cloud = "Public";
	find(w, "far")->c.cloud = "Sovereign";
	find(w, "compute")->c.region = find(w, "far")->c.region = "north";
	w->shared = "north";
	fails(w, "compute");
	pass(w, 5);
	fails(w, "far");
	pass(w, 5);
	fails(w, "dns"); /* of no region, which one cloud has */
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 3);
	assert_event(w, 0, "Compute (Public): outage", "detected", false);
	assert_event(w, 1, "Compute (Sovereign): outage", "detected", false);
	assert_event(w, 2, "DNS: outage", "detected", false);
	w->regions = true;
	verdict(w, "far", HEALTH_DEGRADED, "failing");
	pass(w, 180);
	assert_event(w, 1, "Compute (Sovereign \xc2\xb7 north): outage", "detected", false);
}

static void what_follows_a_root_joins_it(struct world *w)
{
	find(w, "compute")->v.root = find(w, "image")->v.root = "identity";
	verdict(w, "compute", HEALTH_DEGRADED, "follows");
	pass(w, 5);
	fails(w, "identity");
	pass(w, 2000); /* whenever it comes */
	verdict(w, "image", HEALTH_OUTAGE, "follows");
	pass(w, 180 + 60);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "title"), "Identity: outage");
	assert_int_equal(impact(e, "compute"), 33);
	assert_int_equal(impact(e, "image"), 100);
	assert_int_equal(impact(e, "identity"), 100);
	json_decref(e);
	recovers(w, "identity");
	recovers(w, "compute");
	recovers(w, "image");
	pass(w, 300);
	e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "resolved");
	json_decref(e);
}

static void what_is_found_after_the_root_joins_it_too(struct world *w)
{
	fails(w, "identity");
	pass(w, 700);
	recovers(w, "identity");
	pass(w, 301);
	assert_event(w, 0, "Identity: outage", "resolved", true);
	find(w, "compute")->v.root = "identity"; /* a run that began before */
	verdict(w, "compute", HEALTH_DEGRADED, "follows");
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	assert_event(w, 0, "Identity: outage", "detected", true);
	json_t *e = event(w, 0);
	assert_int_equal(impact(e, "compute"), 33);
	assert_int_equal(impact(e, "identity"), 0);
	json_decref(e);
	find(w, "compute")->v.root = NULL;
	recovers(w, "compute");
	pass(w, 300);
	assert_event(w, 0, "Identity: outage", "resolved", true);
	pass(w, 901); /* from then on it is another */
	find(w, "image")->v.root = "identity";
	verdict(w, "image", HEALTH_DEGRADED, "follows");
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 2);
}

/* --- maintenance --------------------------------------------------------------------------------
 */

static void planned_work_opens_none_unless_it_lasts_longer(struct world *w)
{
	find(w, "compute")->v.maintenance = "2026-11-18-patches";
	fails(w, "compute");
	pass(w, 3000);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 0);
	fails(w, "network"); /* is not within its scope */
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	json_t *e = event(w, 0);
	assert_non_null(strstr(text_at(e, 0), "Network is not part of it"));
	json_decref(e);
	pass(w, 1000);
	find(w, "compute")->v.maintenance = NULL;
	pass(w, 110);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	pass(w, 90);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 2);
	e = event(w, 1);
	assert_non_null(strstr(text_at(e, 0), "The planned maintenance is over, but this is not."));
	json_decref(e);
}

/* --- humans -------------------------------------------------------------------------------------
 */

static void what_a_human_took_over_is_his(struct world *w)
{
	fails(w, "compute");
	pass(w, 200);
	by_human(w, 0,
		&(struct event_change){.text = "We are on it", .title = "Nova is away", CHANGE});
	json_t *before = event(w, 0);
	degrades(w, "compute");
	pass(w, 1000);
	recovers(w, "compute");
	pass(w, 1000);
	json_t *after = event(w, 0);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	by_human(w, 0,
		&(struct event_change){
			.text = "Done", .phase = EVENT_RESOLVED, .starts_ms = -1, .until_ms = -1});
	pass(w, 20);
	assert_int_equal(w->suspects->list.n, 0);
	fails(w, "compute"); /* this is new */
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 2);
}

static void what_a_human_closed_is_not_opened_again(struct world *w)
{
	fails(w, "compute");
	pass(w, 200);
	by_human(w, 0,
		&(struct event_change){
			.text = "No", .phase = EVENT_RESOLVED, .starts_ms = -1, .until_ms = -1});
	pass(w, 5000);
	degrades(w, "compute");
	pass(w, 500);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	assert_null(suspects_event_of(w->suspects, "compute", &(bool){0}));
	recovers(w, "compute");
	pass(w, 100);
	fails(w, "compute");
	pass(w, 180);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 2);
}

/* --- policies -----------------------------------------------------------------------------------
 */

static void only_a_human_announces(struct world *w)
{
	w->policy.announce_ms = SUSPECT_BY_HUMAN;
	suspects_configure(w->suspects, &w->policy);
	fails(w, "compute");
	pass(w, 5000);
	assert_event(w, 0, "Compute: outage", "detected", false);
	by_human(w, 0, &(struct event_change){.publish = true, CHANGE});
	assert_event(w, 0, "Compute: outage", "detected", true);
}

static void an_outage_is_announced_at_once(struct world *w)
{
	bool is_public = false;
	w->policy.outage_at_once = true;
	suspects_configure(w->suspects, &w->policy);
	degrades(w, "far");
	pass(w, 1);
	fails(w, "compute");
	pass(w, 181);
	assert_event(w, 0, "Far Compute: degraded", "detected", false);
	assert_event(w, 1, "Compute: outage", "detected", true);
	assert_non_null(suspects_event_of(w->suspects, "compute", &is_public));
	assert_true(is_public);
	fails(w, "far");
	pass(w, 61);
	assert_event(w, 0, "Far Compute: outage", "detected", true);
}

static void a_human_may_be_asked_to_close(struct world *w)
{
	w->policy.close = SUSPECT_CLOSE_PROPOSE;
	suspects_configure(w->suspects, &w->policy);
	fails(w, "compute");
	pass(w, 200);
	recovers(w, "compute");
	pass(w, 300);
	assert_event(w, 0, "Compute: outage", "monitoring", false);
	json_t *list = suspects_json(w->suspects);
	assert_true(json_int(json_array_get(list, 0), "may_close", 0) > 0);
	json_decref(list);
	fails(w, "compute");
	pass(w, 60);
	assert_event(w, 0, "Compute: outage", "detected", false);
	recovers(w, "compute");
	pass(w, 3000);
	assert_event(w, 0, "Compute: outage", "monitoring", false);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
}

static void none_is_closed_where_that_is_the_policy(struct world *w)
{
	w->policy.close = SUSPECT_CLOSE_NEVER;
	suspects_configure(w->suspects, &w->policy);
	fails(w, "compute");
	pass(w, 200);
	recovers(w, "compute");
	pass(w, 3000);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "detected");
	assert_int_equal(impact(e, "compute"), 0);
	json_decref(e);
}

static void it_speaks_the_languages_of_the_site(struct world *w)
{
	w->policy.languages = both;
	suspects_configure(w->suspects, &w->policy);
	verdict(w, "compute", HEALTH_DEGRADED, "slow");
	pass(w, 180);
	assert_event(w, 0, "Compute: beeinträchtigt", "detected", false);
	json_t *e = event(w, 0);
	assert_string_equal(text_at(e, 0),
		"Compute antwortet seit 11:06 UTC langsamer als üblich. Dies wurde automatisch"
		" festgestellt und ist noch von niemandem bestätigt.\n\nCompute has been slower than"
		" it should be since 11:06 UTC. This was found automatically, and nobody has"
		" confirmed it yet.");
	json_decref(e);
}

/* --- starts -------------------------------------------------------------------------------------
 */

static void nothing_is_concluded_of_what_is_only_stored(struct world *w)
{
	fails(w, "compute");
	find(w, "compute")->v.stored = true;
	pass(w, 1000);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 0);
	find(w, "compute")->v.stored = false;
	pass(w, 10);
	assert_int_equal(count(w, AUDIENCE_OPERATORS), 1);
	recovers(w, "compute");
	find(w, "compute")->v.stored = true;
	pass(w, 1000);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "detected");
	json_decref(e);
}

static void what_is_watched_no_more_holds_nothing_open(struct world *w)
{
	fails(w, "compute");
	pass(w, 200);
	find(w, "compute")->there = false;
	pass(w, 320);
	json_t *e = event(w, 0);
	assert_string_equal(json_str(e, "phase"), "resolved");
	json_decref(e);
}

/* --- both ways ----------------------------------------------------------------------------------
 */

#define CASE(name)                                                                                 \
	static void name##_whole(void **state)                                                     \
	{                                                                                          \
		name(*state);                                                                      \
	}                                                                                          \
	static void name##_crashing(void **state)                                                  \
	{                                                                                          \
		((struct world *)*state)->crashes = true;                                          \
		name(*state);                                                                      \
	}
#define CASES                                                                                      \
	CASE(what_lasts_is_drafted_announced_and_closed)                                           \
	CASE(what_is_short_opens_none)                                                             \
	CASE(unknown_opens_none_and_closes_none)                                                   \
	CASE(who_fails_again_soon_opens_it_again)                                                  \
	CASE(one_that_flaps_has_one_event)                                                         \
	CASE(what_fails_together_is_one_event)                                                     \
	CASE(a_title_names_the_region_where_there_are_several)                                     \
	CASE(titles_of_two_clouds_in_one_region_are_not_the_same)                                  \
	CASE(what_follows_a_root_joins_it)                                                         \
	CASE(what_is_found_after_the_root_joins_it_too)                                            \
	CASE(planned_work_opens_none_unless_it_lasts_longer)                                       \
	CASE(what_a_human_took_over_is_his)                                                        \
	CASE(what_a_human_closed_is_not_opened_again)                                              \
	CASE(only_a_human_announces)                                                               \
	CASE(an_outage_is_announced_at_once)                                                       \
	CASE(a_human_may_be_asked_to_close)                                                        \
	CASE(none_is_closed_where_that_is_the_policy)                                              \
	CASE(it_speaks_the_languages_of_the_site)                                                  \
	CASE(nothing_is_concluded_of_what_is_only_stored)                                          \
	CASE(what_is_watched_no_more_holds_nothing_open)
CASES
#undef CASE

int test_suspect(void)
{
#define CASE(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name##_whole, setup, teardown),                            \
		cmocka_unit_test_setup_teardown(name##_crashing, setup, teardown),
	const struct CMUnitTest tests[] = {CASES};
#undef CASE
	return cmocka_run_group_tests_name("suspect", tests, NULL, NULL);
}
