/* harmless.c - see harmless.h. Reads HTML itself, and only the small part that is allowed. */
#include "harmless.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define OPEN_MAX 64

struct tag {
	const char *name, *attributes; /* all it must have, and with "?" may have */
	bool line;                     /* holds no blocks */
	bool block;                    /* stands in no line */
	bool alone;
};

static const struct tag tags[] = {
	{"p", "dir", .line = true, .block = true},
	{"pre", "dir", .line = true, .block = true},
	{"h1", "id dir", .line = true, .block = true},
	{"h2", "id dir", .line = true, .block = true},
	{"h3", "id dir", .line = true, .block = true},
	{"h4", "id dir", .line = true, .block = true},
	{"h5", "id dir", .line = true, .block = true},
	{"h6", "id dir", .line = true, .block = true},
	{"ul", "", .block = true},
	{"ol", "start?", .block = true},
	{"li", "dir", .block = true},
	{"blockquote", "", .block = true},
	{"div", "class tabindex", .block = true},
	{"table", "", .block = true},
	{"thead", "", .block = true},
	{"tbody", "", .block = true},
	{"tr", "", .block = true},
	{"th", "scope dir class?", .line = true, .block = true},
	{"td", "dir class?", .line = true, .block = true},
	{"hr", "", .block = true, .alone = true},
	{"br", "", .line = true, .alone = true},
	{"a", "href rel? title?", .line = true},
	{"code", "", .line = true},
	{"em", "", .line = true},
	{"strong", "", .line = true},
	{"del", "", .line = true},
};

struct reading {
	struct slice rest;
	const struct tag *open[OPEN_MAX];
	size_t depth;
	struct map ids;
	unsigned level;      /* of the last heading; at first one above those allowed */
	bool in_link, shown; /* whether the link shows something */
	char *trouble;
};

static void wrong(struct reading *r, const char *what, struct slice at)
{
	if (!r->trouble)
		r->trouble = mem_printf("%s: %.*s", what, (int)(at.n < 80 ? at.n : 80), at.p);
}

static const struct tag *find_tag(struct slice name)
{
	for (size_t i = 0; i < array_len(tags); i++)
		if (slice_is(name, tags[i].name))
			return &tags[i];
	return NULL;
}

/* "&" begins one of the five that are written. */
static bool is_entity(struct slice at)
{
	return slice_starts(at, "&amp;") || slice_starts(at, "&lt;") || slice_starts(at, "&gt;") ||
	       slice_starts(at, "&quot;") || slice_starts(at, "&#39;");
}

static void check_text(struct reading *r, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		const struct slice at = slice_sub(text, i, text.n);
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
			(c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0))
			wrong(r, "a control character", at);
		if (c == '>' || c == '"' || c == '\'' || c == '<')
			wrong(r, "not escaped", at);
		if (c == '&' && !is_entity(at))
			wrong(r, "an & that is no entity of ours", at);
		r->shown = r->shown || c > ' ';
	}
}

/* --- attributes ------------------------------------------------------------------------------- */

static bool starts_nocase(struct slice s, const char *with)
{
	return slice_is_nocase(slice_sub(s, 0, strlen(with)), with);
}

static void check_href(struct reading *r, struct slice href, bool rel)
{
	const bool foreign = starts_nocase(href, "http://") || starts_nocase(href, "https://");
	const bool path = slice_starts(href, "/") && !slice_starts(href, "//");
	if (!foreign && !path && !starts_nocase(href, "mailto:") && !slice_starts(href, "#h-"))
		wrong(r, "a link elsewhere", href);
	if (foreign != rel)
		wrong(r, "rel where it is not needed, or none where it is", href);
	for (size_t i = 0; i < href.n; i++)
		if (href.p[i] <= ' ' || href.p[i] >= 0x7f || strchr("\\<>\"'`{}|^", href.p[i]))
			wrong(r, "an address that is not encoded", href);
}

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n < 10;
}

static void check_value(struct reading *r, struct slice name, struct slice value)
{
	if (slice_is(name, "id")) {
		for (size_t i = 0; i < value.n; i++)
			if ((unsigned char)value.p[i] <= ' ')
				wrong(r, "an id with a space", value);
		if (!slice_starts(value, "h-") || value.n < 3)
			wrong(r, "an id that could be another's", value);
		if (map_put_slice(&r->ids, value, r))
			wrong(r, "an id that is there twice", value);
	} else if (slice_is(name, "start")   ? !is_number(value)
		   : slice_is(name, "dir")   ? !slice_is(value, "auto")
		   : slice_is(name, "rel")   ? !slice_is(value, "nofollow noopener")
		   : slice_is(name, "class") ? !slice_in_words(value, "scroll center right")
		   : slice_is(name, "scope")
			   ? !slice_is(value, "col")
			   : slice_is(name, "tabindex") && !slice_is(value, "0")) {
		wrong(r, "a value that is not allowed", value);
	}
}

