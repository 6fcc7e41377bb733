/*
 * template.c - Mustache: a template becomes a flat list of pieces, which rendering walks.
 *
 * A section knows the index of its end, so that skipping it is one step and repeating it a call.
 * Names are kept split at their dots. A tag that stands alone on its line takes the line with it;
 * that is decided while compiling, by looking at the text around the tag. Partials are compiled
 * when they are met, with their indentation put before each of their lines, and kept until the
 * rendering ends, since lists meet them again and again.
 */

#include "text/template.h"

#include <string.h>

#include "base/vec.h"

enum piece_kind {
	PIECE_TEXT,
	PIECE_VALUE,
	PIECE_RAW,
	PIECE_SECTION,
	PIECE_INVERTED,
	PIECE_PARTIAL
};

struct piece {
	enum piece_kind kind;
	struct slice text;  /* TEXT: a part of the template; PARTIAL: its indentation */
	char *name;         /* parts, each with a NUL */
	unsigned parts;     /* 0: "." */
	size_t end;         /* sections: the first piece behind it */
	unsigned line, col; /* of the tag */
};

struct template
{
	char *name, *text;
	VEC(struct piece) pieces;
};

void template_free(struct template *t)
{
	if (!t)
		return;
	VEC_EACH (&t->pieces, struct piece, p)
		free(p->name);
	vec_fini(&t->pieces);
	free(t->name);
	free(t->text);
	free(t);
}

/* --- compiling ------------------------------------------------------------------------------- */

struct compiling {
	struct template *t;
	struct slice text;
	size_t at;    /* where reading has come to */
	size_t plain; /* where the text begins that is not yet a piece */
	struct slice open, close;
	size_t sections[TEMPLATE_DEPTH_MAX];
	unsigned depth;
	/* the place of an offset, counted on from the last one asked for */
	size_t counted;
	unsigned line, col;
	struct error *err;
};

static void count_to(struct compiling *c, size_t at)
{
	for (; c->counted < at; c->counted++) {
		const unsigned char b = (unsigned char)c->text.p[c->counted];
		if (b == '\n') {
			c->line++;
			c->col = 1;
		} else if ((b & 0xc0) != 0x80) {
			c->col++;
		}
	}
}

static bool wrong(struct compiling *c, const char *what, struct slice which)
{
	error_at(c->err, c->t->name, c->line, c->col, "%s%s%.*s", what, which.n ? ": " : "",
		which.n > 80 ? 80 : (int)which.n, which.p ? which.p : "");
	return false;
}

static void add_plain(struct compiling *c, size_t to)
{
	if (to > c->plain)
		vec_push(&c->t->pieces,
			((struct piece){.kind = PIECE_TEXT,
				.text = slice_sub(c->text, c->plain, to - c->plain)}));
}

static bool blank(char b)
{
	return b == ' ' || b == '\t';
}

/* Whether the tag [from, to) has its line for itself: its beginning, and the one after it. */
static bool alone(
	const struct compiling *c, size_t from, size_t to, size_t *ret_from, size_t *ret_to)
{
	const struct slice s = c->text;
	while (from > 0 && blank(s.p[from - 1]))
		from--;
	if (from > 0 && s.p[from - 1] != '\n')
		return false;
	while (to < s.n && blank(s.p[to]))
		to++;
	if (to + 1 < s.n && s.p[to] == '\r' && s.p[to + 1] == '\n')
		to++;
	if (to < s.n && s.p[to] != '\n')
		return false;
	*ret_from = from;
	*ret_to = to < s.n ? to + 1 : to;
	return true;
}

static struct slice trimmed(struct slice s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0])
		s = slice_sub(s, 1, s.n);
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

/* "a.b" becomes "a\0b\0". */
static bool split_name(struct compiling *c, struct slice name, struct piece *p)
{
	if (!name.n)
		return wrong(c, "a tag without a name", name);
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ')
			return wrong(c, "a name with white space or a control character", name);
	if (strchr("$<*", name.p[0]))
		return wrong(
			c, "inheritance and dynamic names are not part of these templates", name);
	if (slice_is(name, "."))
		return true;
	p->name = slice_dup(name);
	for (size_t i = 0, from = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '.')
			continue;
		if (i == from) {
			free(p->name);
			p->name = NULL;
			return wrong(c, "a name with an empty part", name);
		}
		p->name[i] = 0;
		p->parts++;
		from = i + 1;
	}
	return true;
}

