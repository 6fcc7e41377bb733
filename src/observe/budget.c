/*
 * budget.c - see budget.h.
 */

#include "observe/budget.h"

#include <string.h>

#include "store/facts.h"

bool budget_is_set(const struct budget *b)
{
	return b->objects || b->server_minutes;
}

static bool on_used(void *arg, const struct facts_row *row)
{
	struct cost *c = arg;
	c->objects = facts_int(row, 0);
	c->server_minutes = (double)facts_int(row, 1) / 60e6;
	return false;
}

/* A server that is gone was there until its row changed the last time, any other one still is. */
bool budget_used(struct facts *f, const char *cloud, const char *instance, const char *scenario,
	int64_t now_unix_us, struct cost *ret, struct error *err)
{
	const int64_t from = now_unix_us - BUDGET_NS / NS_PER_US;
	const struct facts_value v[] = {FACTS_I(from), FACTS_I(OBJECT_DELETED),
		FACTS_I(now_unix_us), FACTS_I(from), FACTS_T(cloud), FACTS_T(instance),
		FACTS_T(scenario), FACTS_T(scenario), FACTS_I(OBJECT_REFUSED), FACTS_I(from),
		FACTS_I(OBJECT_DELETED), FACTS_I(from)};
	*ret = (struct cost){0};
	return facts_query(f,
		"SELECT COALESCE(SUM(o.created >= ?), 0),"
		" COALESCE(SUM(CASE WHEN o.kind IN ('server', 'server_batch') THEN"
		" (CASE WHEN o.fate = ? THEN o.changed ELSE ? END) - MAX(o.created, ?) END), 0)"
		" FROM object o JOIN scenario_run r ON r.run = o.run"
		" WHERE r.cloud = ? AND r.instance = ? AND (? IS NULL OR r.scenario = ?)"
		" AND o.fate <> ? AND (o.created >= ? OR (o.kind IN ('server', 'server_batch')"
		" AND (o.fate <> ? OR o.changed > ?)))",
		v, array_len(v), on_used, ret, err);
}

struct last {
	struct cost *cost;
	bool found;
};

static bool on_run(void *arg, const struct journal_run_row *row)
{
	struct last *l = arg;
	if (!row->verdict || strcmp(row->verdict, "passed") != 0 || !row->summary)
		return true;
	json_t *summary = json_parse(slice_of(row->summary), BUF_LINE, NULL);
	const json_t *minutes = json_at(summary, "cost", "server_minutes", NULL);
	if (json_is_number(minutes)) {
		l->found = true;
		l->cost->objects = json_int(json_object_get(summary, "cost"), "objects", 0);
		l->cost->server_minutes = json_number_value(minutes);
	}
	json_decref(summary);
	return !l->found;
}

bool budget_last_cost(struct facts *f, const char *cloud, const char *scenario, struct cost *ret)
{
	struct last l = {.cost = ret};
	struct error err = {0};
	return journal_runs(f, scenario, cloud, 20, on_run, &l, &err) && l.found;
}

char *budget_refuses(
	const struct budget *b, const char *whose, const struct cost *used, const struct cost *next)
{
	if (b->objects && used->objects + next->objects > b->objects)
		return mem_printf(
			"%s budget is %lld objects an hour; %lld were made within the"
			" last one, and a run makes %lld",
			whose, (long long)b->objects, (long long)used->objects,
			(long long)next->objects);
	if (b->server_minutes &&
		used->server_minutes + next->server_minutes > (double)b->server_minutes)
		return mem_printf(
			"%s budget is %lld server-minutes an hour; %.1f were used within"
			" the last one, and a run takes %.1f",
			whose, (long long)b->server_minutes, used->server_minutes,
			next->server_minutes);
	return NULL;
}

json_t *budget_json(const struct budget *b, const struct cost *used, const struct cost *next)
{
	json_t *j = json_object();
	if (b->objects)
		json_object_set_new(j, "objects",
			json_pack("{s:I, s:I, s:I, s:b}", "limit", (json_int_t)b->objects, "used",
				(json_int_t)used->objects, "need", (json_int_t)next->objects,
				"fits", used->objects + next->objects <= b->objects));
	if (b->server_minutes)
		json_object_set_new(j, "server_minutes",
			json_pack("{s:I, s:f, s:f, s:b}", "limit", (json_int_t)b->server_minutes,
				"used", used->server_minutes, "need", next->server_minutes, "fits",
				used->server_minutes + next->server_minutes <=
					(double)b->server_minutes));
	return j;
}
