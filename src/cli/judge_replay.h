/*
 * judge_replay.h - what rules, objectives and the judge say of what is stored, in the time in which
 * it was measured.
 *
 * The judge is the one that `glasshouse run` has, in virtual time, in a directory of its own. It is
 * given what the live one was given, at the moments at which that was (judge/given.h): results with
 * what counted of them, how often probes were meant to run, blindness, declared work, its own ends
 * and starts; and what the rules and objectives that are played say. What was stored before any of
 * that was kept is judged by its samples alone. Nothing of the state directory is changed but that
 * its tables are brought to the newest version. Thread: main.
 *
 *	judge_replay.c         rules, objectives, what was declared, all of it
 *	judge_replay_model.c   the judge
 *	judge_replay_hour.c    what happened, hour by hour
 *	judge_replay_show.c    for people and as JSON
 */
#ifndef CLI_JUDGE_REPLAY_H
#define CLI_JUDGE_REPLAY_H

#include "base/map.h"
#include "base/vec.h"
#include "cli/config.h"
#include "judge/given.h"
#include "judge/rules/slos.h"

struct replay_change {
	char *by; /* "judge", "rule:NAME[GROUP]", "slo:NAME" */
	char *component, *text;
	char *maintenance, *root; /* of the judge, as in struct verdict; or NULL */
	enum health health;       /* what it says from then on; degraded of notes, too */
	bool note;                /* of severity note: told to nobody */
	int64_t at_ms;            /* what was so already: when the replay begins */
};

struct replay_told { /* a rule or an objective says so from then on */
	char *component, *by, *text;
	enum health health;
	int64_t at_ms;
};

struct replay {
	/* given */
	const char *state;
	int64_t from_ms, to_ms;
	struct rule *const *rules;
	size_t rule_count;
	const struct slo_list *slos;
	const struct config *config; /* how components are judged */
	/* found, in order of time */
	VEC(struct replay_change) changes;
	VEC(char *) said; /* "file:line: rule NAME: ..." */
	json_t *events;   /* as event_list() of operators; [] */
	size_t states;    /* rules and values of each that were judged */
	int64_t took_ns;  /* of all rules together */
	/* on the way */
	int64_t begin_ms;         /* what is judged before from_ms is not shown */
	VEC(struct given) givens; /* texts owned */
	VEC(struct replay_told) told;
	struct map saying; /* "component\nby" -> health + 1, as told last */
};

bool replay_run(struct replay *r, struct error *err) must_check;
void replay_add(struct replay *r, const struct replay_change *c); /* copies */
void replay_fini(struct replay *r);

/* judge_replay_model.c: adds what the judge says. `facts`: of the state directory, NULL: none. */
bool replay_model(struct replay *r, struct loop *l, struct series_store *store, struct facts *facts,
	struct error *err) must_check;

/* judge_replay_show.c: a timeline for each component, then each change; or one JSON document. */
void replay_print(const struct replay *r);
json_t *replay_json(const struct replay *r); /* owned */

#endif
