/*
 * selector.c - which series a condition means: NAME{tag="value", ...}.
 */

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "judge/rules/rule.h"

struct reading {
	const char *p, *end;
	struct error *err;
};

static void skip_space(struct reading *r)
{
	while (r->p < r->end && isspace((unsigned char)*r->p))
		r->p++;
}

static bool wrong(const struct reading *r, const char *expected)
{
	if (r->p < r->end)
		error_set(r->err, ERROR_INPUT, "a selector: expected %s, found \"%.*s\"", expected,
			(int)(r->end - r->p > 20 ? 20 : r->end - r->p), r->p);
	else
		error_set(r->err, ERROR_INPUT, "a selector: expected %s, found the end", expected);
	return false;
}

static bool read_value(struct reading *r, char **ret)
{
	const char quote = r->p < r->end ? *r->p : '\0';
	struct buf b = BUF(SERIES_KEY_MAX);
	if (quote != '"' && quote != '\'')
		return wrong(r, "a value in quotes");
	for (r->p++; r->p < r->end && *r->p != quote; r->p++) {
		if (*r->p == '\\' && r->p + 1 < r->end)
			r->p++;
		buf_add_char(&b, *r->p);
	}
	if (r->p == r->end || b.over) {
		buf_fini(&b);
		return wrong(r, "a value of at most 2 kB and its closing quote");
	}
	r->p++;
	*ret = b.n ? buf_take(&b) : mem_strdup("");
	buf_fini(&b);
	return true;
}

static bool read_tag(struct reading *r, struct selector *s)
{
	struct selector_tag t = {0};
	const char *begin = r->p;
	while (r->p < r->end && (isalnum((unsigned char)*r->p) || strchr("_.-", *r->p)))
		r->p++;
	const size_t n = (size_t)(r->p - begin);
	if (!n)
		return wrong(r, "the name of a tag");
	skip_space(r);
	t.differs = r->p < r->end && *r->p == '!';
	r->p += t.differs;
	if (r->p == r->end || *r->p != '=')
		return wrong(r, "= or != behind the name of a tag");
	r->p++;
	if (r->p < r->end && *r->p == '~')
		return wrong(r, "a value in quotes (patterns are written as in \"compute*\")");
	skip_space(r);
	if (s->tag_count == RULE_TAGS_MAX)
		return wrong(r, "at most 16 tags");
	if (!read_value(r, &t.pattern))
		return false;
	t.key = mem_strndup(begin, n);
	s->tags = mem_resize(s->tags, s->tag_count + 1, sizeof(*s->tags));
	s->tags[s->tag_count++] = t;
	return true;
}

static bool read_tags(struct reading *r, struct selector *s)
{
	for (r->p++, skip_space(r); r->p < r->end && *r->p != '}'; skip_space(r)) {
		if (!read_tag(r, s))
			return false;
		skip_space(r);
		if (r->p < r->end && *r->p == ',')
			r->p++;
		else if (r->p == r->end || *r->p != '}')
			return wrong(r, "\",\" or \"}\" behind a tag");
	}
	if (r->p == r->end)
		return wrong(r, "\"}\"");
	r->p++;
	skip_space(r);
	return r->p == r->end ? true : wrong(r, "nothing behind \"}\"");
}

bool selector_parse(struct selector *s, struct slice text, struct error *err)
{
	const size_t brace = slice_find(text, '{');
	const struct slice name = slice_trim(slice_sub(text, 0, brace));
	struct reading r = {.p = text.p + brace, .end = text.p + text.n, .err = err};
	*s = (struct selector){.text = slice_dup(text), .name = slice_dup(name)};
	s->exact = !strpbrk(s->name, "*?[\\");
	bool good = name.n > 0 && text.n < SERIES_KEY_MAX;
	if (!good)
		error_set(err, ERROR_INPUT,
			"a selector needs the name of series, and is at most 2 kB");
	if (good && brace < text.n)
		good = read_tags(&r, s);
	if (!good)
		selector_fini(s);
	return good;
}

void selector_fini(struct selector *s)
{
	for (size_t i = 0; i < s->tag_count; i++) {
		free(s->tags[i].key);
		free(s->tags[i].pattern);
	}
	free(s->tags);
	free(s->name);
	free(s->text);
	*s = (struct selector){0};
}

char *series_group(const struct series *s, const char *tag)
{
	if (!strcmp(tag, "location"))
		return mem_strdup(series_location(s));
	char *value = series_tag_value(s, tag);
	return value ? value : mem_strdup("");
}

bool selector_fits(const struct selector *s, const struct series *series)
{
	if (s->exact ? strcmp(s->name, series_name(series)) != 0
		     : fnmatch(s->name, series_name(series), 0) != 0)
		return false;
	bool fits = true;
	for (size_t i = 0; i < s->tag_count && fits; i++) {
		const struct selector_tag *t = &s->tags[i];
		char *value = series_group(series, t->key);
		fits = (fnmatch(t->pattern, value, 0) == 0) != t->differs;
		free(value);
	}
	return fits;
}
