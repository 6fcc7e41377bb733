/*
 * read_like.c - a step as it is written, completed by the one it is `like`. Keys beside it win; the
 * bodies of both under one verb are one, its own keys first.
 */

#include <string.h>

#include "observe/scenario/reader.h"

const struct source_key *source_get(const struct source *src, const char *key)
{
	for (size_t i = 0; i < src->keys.n; i++)
		if (slice_is(src->keys.p[i].key->text, key))
			return &src->keys.p[i];
	return NULL;
}

bool source_is_many(const struct source *src)
{
	return source_get(src, "count") || source_get(src, "each") || source_get(src, "group") ||
	       source_get(src, "server_batch");
}

static bool is_verb_key(struct slice name)
{
	return !read_is_common_key(name);
}

static bool has_own(const struct source *src, struct slice key, size_t own)
{
	for (size_t i = 0; i < own; i++)
		if (slice_eq(src->keys.p[i].key->text, key))
			return true;
	return false;
}

/* The bodies of both under one verb: the own keys win, at the top level. */
static void merge_body(struct source *src, struct source_key *mine, const struct source_key *copied)
{
	const struct yaml *a = mine->value, *b = copied->value;
	if (a->kind != YAML_MAP || b->kind != YAML_MAP || src->merged)
		return;
	struct yaml *m = mem_new(struct yaml);
	*m = *a;
	m->n = 0;
	m->keys = mem_new_array(a->n + b->n, sizeof(*m->keys));
	m->items = mem_new_array(a->n + b->n, sizeof(*m->items));
	for (size_t i = 0; i < b->n; i++) {
		bool won = false;
		for (size_t k = 0; k < a->n && !won; k++)
			won = slice_eq(a->keys[k]->text, b->keys[i]->text);
		if (won)
			continue;
		m->keys[m->n] = b->keys[i];
		m->items[m->n++] = b->items[i];
	}
	for (size_t k = 0; k < a->n; k++) {
		m->keys[m->n] = a->keys[k];
		m->items[m->n++] = a->items[k];
	}
	src->merged = m;
	mine->value = m;
}

static void copy_from(struct source *src, const struct source *other)
{
	const size_t own = src->keys.n;
	bool own_verb = false, own_many = false;
	for (size_t i = 0; i < own; i++) {
		const struct slice key = src->keys.p[i].key->text;
		own_verb = own_verb || is_verb_key(key);
		own_many = own_many || slice_is(key, "count") || slice_is(key, "each");
	}
	for (size_t i = 0; i < other->keys.n; i++) {
		const struct source_key *k = &other->keys.p[i];
		const struct slice key = k->key->text;
		if (has_own(src, key, own)) {
			for (size_t o = 0; o < own && is_verb_key(key); o++)
				if (slice_eq(src->keys.p[o].key->text, key))
					merge_body(src, &src->keys.p[o], k);
			continue;
		}
		const bool replaced =
			(is_verb_key(key) && own_verb) || slice_is(key, "like") ||
			((slice_is(key, "count") || slice_is(key, "each")) && own_many);
		if (!replaced)
			vec_push(&src->keys, *k);
	}
}

static void resolve_like(struct reader *r, size_t i)
{
	struct source *src = &r->sources.p[i];
	const struct source_key *like = source_get(src, "like");
	if (src->like == LIKE_DONE || !like) {
		src->like = LIKE_DONE;
		return;
	}
	src->like = LIKE_BUSY;
	const size_t other = like->value->kind == YAML_SCALAR
				     ? (size_t)map_get_slice(&r->by_name, like->value->text)
				     : 0;
	if (!other) {
		const char *names[SCENARIO_STEPS_MAX];
		char meant[MEANT_TEXT];
		for (size_t n = 0; n < r->sources.n; n++)
			names[n] = r->sources.p[n].name->text.p;
		reader_error(r, like->file, like->value, "like: there is no step \"%.60s\"%s",
			like->value->kind == YAML_SCALAR ? like->value->text.p
							 : yaml_kind_name(like->value),
			reader_meant(like->value->text, names, r->sources.n, meant));
	} else if (r->sources.p[other - 1].like == LIKE_BUSY) {
		reader_error(r, like->file, like->value, "%s is like %s, which is like it",
			src->name->text.p, like->value->text.p);
	} else {
		resolve_like(r, other - 1);
		copy_from(src, &r->sources.p[other - 1]);
	}
	src->like = LIKE_DONE;
}

void read_like(struct reader *r)
{
	for (size_t i = 0; i < r->sources.n; i++)
		resolve_like(r, i);
}
