/*
 * markdown.c - see markdown.h: blocks and spans as md4c tells them, written as HTML.
 *
 * Everything that reaches the output is either one of the literals here or an escaped character
 * (markdown_write.c) or an address that was let through (markdown_address.c). md4c tells blocks in
 * pairs of enter and leave, but not always spans: where a bare address crosses the end of another
 * span, one of them is never left (md4c 0.4.8). So spans stand on a stack of our own, and end with
 * their block at the latest. A document that goes too deep or grows too long ends its reading at
 * once.
 */

#include "text/markdown_inside.h"

/* What a link or a title may become when it is decoded: a NUL takes three bytes. */
#define DECODED_MAX (3 * MARKDOWN_SIZE_MAX + 16)

/* Why the reading has to end, or 0. md4c goes on with the cells of a row after a callback said so:
 * each of them looks before it does anything. */
static int ending(const struct writer *w)
{
	return w->deep || w->html.over || w->inside.over;
}

/* For one more element; when there is none, that is remembered. */
static bool has_room(struct writer *w)
{
	w->deep = w->deep || w->depth + w->span_count >= MARKDOWN_DEPTH_MAX;
	return !w->deep;
}

/* --- headings --------------------------------------------------------------------------------- */

/* The outline of the text without its gaps: below the nearest heading before that is higher. */
static unsigned heading_level(struct writer *w, unsigned level)
{
	while (w->level_count && w->levels[w->level_count - 1] >= level)
		w->level_count--;
	w->levels[w->level_count++] = level;
	const unsigned out = w->how->heading + w->level_count - 1;
	return out < 6 ? out : 6;
}

static void leave_heading(struct writer *w, unsigned level)
{
	w->to = &w->html;
	/* one that shows nothing is no heading */
	if (!w->blank) {
		const unsigned h = heading_level(w, level);
		buf_printf(&w->html, "<h%u id=\"", h);
		markdown_put_id(w, &w->html);
		buf_add_str(&w->html, "\" dir=\"auto\">");
		buf_add_slice(&w->html, buf_slice(&w->inside));
		buf_printf(&w->html, "</h%u>\n", h);
	}
	buf_clear(&w->inside);
	buf_clear(&w->slug);
}

static void enter_heading(struct writer *w)
{
	w->to = &w->inside;
	w->blank = true;
}

/* --- spans ------------------------------------------------------------------------------------ */

static void enter_link(struct writer *w, const MD_ATTRIBUTE *href, const MD_ATTRIBUTE *title)
{
	struct buf words = BUF(DECODED_MAX);
	buf_clear(&w->address);
	markdown_decode(href, &w->address);
	const struct slice address = buf_slice(&w->address);
	const enum address kind = w->linked ? ADDRESS_REFUSED : markdown_address(address);
	w->spans[w->span_count - 1].tag = kind != ADDRESS_REFUSED;
	if (kind == ADDRESS_REFUSED)
		return;
	buf_add_str(w->to, "<a href=\"");
	markdown_put_address(w, address, kind);
	buf_add_str(w->to, kind == ADDRESS_FOREIGN ? "\" rel=\"nofollow noopener\"" : "\"");
	markdown_decode(title, &words);
	if (words.n) {
		buf_add_str(w->to, " title=\"");
		markdown_put_attribute(w->to, buf_slice(&words));
		buf_add_char(w->to, '"');
	}
	buf_add_char(w->to, '>');
	w->linked = true;
	w->blank = true;
	buf_fini(&words);
}

static void leave_link(struct writer *w)
{
	/* a picture without words: nobody can take a link that shows nothing */
	if (w->blank)
		markdown_put_text(w, buf_slice(&w->address));
	buf_add_str(w->to, "</a>");
	w->linked = false;
}

static const char *span_name(MD_SPANTYPE type)
{
	switch (type) {
	case MD_SPAN_EM: return "em";
	case MD_SPAN_STRONG: return "strong";
	case MD_SPAN_CODE: return "code";
	case MD_SPAN_DEL: return "del";
	case MD_SPAN_A:
	case MD_SPAN_IMG:
	case MD_SPAN_LATEXMATH: /* these are not asked for */
	case MD_SPAN_LATEXMATH_DISPLAY:
	case MD_SPAN_WIKILINK:
	case MD_SPAN_U: return NULL;
	}
	return NULL;
}

static void close_span(struct writer *w)
{
	const struct span s = w->spans[--w->span_count];
	const char *name = span_name(s.type);
	if (name)
		buf_printf(w->to, "</%s>", name);
	else if (s.tag)
		leave_link(w);
}

