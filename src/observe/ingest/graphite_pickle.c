/*
 * graphite_pickle.c - a small reader of pickles; see graphite.h.
 *
 * A pickle is a program for a machine with a stack and a memo. This machine knows numbers, texts,
 * None, tuples of up to three and lists, and no more: what would import, build or call anything is
 * unknown to it and ends the reading. Every value takes a byte of the message at least, and there
 * is a limit on their number beside, so that no message makes more of itself than it is.
 */

#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "observe/ingest/graphite.h"
#include "observe/ingest/number.h"

#define NODES_MAX      (5 * POINTS_MAX + 1000)
#define LONG_MAX_BYTES 64

enum node_kind { NODE_OTHER, NODE_NUMBER, NODE_TEXT, NODE_TUPLE, NODE_LIST, NODE_ITEM };

struct node {
	enum node_kind kind;
	unsigned n; /* of a tuple */
	union {
		double number;
		struct slice text; /* borrows of the message */
		uint32_t of[3];    /* of a tuple; of a list: first, last item; of an item: what,
				      next */
	};
};

struct machine {
	const char *p, *end;
	VEC(struct node) nodes; /* 0 is none */
	VEC(uint32_t) stack, marks, memo;
	const char *wrong; /* once set it stays */
};

static const char *const cut = "it ends in the middle";

/* --- bytes ------------------------------------------------------------------------------------ */

static struct slice take(struct machine *m, uint64_t n)
{
	if (n > (uint64_t)(m->end - m->p)) {
		m->wrong = cut;
		return slice_from("", 0);
	}
	const struct slice s = slice_from(m->p, (size_t)n);
	m->p += n;
	return s;
}

static uint64_t take_number(struct machine *m, unsigned bytes)
{
	const struct slice s = take(m, bytes);
	uint64_t x = 0;
	for (size_t i = 0; i < s.n; i++)
		x |= (uint64_t)(unsigned char)s.p[i] << (8 * i);
	return x;
}

static struct slice take_line(struct machine *m)
{
	const char *stop = memchr(m->p, '\n', (size_t)(m->end - m->p));
	if (!stop) {
		m->wrong = cut;
		return slice_from("", 0);
	}
	const struct slice s = slice_from(m->p, (size_t)(stop - m->p));
	m->p = stop + 1;
	return s;
}

/* --- the stack -------------------------------------------------------------------------------- */

static uint32_t add_node(struct machine *m, struct node node)
{
	if (m->nodes.n >= NODES_MAX) {
		m->wrong = "it has too many values";
		return 0;
	}
	vec_push(&m->nodes, node);
	return (uint32_t)m->nodes.n - 1;
}

static void push(struct machine *m, struct node node)
{
	const uint32_t i = add_node(m, node);
	vec_push(&m->stack, i);
}

static void push_number(struct machine *m, double x)
{
	push(m, (struct node){.kind = NODE_NUMBER, .number = x});
}

static void push_text(struct machine *m, struct slice text)
{
	push(m, (struct node){.kind = NODE_TEXT, .text = text});
}

/* Where the values over the newest mark begin; or over `n` values when n is not 0. */
static size_t base_of(struct machine *m, unsigned n)
{
	const size_t floor = m->marks.n ? m->marks.p[m->marks.n - 1] : 0;
	if (!n && m->marks.n)
		return vec_pop(&m->marks);
	if (n && m->stack.n - floor >= n)
		return m->stack.n - n;
	m->wrong = "its stack is too short";
	return m->stack.n;
}

static void make_tuple(struct machine *m, unsigned n)
{
	const size_t base = base_of(m, n), count = m->stack.n - base;
	struct node tuple = {.kind = count <= 3 ? NODE_TUPLE : NODE_OTHER, .n = (unsigned)count};
	for (size_t i = 0; i < count && count <= 3; i++)
		tuple.of[i] = m->stack.p[base + i];
	m->stack.n = base;
	push(m, tuple);
}

static void append(struct machine *m, uint32_t list, uint32_t what)
{
	const uint32_t item = add_node(m, (struct node){.kind = NODE_ITEM, .of = {what, 0, 0}});
	struct node *l = &m->nodes.p[list];
	if (l->of[0])
		m->nodes.p[l->of[1]].of[1] = item;
	else
		l->of[0] = item;
	l->of[1] = item;
}

