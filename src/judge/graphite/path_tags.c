/*
 * path_tags.c - tags of series: those with tags by their tagged names, all by tag expressions.
 *
 * An expression tag=value takes what the index has for it; of what is left each expression is
 * asked. Without one of those, everything is looked at.
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/glob.h"
#include "judge/graphite/path_inside.h"
#include "text/regex.h"

#define EXPRS_MAX 50
#define SEARCH_NS (3 * NS_PER_S) /* of regular expressions over all names */
#define NAME_TAG  "name"

/* --- building --------------------------------------------------------------------------------- */

/* From name{key="value",...}, with its escapes undone. */
json_t *path_series_tags(const struct series *s)
{
	json_t *tags = json_object();
	const char *p = series_text(s) + strlen(series_name(s));
	while (*p == '{' || *p == ',') {
		const char *key = ++p;
		const size_t key_n = strcspn(key, "=");
		struct buf value = BUF(SERIES_KEY_MAX);
		for (p = key + key_n + 2; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			buf_add_char(&value, *p);
		}
		p += *p == '"';
		json_object_setn_new(tags, key, key_n, json_stringn(buf_str(&value), value.n));
		buf_fini(&value);
	}
	return tags;
}

static void add_clean(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++)
		buf_add_char(out, *c == ';' || *c == '=' ? '_' : *c);
}

static void index_tag(struct paths *p, const char *key, const char *value, struct tagged *t)
{
	char *text = mem_printf("%s=%s", key, value);
	struct tag_list *list = map_get(&p->tag_index, text);
	if (!list) {
		list = mem_new(struct tag_list);
		map_put(&p->tag_index, text, list);
	}
	vec_push(&list->p, t);
	free(text);
}

void tagged_add(struct paths *p, struct series *s, const char *prefix)
{
	struct buf suffix = BUF(SERIES_KEY_MAX * 2);
	json_t *tags = path_series_tags(s), *value;
	const char *key;
	const bool doubled = strcmp(prefix, series_name(s)) == 0;
	char *name = mem_printf("%s%s%s", prefix[0] && !doubled ? prefix : "",
		prefix[0] && !doubled ? "." : "", series_name(s));
	json_object_foreach (tags, key, value) {
		buf_add_char(&suffix, ';');
		add_clean(&suffix, key);
		buf_add_char(&suffix, '=');
		add_clean(&suffix, json_string_value(value)[0] ? json_string_value(value) : "_");
	}
	char *id = mem_printf("%d%s%s", (int)series_kind(s), name, buf_str(&suffix));
	struct tagged *t = map_get(&p->tagged, id);
	if (!t) {
		t = mem_new(struct tagged);
		t->name = mem_strdup(name);
		t->suffix = buf_take(&suffix);
		map_put(&p->tagged, id, t);
		json_t *clean = path_tags(t->suffix);
		json_object_foreach (clean, key, value)
			index_tag(p, key, json_string_value(value), t);
		json_decref(clean);
	}
	source_add(&t->source, s);
	buf_fini(&suffix);
	free(id);
	free(name);
	json_decref(tags);
}

void tagged_free(struct paths *p)
{
	MAP_EACH (&p->tagged, e) {
		struct tagged *t = e->value;
		free(t->name);
		free(t->suffix);
		free(t->source.series);
		free(t);
	}
	map_fini(&p->tagged);
	MAP_EACH (&p->tag_index, e) {
		struct tag_list *list = e->value;
		vec_fini(&list->p);
		free(list);
	}
	map_fini(&p->tag_index);
}

json_t *path_tags(const char *path)
{
	json_t *tags = json_object();
	struct slice rest = slice_of(path), part;
	const size_t n = slice_find(rest, ';');
	if (n)
		json_object_set_new(tags, NAME_TAG, json_stringn(path, n));
	rest = slice_sub(rest, n + 1, rest.n);
	while (slice_next(&rest, ';', &part)) {
		const size_t at = slice_find(part, '=');
		if (at && at < part.n && utf8_valid(part))
			json_object_setn_new(
				tags, part.p, at, json_stringn(part.p + at + 1, part.n - at - 1));
	}
	return tags;
}

