/*
 * rules.h - our own rules, judged every ten seconds over the series.
 *
 * A rule's window is [t - over, t) on event time, at whole tens of seconds t; what comes late
 * counts from the next time on. Samples are heard as they are stored (series_listen()), what came
 * before a start or before a series was known is read once. For each rule (and value of `each`):
 *
 *	unknown  the condition is unknown: fewer than `minimum` samples, nothing measured
 *	good     known and false; after firing, for as long as `recover`
 *	firing   true for as long as `for`; held for the length of the window when data ends, then
 *		 unknown: silence makes nothing green
 *
 * What a rule says goes to `tell` in the form of the judge (judge_tell()): at each change, and
 * again every 30 s. Rules of severity note are not told; `changed` hears of all of them.
 * Nothing takes longer than 2 ms a turn of the loop. Rules stay who gave them's, and must outlive
 * this. Thread: the loop's.
 */
#ifndef JUDGE_RULES_RULES_H
#define JUDGE_RULES_RULES_H

#include "judge/judge.h"
#include "judge/rules/rule.h"

enum rule_state { RULE_IS_UNKNOWN, RULE_IS_GOOD, RULE_IS_FIRING };
const char *rule_state_name(enum rule_state s); /* "unknown", "good", "firing" */

struct rule_change {           /* of a rule, or of an objective; borrowed for the call */
	const char *by;        /* "rule:api-slow[berlin]", "slo:compute-api" */
	const char *component; /* its own, or the value of each: component */
	enum rule_severity severity;
	enum rule_state from, to;
	int64_t at_ms;
	const char *text; /* one sentence */
	const json_t *evidence;
};

struct rules_options {
	struct rule *const *rules;
	size_t n;
	void (*tell)(void *arg, const struct judge_told *t);
	void (*untell)(void *arg, const char *component, const char *by); /* may be NULL */
	void (*changed)(void *arg, const struct rule_change *c);          /* may be NULL */
	/* What an operator should know, once a rule: no series fits it, values that do not compare.
	 * May be NULL. */
	void (*say)(void *arg, const struct rule *rule, const char *text);
	void *arg;
};

struct rules;
/* Borrows the store, which must outlive it. */
struct rules *rules_new(struct loop *l, struct series_store *st, const struct rules_options *o);
/* Begins to listen and to judge. States of rules that are as they were in `before` (NULL: none) go
 * on; what it told that nobody tells any more is untold. */
void rules_start(struct rules *r, struct rules *before);
/* All that is under way is given up; nothing is called back. */
void rules_free(struct rules *r);

/* The past instead of the clock: judges each ten seconds of [from, to] as it stands in the store
 * by now; instead of rules_start(). done comes once, never from inside the call. */
void rules_replay(struct rules *r, int64_t from_ms, int64_t to_ms,
	void (*done)(void *arg, const struct error *err), void *arg);

/* [{"name", "component", "severity", "when", "text", "over_ms", "series": how many fit,
 *   "states": [{"group", "component", "state", "since_ms", "text", "evidence" | null}]}], as it
 * was judged last. Owned. */
json_t *rules_json(const struct rules *r);
/* How many states there are: rules, and values of each. */
size_t rules_states(const struct rules *r);
/* How long the last round over all rules took on the loop, and how many states it judged. */
int64_t rules_round_ns(const struct rules *r, size_t *ret_states);

#endif
