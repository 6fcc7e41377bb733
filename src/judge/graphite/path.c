/*
 * path.c - the tree of paths; see path.h.
 */

#include "judge/graphite/path_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/glob.h"

static const struct field gauge_fields[] = {{NULL, LEAF_VALUE}};
static const struct field sum_fields[] = {{"count", LEAF_COUNT}, {"rate", LEAF_RATE}};
static const struct field dist_fields[] = {{"count", LEAF_COUNT}, {"rate", LEAF_RATE},
	{"count_ps", LEAF_RATE}, {"mean", LEAF_MEAN}, {"lower", LEAF_LOWER}, {"upper", LEAF_UPPER},
	{"sum", LEAF_SUM}, {"std", LEAF_STD}, {"median", LEAF_MEDIAN}, {"mean_90", LEAF_MEAN_90},
	{"upper_90", LEAF_UPPER_90}, {"sum_90", LEAF_SUM_90}, {"p50", LEAF_P50}, {"p75", LEAF_P75},
	{"p90", LEAF_P90}, {"p95", LEAF_P95}, {"p99", LEAF_P99}};
static const struct field probe_fields[] = {{"count", LEAF_COUNT}, {"ok", LEAF_OK},
	{"failed", LEAF_FAILED}, {"mean", LEAF_MEAN}, {"lower", LEAF_LOWER}, {"upper", LEAF_UPPER},
	{"median", LEAF_MEDIAN}, {"p95", LEAF_P95}, {"p99", LEAF_P99}};

#define FAULT_NODE "fault"

const struct field *path_fields(enum series_kind kind, size_t *n)
{
	switch (kind) {
	case SERIES_GAUGE: *n = array_len(gauge_fields); return gauge_fields;
	case SERIES_SUM: *n = array_len(sum_fields); return sum_fields;
	case SERIES_DIST: *n = array_len(dist_fields); return dist_fields;
	case SERIES_PROBE: break;
	}
	*n = array_len(probe_fields);
	return probe_fields;
}

/* --- building --------------------------------------------------------------------------------- */

struct paths *paths_new(void)
{
	return mem_new(struct paths);
}

static void node_fini(struct path_node *n)
{
	MAP_EACH (&n->children, e) {
		node_fini(e->value);
		free(e->value);
	}
	map_fini(&n->children);
	while (n->sources) {
		struct source *s = n->sources;
		n->sources = s->next;
		free(s->series);
		free(s);
	}
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	tagged_free(p);
	node_fini(&p->root);
	free(p);
}

size_t paths_count(const struct paths *p)
{
	return p->count;
}

void source_add(struct source *src, struct series *s)
{
	src->kind = series_kind(s);
	src->series = mem_resize(src->series, src->n + 1, sizeof(struct series *));
	src->series[src->n++] = s;
}

static struct path_node *node_of(struct paths *p, struct slice path)
{
	struct path_node *n = &p->root;
	struct slice part;
	while (slice_next(&path, '.', &part)) {
		struct path_node *child = map_get_slice(&n->children, part);
		if (!child) {
			child = mem_new(struct path_node);
			map_put_slice(&n->children, part, child);
		}
		n = child;
	}
	return n;
}

/* What would be a separator or a pattern in a path. */
static void add_part(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++)
		buf_add_char(out, strchr(".*?[]{}(),'\"\\|; ", *c) ? '_' : *c);
	if (!text[0])
		buf_add_char(out, '_');
}

/* probe.NAME.v1.v2, in order of the keys; the series "probe" without a second "probe". */
static void probe_path(struct buf *out, struct series *s)
{
	buf_add_str(out, strcmp(series_name(s), "probe") == 0 ? "" : "probe.");
	buf_add_str(out, series_name(s));
	json_t *tags = path_series_tags(s);
	const char *key;
	json_t *value;
	json_object_foreach (tags, key, value) {
		buf_add_char(out, '.');
		add_part(out, json_string_value(value));
	}
	json_decref(tags);
}