/* --- looking ---------------------------------------------------------------------------------- */

struct expression {
	char *tag, *value;
	bool not ;
	struct regex *regex; /* NULL: the value itself */
};

struct search {
	struct expression exprs[EXPRS_MAX];
	size_t n;
	path_found *cb;
	void *arg;
	bool stopped;
	int64_t deadline_ns;
	unsigned asked; /* regular expressions */
	struct error err;
};

static bool read_expression(struct expression *e, const char *text, struct error *err)
{
	const size_t n = strcspn(text, "!=");
	const char *p = text + n;
	e->not = *p == '!';
	p += e->not ;
	if (!n || *p != '=' || strchr(text, ';')) {
		error_set(err, ERROR_INPUT,
			"\"%.200s\" is no tag expression: expected tag=value, tag!=value,"
			" tag=~regex or tag!=~regex",
			text);
		return false;
	}
	e->tag = mem_strndup(text, n);
	p++;
	if (*p != '~') {
		e->value = mem_strdup(p);
		return true;
	}
	char *anchored = mem_printf("^(?:%s)", p + 1);
	e->value = mem_strdup(p + 1);
	e->regex = regex_new(slice_of(anchored), err);
	free(anchored);
	return e->regex != NULL;
}

static bool holds(struct search *s, const struct expression *e, struct slice value)
{
	if (!e->regex)
		return slice_is(value, e->value) != e->not ;
	if (++s->asked % 256 == 0 && clock_mono_ns(&clock_system) > s->deadline_ns) {
		error_set(&s->err, ERROR_LIMIT,
			"the tag expressions take too long; begin with one that names a value");
		s->stopped = true;
	}
	const enum regex_result r = regex_find(e->regex, value, NULL);
	if (r == REGEX_ENDLESS && !s->err.kind)
		error_set(&s->err, ERROR_LIMIT,
			"the regular expression \"%.100s\" takes too many steps", e->value);
	return (r == REGEX_FOUND) != e->not ;
}

/* The value of a tag in ";k=v;k2=v2"; empty: there is none. */
static struct slice suffix_value(const char *suffix, const char *tag)
{
	struct slice rest = slice_of(suffix), part;
	const size_t n = strlen(tag);
	while (slice_next(&rest, ';', &part))
		if (part.n > n && part.p[n] == '=' && strncmp(part.p, tag, n) == 0)
			return slice_sub(part, n + 1, part.n);
	return SLICE("");
}

static bool all_hold(struct search *s, const char *name, const char *suffix)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct expression *e = &s->exprs[i];
		const bool is_name = strcmp(e->tag, NAME_TAG) == 0;
		if (name ? !is_name : is_name)
			continue;
		if (!holds(s, e, name ? slice_of(name) : suffix_value(suffix, e->tag)))
			return false;
	}
	return true;
}

/* Its leaves whose names fit too. */
static void look_at(struct search *s, const struct tagged *t)
{
	size_t n;
	const struct field *fields = path_fields(t->source.kind, &n);
	if (s->stopped || !all_hold(s, NULL, t->suffix))
		return;
	for (size_t i = 0; i < n && !s->stopped; i++) {
		char *name = mem_printf("%s%s%s", t->name, fields[i].name ? "." : "",
			fields[i].name ? fields[i].name : "");
		char *path = mem_printf("%s%s", name, t->suffix);
		if (all_hold(s, name, t->suffix))
			s->stopped = !s->cb(s->arg, &(struct path_leaf){path, fields[i].field,
							    t->source.series, t->source.n, true});
		free(path);
		free(name);
	}
}

