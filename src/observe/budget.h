/*
 * budget.h - what runs may make and use within an hour, and what they did.
 *
 * Counted from the journal, so that a restart forgets nothing: what any process with this journal
 * made in that cloud. Thread: the loop's.
 */
#ifndef OBSERVE_BUDGET_H
#define OBSERVE_BUDGET_H

#include "observe/scenario/journal.h"

#define BUDGET_NS (3600 * NS_PER_S)

struct budget { /* within the last hour; 0: no limit */
	int64_t objects, server_minutes;
};

struct cost {
	int64_t objects;
	double server_minutes; /* servers x the time each was there */
};

bool budget_is_set(const struct budget *b);
/* What was used within the last hour in a cloud, by one scenario or (NULL) by all. */
bool budget_used(struct facts *f, const char *cloud, const char *instance, const char *scenario,
	int64_t now_unix_us, struct cost *ret, struct error *err) must_check;
/* What the last run of a scenario that passed took; false: none did, or it is not known. */
bool budget_last_cost(struct facts *f, const char *cloud, const char *scenario, struct cost *ret);
/* {"objects": {limit, used, need, fits}, "server_minutes": ...}, what has a limit; owned. */
json_t *budget_json(const struct budget *b, const struct cost *used, const struct cost *next);
/* Why a run of that cost would pass the budget, as a sentence; NULL: it would not. `whose`: "the
 * cloud's". Owned. */
char *budget_refuses(const struct budget *b, const char *whose, const struct cost *used,
	const struct cost *next);

#endif
