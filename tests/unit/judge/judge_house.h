/*
 * judge_house.h - a judge in virtual time, with facts and series in a directory of its own.
 */
#ifndef TESTS_UNIT_JUDGE_HOUSE_H
#define TESTS_UNIT_JUDGE_HOUSE_H

#include "../check.h"

#include "base/vec.h"
#include "judge/judge.h"

struct change_seen {
	enum health from, to;
	int64_t at_ms, id;
	char rule[16];
};

struct judge_house {
	char root[64]; /* removed afterwards */
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge_options options;
	struct judge *judge;
	VEC(struct change_seen) changes;
	unsigned refused; /* changes the disk did not take */
	struct error err;
};

/* At 2026-12-01T12:00:00Z, with the component "compute" of cloud "prod". */
int judge_house_setup(void **state);
int judge_house_teardown(void **state);
#define judge_test(f) cmocka_unit_test_setup_teardown(f, judge_house_setup, judge_house_teardown)

void house_start(struct judge_house *h); /* a new judge on what is there */
void house_stop(struct judge_house *h);  /* the judge goes, facts and series stay open */
void house_close(struct judge_house *h); /* everything goes but the files */
void house_open(struct judge_house *h);
int64_t house_now(const struct judge_house *h); /* ms */
/* Waits until all that was handed to other threads is done, without letting time pass. */
void house_settle(struct judge_house *h);
/* Lets time pass, a second at a time. */
void house_pass(struct judge_house *h, int64_t ms);

#define EVERY_MS   30000
#define TIMEOUT_MS 10000
#define STALE_MS   (3 * EVERY_MS + TIMEOUT_MS)

void house_expect(struct judge_house *h, const char *probe, int64_t every_ms);
void house_expect_at(
	struct judge_house *h, const char *location, const char *probe, int64_t every_ms);
void house_unexpect_at(struct judge_house *h, const char *location, const char *probe);
/* A result that began now, of "compute". */
void house_see(struct judge_house *h, const char *probe, enum fault fault);
void house_see_slow(struct judge_house *h, const char *probe);
void house_take(struct judge_house *h, const struct observation *o);
struct observation house_result(const struct judge_house *h, const char *probe, enum fault fault);
/* The same result of n rounds of EVERY_MS, each followed by that much time. */
void house_rounds(struct judge_house *h, const char *probe, enum fault fault, unsigned n);

enum health house_health(const struct judge_house *h);
const char *house_rule(const struct judge_house *h);
#define assert_health(h, health) assert_string_equal(health_name(house_health(h)), health)
#define assert_rule(h, rule)     assert_string_equal(house_rule(h), rule)

#endif
