/*
 * slos_inside.h - what the files behind slos.h share: slos.c judges and tells, slos_kept.c counts.
 */
#ifndef JUDGE_RULES_SLOS_INSIDE_H
#define JUDGE_RULES_SLOS_INSIDE_H

#include "judge/rules/reads.h"
#include "judge/rules/slos.h"

struct tally { /* whole: good and bad */
	double good, whole;
};

struct cell {
	int64_t index; /* only where it counts something */
	struct tally t;
	double bad; /* of objectives that select what is bad, until whole - bad is good */
};

struct cells { /* a ring on event time */
	struct cell *p;
	size_t n;
	int64_t width_ms;
};

struct slo_series { /* one that counts, or that is counted of */
	struct series_listener listener;
	struct series *series;
	struct kept *kept;
	bool is_whole;
	enum series_kind kind;
};

struct burning {
	struct tally over_long, over_short;
	bool firing;
};

struct kept { /* an objective */
	struct slos *slos;
	const struct slo *slo;
	struct zone *zone; /* of calendars */
	char *by;
	struct cells minutes, hours;
	VEC(struct slo_series *) attached;
	size_t reading; /* until it is 0 nothing is judged */
	struct burning burning[SLO_ALERTS_MAX];
	struct tally budget;
	enum rule_state state;
	int64_t since_ms, told_ms;
	char *text;
	json_t *evidence;
	bool said;
};

struct slos {
	struct loop *loop;
	struct series_store *store;
	struct slos_options options;
	struct kept *kept;
	size_t n, taken;
	bool listens; /* not a replay */
	struct reads *reads;
	struct timer timer;
	int64_t at_ms;
	size_t next;
	/* a replay: it was read until here */
	int64_t to_ms, read_ms;
	void (*done)(void *arg, const struct error *err);
	void *done_arg;
};

/* --- slos_kept.c */
void kept_init(struct kept *k, struct slos *s, const struct slo *slo);
void kept_fini(struct kept *k);
struct tally kept_minutes(const struct kept *k, int64_t from_ms, int64_t to_ms);
/* Of the window of the objective. */
struct tally kept_budget(const struct kept *k, int64_t at_ms);
int64_t kept_begin_ms(const struct kept *k, int64_t at_ms);
int64_t slos_now_ms(const struct slos *s);
/* False: the turn is over, there are more. */
bool slos_take_series(struct slos *s, int64_t until_ns);
void slos_read_hour(struct slos *s); /* the next one of a replay */

#endif
