#include "sim/python.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

#define TEXT_MAX (64u << 10)

static void add_text(struct buf *out, const char *s)
{
	const char quote = strchr(s, '\'') && !strchr(s, '"') ? '"' : '\'';

	buf_add_char(out, quote);
	for (; *s; s++) {
		if (*s == quote || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s == '\n')
			buf_add_str(out, "\\n");
		else if (*s == '\t')
			buf_add_str(out, "\\t");
		else if ((unsigned char)*s < ' ')
			buf_printf(out, "\\x%02x", (unsigned)*s);
		else
			buf_add_char(out, *s);
	}
	buf_add_char(out, quote);
}

static void add_list(struct buf *out, const json_t *list)
{
	size_t i;
	json_t *item;

	buf_add_char(out, '[');
	json_array_foreach (list, i, item) {
		if (i > 0)
			buf_add_str(out, ", ");
		python_repr(out, item);
	}
	buf_add_char(out, ']');
}

static void add_dict(struct buf *out, const json_t *dict)
{
	const char *key, *sep = "";
	json_t *value;

	buf_add_char(out, '{');
	json_object_foreach ((json_t *)dict, key, value) {
		buf_add_str(out, sep);
		add_text(out, key);
		buf_add_str(out, ": ");
		python_repr(out, value);
		sep = ", ";
	}
	buf_add_char(out, '}');
}

void python_repr(struct buf *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: add_dict(out, value); break;
	case JSON_ARRAY: add_list(out, value); break;
	case JSON_STRING: add_text(out, json_string_value(value)); break;
	case JSON_INTEGER: buf_printf(out, "%lld", (long long)json_integer_value(value)); break;
	case JSON_REAL: buf_printf(out, "%.16g", json_real_value(value)); break;
	case JSON_TRUE: buf_add_str(out, "True"); break;
	case JSON_FALSE: buf_add_str(out, "False"); break;
	case JSON_NULL: buf_add_str(out, "None"); break;
	}
}

void python_str(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_add_str(out, json_string_value(value));
	else
		python_repr(out, value);
}

char *python_repr_text(const json_t *value)
{
	struct buf out = BUF(TEXT_MAX);

	python_repr(&out, value);
	return buf_take(&out);
}

char *python_str_text(const json_t *value)
{
	struct buf out = BUF(TEXT_MAX);

	python_str(&out, value);
	return buf_take(&out);
}

/* Copies one quoted text as JSON; returns what follows it, or NULL when it does not end. */
static const char *copy_text(struct buf *out, const char *p)
{
	const char quote = *p++;

	buf_add_char(out, '"');
	for (; *p && *p != quote; p++) {
		if (*p == '\\' && p[1] == '\'')
			p++;
		else if (*p == '\\' && p[1])
			buf_add_char(out, *p++);
		else if (*p == '"')
			buf_add_char(out, '\\');
		buf_add_char(out, *p);
	}
	buf_add_char(out, '"');
	return *p ? p + 1 : NULL;
}

json_t *python_dict(const char *text)
{
	struct buf json = BUF(TEXT_MAX);

	while (text && *text) {
		if (*text == '\'' || *text == '"')
			text = copy_text(&json, text);
		else if (*text == 'u' && (text[1] == '\'' || text[1] == '"'))
			text++; /* u'…', as Python 2 wrote it */
		else
			buf_add_char(&json, *text++);
	}
	json_t *dict = text ? json_parse(buf_slice(&json), TEXT_MAX, NULL) : NULL;
	buf_fini(&json);
	if (json_is_object(dict))
		return dict;
	json_decref(dict);
	return NULL;
}

bool python_is_uuid(const json_t *value)
{
	const char *s = json_string_value(value);
	size_t digits = 0;

	for (; s && *s; s++)
		if (strchr("0123456789abcdefABCDEF", *s))
			digits++;
		else if (*s != '-')
			return false;
	return digits == 32;
}
