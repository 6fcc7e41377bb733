/*
 * judge_known.c - which components there are, remembered: after a start they stand on the page
 * before anybody has named them again, for what names them (a catalog) may be what is broken.
 */

#include <string.h>

#include "judge/judge_inside.h"

struct naming {
	char *id, *name, *category, *cloud, *region; /* name NULL: it is gone */
};

static bool do_name(struct facts_tx *tx, void *arg, struct error *err)
{
	struct naming *n = arg;
	const struct facts_value v[] = {FACTS_T(n->id), FACTS_T(n->name), FACTS_T(n->category),
		FACTS_T(n->cloud), FACTS_T(n->region)};
	const bool good =
		n->name ? facts_run(tx,
				  "INSERT INTO component(id, name, category, cloud, region)"
				  " VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET name ="
				  " excluded.name, category = excluded.category, cloud ="
				  " excluded.cloud, region = excluded.region",
				  v, array_len(v), err)
			: facts_run(tx, "DELETE FROM component WHERE id = ?", v, 1, err);
	free(n->id);
	free(n->name);
	free(n->category);
	free(n->cloud);
	free(n->region);
	free(n);
	return good;
}

void known_write(struct judge *j, const struct component *c)
{
	struct naming *n = mem_new(struct naming);
	*n = (struct naming){mem_strdup(c->id), mem_strdup(c->name), mem_strdup(c->category),
		mem_strdup(c->cloud), mem_strdup(c->region)};
	facts_submit(j->facts, do_name, n, NULL);
}

void known_forget(struct judge *j, const char *id)
{
	struct naming *n = mem_new(struct naming);
	n->id = mem_strdup(id);
	facts_submit(j->facts, do_name, n, NULL);
}

struct known {
	VEC(struct naming) rows;
};

static bool read_known(void *arg, const struct facts_row *row)
{
	struct known *k = arg;
	struct naming *n = vec_add(&k->rows);
	n->id = mem_strdup(facts_text(row, 0));
	n->name = mem_strdup(facts_text(row, 1));
	n->category = mem_strdup(facts_text(row, 2));
	n->cloud = mem_strdup(facts_text(row, 3));
	n->region = mem_strdup(facts_text(row, 4));
	return true;
}

struct listing {
	bool (*cb)(void *arg, const struct component *c);
	void *arg;
};

static bool list_known(void *arg, const struct facts_row *row)
{
	const struct listing *l = arg;
	const struct component c = {facts_text(row, 0), facts_text(row, 1), facts_text(row, 2),
		facts_text(row, 3), facts_text(row, 4)};
	return l->cb(l->arg, &c);
}

#define KNOWN "SELECT id, name, category, cloud, region FROM component ORDER BY rowid"

bool judge_known(struct facts *f, bool (*cb)(void *arg, const struct component *c), void *arg,
	struct error *err)
{
	struct listing l = {cb, arg};
	return facts_query(f, KNOWN, NULL, 0, list_known, &l, err);
}

bool known_read(struct judge *j, struct error *err)
{
	struct known k = {0};
	const bool good = facts_query(j->facts, KNOWN, NULL, 0, read_known, &k, err);
	VEC_EACH (&k.rows, struct naming, n) {
		const struct component c = {n->id, n->name, n->category, n->cloud, n->region};
		if (good)
			judge_component(j, &c);
		free(n->id);
		free(n->name);
		free(n->category);
		free(n->cloud);
		free(n->region);
	}
	vec_fini(&k.rows);
	return good;
}
