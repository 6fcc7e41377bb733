/*
 * names.c - what is asked of paths, on the thread that knows them.
 */

#include <string.h>

#include "judge/graphite/graphite_inside.h"

void names_take(struct graphite_call *c)
{
	VEC_EACH (&c->new_series, struct series *, s)
		paths_add(c->g->paths, *s);
	vec_fini(&c->new_series);
}

/* --- nodes -------------------------------------------------------------------------------------
 */

struct collecting {
	struct graphite_call *call;
	struct map nodes; /* path: bits */
	size_t n;
};

enum { NODE_LEAF = 1, NODE_BRANCH = 2 };

static bool too_many(struct graphite_call *c)
{
	error_set(&c->err, ERROR_LIMIT, "more than %d names; ask for fewer with a longer pattern",
		GRAPHITE_NODES);
	return false;
}

static bool on_node(void *arg, const char *path, bool leaf, bool branch)
{
	struct collecting *co = arg;
	const intptr_t bits = (leaf ? NODE_LEAF : 0) | (branch ? NODE_BRANCH : 0);
	const intptr_t before = (intptr_t)map_get(&co->nodes, path);
	if (co->nodes.n >= GRAPHITE_NODES)
		return too_many(co->call);
	map_put(&co->nodes, path, (void *)(before | bits)); /* NOLINT: bits, no address */
	return !atomic_load(&co->call->cancelled);
}

