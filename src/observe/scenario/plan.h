/*
 * plan.h - what a scenario would do, without doing it: graph, pairings, requests, the bill against
 * the quota, warnings of hidden edges. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_PLAN_H
#define OBSERVE_SCENARIO_PLAN_H

#include "base/buf.h"
#include "base/json.h"
#include "observe/scenario/world.h"

struct plan_bill {             /* objects by kind, and what they cost of the quota */
	json_t *objects;       /* {"server": 2, …} */
	json_t *quota;         /* {"cores": {"need": 2, "free": 8}, …}; free null when unknown */
	double server_minutes; /* at most, from deadlines */
	bool fits;
};

/* `w` is symbolic. `quota` as cloud_quota() gives it, `flavors` by id or NULL when unknown. Returns
 * an owned JSON document: {steps: [{name, verb, elements: [{name, needs: […], requests: ["POST …"],
 * body}]}], bill, warnings: [{file, line, text}], picked}. */
json_t *plan_make(struct world *w, const json_t *quota, const json_t *flavors, struct error *err);
/* The same for people. */
void plan_write(struct buf *out, const json_t *plan);

#endif
