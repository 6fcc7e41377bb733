/*
 * judge_change.c - one change by the id of its verdict, for readers of the change feed.
 */

#include <string.h>

#include "judge/judge_inside.h"

static bool read_change(void *arg, const struct facts_row *row)
{
	struct judge_change *c = arg;
	const int64_t health = facts_int(row, 2), was = facts_int(row, 7);
	c->id = facts_int(row, 0);
	mem_replace(&c->component, facts_text(row, 1));
	mem_replace(&c->rule, facts_text(row, 3));
	mem_replace(&c->text, facts_text(row, 4));
	c->since_ms = facts_int(row, 5);
	c->until_ms = facts_int(row, 8);
	mem_replace(&c->root, facts_text(row, 9));
	mem_replace(&c->maintenance, facts_text(row, 10));
	mem_replace(&c->dissent, facts_text(row, 11));
	c->flapping = facts_int(row, 12) != 0;
	mem_replace(&c->root_name, facts_text(row, 13));
	mem_replace(&c->name, facts_text(row, 6) ? facts_text(row, 6) : c->component);
	/* Written by a newer program: what we do not know is not shown as good. */
	c->health = health >= 0 && health < HEALTH_COUNT ? (enum health)health : HEALTH_UNKNOWN;
	c->first = was < 0;
	c->was = was >= 0 && was < HEALTH_COUNT ? (enum health)was : HEALTH_UNKNOWN;
	return false;
}

bool judge_change_at(struct facts *f, int64_t id, struct judge_change *ret, struct error *err)
{
	const struct facts_value v = FACTS_I(id);
	return facts_query(f,
		"SELECT v.id, v.component, v.health, v.rule, v.text,"
		" COALESCE(v.began_ms, v.since_ms), v.name,"
		" COALESCE((SELECT p.health FROM verdict AS p WHERE p.component = v.component"
		" AND p.id < v.id ORDER BY p.id DESC LIMIT 1), -1), COALESCE(v.until_ms, 0),"
		" v.root, v.maintenance, v.dissent, v.flapping,"
		" COALESCE((SELECT name FROM component WHERE id = v.root), v.root)"
		" FROM verdict AS v WHERE v.id = ?",
		&v, 1, read_change, ret, err);
}

void judge_change_fini(struct judge_change *c)
{
	free(c->component);
	free(c->name);
	free(c->rule);
	free(c->text);
	free(c->root);
	free(c->root_name);
	free(c->maintenance);
	free(c->dissent);
	memset(c, 0, sizeof(*c));
}