static int by_key(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

/* The keys in order. */
static struct map_entry **ordered(const struct map *m)
{
	struct map_entry **all = mem_new_array(m->n ? m->n : 1, sizeof(struct map_entry *));
	size_t n = 0;
	MAP_EACH (m, e)
		all[n++] = e;
	if (n)
		qsort(all, n, sizeof(struct map_entry *), by_key);
	return all;
}

static void answer_nodes(struct graphite_call *c)
{
	struct collecting co = {.call = c};
	bool good = paths_nodes(c->g->paths, c->pattern, on_node, &co, &c->err);
	for (size_t i = 0; i < c->leaves.n && good && !c->err.kind; i++)
		good = paths_nodes(leaves_paths(c->leaves.p[i]), c->pattern, on_node, &co, &c->err);
	struct map_entry **all = ordered(&co.nodes);
	for (size_t i = 0; i < co.nodes.n && !c->err.kind; i++) {
		const intptr_t bits = (intptr_t)all[i]->value;
		const char *dot = strrchr(all[i]->key, '.');
		json_array_append_new(c->answer,
			json_pack("{s:s, s:s, s:b, s:b}", "path", all[i]->key, "text",
				dot ? dot + 1 : all[i]->key, "leaf", (int)(bits & NODE_LEAF),
				"branch", (int)(bits & NODE_BRANCH)));
	}
	free(all);
	map_fini(&co.nodes);
}

/* --- leaves and tags ----------------------------------------------------------------------------
 */

static bool on_path(void *arg, const struct path_leaf *leaf)
{
	return on_node(arg, leaf->path, true, false);
}

struct tag_search {
	struct collecting co;
	const char *tag, *prefix;
};

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_asked_for(const struct graphite_call *c, const char *tag)
{
	for (size_t i = 0; i < c->naming.expr_count; i++)
		if (strcspn(c->exprs[i], "!=") == strlen(tag) && starts(c->exprs[i], tag))
			return true;
	return false;
}

static bool on_tags(void *arg, const struct path_leaf *leaf)
{
	struct tag_search *s = arg;
	json_t *tags = path_tags(leaf->path), *value;
	const char *key;
	bool go_on = true;
	json_object_foreach (tags, key, value) {
		const char *text = s->tag ? json_string_value(value) : key;
		if (s->tag ? strcmp(key, s->tag) == 0 : !is_asked_for(s->co.call, key))
			if (starts(text, s->prefix))
				go_on = go_on && on_node(&s->co, text, true, false);
	}
	json_decref(tags);
	return go_on;
}

static void answer_list(struct graphite_call *c, const struct map *found, size_t limit)
{
	struct map_entry **all = ordered(found);
	for (size_t i = 0; i < found->n && i < limit && !c->err.kind; i++)
		json_array_append_new(c->answer, json_string(all[i]->key));
	free(all);
}

static void answer_tags(struct graphite_call *c)
{
	struct tag_search s = {.co.call = c, .prefix = c->prefix ? c->prefix : ""};
	s.tag = c->naming.about == GRAPHITE_ABOUT_VALUES ? (c->tag ? c->tag : "") : NULL;
	if (c->naming.expr_count)
		paths_tagged(c->g->paths, (const char *const *)c->exprs, c->naming.expr_count,
			on_tags, &s, &c->err);
	else
		paths_each_tagged(c->g->paths, on_tags, &s);
	if (!s.tag && !c->naming.expr_count && starts("name", s.prefix))
		on_node(&s.co, "name", true, false);
	answer_list(c, &s.co.nodes, c->naming.limit ? c->naming.limit : 100);
	map_fini(&s.co.nodes);
}

static void answer_paths(struct graphite_call *c)
{
	struct collecting co = {.call = c};
	if (c->naming.about == GRAPHITE_ABOUT_SERIES) {
		paths_tagged(c->g->paths, (const char *const *)c->exprs, c->naming.expr_count,
			on_path, &co, &c->err);
	} else {
		paths_each(c->g->paths, on_path, &co);
		paths_each_tagged(c->g->paths, on_path, &co);
		VEC_EACH (&c->leaves, struct graphite_leaves *, l)
			paths_each(leaves_paths(*l), on_path, &co);
	}
	answer_list(c, &co.nodes, GRAPHITE_NODES);
	map_fini(&co.nodes);
}

void names_answer(struct graphite_call *c)
{
	c->answer = json_array();
	switch (c->naming.about) {
	case GRAPHITE_ABOUT_NODES: answer_nodes(c); break;
	case GRAPHITE_ABOUT_INDEX:
	case GRAPHITE_ABOUT_SERIES: answer_paths(c); break;
	case GRAPHITE_ABOUT_TAGS:
	case GRAPHITE_ABOUT_VALUES: answer_tags(c); break;
	}
}

/* --- wants --------------------------------------------------------------------------------------
 */

struct wanting {
	struct graphite_call *call;
	struct wanted *wanted;
};

static bool too_many_series(struct graphite_call *c)
{
	if (++c->series_count <= GRAPHITE_SERIES)
		return !atomic_load(&c->cancelled);
	error_set(&c->err, ERROR_LIMIT,
		"the targets are of more than %d series; ask for fewer with longer patterns",
		GRAPHITE_SERIES);
	return false;
}

static bool on_leaf(void *arg, const struct path_leaf *found)
{
	struct wanting *w = arg;
	if (!too_many_series(w->call))
		return false;
	struct leaf *l = vec_add(&w->wanted->leaves);
	l->path = mem_strdup(found->path);
	l->field = found->field;
	l->wild = found->wild;
	for (size_t i = 0; i < found->n; i++)
		vec_push(&l->series, found->series[i]);
	return true;
}

/* seriesByTag("a=b", 'c=d') as it was written. */
static void want_tagged(struct wanting *w, const char *raw)
{
	struct graphite_call *c = w->call;
	struct target *t = target_parse(slice_of(raw), &c->err);
	if (!t)
		return;
	const struct target_node *n = target_root(t);
	const char **exprs = mem_new_array(n->args.n, sizeof(*exprs));
	for (size_t i = 0; i < n->args.n; i++)
		exprs[i] = n->args.p[i]->text;
	paths_tagged(c->g->paths, exprs, n->args.n, on_leaf, w, &c->err);
	free(exprs);
	target_free(t);
}

void names_want(struct graphite_call *c)
{
	for (size_t i = 0; i < c->eval.wants.n && !c->err.kind; i++) {
		const struct want *want = &c->eval.wants.p[i];
		vec_add(&c->wanted);
		struct wanting w = {c, &c->wanted.p[c->wanted.n - 1]};
		if (want->tagged) {
			want_tagged(&w, want->path);
			continue;
		}
		bool good = paths_match(c->g->paths, want->path, on_leaf, &w, &c->err);
		for (size_t k = 0; k < c->leaves.n && good && !c->err.kind; k++)
			good = paths_match(
				leaves_paths(c->leaves.p[k]), want->path, on_leaf, &w, &c->err);
	}
}
