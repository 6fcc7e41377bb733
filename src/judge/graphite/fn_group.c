/*
 * fn_group.c - series by what their paths or tags have in common.
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/functions.h"

/* --- keys ------------------------------------------------------------------------------------- */

/* Part i of "a.b.c;k=v", negative: from the end; empty when there is none. */
static bool part_of(const char *path, int64_t i, struct slice *ret)
{
	struct slice rest = slice_sub(slice_of(path), 0, strcspn(path, ";")), part;
	int64_t n = 1;
	for (size_t k = 0; k < rest.n; k++)
		n += rest.p[k] == '.';
	i = i < 0 ? i + n : i;
	if (i < 0 || i >= n)
		return false;
	do {
		const size_t at = slice_find(rest, '.');
		part = slice_sub(rest, 0, at);
		rest = slice_sub(rest, at + 1, rest.n);
	} while (i-- > 0);
	*ret = part;
	return true;
}

static void add_node(
	struct buf *out, const struct curve *c, const char *path, const struct argument *node)
{
	struct slice part;
	char name[32];
	if (node->type == ARGUMENT_TEXT) {
		buf_add_str(out, curve_tag_value(c, node->text));
		return;
	}
	snprintf(name, sizeof(name), "%lld", (long long)node->number);
	if (part_of(path, (int64_t)node->number, &part))
		buf_add_slice(out, part);
	else
		buf_add_str(out, curve_tag_value(c, name));
}

char *curve_key(const struct curve *c, const struct argument *nodes, size_t n)
{
	struct buf key = BUF(BUF_LINE);
	const size_t length = strlen(c->name);
	char *path =
		length && c->name[length - 1] == ')' ? target_first_path(slice_of(c->name)) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(&key, '.');
		add_node(&key, c, path ? path : c->name, &nodes[i]);
	}
	free(path);
	return buf_take(&key);
}

/* --- groups ----------------------------------------------------------------------------------- */

struct groups {            /* in order of their first series */
	struct map by_key; /* struct curves */
};

static void groups_fini(struct groups *g)
{
	MAP_EACH (&g->by_key, e) {
		struct curves *l = e->value;
		curves_fini(l);
		free(l);
	}
	map_fini(&g->by_key);
}

static void groups_add(struct groups *g, const char *key, struct curve *c)
{
	struct curves *l = map_get(&g->by_key, key);
	if (!l) {
		l = mem_new(struct curves);
		map_put(&g->by_key, key, l);
	}
	curves_add(l, c);
}

/* Each group becomes one curve under its key. */
static bool groups_combine(
	struct call *c, const struct groups *g, size_t i, const char *how, struct curves *out)
{
	MAP_EACH (&g->by_key, e) {
		const size_t before = out->n;
		if (!call_combine(c, i, how, e->value, out))
			return false;
		while (out->n > before + 1)
			curve_unref(vec_pop(out));
		if (out->n > before)
			curve_rename(curve_own(&out->p[before]), mem_strdup(e->key));
	}
	return true;
}

static bool by_nodes(struct call *c, const char *how, size_t how_at, const struct argument *nodes,
	size_t n, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct groups g = {0};
	bool good = true;
	for (size_t i = 0; i < in->n && good; i++) {
		char *key = curve_key(in->p[i], nodes, n);
		groups_add(&g, key, in->p[i]);
		free(key);
		good = eval_work(c->e, 10);
	}
	good = good && groups_combine(c, &g, how_at, how, out);
	groups_fini(&g);
	return good;
}

bool fn_by_node(struct call *c, struct curves *out)
{
	return by_nodes(c, given_text(c, 2, "average"), 2, &c->args.p[1], 1, out);
}

