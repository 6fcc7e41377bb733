/*
 * line_protocol.c - see line_protocol.h.
 */

#include "text/line_protocol.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* In a tag or a name a backslash escapes what follows it only if that parts the line; there is no
 * way to write one that does not, before such a character or at the end. */
static bool would_escape(const char *next, const char *parting)
{
	return strchr(parting, *next) || (unsigned char)*next <= ' ' || *next == 0x7f;
}

static void add_name(struct buf *out, const char *text, const char *parting)
{
	for (const char *p = text; *p; p++) {
		const char c = (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p;
		if (c == '\\' && would_escape(p + 1, parting)) {
			buf_add_char(out, '/');
			continue;
		}
		if (strchr(parting, c))
			buf_add_char(out, '\\');
		buf_add_char(out, c);
	}
}

void line_begin(struct line *l, struct buf *out, const char *measurement)
{
	assert(*measurement);
	*l = (struct line){.out = out, .start = out->n};
	if (*measurement == '#') {
		buf_add_char(out, '_');
		measurement++;
	}
	add_name(out, measurement, ", ");
}

void line_tag(struct line *l, const char *key, const char *value)
{
	assert(!l->fields);
	if (!value || !*value)
		return;
	buf_add_char(l->out, ',');
	add_name(l->out, key, ",= ");
	buf_add_char(l->out, '=');
	add_name(l->out, value, ",= ");
}

static void begin_field(struct line *l, const char *key)
{
	buf_add_char(l->out, l->fields ? ',' : ' ');
	l->fields = true;
	add_name(l->out, key, ",= ");
	buf_add_char(l->out, '=');
}

void line_real(struct line *l, const char *key, double x, int decimals)
{
	if (!isfinite(x))
		return;
	begin_field(l, key);
	buf_printf(l->out, "%.*f", decimals, x);
}

void line_int(struct line *l, const char *key, int64_t n)
{
	begin_field(l, key);
	buf_printf(l->out, "%" PRId64 "i", n);
}

void line_text(struct line *l, const char *key, const char *text)
{
	if (!text)
		return;
	begin_field(l, key);
	buf_add_char(l->out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(l->out, '\\');
		buf_add_char(l->out, (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p);
	}
	buf_add_char(l->out, '"');
}

bool line_end(struct line *l, int64_t at)
{
	if (!l->fields) {
		buf_cut(l->out, l->start);
		return false;
	}
	if (at)
		buf_printf(l->out, " %" PRId64, at);
	buf_add_char(l->out, '\n');
	return true;
}