static bool take_delimiters(struct compiling *c, struct slice s)
{
	s = trimmed(s);
	size_t n = 0;
	while (n < s.n && (unsigned char)s.p[n] > ' ')
		n++;
	const struct slice open = slice_sub(s, 0, n), close = trimmed(slice_sub(s, n, s.n));
	bool good = open.n && close.n;
	for (size_t i = 0; good && i < close.n; i++)
		good = (unsigned char)close.p[i] > ' ';
	if (!good || slice_find(s, '=') < s.n)
		return wrong(c, "delimiters are two words without '='", s);
	c->open = open;
	c->close = close;
	return true;
}

static bool same_name(const struct piece *p, struct slice name)
{
	if (!p->parts)
		return slice_is(name, ".");
	size_t at = 0;
	for (unsigned i = 0; i < p->parts; i++) {
		const size_t n = strlen(p->name + at);
		if (at + n > name.n || memcmp(name.p + at, p->name + at, n) != 0)
			return false;
		at += n + 1;
		if (i + 1 < p->parts && (at > name.n || name.p[at - 1] != '.'))
			return false;
	}
	return at == name.n + 1;
}

static bool close_section(struct compiling *c, struct slice name)
{
	if (!c->depth)
		return wrong(c, "nothing is open that this could close", name);
	struct piece *p = &c->t->pieces.p[c->sections[c->depth - 1]];
	if (!same_name(p, name))
		return wrong(c, "the section opened last has another name than this end", name);
	p->end = c->t->pieces.n;
	c->depth--;
	return true;
}

static bool add_named(
	struct compiling *c, enum piece_kind kind, struct slice name, struct slice indent)
{
	struct piece p = {.kind = kind, .line = c->line, .col = c->col};
	if (kind == PIECE_PARTIAL) {
		/* the name of a partial is one word, dots and all */
		if (!name.n || memchr(name.p, 0, name.n) || name.p[0] == '*')
			return wrong(c, "a partial needs a name", name);
		p.name = slice_dup(name);
		p.text = indent;
	} else if (!split_name(c, name, &p)) {
		return false;
	}
	if (kind == PIECE_SECTION || kind == PIECE_INVERTED) {
		if (c->depth == TEMPLATE_DEPTH_MAX) {
			free(p.name);
			return wrong(c, "sections are nested too deeply", name);
		}
		c->sections[c->depth++] = c->t->pieces.n;
	}
	vec_push(&c->t->pieces, p);
	return true;
}

/* The inside of a tag whose sigil is known; [from, to) is the whole tag. */
static bool take_tag(struct compiling *c, char sigil, struct slice inside, size_t from, size_t to)
{
	struct slice indent = {0};
	size_t text_end = from, next = to;
	if (sigil && strchr("#^/!>=", sigil) && alone(c, from, to, &text_end, &next))
		indent = slice_sub(c->text, text_end, from - text_end);
	add_plain(c, text_end);
	c->at = c->plain = next;
	inside = sigil == '!' ? inside : trimmed(inside);
	switch (sigil) {
	case '!': return true;
	case '=': return take_delimiters(c, inside);
	case '/': return close_section(c, inside);
	case '#': return add_named(c, PIECE_SECTION, inside, indent);
	case '^': return add_named(c, PIECE_INVERTED, inside, indent);
	case '>': return add_named(c, PIECE_PARTIAL, inside, indent);
	case '&':
	case '{': return add_named(c, PIECE_RAW, inside, indent);
	default: return add_named(c, PIECE_VALUE, inside, indent);
	}
}