bool fn_by_nodes(struct call *c, struct curves *out)
{
	return by_nodes(c, given_text(c, 1, "average"), 1, c->args.p + 2, c->args.n - 2, out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool asks_for_name(const struct call *c)
{
	for (size_t i = 2; i < c->args.n; i++)
		if (strcmp(given_text(c, i, ""), "name") == 0)
			return true;
	return false;
}

/* name;k=v of the tags asked for, sorted. */
static char *tag_key(const struct call *c, const struct curve *curve, const char *name)
{
	VEC(char *) parts = {0};
	struct buf key = BUF(BUF_LINE);
	for (size_t i = 2; i < c->args.n; i++) {
		const char *tag = given_text(c, i, "");
		if (strcmp(tag, "name") != 0)
			vec_push(&parts, mem_printf("%s=%s", tag, curve_tag_value(curve, tag)));
	}
	if (parts.n)
		qsort(parts.p, parts.n, sizeof(*parts.p), by_text);
	buf_add_str(&key, name ? name : curve_tag_value(curve, "name"));
	VEC_EACH (&parts, char *, p) {
		buf_printf(&key, ";%s", *p);
		free(*p);
	}
	vec_fini(&parts);
	return buf_take(&key);
}

bool fn_by_tags(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const char *how = given_text(c, 1, "average");
	const bool own_name = asks_for_name(c);
	const size_t before = out->n;
	struct groups g = {0};
	const char *name = in->n ? curve_tag_value(in->p[0], "name") : "";
	for (size_t i = 1; i < in->n; i++)
		if (strcmp(curve_tag_value(in->p[i], "name"), name) != 0)
			name = how;
	for (size_t i = 0; i < in->n; i++) {
		char *key = tag_key(c, in->p[i], own_name ? NULL : name);
		groups_add(&g, key, in->p[i]);
		free(key);
	}
	const bool good = groups_combine(c, &g, 1, how, out);
	groups_fini(&g);
	for (size_t i = before; i < out->n; i++) {
		struct curve *one = curve_own(&out->p[i]);
		struct curve *named = curve_new(mem_strdup(one->name), 0, 1, 0);
		json_t *tags = json_incref(named->tags);
		curve_unref(named);
		json_decref(one->tags);
		one->tags = tags;
		mem_replace(&one->expr, one->name);
	}
	return good;
}

/* The name without some of its parts. */
static char *name_without(const struct call *c, size_t first, const char *name)
{
	struct buf key = BUF(BUF_LINE);
	struct slice rest = slice_of(name);
	bool more = true, any = false;
	for (int64_t at = 0; more; at++) {
		const size_t n = slice_find(rest, '.');
		bool left_out = false;
		for (size_t i = first; i < c->args.n; i++)
			left_out |= given_whole(c, i, -1) == at;
		if (!left_out) {
			buf_add_str(&key, any ? "." : "");
			buf_add_slice(&key, slice_sub(rest, 0, n));
			any = true;
		}
		more = n < rest.n;
		rest = slice_sub(rest, n + 1, rest.n);
	}
	return buf_take(&key);
}

static bool wildcards(struct call *c, const char *how, size_t first, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct groups g = {0};
	for (size_t i = 0; i < in->n; i++) {
		char *key = name_without(c, first, in->p[i]->name);
		groups_add(&g, key, in->p[i]);
		free(key);
	}
	const bool good = groups_combine(c, &g, 1, how, out);
	groups_fini(&g);
	return good;
}

bool fn_wildcards(struct call *c, struct curves *out)
{
	return wildcards(c, given_text(c, 1, "average"), 2, out);
}

bool fn_wildcards_of(struct call *c, struct curves *out)
{
	const char *name = c->function->name;
	const char *how = name[0] == 's' ? "sum" : name[0] == 'a' ? "average" : "multiply";
	return wildcards(c, how, 1, out);
}

/* --- map and reduce --------------------------------------------------------------------------- */

/* Lists of lists stand as one list, group after group: reduceSeries finds them by their paths. */
bool fn_map(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct groups g = {0};
	for (size_t i = 0; i < in->n; i++) {
		char *key = curve_key(in->p[i], c->args.p + 1, c->args.n - 1);
		groups_add(&g, key, in->p[i]);
		free(key);
	}
	MAP_EACH (&g.by_key, e)
		curves_add_all(out, e->value);
	groups_fini(&g);
	return true;
}

struct reduced { /* one curve for each matcher */
	struct curve **found;
};

static size_t matcher_of(const struct call *c, struct slice node)
{
	for (size_t i = 3; i < c->args.n; i++)
		if (slice_is(node, given_text(c, i, "")))
			return i - 3;
	return SIZE_MAX;
}

static bool reduce_call(struct call *c, const struct function *f, const char *key,
	struct curve *const *found, struct curves *out)
{
	struct call inner = {
		.e = c->e, .target = c->target, .node = c->node, .function = f, .span = c->span};
	const size_t before = out->n, matchers = c->args.n - 3;
	bool whole = true;
	for (size_t i = 0; i < matchers; i++) {
		struct argument *a = vec_add(&inner.args);
		a->type = ARGUMENT_CURVES;
		whole &= found[i] != NULL;
		if (found[i])
			curves_add(&a->curves, found[i]);
	}
	const bool good = !whole || (eval_work(c->e, matchers) && f->run(&inner, out));
	VEC_EACH (&inner.args, struct argument, a)
		curves_fini(&a->curves);
	vec_fini(&inner.args);
	while (out->n > before + 1)
		curve_unref(vec_pop(out));
	if (good && out->n > before)
		curve_rename(curve_own(&out->p[before]), mem_strdup(key));
	return good;
}

static void reduce_add(struct call *c, struct map *by_key, struct curve *curve)
{
	const int64_t at = given_whole(c, 2, 0);
	struct slice node;
	if (!part_of(curve->name, at, &node))
		return;
	const size_t matcher = matcher_of(c, node);
	if (matcher == SIZE_MAX)
		return;
	/* "a.b.reduce.asPercent": what stands before the node */
	const size_t n = (size_t)(node.p - curve->name);
	char *key = mem_printf(
		"%.*s%sreduce.%s", (int)n, curve->name, n ? "" : ".", given_text(c, 1, ""));
	struct reduced *r = map_get(by_key, key);
	if (!r) {
		r = mem_new(struct reduced);
		r->found = mem_new_array(c->args.n - 3, sizeof(*r->found));
		map_put(by_key, key, r);
	}
	r->found[matcher] = curve;
	free(key);
}

bool fn_reduce(struct call *c, struct curves *out)
{
	const struct function *f = function_find(given_text(c, 1, ""));
	const struct curves *in = given_curves(c, 0);
	struct map by_key = {0};
	bool good = true;
	for (size_t i = 0; f && i < PARAMS && f->params[i].name; i++)
		if (f->params[i].required && f->params[i].type != PARAM_CURVES)
			f = NULL;
	if (!f)
		return wrong_argument(
			c, 1, "\"%.60s\" is no function of series alone", given_text(c, 1, ""));
	for (size_t i = 0; i < in->n; i++)
		reduce_add(c, &by_key, in->p[i]);
	MAP_EACH (&by_key, e) {
		struct reduced *r = e->value;
		good = good && reduce_call(c, f, e->key, r->found, out);
		free(r->found);
		free(r);
	}
	map_fini(&by_key);
	return good;
}

/* --- applyByNode ------------------------------------------------------------------------------ */

static char *with_prefix(const char *text, const char *prefix)
{
	struct buf out = BUF(TARGET_TEXT);
	for (; *text; text++)
		if (*text == '%')
			buf_add_str(&out, prefix);
		else
			buf_add_char(&out, *text);
	return buf_take(&out);
}

static bool apply_one(struct call *c, const char *prefix, struct curves *out)
{
	char *target = with_prefix(given_text(c, 2, ""), prefix);
	struct curves got = {0};
	const bool good = call_target(c, target, c->span, &got);
	for (size_t i = 0; good && i < got.n; i++) {
		struct curve *one = call_changed(c, out, got.p[i]);
		if (!one)
			break;
		if (given_has(c, 3))
			curve_rename(one, with_prefix(given_text(c, 3, ""), prefix));
		mem_replace(&one->expr, prefix);
	}
	curves_fini(&got);
	free(target);
	return good && !c->e->failed;
}

bool fn_apply(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const int64_t node = given_whole(c, 1, 0);
	VEC(char *) prefixes = {0};
	bool good = true;
	for (size_t i = 0; i < in->n; i++) {
		const char *name = in->p[i]->name;
		size_t n = 0;
		for (int64_t dots = 0; name[n] && (name[n] != '.' || dots++ < node);)
			n++;
		vec_push(&prefixes, mem_strndup(name, n));
	}
	if (prefixes.n)
		qsort(prefixes.p, prefixes.n, sizeof(*prefixes.p), by_text);
	for (size_t i = 0; i < prefixes.n; i++) {
		/* all are asked, so that all that is wanted is known at once */
		if (!i || strcmp(prefixes.p[i], prefixes.p[i - 1]) != 0)
			good &= apply_one(c, prefixes.p[i], out);
	}
	VEC_EACH (&prefixes, char *, p)
		free(*p);
	vec_fini(&prefixes);
	return good;
}
