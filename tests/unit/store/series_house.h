/*
 * series_house.h - a series store in virtual time, in a directory of its own, and queries that
 * wait.
 */
#ifndef TESTS_UNIT_STORE_SERIES_HOUSE_H
#define TESTS_UNIT_STORE_SERIES_HOUSE_H

#include "base/vec.h"
#include "store/series_roll.h"

struct series_house {
	char root[64]; /* removed afterwards */
	struct clock clock;
	struct loop *loop;
	struct series_store *store;
	struct series_options options;
	struct error err;
};

/* At 2026-12-29T22:10:00Z: the year, the month and ISO week 53 end soon. */
int series_house_setup(void **state);
int series_house_teardown(void **state);
#define series_test(f) cmocka_unit_test_setup_teardown(f, series_house_setup, series_house_teardown)

void series_house_reopen(struct series_house *h);
int64_t series_house_now(const struct series_house *h);
/* Lets time pass, then waits for the threads. */
void series_house_pass(struct series_house *h, int64_t ms);

struct series *probe_series(struct series_store *st, const char *name);
struct series *kind_series(struct series_store *st, enum series_kind kind, const char *name);
struct series_sample probe_sample(int64_t at_ms, int64_t total_us);

/* Answers that outlive their callback. */
struct answer {
	struct loop *loop;
	bool done;
	unsigned calls;
	struct series_points points;    /* owned */
	VEC(struct series_sample) runs; /* their hists are owned */
	VEC(struct series_day) days;    /* without histograms */
	struct error err;
};

void answer_fini(struct answer *a);
/* Each waits; false: the answer was an error, in a->err. */
bool ask_points(struct series *s, struct loop *l, int64_t from, int64_t to, int64_t step, bool fill,
	struct answer *a);
bool ask_runs(struct series *s, struct loop *l, int64_t from, int64_t to, struct answer *a);
bool ask_last(struct series *s, struct loop *l, struct answer *a);
bool ask_days(struct series *s, struct loop *l, int64_t day, size_t n, struct answer *a);
/* Callbacks for queries started by hand. */
void on_points(void *arg, const struct series_points *points, const struct error *err);
void on_runs(void *arg, const struct series_sample *p, size_t n, const struct error *err);

/* What stopped working, and what works again. */
struct troubles {
	int stopped, went_on;
};
/* For callbacks that say so; arg: struct troubles. */
void count_trouble(void *arg, const struct error *why);

#endif