/* What stands over `base` is appended to the list below it. */
static void append_all(struct machine *m, size_t base)
{
	const uint32_t list = base && base <= m->stack.n ? m->stack.p[base - 1] : 0;
	if (m->wrong || m->nodes.p[list].kind != NODE_LIST) {
		m->wrong = m->wrong ? m->wrong : "it appends to what is no list";
		return;
	}
	for (size_t i = base; i < m->stack.n && !m->wrong; i++)
		append(m, list, m->stack.p[i]);
	m->stack.n = base;
}

static void make_list(struct machine *m)
{
	const size_t base = base_of(m, 0), count = m->stack.n - base;
	const uint32_t list = add_node(m, (struct node){.kind = NODE_LIST});
	for (size_t i = 0; i < count && !m->wrong; i++)
		append(m, list, m->stack.p[base + i]);
	m->stack.n = base;
	vec_push(&m->stack, list);
}

/* --- the memo --------------------------------------------------------------------------------- */

static void put(struct machine *m, uint64_t place)
{
	if (!m->stack.n || place >= NODES_MAX || place > m->memo.n + 1000) {
		m->wrong = "it remembers what is not there";
		return;
	}
	while (m->memo.n <= place)
		vec_push(&m->memo, 0);
	m->memo.p[place] = m->stack.p[m->stack.n - 1];
}

static void get(struct machine *m, uint64_t place)
{
	if (place >= m->memo.n || !m->memo.p[place]) {
		m->wrong = "it recalls what was not remembered";
		return;
	}
	vec_push(&m->stack, m->memo.p[place]);
}

static uint64_t line_place(struct machine *m)
{
	double x = 0;
	const struct slice s = take_line(m);
	return number_read(s, &x) && x >= 0 && x < NODES_MAX ? (uint64_t)x : NODES_MAX;
}

/* --- values ----------------------------------------------------------------------------------- */

static void push_decimal(struct machine *m, struct slice s)
{
	double x;
	if (s.n && s.p[s.n - 1] == 'L')
		s.n--;
	if (number_read(s, &x))
		push_number(m, x);
	else
		push(m, (struct node){.kind = NODE_OTHER}); /* "nan", "inf", a number of a novel */
}

/* Two's complement, the lowest byte first. Of one below 0 each byte says what is missing to 255, so
 * that nothing is rounded away. */
static void push_long(struct machine *m, uint64_t n)
{
	const struct slice s = take(m, n);
	const bool minus = s.n && (unsigned char)s.p[s.n - 1] >= 0x80;
	double x = 0;
	for (size_t i = s.n; i; i--)
		x = x * 256 + (unsigned char)(minus ? ~s.p[i - 1] : s.p[i - 1]);
	if (s.n <= LONG_MAX_BYTES)
		push_number(m, minus ? -x - 1 : x);
	else
		push(m, (struct node){.kind = NODE_OTHER});
}

static void push_real(struct machine *m)
{
	const struct slice s = take(m, 8);
	uint64_t bits = 0;
	double x;
	for (size_t i = 0; i < s.n; i++)
		bits = bits << 8 | (unsigned char)s.p[i];
	memcpy(&x, &bits, 8);
	push_number(m, x);
}

/* 'text' as repr() writes it; without anything that is written with a backslash. */
static void push_quoted(struct machine *m, bool quotes)
{
	struct slice s = take_line(m);
	if (quotes) {
		const bool good =
			s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0];
		s = good ? slice_sub(s, 1, s.n - 2) : SLICE("\\");
	}
	if (slice_find(s, '\\') < s.n)
		push(m, (struct node){.kind = NODE_OTHER});
	else
		push_text(m, s);
}

/* --- codes ------------------------------------------------------------------------------------ */

static bool do_value(struct machine *m, unsigned char code)
{
	switch (code) {
	case 'I':
	case 'L':
	case 'F': push_decimal(m, take_line(m)); return true;
	case 'J': push_number(m, (int32_t)take_number(m, 4)); return true;
	case 'K': push_number(m, (double)take_number(m, 1)); return true;
	case 'M': push_number(m, (double)take_number(m, 2)); return true;
	case 'G': push_real(m); return true;
	case 0x8a: push_long(m, take_number(m, 1)); return true;
	case 0x8b: push_long(m, take_number(m, 4)); return true;
	case 'N': push(m, (struct node){.kind = NODE_OTHER}); return true;
	case 0x88: push_number(m, 1); return true; /* True, as carbon takes it */
	case 0x89: push_number(m, 0); return true;
	case 'S': push_quoted(m, true); return true;
	case 'V': push_quoted(m, false); return true;
	case 'T':
	case 'X':
	case 'B': push_text(m, take(m, take_number(m, 4))); return true;
	case 'U':
	case 'C':
	case 0x8c: push_text(m, take(m, take_number(m, 1))); return true;
	case 0x8d:
	case 0x8e: push_text(m, take(m, take_number(m, 8))); return true;
	default: return false;
	}
}

