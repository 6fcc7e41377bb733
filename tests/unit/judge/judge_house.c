/* judge_house.c - see judge_house.h. */
#include "judge_house.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

int64_t house_now(const struct judge_house *h)
{
	return clock_unix_us(&h->clock) / 1000;
}

static void on_change(void *arg, const struct verdict *from, const struct verdict *to)
{
	struct judge_house *h = arg;
	struct change_seen c = {from->health, to->health, to->since_ms, to->id, ""};
	assert_true(to->id > 0 && to->id != from->id);
	snprintf(c.rule, sizeof(c.rule), "%s", to->rule);
	vec_push(&h->changes, c);
}

static void on_refused(void *arg, const struct verdict *now)
{
	struct judge_house *h = arg;
	assert_int_equal(now->id, 0);
	assert_int_equal(now->health, judge_verdict(h->judge, "compute")->health);
	h->refused++;
}

void house_start(struct judge_house *h)
{
	static const struct component compute = {"compute", "Compute", "Compute", "prod", ""};
	h->options.refused = on_refused;
	h->judge = judge_new(h->loop, h->facts, h->series, &h->options, on_change, h, &h->err);
	if (!h->judge)
		fail_msg("%s", h->err.msg);
	judge_component(h->judge, &compute);
	house_settle(h);
}

void house_stop(struct judge_house *h)
{
	judge_free(h->judge);
	h->judge = NULL;
	house_settle(h);
}

void house_open(struct judge_house *h)
{
	h->facts = facts_open(h->root, h->loop, &h->err);
	h->series = series_open(h->root, h->loop, NULL, &h->err);
	if (!h->facts || !h->series)
		fail_msg("%s", h->err.msg);
}

void house_close(struct judge_house *h)
{
	judge_free(h->judge);
	h->judge = NULL;
	series_close(h->series);
	facts_close(h->facts);
	h->facts = NULL;
	h->series = NULL;
}

int judge_house_setup(void **state)
{
	struct judge_house *h = mem_new(struct judge_house);
	int64_t us;
	snprintf(h->root, sizeof(h->root), "%s/test-judge-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(h->root))
		return -1;
	assert_true(clock_parse_rfc3339("2026-12-01T12:00:00Z", &us));
	clock_init_virtual(&h->clock, us);
	h->loop = loop_new(&h->clock, &h->err);
	assert_non_null(h->loop);
	house_open(h);
	house_start(h);
	*state = h;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

int judge_house_teardown(void **state)
{
	struct judge_house *h = *state;
	if (h->facts)
		house_close(h);
	loop_free(h->loop);
	nftw(h->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	vec_fini(&h->changes);
	free(h);
	return 0;
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	return true;
}

void house_settle(struct judge_house *h)
{
	struct error err = {0};
	for (int i = 0; i < 3; i++) { /* what is told may ask for more */
		assert_true(facts_call(h->facts, nothing, NULL, &err));
		series_settle(h->series);
		loop_advance(h->loop, 0);
	}
}

void house_pass(struct judge_house *h, int64_t ms)
{
	while (ms > 0) {
		const int64_t step = ms < 1000 ? ms : 1000;
		loop_advance(h->loop, step * NS_PER_MS);
		ms -= step;
	}
	house_settle(h);
}

void house_expect_at(
	struct judge_house *h, const char *location, const char *probe, int64_t every_ms)
{
	judge_expect(h->judge, &(struct judge_probe){location, "prod", probe, every_ms * NS_PER_MS,
				       TIMEOUT_MS * NS_PER_MS});
}

void house_expect(struct judge_house *h, const char *probe, int64_t every_ms)
{
	house_expect_at(h, "", probe, every_ms);
}

void house_unexpect_at(struct judge_house *h, const char *location, const char *probe)
{
	judge_unexpect(h->judge,
		&(struct judge_probe){.location = location, .cloud = "prod", .probe = probe});
}

struct observation house_result(const struct judge_house *h, const char *probe, enum fault fault)
{
	return (struct observation){
		.cloud = "prod",
		.probe = probe,
		.component = "compute",
		.at_ms = house_now(h),
		.total_us = fault == FAULT_NONE ? 50000 : 0,
		.fault = fault,
		.tries = 1,
		.severity = SEVERITY_OUTAGE,
		.request = "GET https://compute.example.org/v2.1/",
	};
}

void house_take(struct judge_house *h, const struct observation *o)
{
	judge_take(h->judge, o);
	house_settle(h);
}

void house_see(struct judge_house *h, const char *probe, enum fault fault)
{
	const struct observation o = house_result(h, probe, fault);
	house_take(h, &o);
}

void house_see_slow(struct judge_house *h, const char *probe)
{
	struct observation o = house_result(h, probe, FAULT_NONE);
	o.warned = true;
	o.total_us = 4000000;
	o.detail = "answered after 4s, the limit is 2s";
	house_take(h, &o);
}

void house_rounds(struct judge_house *h, const char *probe, enum fault fault, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		house_see(h, probe, fault);
		house_pass(h, EVERY_MS);
	}
}

enum health house_health(const struct judge_house *h)
{
	return judge_verdict(h->judge, "compute")->health;
}

const char *house_rule(const struct judge_house *h)
{
	return judge_verdict(h->judge, "compute")->rule;
}
