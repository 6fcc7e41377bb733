/*
 * judge_replay.h - what rules, objectives and the default model say of what is stored, in the
 * time in which it was measured.
 *
 * The default model has of the store what the store has: faults and times of probes and steps that
 * name a component, not which good answers were held to be slow, nor what we knew of our own
 * connectivity. Nothing of the state directory is changed. Thread: main.
 */
#ifndef CLI_JUDGE_REPLAY_H
#define CLI_JUDGE_REPLAY_H

#include "base/vec.h"
#include "cli/config.h"
#include "judge/rules/slos.h"

struct replay_change {
	char *by; /* "model", "rule:NAME[GROUP]", "slo:NAME" */
	char *component, *text;
	enum health health; /* what it says from then on; degraded of notes, too */
	bool note;          /* of severity note: told to nobody */
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
};

bool replay_run(struct replay *r, struct error *err) must_check;
/* judge_replay_model.c: adds what the default model says. */
bool replay_model(
	struct replay *r, struct loop *l, struct series_store *store, struct error *err) must_check;
void replay_add(struct replay *r, const struct replay_change *c); /* copies */
void replay_fini(struct replay *r);

/* judge_replay_show.c: a timeline for each component, then each change; or one JSON document. */
void replay_print(const struct replay *r);
json_t *replay_json(const struct replay *r); /* owned */

#endif
