/*
 * markdown_write.c - the characters of a document: escaped for HTML, and kept for what needs them
 * twice, the ids of headings.
 */

#include "text/entity.h"
#include "text/markdown_inside.h"

#define REPLACEMENT 0xfffd

/* What HTML allows in text; the rest would be dropped, or read as something else. */
static bool is_character(uint32_t c)
{
	return c == '\t' || c == '\n' || (c >= ' ' && c < 0x7f) || c >= 0xa0;
}

static void put_utf8(struct buf *to, uint32_t c)
{
	char p[4];
	size_t n = 0;
	if (c < 0x80) {
		p[n++] = (char)c;
	} else if (c < 0x800) {
		p[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		p[n++] = (char)(0xe0 | c >> 12);
		p[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		p[n++] = (char)(0xf0 | c >> 18);
		p[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		p[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		p[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(to, p, n);
}

static void put_escaped(struct buf *to, uint32_t c)
{
	switch (c) {
	case '&': buf_add_str(to, "&amp;"); break;
	case '<': buf_add_str(to, "&lt;"); break;
	case '>': buf_add_str(to, "&gt;"); break;
	case '"': buf_add_str(to, "&quot;"); break;
	case '\'': buf_add_str(to, "&#39;"); break;
	default: put_utf8(to, is_character(c) ? c : REPLACEMENT);
	}
}

/* The next code point of valid UTF-8. */
static uint32_t next_code(struct slice *rest)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	const size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n && i < rest->n; i++)
		c = c << 6 | (p[i] & 0x3f);
	*rest = slice_sub(*rest, n, rest->n);
	return c;
}

/* --- ids -------------------------------------------------------------------------------------- */

/* Letters of any script stay; spaces, punctuation and what has no shape do not. */
static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7 && (c < 0x2000 || c > 0x2bff) &&
		       (c < 0x3000 || c > 0x3004) && (c < 0xfe00 || c > 0xfe0f) && c != 0xfeff &&
		       c != 0x061c && c != 0x1680 && c != 0x180e && (c < 0xffe0 || c > 0xffff) &&
		       c < 0xe0000);
}

static void add_to_slug(struct buf *slug, uint32_t c)
{
	if (slug->n >= SLUG_MAX)
		return;
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (is_letter(c))
		put_utf8(slug, c);
	else if (slug->n && slug->p[slug->n - 1] != '-')
		buf_add_char(slug, '-');
}

void markdown_put_id(struct writer *w, struct buf *to)
{
	const char *part = w->how->id;
	while (w->slug.n && w->slug.p[w->slug.n - 1] == '-')
		buf_cut(&w->slug, w->slug.n - 1);
	if (!w->slug.n)
		buf_add_str(&w->slug, "section");
	const struct slice slug = buf_slice(&w->slug);
	char *id = slice_dup(slug);
	uintptr_t number = (uintptr_t)map_get(&w->ids, id);
	/* what was given away once is numbered on from there, past ids that look like such */
	for (uintptr_t i = number + 1; map_get(&w->ids, id); i++) {
		free(id);
		id = mem_printf("%.*s-%zu", SLICE_ARG(slug), (size_t)i);
		number = i;
	}
	map_put_slice(&w->ids, slug, (void *)(number ? number : 1));
	if (!map_get(&w->ids, id))
		map_put(&w->ids, id, (void *)1);
	buf_printf(to, "h-%s%s%s", part ? part : "", part ? "-" : "", id);
	free(id);
}

/* --- text ------------------------------------------------------------------------------------- */

void markdown_put_code(struct writer *w, uint32_t c)
{
	put_escaped(w->to, c);
	if (w->to == &w->inside)
		add_to_slug(&w->slug, c);
	/* what is drawn as nothing leaves a link that nobody can take */
	if (c > ' ' && c != 0xa0 && c != 0xad && c != 0xfeff && (c < 0x2000 || c > 0x200f) &&
		(c < 0x2028 || c > 0x202f) && (c < 0x205f || c > 0x206f) && c != 0x3000)
		w->blank = false;
}

void markdown_put_text(struct writer *w, struct slice text)
{
	while (text.n)
		markdown_put_code(w, next_code(&text));
}

void markdown_put_entity(struct writer *w, struct slice text)
{
	uint32_t codes[ENTITY_MAX];
	const unsigned n = entity_decode(text, codes);
	for (unsigned i = 0; i < n; i++)
		markdown_put_code(w, codes[i]);
	if (!n)
		markdown_put_text(w, text);
}

void markdown_put_attribute(struct buf *to, struct slice text)
{
	while (text.n)
		put_escaped(to, next_code(&text));
}

void markdown_decode(const MD_ATTRIBUTE *a, struct buf *to)
{
	for (unsigned i = 0; a->size && a->substr_offsets[i] < a->size; i++) {
		const MD_OFFSET from = a->substr_offsets[i];
		const struct slice part =
			slice_from(a->text + from, a->substr_offsets[i + 1] - from);
		uint32_t codes[ENTITY_MAX];
		const unsigned n =
			a->substr_types[i] == MD_TEXT_ENTITY ? entity_decode(part, codes) : 0;
		for (unsigned k = 0; k < n; k++)
			put_utf8(to, codes[k]);
		if (a->substr_types[i] == MD_TEXT_NULLCHAR)
			put_utf8(to, REPLACEMENT);
		else if (!n)
			buf_add_slice(to, part);
	}
}
