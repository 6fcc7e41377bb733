/*
 * slos.h - objectives being kept: how much of the budget of errors is left, how fast it burns.
 *
 * An alert fires while both its windows burn faster than its limit, with three runs at least in the
 * short one: the long one says that it matters, the short one that it still does. The worst alert
 * that fires is told ("slo:NAME", judge_tell()); those of severity note never are. Windows are
 * whole minutes on event time, judged once a minute. Runs that failed for a fault that is not the
 * cloud's are neither good nor bad. Without runs in the last hour it is unknown. Objectives stay
 * who gave them's, and must outlive this. Thread: the loop's.
 */
#ifndef JUDGE_RULES_SLOS_H
#define JUDGE_RULES_SLOS_H

#include "judge/rules/rules.h"
#include "judge/rules/slo.h"

struct slos_options {
	struct slo *const *slos;
	size_t n;
	void (*tell)(void *arg, const struct judge_told *t);
	void (*untell)(void *arg, const char *component, const char *by); /* may be NULL */
	void (*changed)(void *arg, const struct rule_change *c);          /* may be NULL */
	void (*say)(
		void *arg, const struct slo *slo, const char *text); /* once each; may be NULL */
	void *arg;
};

struct slos;
struct slos *slos_new(struct loop *l, struct series_store *st, const struct slos_options *o);
/* Begins to listen and to judge; what `before` (or NULL) told that nobody tells now is untold. */
void slos_start(struct slos *s, const struct slos *before);
void slos_free(struct slos *s);
/* As rules_replay(). */
void slos_replay(struct slos *s, int64_t from_ms, int64_t to_ms,
	void (*done)(void *arg, const struct error *err), void *arg);

/* [{"name", "component", "objective", "text" | null, "span", "over_ms": length of the window,
 *   "good", "whole", "ratio" | null, "budget_left": 1 all, 0 spent, below 0 more than that | null,
 *   "state": unknown good firing, "since_ms", "series": how many fit,
 *   "burn": [{"long_ms", "short_ms", "limit", "long" | null, "short" | null, "firing",
 *     "severity"}]}], as it was judged last. Owned. */
json_t *slos_json(const struct slos *s);

#endif
