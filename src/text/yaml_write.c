/*
 * yaml_write.c - see yaml_write.h. A text is written plain only when it is made of characters that
 * mean nothing in YAML and reads as no other type; else as JSON, whose strings YAML takes.
 */

#include "text/yaml_write.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/yaml.h"

#define LINE_MAX 60 /* bytes of a list that stands on one line */

static bool is_plain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_./+@-: ", c));
}

/* What YAML 1.1 readers take for booleans is quoted too. */
static bool is_word_of_old(struct slice s)
{
	static const char *const words[] = {"yes", "no", "on", "off", "y", "n"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_is_nocase(s, words[i]))
			return true;
	return false;
}

static bool is_plain(struct slice s)
{
	const struct yaml y = {.kind = YAML_SCALAR, .plain = true, .text = s};
	bool flag;
	double x;
	int64_t whole;
	if (!s.n || slice_starts(s, "0x") || slice_starts(s, "0o") || strchr(".+@-: ", s.p[0]) ||
		s.p[s.n - 1] == ' ' || s.p[s.n - 1] == ':')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_plain_char(s.p[i]) || (s.p[i] == ':' && s.p[i + 1] == ' '))
			return false;
	return !yaml_is_null(&y) && !yaml_bool(&y, &flag) && !yaml_int(&y, &whole) &&
	       !yaml_real(&y, &x) && !is_word_of_old(s);
}

static void write_text(struct buf *out, const char *text, size_t n)
{
	if (is_plain(slice_from(text, n))) {
		buf_add(out, text, n);
		return;
	}
	json_t *j = json_stringn_nocheck(text, n);
	char *quoted = json_dumps(j, JSON_ENCODE_ANY);
	buf_add_str(out, quoted);
	free(quoted);
	json_decref(j);
}

static bool is_scalar(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

static void write_scalar(struct buf *out, const json_t *v)
{
	if (json_is_string(v)) {
		write_text(out, json_string_value(v), json_string_length(v));
		return;
	}
	char *text = json_dumps(v, JSON_ENCODE_ANY);
	buf_add_str(out, text);
	free(text);
}

/* Empty ones, scalars, and short lists of scalars stand behind their key. */
static bool stands_behind(const json_t *v)
{
	size_t n = 0;
	if (is_scalar(v) || (json_is_object(v) && !json_object_size(v)))
		return true;
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);
		if (!is_scalar(item))
			return false;
		n += json_is_string(item) ? json_string_length(item) + 2 : 8;
	}
	return json_is_array(v) && n <= LINE_MAX;
}

static void write_behind(struct buf *out, const json_t *v)
{
	if (is_scalar(v)) {
		write_scalar(out, v);
	} else if (json_is_object(v)) {
		buf_add_str(out, "{}");
	} else {
		buf_add_char(out, '[');
		for (size_t i = 0; i < json_array_size(v); i++) {
			buf_add_str(out, i ? ", " : "");
			write_scalar(out, json_array_get(v, i));
		}
		buf_add_char(out, ']');
	}
	buf_add_char(out, '\n');
}

static void pad(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_add_str(out, "  ");
}

static void write_block(struct buf *out, const json_t *v, unsigned depth);

static void write_map(struct buf *out, const json_t *map, unsigned depth, bool first_is_padded)
{
	const char *key;
	json_t *v;
	bool padded = first_is_padded;
	json_object_foreach ((json_t *)map, key, v) {
		if (!padded)
			pad(out, depth);
		padded = false;
		write_text(out, key, strlen(key));
		buf_add_char(out, ':');
		if (stands_behind(v)) {
			buf_add_char(out, ' ');
			write_behind(out, v);
		} else {
			buf_add_char(out, '\n');
			write_block(out, v, depth + 1);
		}
	}
}

static void write_list(struct buf *out, const json_t *list, unsigned depth)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		pad(out, depth);
		if (stands_behind(v)) {
			buf_add_str(out, "- ");
			write_behind(out, v);
		} else if (json_is_object(v)) {
			buf_add_str(out, "- ");
			write_map(out, v, depth + 1, true);
		} else {
			buf_add_str(out, "-\n");
			write_block(out, v, depth + 1);
		}
	}
}

static void write_block(struct buf *out, const json_t *v, unsigned depth)
{
	if (json_is_object(v))
		write_map(out, v, depth, false);
	else
		write_list(out, v, depth);
}

void yaml_write(struct buf *out, const json_t *value)
{
	if (stands_behind(value))
		write_behind(out, value);
	else
		write_block(out, value, 0);
}