/* Cuts ` name="value"` off the inside of a tag. */
static bool next_attribute(
	struct reading *r, struct slice *in, struct slice *ret_name, struct slice *ret_value)
{
	if (!in->n)
		return false;
	const size_t equals = slice_find(*in, '=');
	const struct slice behind = slice_sub(*in, equals + 2, in->n);
	const size_t end = slice_find(behind, '"');
	if (in->p[0] != ' ' || equals + 1 >= in->n || in->p[equals + 1] != '"' || end == behind.n) {
		wrong(r, "not an attribute", *in);
		return false;
	}
	*ret_name = slice_sub(*in, 1, equals - 1);
	*ret_value = slice_sub(behind, 0, end);
	*in = slice_sub(behind, end + 1, behind.n);
	return true;
}

/* A word of the list, without its "?". */
static bool is_listed(const char *list, struct slice name, bool *ret_optional)
{
	struct slice rest = slice_of(list), word;
	while (slice_next(&rest, ' ', &word)) {
		*ret_optional = slice_ends(word, "?");
		if (word.n && slice_eq(slice_sub(word, 0, word.n - *ret_optional), name))
			return true;
	}
	return false;
}

static void check_attributes(struct reading *r, const struct tag *t, struct slice in)
{
	struct slice rest = slice_of(t->attributes), name, value, href = {0}, seen[8];
	const struct slice whole = in;
	size_t n = 0, needed = 0;
	bool optional = false, rel = false;
	while (slice_next(&rest, ' ', &name))
		needed += name.n && !slice_ends(name, "?");
	while (next_attribute(r, &in, &name, &value)) {
		for (size_t i = 0; i < n; i++)
			if (slice_eq(seen[i], name))
				wrong(r, "an attribute that is there twice", whole);
		if (!is_listed(t->attributes, name, &optional) || n == array_len(seen)) {
			wrong(r, "an attribute that is not allowed", whole);
			return;
		}
		seen[n++] = name;
		needed -= !optional;
		check_text(r, value);
		check_value(r, name, value);
		href = slice_is(name, "href") ? value : href;
		rel = rel || slice_is(name, "rel");
	}
	if (needed)
		wrong(r, "an attribute is missing", whole);
	if (!strcmp(t->name, "a"))
		check_href(r, href, rel);
}

/* --- elements --------------------------------------------------------------------------------- */

static bool is_heading(const struct tag *t)
{
	return t->name[0] == 'h' && t->name[1] != 'r';
}

static void open_tag(struct reading *r, const struct tag *t, struct slice at)
{
	for (size_t i = 0; i < r->depth && t->block; i++)
		if (r->open[i]->line)
			wrong(r, "a block inside of a line", at);
	if (is_heading(t)) {
		const unsigned level = (unsigned)(t->name[1] - '0');
		if (level > r->level + 1)
			wrong(r, "a gap in the outline", at);
		r->level = level;
	}
	if (!strcmp(t->name, "a")) {
		if (r->in_link)
			wrong(r, "a link in a link", at);
		r->in_link = true;
		r->shown = false;
	}
	if (r->depth == OPEN_MAX)
		wrong(r, "too deep", at);
	else if (!t->alone)
		r->open[r->depth++] = t;
}

static void close_tag(struct reading *r, const struct tag *t, struct slice at)
{
	if (!r->depth || r->open[r->depth - 1] != t) {
		wrong(r, "closes what is not the last opened", at);
		return;
	}
	r->depth--;
	if (strcmp(t->name, "a") != 0)
		return;
	if (!r->shown)
		wrong(r, "a link that shows nothing", at);
	r->in_link = false;
}

static void read_tag(struct reading *r)
{
	const struct slice at = r->rest;
	const size_t end = slice_find(at, '>');
	const bool closing = at.n > 1 && at.p[1] == '/';
	const struct slice in = slice_sub(at, 1 + closing, end - 1 - closing);
	const struct slice name = slice_sub(in, 0, slice_find(in, ' '));
	const struct tag *t = end < at.n ? find_tag(name) : NULL;
	r->rest = slice_sub(at, end + 1, at.n);
	if (!t || (closing && (t->alone || name.n != in.n))) {
		wrong(r, "a tag that is not allowed", at);
	} else if (closing) {
		close_tag(r, t, at);
	} else {
		check_attributes(r, t, slice_sub(in, name.n, in.n));
		open_tag(r, t, at);
	}
}

char *harmless_trouble(struct slice html, unsigned heading)
{
	struct reading r = {.rest = html, .level = heading - 1};
	if (!utf8_valid(html))
		wrong(&r, "not UTF-8", html);
	while (r.rest.n && !r.trouble) {
		const size_t text = slice_find(r.rest, '<');
		check_text(&r, slice_sub(r.rest, 0, text));
		r.rest = slice_sub(r.rest, text, r.rest.n);
		if (r.rest.n && !r.trouble)
			read_tag(&r);
	}
	if (r.depth)
		wrong(&r, "not closed", slice_of(r.open[r.depth - 1]->name));
	map_fini(&r.ids);
	return r.trouble;
}
