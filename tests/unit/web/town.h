/*
 * town.h - a house of its own for each test: a judge, series and a journal in virtual time, and doors
 * that take what it says.
 */
#ifndef TESTS_UNIT_WEB_TOWN_H
#define TESTS_UNIT_WEB_TOWN_H

#include "../judge/judge_house.h"

#include "base/json.h"
#include "observe/scenario/journal.h"
#include "web/house_inside.h"

#define DAY_MS 86400000LL

struct town {
	struct judge_house *h; /* the judge's */
	struct house *house;
	struct journal *journal;
	json_t *site[AUDIENCE_PUBLIC + 1]; /* the newest */
	unsigned published[AUDIENCE_PUBLIC + 1];
	int64_t published_ms[AUDIENCE_PUBLIC + 1];
	int64_t least_gap_ms;
	/* of the last question */
	unsigned answers;
	int status;
	json_t *doc;
};

/* What it is configured with; its texts hold MARK where they are the operators'. */
extern const struct house_site town_site;
extern const struct house_lists town_lists;
int town_setup(void **state);
int town_teardown(void **state);
#define town_test(f) cmocka_unit_test_setup_teardown(f, town_setup, town_teardown)
/* As it is opened for each test: again, when the test has freed it. */
void town_open(struct town *t);

void town_settle(struct town *t);
void town_pass(struct town *t, int64_t ms);
void town_publish(struct town *t);
/* Takes what house_ask() answers; arg: struct town. */
void town_on_answer(void *arg, int status, json_t *doc);
/* Takes args. The answer stays the town's. */
const json_t *town_ask(struct town *t, const char *what, json_t *args, enum audience audience);
const json_t *town_first(const json_t *doc, const char *list);
double town_share(const json_t *ratio, const char *key);

/* Samples of probes and of a scenario, now. */
void town_measure(struct town *t);
/* A run that is over, in the journal. */
void town_run(struct town *t, const char *run, const char *verdict);
/* A server that came up, or failed with that fault, so long ago. */
void town_boot(struct town *t, const char *cloud, const char *host, enum fault fault,
	int64_t ago_ms, int64_t ready_ms);
/* An outage of compute, of samples full of MARK; its evidence. */
int64_t town_break(struct town *t);

#endif