static bool on_untagged(void *arg, const struct path_leaf *leaf)
{
	struct search *s = arg;
	if (all_hold(s, NULL, "") && all_hold(s, leaf->path, ""))
		s->stopped = !s->cb(s->arg, leaf);
	return !s->stopped;
}

/* The shortest list that an expression tag=value names; *found: there is such an expression. */
static const struct tag_list *shortest(struct paths *p, const struct search *s, bool *found)
{
	const struct tag_list *best = NULL;
	*found = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct expression *e = &s->exprs[i];
		if (e->regex || e->not || !e->value[0] || strcmp(e->tag, NAME_TAG) == 0)
			continue;
		char *key = mem_printf("%s=%s", e->tag, e->value);
		const struct tag_list *list = map_get(&p->tag_index, key);
		free(key);
		if (!*found || !list || (best && list->p.n < best->p.n))
			best = list;
		*found = true;
		if (!best)
			break;
	}
	return best;
}

static const char *name_wanted(const struct search *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->exprs[i].regex && !s->exprs[i].not &&strcmp(s->exprs[i].tag, NAME_TAG) == 0)
			return s->exprs[i].value;
	return NULL;
}

static void search(struct paths *p, struct search *s)
{
	bool indexed;
	const struct tag_list *list = shortest(p, s, &indexed);
	if (indexed) {
		for (size_t i = 0; list && i < list->p.n; i++)
			look_at(s, list->p.p[i]);
		return;
	}
	MAP_EACH (&p->tagged, e)
		look_at(s, e->value);
	if (s->stopped || s->err.kind)
		return;
	const char *name = name_wanted(s);
	if (name && glob_is_plain(name))
		paths_match(p, name, on_untagged, s, &s->err);
	else
		paths_each(p, on_untagged, s);
}

static void search_free(struct search *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->exprs[i].tag);
		free(s->exprs[i].value);
		regex_free(s->exprs[i].regex);
	}
	free(s);
}

bool paths_tagged(struct paths *p, const char *const *exprs, size_t n, path_found *cb, void *arg,
	struct error *err)
{
	struct search *s = mem_new(struct search);
	bool good = n > 0 && n <= EXPRS_MAX;
	if (!good)
		error_set(err, ERROR_INPUT, "1 to %d tag expressions are asked for, not %zu",
			EXPRS_MAX, n);
	s->cb = cb;
	s->arg = arg;
	s->deadline_ns = clock_mono_ns(&clock_system) + SEARCH_NS;
	while (good && s->n < n) {
		good = read_expression(&s->exprs[s->n], exprs[s->n], err);
		s->n++;
	}
	if (good)
		search(p, s);
	if (s->err.kind) {
		*err = s->err;
		good = false;
	}
	search_free(s);
	return good;
}

void paths_each_tagged(struct paths *p, path_found *cb, void *arg)
{
	struct search *s = mem_new(struct search);
	s->cb = cb;
	s->arg = arg;
	MAP_EACH (&p->tagged, e)
		look_at(s, e->value);
	search_free(s);
}

/* name;k=v with patterns in any part of it; all tags must be there. */
bool tagged_exact(
	struct paths *p, const char *pattern, path_found *cb, void *arg, struct error *err)
{
	struct glob g;
	bool go_on = true;
	if (!glob_init(&g, slice_of(pattern), err))
		return false;
	MAP_EACH (&p->tagged, e) {
		const struct tagged *t = e->value;
		size_t n;
		const struct field *fields = path_fields(t->source.kind, &n);
		for (size_t i = 0; i < n && go_on; i++) {
			char *path = mem_printf("%s%s%s%s", t->name, fields[i].name ? "." : "",
				fields[i].name ? fields[i].name : "", t->suffix);
			if (glob_fits(&g, path))
				go_on = cb(arg, &(struct path_leaf){path, fields[i].field,
							t->source.series, t->source.n, !g.plain});
			free(path);
		}
	}
	glob_fini(&g);
	return true;
}