static bool next_tag(struct compiling *c, bool *ret_more)
{
	const struct slice rest = slice_sub(c->text, c->at, c->text.n);
	const size_t found = slice_find_text(rest, c->open);
	if (found == rest.n) {
		*ret_more = false;
		return true;
	}
	const size_t from = c->at + found;
	count_to(c, from);
	struct slice s = slice_sub(c->text, from + c->open.n, c->text.n);
	const char sigil = s.n && strchr("#^/!>=&{", s.p[0]) ? s.p[0] : 0;
	if (sigil)
		s = slice_sub(s, 1, s.n);
	char end[64];
	if (c->close.n + 2 > sizeof(end))
		return wrong(c, "a delimiter is too long", c->close);
	const char before = sigil == '{' ? '}' : '=';
	size_t end_n = 0;
	if (sigil == '{' || sigil == '=')
		end[end_n++] = before;
	memcpy(end + end_n, c->close.p, c->close.n);
	end_n += c->close.n;
	const size_t close = slice_find_text(s, slice_from(end, end_n));
	if (close == s.n)
		return wrong(c, "this tag is never closed", slice_sub(c->text, from, 20));
	const size_t inside = (size_t)(s.p - c->text.p);
	return take_tag(c, sigil, slice_sub(s, 0, close), from, inside + close + end_n);
}

struct template *template_compile(struct slice text, const char *name, struct error *err)
{
	struct template *t = mem_new(struct template);
	struct compiling c = {
		.t = t, .open = SLICE("{{"), .close = SLICE("}}"), .line = 1, .col = 1, .err = err};
	bool good = text.n <= TEMPLATE_SIZE_MAX, more = true;
	t->name = mem_strdup(name);
	if (!good)
		error_at(err, name, 0, 0, "a template of more than %u bytes", TEMPLATE_SIZE_MAX);
	else
		t->text = slice_dup(text);
	c.text = slice_from(t->text, good ? text.n : 0);
	while (good && more)
		good = next_tag(&c, &more);
	if (good && c.depth) {
		const struct piece *p = &t->pieces.p[c.sections[c.depth - 1]];
		error_at(err, name, p->line, p->col, "this section is never closed");
		good = false;
	}
	if (good) {
		add_plain(&c, c.text.n);
		return t;
	}
	template_free(t);
	return NULL;
}

/* --- rendering ------------------------------------------------------------------------------- */

struct met { /* a partial in this rendering */
	const char *name;
	struct slice indent;
	struct template *t; /* NULL: there is none of this name */
};

struct rendering {
	template_partial *partial;
	void *arg;
	struct buf *out;
	struct error *err;
	const json_t *stack[TEMPLATE_DEPTH_MAX + 1];
	unsigned height, depth;
	size_t steps;
	VEC(struct met) met;
};

static const json_t *look_up(const struct rendering *r, const struct piece *p)
{
	const char *part = p->name;
	const json_t *found = NULL;
	if (!p->parts)
		return r->stack[r->height - 1];
	for (unsigned i = r->height; i > 0 && !found; i--)
		found = json_object_get(r->stack[i - 1], part);
	for (unsigned i = 1; i < p->parts && found; i++) {
		part += strlen(part) + 1;
		found = json_object_get(found, part);
	}
	return found;
}

static void add_escaped(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		const char *as = s[i] == '&'   ? "&amp;"
				 : s[i] == '<' ? "&lt;"
				 : s[i] == '>' ? "&gt;"
				 : s[i] == '"' ? "&quot;"
					       : NULL;
		if (!as)
			continue;
		buf_add(out, s + from, i - from);
		buf_add_str(out, as);
		from = i + 1;
	}
	buf_add(out, s + from, n - from);
}