void paths_add(struct paths *p, struct series *s)
{
	const bool has_tags = strcmp(series_name(s), series_text(s)) != 0;
	struct buf path = BUF(SERIES_KEY_MAX * 2);
	p->count++;
	if (series_kind(s) == SERIES_PROBE)
		probe_path(&path, s);
	else
		buf_add_str(&path, series_name(s));
	if (has_tags)
		tagged_add(p, s, series_kind(s) == SERIES_PROBE ? "probe" : "");
	if (!has_tags || series_kind(s) == SERIES_PROBE) {
		struct path_node *n = node_of(p, buf_slice(&path));
		struct source *to = NULL;
		for (struct source *src = n->sources; src; src = src->next)
			if (src->kind == series_kind(s))
				to = src;
		if (!to) {
			to = mem_new(struct source);
			to->next = n->sources;
			n->sources = to;
		}
		source_add(to, s);
	}
	buf_fini(&path);
}

static struct source *leaf_at(const struct path_node *n)
{
	for (struct source *src = n->sources; src; src = src->next)
		if (!src->n)
			return src;
	return NULL;
}

void paths_add_leaf(struct paths *p, const char *path, size_t number)
{
	struct path_node *n = strlen(path) < SERIES_KEY_MAX ? node_of(p, slice_of(path)) : NULL;
	if (!n || leaf_at(n))
		return;
	struct source *src = mem_new(struct source);
	*src = (struct source){.next = n->sources, .kind = SERIES_GAUGE, .number = number};
	n->sources = src;
}

size_t paths_leaf(const struct paths *p, const char *path)
{
	const struct path_node *n = &p->root;
	struct slice rest = slice_of(path), part;
	while (n && slice_next(&rest, '.', &part))
		n = map_get_slice(&n->children, part);
	const struct source *src = n ? leaf_at(n) : NULL;
	return src ? src->number : SIZE_MAX;
}

/* --- walking ---------------------------------------------------------------------------------- */

struct walk {
	struct glob parts[PATH_PARTS];
	size_t n;
	bool wild;
	path_found *leaf; /* or: */
	path_node_found *node;
	void *arg;
	char path[SERIES_KEY_MAX * 2];
	bool stopped;
};

static bool walk_init(struct walk *w, const char *pattern, struct error *err)
{
	struct slice rest = slice_of(pattern), part;
	w->wild = !glob_is_plain(pattern);
	while (slice_next(&rest, '.', &part)) {
		if (w->n == PATH_PARTS) {
			error_set(err, ERROR_LIMIT, "a path has at most %d parts", PATH_PARTS);
			return false;
		}
		if (!glob_init(&w->parts[w->n], part, err))
			return false;
		w->n++;
	}
	return true;
}

static void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		glob_fini(&w->parts[i]);
	free(w);
}

static void give_leaf(
	struct walk *w, size_t used, const char *name, int field, const struct source *src)
{
	if (w->stopped)
		return;
	if (name)
		snprintf(w->path + used, sizeof(w->path) - used, "%s%s", used ? "." : "", name);
	if (w->node)
		w->stopped = !w->node(w->arg, w->path, true, false);
	else
		w->stopped = !w->leaf(
			w->arg, &(struct path_leaf){w->path, field, src->series, src->n, w->wild});
	w->path[used] = '\0';
}

/* A leaf that a real node of this name has as well is left to it. */
static bool is_hidden(const struct path_node *n, const char *name)
{
	const struct path_node *child = map_get(&n->children, name);
	return child && child->sources;
}

static void walk_faults(struct walk *w, size_t depth, size_t used, const struct source *src)
{
	if (depth == w->n) {
		if (w->node)
			w->stopped = !w->node(w->arg, w->path, false, true);
		return;
	}
	if (depth + 1 != w->n)
		return;
	for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
		if (glob_fits(&w->parts[depth], fault_name((enum fault)f)))
			give_leaf(w, used, fault_name((enum fault)f), LEAF_FAULT + f, src);
}

