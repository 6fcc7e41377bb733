/*
 * rules_inside.h - what the files behind rules.h share.
 *
 *	rules.c        life, rounds, which series are whose
 *	rules_read.c   what is read from the store: before we listened, hours of the past, a replay
 *	rules_value.c  the condition of one group at one time
 *	rules_state.c  from true, false and unknown to states, and what is told of them
 */
#ifndef JUDGE_RULES_RULES_INSIDE_H
#define JUDGE_RULES_RULES_INSIDE_H

#include "base/map.h"
#include "judge/rules/change.h"
#include "judge/rules/reads.h"
#include "judge/rules/ring.h"
#include "judge/rules/rules.h"

struct run;

struct past {         /* of a term that looks back: one whole hour */
	int64_t hour; /* that is there, or being read */
	size_t reading;
	bool there;
	struct bucket sum;
};

struct changing { /* of a term that asks changed() */
	struct change change;
	int64_t next_ms; /* begin of the value that comes next; 0: the first that there is */
};

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };

struct group { /* one value of `each`, or all */
	struct run *run;
	char *value, *by;
	struct ring *rings;       /* one a watch */
	struct past *pasts;       /* one a term */
	struct changing *changes; /* one a term */
	size_t series;
	/* its state */
	enum rule_state state;
	bool fired; /* before it became unknown */
	int64_t since_ms;
	int64_t true_ms, false_ms; /* since when the condition is; 0: it is not */
	int64_t known_ms;          /* when it was known last */
	int64_t told_ms, looked_ms;
	char *text;
	json_t *evidence;
};

struct attached { /* a series a watch looks at */
	struct series_listener listener;
	struct series *series;
	struct group *group;
	size_t watch;
	enum series_kind kind;
};

struct of_kind {          /* what series of a watch hold: those of others are left out */
	const char *unit; /* NULL: no series yet */
	enum series_kind kind;
};

struct run { /* a rule being judged */
	struct rules *rules;
	const struct rule *rule;
	json_t *as; /* as it is written */
	VEC(struct group *) groups;
	VEC(struct attached *) attached;
	size_t reading;        /* of what came before; until it is there nothing is judged */
	struct of_kind *kinds; /* of each watch */
	bool said;
};

struct rules {
	struct loop *loop;
	struct series_store *store;
	struct rules_options options;
	struct run *runs;
	size_t run_count;
	struct map by_name;        /* exact names: struct watching */
	struct watching *patterns; /* those of patterns */
	size_t taken;              /* series looked at */
	bool listens;              /* not a replay */
	int64_t started_ms;
	struct timer timer;
	/* a round */
	int64_t at_ms;
	size_t next; /* run */
	int64_t round_ns, last_round_ns;
	size_t states, last_states;
	struct reads *reads;
	/* a replay */
	int64_t from_ms, to_ms, chunk_ms, ahead_ms;
	void (*done)(void *arg, const struct error *err);
	void *done_arg;
};

/* --- rules_read.c */
void read_before(struct attached *a, int64_t from_ms, int64_t to_ms);
/* True: the hour is there. Else it is being read. */
bool read_past(struct group *g, size_t term, int64_t at_ms);

/* --- rules_value.c */
/* text gets why it is unknown, or the values it saw; evidence: [{"term", "value", "n", "failed"}].
 */
enum truth group_judge(struct group *g, int64_t at_ms, struct buf *text, json_t **ret_values);
/* Whether all hours of the past that it needs are there. */
bool group_is_ready(struct group *g, int64_t at_ms);

/* --- rules_state.c */
void group_step(struct group *g, int64_t at_ms);
const char *group_component(const struct group *g);
json_t *group_json(const struct group *g);

/* --- rules.c */
void rules_say(struct run *run, const char *fmt, ...) like_printf(2, 3);

#endif
