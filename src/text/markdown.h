/*
 * markdown.h - Markdown of others as HTML that can do no harm.
 *
 * Read as CommonMark with tables, ~~strikethrough~~ and bare addresses as links (md4c). Written are
 * these tags and attributes and no others, always closed in their order:
 *
 *	p pre h1-h6 li th td   dir="auto"; h* with id, th with scope="col", th and td with
 *	                       class="center" or "right"
 *	ul ol blockquote table thead tbody tr code em strong del br hr   ol with start
 *	div                    class="scroll" tabindex="0", around tables
 *	a                      href, title, rel
 *
 * Raw HTML is text. Images become links to them. A link leads to http://, https:// or mailto:
 * (those to other hosts with rel="nofollow noopener"), to a path of this site ("/x", not "//x"), or
 * to a heading of the same document ("#x"); every other one is its text alone: other schemes,
 * addresses with a user name or control characters, and relative ones, which would mean another
 * thing on each page. In a link there is no second one.
 *
 * Headings stand at the level the caller gives and below it without a gap: the highest of the
 * document becomes that level. Their ids begin with "h-" and differ within the document. Entities
 * become the characters they mean; control characters and NUL become U+FFFD.
 *
 * Refused, never cut: what is longer than MARKDOWN_SIZE_MAX, is no UTF-8, nests deeper than
 * MARKDOWN_DEPTH_MAX elements, or would grow over MARKDOWN_HTML_MAX.
 * Thread: any.
 */
#ifndef TEXT_MARKDOWN_H
#define TEXT_MARKDOWN_H

#include "base/buf.h"
#include "base/error.h"

#define MARKDOWN_SIZE_MAX  (64u << 10)
#define MARKDOWN_HTML_MAX  (1u << 20)
#define MARKDOWN_DEPTH_MAX 32

struct markdown {
	unsigned heading; /* 1 to 6: the level of the highest heading; none goes below 6 */
	const char *id;   /* ids are h-ID-...: documents of one page differ; NULL: h-... */
};

/* Appends the HTML of `text` to out; nothing when it is refused or out would pass its maximum. */
bool markdown_html(struct slice text, const struct markdown *how, struct buf *out,
	struct error *err) must_check;

#endif
