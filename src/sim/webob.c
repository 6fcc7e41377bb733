/*
 * webob.c - the errors that glance, and the routers of nova and cinder, leave to their framework
 * webob: a page, JSON or plain text, as the client accepts.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/slice.h"
#include "sim/call.h"

/* The weight "q=0.5" of a media range, in thousandths (RFC 9110 section 12.4.2). */
static int weight(struct slice parameters)
{
	struct slice part;
	char text[8];

	while (slice_next(&parameters, ';', &part)) {
		part = slice_trim(part);
		if (!slice_starts(part, "q="))
			continue;
		snprintf(text, sizeof(text), "%.*s", SLICE_ARG(slice_sub(part, 2, 5)));
		return (int)(strtod(text, NULL) * 1000 + 0.5);
	}
	return 1000;
}

/* How welcome a type is, 0 to 1000: what the narrowest range says that holds it. Without the header
 * webob thinks that nothing is. */
static int welcome(const char *accept, const char *type)
{
	struct slice rest = slice_of(accept), range, exact = slice_of(type);
	int best = 0, narrowest = 0;

	while (slice_next(&rest, ',', &range)) {
		const size_t end = slice_find(range, ';');
		struct slice name = slice_trim(slice_sub(range, 0, end));
		int narrow = 0;

		if (slice_is_nocase(name, type))
			narrow = 3;
		else if (slice_ends(name, "/*") &&
			 slice_eq(slice_sub(name, 0, name.n - 1), slice_sub(exact, 0, name.n - 1)))
			narrow = 2;
		else if (slice_is(name, "*/*"))
			narrow = 1;
		if (narrow <= narrowest)
			continue;
		narrowest = narrow;
		best = weight(slice_sub(range, end, range.n));
	}
	return best;
}

int call_welcomes(const struct call *c, const char *type)
{
	return welcome(c->accept, type);
}

static void add_escaped(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&': buf_add_str(out, "&amp;"); break;
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		case '\'': buf_add_str(out, "&#x27;"); break;
		default: buf_add_char(out, *s);
		}
}

/* What webob says for a status; two have a template of their own. */
static void add_body(struct buf *out, int status, const char *explanation, const char *detail,
	void (*add)(struct buf *out, const char *s))
{
	add(out, explanation);
	buf_add_str(out, status == 405   ? " <br /><br />\n"
			 : status == 415 ? "\n<br /><br />\n"
					 : "<br /><br />\n");
	add(out, detail);
	if (status != 405 && status != 415)
		buf_add_str(out, "\n\n");
}

static void add_as_is(struct buf *out, const char *s)
{
	buf_add_str(out, s);
}

/* The text of a page: lines are joined, breaks make new ones, other tags go. */
static void add_stripped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		const char *end = *s == '<' ? strchr(s, '>') : NULL;

		if (end) {
			if (!strncmp(s, "<br", 3))
				buf_add_char(out, '\n');
			s = end;
		} else {
			buf_add_char(out, *s == '\n' ? ' ' : *s);
		}
	}
}

void call_fail_webob(struct call *c, int status, const char *explanation, const char *detail)
{
	const char *title = call_status_title(status);
	const int html = welcome(c->accept, "text/html"),
		  json = welcome(c->accept, "application/json");
	struct buf body = BUF(BUF_LINE), text = BUF(BUF_LINE);
	char *line = mem_printf("%d %s", status, title);

	add_body(
		&body, status, explanation, detail, html && html >= json ? add_escaped : add_as_is);
	if (json > html) {
		call_json(c, status,
			json_pack("{s:s, s:s, s:s}", "message", buf_str(&body), "code", line,
				"title", title));
	} else if (html) {
		buf_printf(&text,
			"<html>\n <head>\n  <title>%s</title>\n </head>\n <body>\n  <h1>%s</h1>\n  "
			"%s\n </body>\n</html>",
			line, line, buf_str(&body));
		call_text(c, status, "text/html; charset=UTF-8", buf_str(&text));
	} else {
		buf_printf(&text, "%s\n\n", line);
		add_stripped(&text, buf_str(&body));
		call_text(c, status, "text/plain; charset=UTF-8", buf_str(&text));
	}
	free(line);
	buf_fini(&body);
	buf_fini(&text);
}