static bool do_structure(struct machine *m, unsigned char code)
{
	switch (code) {
	case 0x80: take(m, 1); return true;
	case 0x95: take(m, 8); return true;
	case '(': vec_push(&m->marks, (uint32_t)m->stack.n); return true;
	case ']': push(m, (struct node){.kind = NODE_LIST}); return true;
	case 'l': make_list(m); return true;
	case 'a': append_all(m, base_of(m, 1)); return true;
	case 'e': append_all(m, base_of(m, 0)); return true;
	case ')': push(m, (struct node){.kind = NODE_TUPLE}); return true;
	case 't': make_tuple(m, 0); return true;
	case 0x85: make_tuple(m, 1); return true;
	case 0x86: make_tuple(m, 2); return true;
	case 0x87: make_tuple(m, 3); return true;
	case 'p': put(m, line_place(m)); return true;
	case 'q': put(m, take_number(m, 1)); return true;
	case 'r': put(m, take_number(m, 4)); return true;
	case 0x94: put(m, m->memo.n); return true;
	case 'g': get(m, line_place(m)); return true;
	case 'h': get(m, take_number(m, 1)); return true;
	case 'j': get(m, take_number(m, 4)); return true;
	default: return false;
	}
}

static void run(struct machine *m)
{
	(void)add_node(m, (struct node){.kind = NODE_OTHER});
	while (!m->wrong) {
		const struct slice code = take(m, 1);
		if (!code.n || code.p[0] == '.')
			break;
		if (!do_value(m, (unsigned char)code.p[0]) &&
			!do_structure(m, (unsigned char)code.p[0]))
			m->wrong = "it is more than lists, tuples, texts and numbers";
	}
	if (!m->wrong && (m->p != m->end || m->stack.n != 1 || m->marks.n ||
				 m->nodes.p[m->stack.p[0]].kind != NODE_LIST))
		m->wrong = "it is not one list";
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool number_of(const struct node *n, double *ret)
{
	if (n->kind == NODE_TEXT)
		return number_read(n->text, ret);
	*ret = n->number;
	return n->kind == NODE_NUMBER;
}

/* The two that a tuple or a list holds; false: it is no pair. */
static bool pair_of(const struct machine *m, const struct node *n, const struct node **ret_first,
	const struct node **ret_second)
{
	const struct node *all = m->nodes.p;
	const bool tuple = n->kind == NODE_TUPLE && n->n == 2;
	const uint32_t first = n->kind == NODE_LIST ? n->of[0] : 0,
		       second = first ? all[first].of[1] : 0;
	*ret_first = tuple ? &all[n->of[0]] : second ? &all[all[first].of[0]] : all;
	*ret_second = tuple ? &all[n->of[1]] : second ? &all[all[second].of[0]] : all;
	return tuple || (second && !all[second].of[1]);
}

static void take_item(
	const struct machine *m, const struct node *item, struct points *p, struct bad_lines *bad)
{
	const struct node *path, *point, *time, *measured;
	double seconds, value;
	int64_t at_ms;
	if (!pair_of(m, item, &path, &point) || path->kind != NODE_TEXT ||
		!pair_of(m, point, &time, &measured)) {
		bad_lines_add(bad, "it is not (path, (time, value))", SLICE("an item of a pickle"));
		return;
	}
	if (!number_of(time, &seconds) || !graphite_time(seconds, &at_ms))
		bad_lines_add(bad, "the time is no number of seconds since 1970", path->text);
	else if (!number_of(measured, &value) || !isfinite(value))
		bad_lines_add(bad, "the value is no finite number", path->text);
	else {
		const enum points_added a = graphite_put(p, path->text, at_ms, value);
		if (a != POINTS_ADDED)
			bad_lines_add(bad, points_added_text(a), path->text);
	}
}

const char *graphite_pickle_read(struct slice message, struct points *p, struct bad_lines *bad)
{
	struct machine m = {.p = message.p, .end = message.p + message.n};
	run(&m);
	if (!m.wrong)
		for (uint32_t i = m.nodes.p[m.stack.p[0]].of[0]; i; i = m.nodes.p[i].of[1])
			take_item(&m, &m.nodes.p[m.nodes.p[i].of[0]], p, bad);
	vec_fini(&m.nodes);
	vec_fini(&m.stack);
	vec_fini(&m.marks);
	vec_fini(&m.memo);
	return m.wrong;
}