static void close_spans(struct writer *w)
{
	while (w->span_count)
		close_span(w);
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct writer *w = arg;
	const MD_SPAN_A_DETAIL *a = detail;
	const MD_SPAN_IMG_DETAIL *img = detail;
	const char *name = span_name(type);
	if (ending(w) || !has_room(w))
		return 1;
	w->spans[w->span_count++] = (struct span){.type = type};
	if (type == MD_SPAN_A)
		enter_link(w, &a->href, &a->title);
	else if (type == MD_SPAN_IMG)
		enter_link(w, &img->src, &img->title);
	else if (name)
		buf_printf(w->to, "<%s>", name);
	return ending(w);
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct writer *w = arg;
	unsigned at = w->span_count;
	if (ending(w))
		return 1;
	while (at && w->spans[at - 1].type != type)
		at--;
	while (at && w->span_count >= at)
		close_span(w);
	return ending(w);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static const struct {
	const char *open, *close;
} blocks[] = {
	[MD_BLOCK_DOC] = {"", ""},
	[MD_BLOCK_QUOTE] = {"<blockquote>\n", "</blockquote>\n"},
	[MD_BLOCK_UL] = {"<ul>\n", "</ul>\n"},
	[MD_BLOCK_OL] = {"<ol", "</ol>\n"},
	[MD_BLOCK_LI] = {"<li dir=\"auto\">", "</li>\n"},
	[MD_BLOCK_HR] = {"<hr>\n", ""},
	[MD_BLOCK_H] = {"", ""},
	[MD_BLOCK_CODE] = {"<pre dir=\"auto\"><code>", "</code></pre>\n"},
	[MD_BLOCK_HTML] = {"<p dir=\"auto\">", "</p>\n"},
	[MD_BLOCK_P] = {"<p dir=\"auto\">", "</p>\n"},
	[MD_BLOCK_TABLE] = {"<div class=\"scroll\" tabindex=\"0\"><table>\n", "</table></div>\n"},
	[MD_BLOCK_THEAD] = {"<thead>\n", "</thead>\n"},
	[MD_BLOCK_TBODY] = {"<tbody>\n", "</tbody>\n"},
	[MD_BLOCK_TR] = {"<tr>", "</tr>\n"},
	[MD_BLOCK_TH] = {"<th scope=\"col\" dir=\"auto\"", "</th>"},
	[MD_BLOCK_TD] = {"<td dir=\"auto\"", "</td>"},
};

static void put_cell(struct writer *w, const MD_BLOCK_TD_DETAIL *cell)
{
	if (cell->align == MD_ALIGN_CENTER)
		buf_add_str(w->to, " class=\"center\"");
	else if (cell->align == MD_ALIGN_RIGHT)
		buf_add_str(w->to, " class=\"right\"");
	buf_add_char(w->to, '>');
}

static void put_start(struct writer *w, const MD_BLOCK_OL_DETAIL *list)
{
	if (list->start != 1)
		buf_printf(w->to, " start=\"%u\"", list->start);
	buf_add_str(w->to, ">\n");
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct writer *w = arg;
	if (ending(w) || !has_room(w))
		return 1;
	w->depth += type != MD_BLOCK_DOC;
	buf_add_str(w->to, blocks[type].open);
	if (type == MD_BLOCK_H)
		enter_heading(w);
	else if (type == MD_BLOCK_OL)
		put_start(w, detail);
	else if (type == MD_BLOCK_TH || type == MD_BLOCK_TD)
		put_cell(w, detail);
	return ending(w);
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct writer *w = arg;
	if (ending(w))
		return 1;
	close_spans(w);
	w->depth -= type != MD_BLOCK_DOC;
	if (type == MD_BLOCK_H)
		leave_heading(w, ((const MD_BLOCK_H_DETAIL *)detail)->level);
	buf_add_str(w->to, blocks[type].close);
	return ending(w);
}

static int text_in(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *arg)
{
	struct writer *w = arg;
	const struct slice text = slice_from(p, n);
	if (ending(w))
		return 1;
	switch (type) {
	case MD_TEXT_NULLCHAR: markdown_put_code(w, 0); break;
	case MD_TEXT_BR: buf_add_str(w->to, "<br>\n"); break;
	case MD_TEXT_SOFTBR: markdown_put_code(w, '\n'); break;
	case MD_TEXT_ENTITY: markdown_put_entity(w, text); break;
	case MD_TEXT_NORMAL:
	case MD_TEXT_CODE:
	case MD_TEXT_HTML:
	case MD_TEXT_LATEXMATH: markdown_put_text(w, text); break;
	}
	return ending(w);
}

/* --- a document ------------------------------------------------------------------------------- */

static void writer_fini(struct writer *w)
{
	buf_fini(&w->html);
	buf_fini(&w->inside);
	buf_fini(&w->slug);
	buf_fini(&w->address);
	map_fini(&w->ids);
}

/* False: it went too deep or grew too long. */
static bool write_all(struct writer *w, struct slice text)
{
	const MD_PARSER parser = {
		.flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH |
			 MD_FLAG_PERMISSIVEAUTOLINKS,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = text_in,
	};
	const int ended = md_parse(text.n ? text.p : "", (MD_SIZE)text.n, &parser, w);
	if (ended < 0)
		mem_panic("out of memory: Markdown of %zu bytes", text.n);
	return !ended && !ending(w);
}

bool markdown_html(
	struct slice text, const struct markdown *how, struct buf *out, struct error *err)
{
	struct writer w = {
		.how = how,
		.html = BUF(MARKDOWN_HTML_MAX),
		.inside = BUF(MARKDOWN_HTML_MAX),
		.slug = BUF(SLUG_MAX + 4),
		.address = BUF(DECODED_MAX),
	};
	const size_t before = out->n;
	bool good = false;
	w.to = &w.html;
	if (text.n > MARKDOWN_SIZE_MAX)
		error_set(err, ERROR_LIMIT, "longer than %u KiB (%zu bytes)",
			MARKDOWN_SIZE_MAX >> 10, text.n);
	else if (!utf8_valid(text))
		error_set(err, ERROR_INPUT, "not UTF-8");
	else if (!write_all(&w, text) && w.deep)
		error_set(err, ERROR_LIMIT, "quotes, lists and emphasis nest deeper than %d",
			MARKDOWN_DEPTH_MAX);
	else if (w.html.over || w.inside.over || !buf_add_slice(out, buf_slice(&w.html)))
		error_set(err, ERROR_LIMIT, "as HTML it would be longer than %u KiB",
			MARKDOWN_HTML_MAX >> 10);
	else
		good = true;
	if (!good)
		buf_cut(out, before);
	writer_fini(&w);
	return good;
}
