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
		else if (slice_ends(name, "/*") && slice_eq(slice_sub(name, 0, name.n - 1),
				 slice_sub(exact, 0, name.n - 1)))
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

static void add_page(struct buf *out, const char *status, const char *explanation, const char *detail)
{
	buf_printf(out,
		"<html>\n <head>\n  <title>%s</title>\n </head>\n <body>\n  <h1>%s</h1>\n  ", status,
		status);
	add_escaped(out, explanation);
	buf_add_str(out, "<br /><br />\n");
	add_escaped(out, detail);
	buf_add_str(out, "\n\n\n </body>\n</html>");
}

/* webob joins the lines of a text before it makes lines of the breaks. */
static void add_plain(struct buf *out, const char *status, const char *explanation, const char *detail)
{
	const size_t from = out->n + strlen(status) + 2;

	buf_printf(out, "%s\n\n%s", status, explanation);
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\n')
			out->p[i] = ' ';
	buf_printf(out, "\n\n %s  ", detail);
}

void call_fail_webob(struct call *c, int status, const char *explanation, const char *detail)
{
	const char *title = call_status_title(status);
	const int html = welcome(c->accept, "text/html"), json = welcome(c->accept, "application/json");
	struct buf text = BUF(BUF_LINE);
	char *line = mem_printf("%d %s", status, title);

	if (json > html) {
		buf_printf(&text, "%s<br /><br />\n%s\n\n\n", explanation, detail);
		call_json(c, status, json_pack("{s:s, s:s, s:s}", "message", buf_str(&text), "code",
					     line, "title", title));
	} else if (html) {
		add_page(&text, line, explanation, detail);
		call_text(c, status, "text/html; charset=UTF-8", buf_str(&text));
	} else {
		add_plain(&text, line, explanation, detail);
		call_text(c, status, "text/plain; charset=UTF-8", buf_str(&text));
	}
	free(line);
	buf_fini(&text);
}