static void add_value(struct buf *out, const json_t *v, bool raw)
{
	if (json_is_string(v) && raw)
		buf_add(out, json_string_value(v), json_string_length(v));
	else if (json_is_string(v))
		add_escaped(out, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		buf_printf(out, "%.15g", json_real_value(v));
	else if (json_is_boolean(v))
		buf_add_str(out, json_is_true(v) ? "true" : "false");
}

static bool stop(
	struct rendering *r, const struct template *t, const struct piece *p, const char *why)
{
	error_at(r->err, t->name, p ? p->line : 0, p ? p->col : 0, "%s", why);
	return false;
}

static bool render(struct rendering *r, const struct template *t, size_t from, size_t to);

/* Puts `indent` before each line, as if the partial had been written there. */
static struct template *compile_indented(
	struct rendering *r, struct slice text, struct slice indent, const char *name)
{
	struct buf all = BUF(TEMPLATE_SIZE_MAX);
	while (text.n && !all.over) {
		const size_t line = slice_find(text, '\n');
		const size_t n = line < text.n ? line + 1 : line;
		buf_add_slice(&all, indent);
		buf_add(&all, text.p, n);
		text = slice_sub(text, n, text.n);
	}
	struct template *t = NULL;
	if (all.over)
		error_at(r->err, name, 0, 0, "a partial of more than %u bytes", TEMPLATE_SIZE_MAX);
	else
		t = template_compile(buf_slice(&all), name, r->err);
	r->steps += all.n;
	buf_fini(&all);
	return t;
}

/* The compiled partial in *ret, NULL where there is none; false: it does not compile. */
static bool meet(struct rendering *r, const struct piece *p, const struct template **ret)
{
	struct slice text;
	struct met m = {.name = p->name, .indent = p->text};
	r->steps += r->met.n;
	VEC_EACH (&r->met, struct met, old) {
		if (strcmp(old->name, p->name) || !slice_eq(old->indent, p->text))
			continue;
		*ret = old->t;
		return true;
	}
	if (r->partial && r->partial(r->arg, slice_of(p->name), &text)) {
		m.t = compile_indented(r, text, p->text, p->name);
		if (!m.t)
			return false;
	}
	vec_push(&r->met, m);
	*ret = m.t;
	return true;
}

static bool render_partial(struct rendering *r, const struct template *t, const struct piece *p)
{
	const struct template *part = NULL;
	if (r->depth == TEMPLATE_DEPTH_MAX)
		return stop(r, t, p, "sections and partials are nested too deeply");
	if (!meet(r, p, &part))
		return false;
	if (!part)
		return true;
	r->depth++;
	const bool good = render(r, part, 0, part->pieces.n);
	r->depth--;
	return good;
}

static bool render_within(struct rendering *r, const struct template *t, size_t i, const json_t *v)
{
	r->stack[r->height++] = v;
	const bool good = render(r, t, i + 1, t->pieces.p[i].end);
	r->height--;
	return good;
}

static bool render_section(struct rendering *r, const struct template *t, size_t i)
{
	const struct piece *p = &t->pieces.p[i];
	const json_t *v = look_up(r, p);
	const bool list = json_is_array(v);
	const bool yes =
		v && !json_is_false(v) && !json_is_null(v) && !(list && !json_array_size(v));
	if (yes == (p->kind == PIECE_INVERTED))
		return true;
	if (r->depth == TEMPLATE_DEPTH_MAX)
		return stop(r, t, p, "sections and partials are nested too deeply");
	bool good = true;
	r->depth++;
	if (p->kind == PIECE_INVERTED)
		good = render(r, t, i + 1, p->end);
	else if (!list)
		good = render_within(r, t, i, v);
	for (size_t k = 0; list && good && k < json_array_size(v); k++)
		good = render_within(r, t, i, json_array_get(v, k));
	r->depth--;
	return good;
}

static bool render(struct rendering *r, const struct template *t, size_t from, size_t to)
{
	bool good = true;
	for (size_t i = from; good && i < to; i++) {
		const struct piece *p = &t->pieces.p[i];
		if (++r->steps > TEMPLATE_STEPS_MAX)
			return stop(r, t, p, "rendering takes too many steps");
		switch (p->kind) {
		case PIECE_TEXT: buf_add_slice(r->out, p->text); break;
		case PIECE_VALUE: add_value(r->out, look_up(r, p), false); break;
		case PIECE_RAW: add_value(r->out, look_up(r, p), true); break;
		case PIECE_PARTIAL: good = render_partial(r, t, p); break;
		case PIECE_SECTION:
		case PIECE_INVERTED:
			good = render_section(r, t, i);
			i = p->end - 1;
			break;
		}
		if (r->out->over)
			return stop(r, t, p, "the result is too large");
	}
	return good;
}

bool template_render(const struct template *t, const json_t *model, template_partial *partial,
	void *arg, struct buf *out, struct error *err)
{
	struct rendering r = {.partial = partial,
		.arg = arg,
		.out = out,
		.err = err,
		.stack = {model},
		.height = 1};
	const bool good = render(&r, t, 0, t->pieces.n);
	VEC_EACH (&r.met, struct met, m)
		template_free(m->t);
	vec_fini(&r.met);
	return good;
}
