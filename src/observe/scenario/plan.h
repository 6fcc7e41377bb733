/*
 * plan.h - what a scenario would do, without doing it: graph, pairings, requests, the bill against
 * the quota, warnings of hidden edges. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_PLAN_H
#define OBSERVE_SCENARIO_PLAN_H

#include "base/buf.h"
#include "base/json.h"
#include "observe/scenario/world.h"

/*
 * `w` is symbolic and is expanded here. `quota` as cloud_quota() gives it, or NULL; `flavors` maps
 * ids to {vcpus, ram, disk}, or NULL: then only picked and given flavors (pick.h) are known. What
 * only the run knows reads <port[0].id>. Returns an owned JSON document, or NULL with the error:
 *
 *	{scenario, title, deadline, teardown,
 *	 steps: [{name, verb, elements: [{name, needs: ["port[0]"…], service, requests: ["POST /…"],
 *	          teardown: ["DELETE /…"], body, must_fail: true}]}],
 *	 bill: {objects: {"server": 2…}, total, quota: {"cores": {need, limit, free}…},
 *	        server_minutes, fits, unknown: [text…]},
 *	 warnings: [{file, line, text}]}
 *
 * An absent step has no elements. `limit` and `free` are null when unknown, -1 without a limit.
 */
json_t *plan_make(struct world *w, const json_t *quota, const json_t *flavors, struct error *err);
/* The same for people; `picked` of the document, if the caller has put it there, is shown too. */
void plan_write(struct buf *out, const json_t *plan);

#endif
