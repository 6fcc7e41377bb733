/*
 * judge_told.c - what rules, flags and burn rates say of a component, beside its sources.
 *
 * Each `by` has one word, which its next replaces. One that said degraded or outage and fell silent
 * is believed, as a source is, until something else has answered after that.
 */

#include <string.h>

#include "base/json.h"
#include "judge/judge_inside.h"

#define TEXT_MAX 2000
#define BY_MAX   200
#define EVIDENCE_MAX                                                                               \
	(16u << 10) /* bytes of what one says proves it; more is left out, and said                \
		     */

void statement_free(struct statement *t)
{
	if (!t)
		return;
	free(t->by);
	free(t->text);
	json_decref(t->evidence);
	free(t);
}

static void drop_stalest(struct judged *c)
{
	const struct statement *stalest = NULL;
	MAP_EACH (&c->told, e) {
		const struct statement *t = e->value;
		if (!stalest || t->fresh_ms < stalest->fresh_ms)
			stalest = t;
	}
	if (stalest)
		statement_free(map_remove(&c->told, stalest->by));
}

static char *short_text(const char *text)
{
	char *t = mem_strdup(text ? text : "");
	size_t n = strlen(t);
	if (n <= TEXT_MAX)
		return t;
	n = TEXT_MAX;
	while (n > 0 && ((unsigned char)t[n] & 0xc0) == 0x80)
		n--;
	t[n] = 0;
	return t;
}

static json_t *short_evidence(const json_t *evidence)
{
	if (!json_is_object(evidence))
		return NULL;
	const size_t n = json_dumpb(evidence, NULL, 0, JSON_COMPACT);
	if (n <= EVIDENCE_MAX)
		return json_deep_copy(evidence);
	json_t *j = json_object();
	json_object_set_new(j, "left_out_bytes", json_integer((json_int_t)n));
	return j;
}

void judge_tell(struct judge *j, const struct judge_told *given)
{
	struct judged *c = map_get(&j->by_id, given->component);
	if (!c || strlen(given->by) > BY_MAX)
		return;
	struct statement *t = map_get(&c->told, given->by);
	if (!t) {
		if (c->told.n >= JUDGE_TOLD_MAX)
			drop_stalest(c);
		t = mem_new(struct statement);
		t->by = mem_strdup(given->by);
		map_put(&c->told, t->by, t);
	} else if (given->at_ms < t->at_ms) {
		return; /* something newer was said */
	}
	const enum health says =
		given->health == HEALTH_MAINTENANCE ? HEALTH_UNKNOWN : given->health;
	const bool same = t->at_ms && t->health == says && t->muted == j->blind &&
			  judge_now_ms(j) <= t->fresh_ms;
	t->health = says;
	t->at_ms = given->at_ms;
	t->fresh_ms = given->fresh_ms;
	t->muted = j->blind;
	free(t->text);
	t->text = short_text(given->text);
	json_decref(t->evidence);
	t->evidence = short_evidence(given->evidence);
	if (same) /* hundreds say so in one turn: one look is enough */
		judge_later(c);
	else
		judge_again(c);
}

void judge_untell(struct judge *j, const char *component, const char *by)
{
	VEC_EACH (&j->components, struct judged *, c) {
		if (component && strcmp((*c)->id, component) != 0)
			continue;
		struct statement *t = map_remove(&(*c)->told, by);
		if (!t)
			continue;
		statement_free(t);
		judge_again(*c);
	}
}

static bool is_bad(const struct statement *t)
{
	return (t->health == HEALTH_DEGRADED || t->health == HEALTH_OUTAGE) && !t->muted;
}

static bool is_worse(const struct statement *t, const struct statement *than)
{
	if (!than || t->health != than->health)
		return !than || health_worse(t->health, than->health) == t->health;
	return t->at_ms > than->at_ms;
}

struct told_tally told_count(const struct judged *c, int64_t now_ms)
{
	struct told_tally a = {0};
	MAP_EACH (&c->told, e) {
		const struct statement *t = e->value;
		const bool bad = is_bad(t), fresh = now_ms <= t->fresh_ms;
		if (!fresh) {
			if (bad && (!a.left || t->fresh_ms > a.left->fresh_ms))
				a.left = t;
			continue;
		}
		if (bad)
			a.worst = is_worse(t, a.worst) ? t : a.worst;
		else if (t->health == HEALTH_OPERATIONAL)
			a.good = !a.good || t->at_ms > a.good->at_ms ? t : a.good;
		else if (t->health == HEALTH_UNKNOWN)
			a.unknown = !a.unknown || t->at_ms > a.unknown->at_ms ? t : a.unknown;
		a.bad += bad;
	}
	return a;
}

int64_t told_next_ms(const struct judged *c, int64_t now_ms)
{
	int64_t next = INT64_MAX;
	MAP_EACH (&c->told, e) {
		const struct statement *t = e->value;
		if (t->fresh_ms >= now_ms && t->fresh_ms + 1 < next)
			next = t->fresh_ms + 1;
	}
	return next;
}

int64_t statement_from_ms(const struct statement *s)
{
	return json_int(json_object_get(s->evidence, "window"), "from_ms", s->at_ms);
}

static json_t *one_json(const struct statement *t)
{
	json_t *j = json_object(), *text = json_string(t->text);
	json_object_set_new(j, "by", json_string(t->by));
	json_object_set_new(j, "health", json_string(health_name(t->health)));
	json_object_set_new(j, "text", text ? text : json_string(""));
	json_object_set_new(j, "at_ms", json_integer(t->at_ms));
	json_object_set_new(j, "evidence", t->evidence ? json_deep_copy(t->evidence) : json_null());
	return j;
}

/* The worst first. */
json_t *told_json(const struct judged *c, int64_t now_ms)
{
	static const enum health order[] = {
		HEALTH_OUTAGE, HEALTH_DEGRADED, HEALTH_UNKNOWN, HEALTH_OPERATIONAL};
	json_t *list = json_array();
	for (size_t i = 0; i < array_len(order); i++)
		MAP_EACH (&c->told, e) {
			const struct statement *t = e->value;
			if (t->health == order[i] && now_ms <= t->fresh_ms &&
				json_array_size(list) < JUDGE_TOLD_SHOWN)
				json_array_append_new(list, one_json(t));
		}
	return list;
}