/* The leaves that the sources of a node make below it. */
static void walk_fields(struct walk *w, const struct path_node *n, size_t depth, size_t used)
{
	for (const struct source *src = n->sources; src; src = src->next) {
		size_t count;
		const struct field *fields = path_fields(src->kind, &count);
		if (!fields[0].name)
			continue;
		for (size_t i = 0; i < count && depth + 1 == w->n; i++)
			if (glob_fits(&w->parts[depth], fields[i].name) &&
				!is_hidden(n, fields[i].name))
				give_leaf(w, used, fields[i].name, fields[i].field, src);
		if (src->kind == SERIES_PROBE && glob_fits(&w->parts[depth], FAULT_NODE)) {
			snprintf(w->path + used, sizeof(w->path) - used, ".%s", FAULT_NODE);
			walk_faults(w, depth + 1, strlen(w->path), src);
			w->path[used] = '\0';
		}
	}
}

static void walk_node(struct walk *w, const struct path_node *n, size_t depth, size_t used);

static void walk_child(
	struct walk *w, const char *name, const struct path_node *child, size_t depth, size_t used)
{
	const int more =
		snprintf(w->path + used, sizeof(w->path) - used, "%s%s", used ? "." : "", name);
	if (more > 0 && used + (size_t)more < sizeof(w->path))
		walk_node(w, child, depth + 1, used + (size_t)more);
	w->path[used] = '\0';
}

static void walk_node(struct walk *w, const struct path_node *n, size_t depth, size_t used)
{
	if (depth == w->n) {
		bool leaf = false, branch = n->children.n > 0;
		for (const struct source *src = n->sources; src; src = src->next) {
			leaf |= src->kind == SERIES_GAUGE;
			branch |= src->kind != SERIES_GAUGE;
			if (src->kind == SERIES_GAUGE && !w->node)
				give_leaf(w, used, NULL, LEAF_VALUE, src);
		}
		if (w->node)
			w->stopped = !w->node(w->arg, w->path, leaf, branch);
		return;
	}
	const struct glob *g = &w->parts[depth];
	if (g->plain) {
		const struct path_node *child = map_get(&n->children, g->variants.p[0]);
		if (child)
			walk_child(w, g->variants.p[0], child, depth, used);
	} else {
		MAP_EACH (&n->children, e)
			if (!w->stopped && glob_fits(g, e->key))
				walk_child(w, e->key, e->value, depth, used);
	}
	walk_fields(w, n, depth, used);
}

static bool walk(struct paths *p, const char *pattern, path_found *leaf, path_node_found *node,
	void *arg, struct error *err)
{
	struct walk *w = mem_new(struct walk);
	w->leaf = leaf;
	w->node = node;
	w->arg = arg;
	const bool good = walk_init(w, pattern, err);
	if (good && w->n)
		walk_node(w, &p->root, 0, 0);
	walk_free(w);
	return good;
}

bool paths_match(struct paths *p, const char *pattern, path_found *cb, void *arg, struct error *err)
{
	if (strchr(pattern, ';'))
		return tagged_exact(p, pattern, cb, arg, err);
	return walk(p, pattern, cb, NULL, arg, err);
}

bool paths_nodes(
	struct paths *p, const char *pattern, path_node_found *cb, void *arg, struct error *err)
{
	return walk(p, pattern, NULL, cb, arg, err);
}

static void each(struct walk *w, const struct path_node *n, size_t used)
{
	for (const struct source *src = n->sources; src; src = src->next) {
		size_t count;
		const struct field *fields = path_fields(src->kind, &count);
		for (size_t i = 0; i < count; i++)
			if (!fields[i].name || !is_hidden(n, fields[i].name))
				give_leaf(w, used, fields[i].name, fields[i].field, src);
	}
	MAP_EACH (&n->children, e) {
		if (w->stopped)
			return;
		const int more = snprintf(
			w->path + used, sizeof(w->path) - used, "%s%s", used ? "." : "", e->key);
		if (more > 0 && used + (size_t)more < sizeof(w->path))
			each(w, e->value, used + (size_t)more);
		w->path[used] = '\0';
	}
}

void paths_each(struct paths *p, path_found *cb, void *arg)
{
	struct walk *w = mem_new(struct walk);
	w->leaf = cb;
	w->arg = arg;
	each(w, &p->root, 0);
	walk_free(w);
}
