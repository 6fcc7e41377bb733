/*
 * points.c - see points.h. Texts lie in pieces that are never moved; a point knows its first tag by
 * its place in the one array of all tags.
 *
 *	version 1 | count | points: name, number of tags, (key, value)..., zigzag ms, real 8
 *
 * with every text as its length and its bytes.
 */

#include "store/points.h"

#include <math.h>

#include "base/vec.h"
#include "store/code.h"

#define VERSION     1
#define PIECE       (64u << 10)
#define POINT_BYTES 30 /* of a point beside its texts: at most so many in the encoding */
#define TEXT_BYTES  2  /* of the length of a text: none is longer than SERIES_KEY_MAX */

struct row {
	const char *name;
	size_t name_n, first_tag, tag_count;
	int64_t at_ms;
	double value;
};

struct points {
	VEC(struct row) rows;
	VEC(struct series_tag) tags;
	VEC(char *) pieces;
	size_t piece_left, bytes;
};

struct points *points_new(void)
{
	return mem_new(struct points);
}

void points_free(struct points *p)
{
	if (!p)
		return;
	VEC_EACH (&p->pieces, char *, piece)
		free(*piece);
	vec_fini(&p->pieces);
	vec_fini(&p->tags);
	vec_fini(&p->rows);
	free(p);
}

size_t points_count(const struct points *p)
{
	return p->rows.n;
}

struct point points_at(const struct points *p, size_t i)
{
	const struct row *r = &p->rows.p[i];
	return (struct point){
		.name = slice_from(r->name, r->name_n),
		.tags = r->tag_count ? &p->tags.p[r->first_tag] : NULL,
		.tag_count = r->tag_count,
		.at_ms = r->at_ms,
		.value = r->value,
	};
}

const char *points_added_text(enum points_added a)
{
	switch (a) {
	case POINTS_ADDED: return "taken";
	case POINTS_FULL: return "too many points at once";
	case POINTS_BAD_NAME:
		return "the name or a key is empty, too long, no UTF-8, or has control bytes, { or }";
	case POINTS_BAD_TAG: return "tags are too many, too long, no UTF-8, or have control bytes";
	case POINTS_BAD_VALUE: return "the value is no finite number";
	}
	return "";
}

/* --- adding ----------------------------------------------------------------------------------- */

static bool is_clean(struct slice s, bool name)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || (name && (s.p[i] == '{' || s.p[i] == '}')))
			return false;
	return utf8_valid(s);
}

static bool is_name(struct slice s)
{
	return s.n && s.n < SERIES_KEY_MAX / 2 && is_clean(s, true);
}

/* As series.h writes it: name{key="value",...}, quotes and backslashes with one before. */
static size_t text_bytes(struct slice value)
{
	size_t n = value.n;
	for (size_t i = 0; i < value.n; i++)
		n += value.p[i] == '"' || value.p[i] == '\\';
	return n;
}

enum points_added points_look(
	struct slice name, const struct slice *keys, const struct slice *values, size_t tags)
{
	size_t text = 2;
	if (!is_name(name))
		return POINTS_BAD_NAME;
	if (tags > POINTS_TAGS_MAX)
		return POINTS_BAD_TAG;
	for (size_t i = 0; i < tags; i++) {
		if (!is_name(keys[i]))
			return POINTS_BAD_NAME;
		if (values[i].n >= SERIES_KEY_MAX || !is_clean(values[i], false))
			return POINTS_BAD_TAG;
		text += keys[i].n + text_bytes(values[i]) + 4;
	}
	return text < SERIES_KEY_MAX ? POINTS_ADDED : POINTS_BAD_TAG;
}

/* Into a piece, with a NUL behind. */
static const char *keep_text(struct points *p, struct slice s)
{
	if (p->piece_left < s.n + 1) {
		vec_push(&p->pieces, mem_alloc(PIECE));
		p->piece_left = PIECE;
	}
	char *at = p->pieces.p[p->pieces.n - 1] + (PIECE - p->piece_left);
	p->piece_left -= s.n + 1;
	if (s.n)
		memcpy(at, s.p, s.n);
	at[s.n] = '\0';
	return at;
}

/* The place of each key in order, the last of equal ones alone. Returns how many. */
static size_t order(const struct slice *keys, size_t n, size_t *ret)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = count;
		int c = 1;
		for (; at; at--) {
			const struct slice a = keys[ret[at - 1]], b = keys[i];
			c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
			c = c ? c : (a.n > b.n) - (a.n < b.n);
			if (c <= 0)
				break;
		}
		if (at && c == 0) {
			ret[at - 1] = i;
			continue;
		}
		memmove(&ret[at + 1], &ret[at], (count - at) * sizeof(*ret));
		ret[at] = i;
		count++;
	}
	return count;
}

enum points_added points_add(struct points *p, struct slice name, const struct slice *keys,
	const struct slice *values, size_t tags, int64_t at_ms, double value)
{
	const enum points_added look = points_look(name, keys, values, tags);
	size_t places[POINTS_TAGS_MAX + 1];
	if (look != POINTS_ADDED)
		return look;
	if (!isfinite(value))
		return POINTS_BAD_VALUE;
	size_t bytes = POINT_BYTES + name.n;
	for (size_t i = 0; i < tags; i++)
		bytes += keys[i].n + values[i].n + 2 * TEXT_BYTES;
	if (p->rows.n >= POINTS_MAX || p->bytes + bytes > POINTS_BYTES)
		return POINTS_FULL;
	p->bytes += bytes;
	struct row *r = vec_add(&p->rows);
	*r = (struct row){.name = keep_text(p, name),
		.name_n = name.n,
		.first_tag = p->tags.n,
		.tag_count = order(keys, tags, places),
		.at_ms = at_ms,
		.value = value};
	for (size_t i = 0; i < r->tag_count; i++) {
		const char *key = keep_text(p, keys[places[i]]);
		const char *text = keep_text(p, values[places[i]]);
		vec_push(&p->tags, ((struct series_tag){key, text}));
	}
	return POINTS_ADDED;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void put_text(struct buf *out, const char *text, size_t n)
{
	code_put_varint(out, n);
	buf_add(out, text, n);
}

void points_encode(const struct points *p, struct buf *out)
{
	code_put_varint(out, VERSION);
	code_put_varint(out, p->rows.n);
	VEC_EACH (&p->rows, struct row, r) {
		put_text(out, r->name, r->name_n);
		code_put_varint(out, r->tag_count);
		for (size_t i = 0; i < r->tag_count; i++) {
			const struct series_tag *tag = &p->tags.p[r->first_tag + i];
			put_text(out, tag->key, strlen(tag->key));
			put_text(out, tag->value, strlen(tag->value));
		}
		code_put_varint(out, code_zigzag(r->at_ms));
		code_put_real(out, r->value);
	}
}

static struct slice take_text(struct code_in *in)
{
	const uint64_t n = code_varint(in);
	const char *p = (const char *)code_bytes(in, n);
	return p ? slice_from(p, (size_t)n) : SLICE("");
}

/* NULL: fine; else what is wrong. */
static const char *take_point(struct points *p, struct code_in *in)
{
	struct slice keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX];
	const struct slice name = take_text(in);
	const uint64_t tags = code_varint(in);
	if (tags > POINTS_TAGS_MAX)
		return points_added_text(POINTS_BAD_TAG);
	for (uint64_t i = 0; i < tags; i++) {
		keys[i] = take_text(in);
		values[i] = take_text(in);
	}
	const int64_t at = code_unzigzag(code_varint(in));
	const double value = code_real(in);
	if (in->bad)
		return "they end in the middle of a point";
	const enum points_added a = points_add(p, name, keys, values, (size_t)tags, at, value);
	return a == POINTS_ADDED ? NULL : points_added_text(a);
}

struct points *points_decode(struct slice bytes, struct error *err)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct points *p = points_new();
	const char *wrong = NULL;
	const uint64_t version = code_varint(&in), count = code_varint(&in);
	if (in.bad || version != VERSION)
		wrong = "they are of no known version";
	for (uint64_t i = 0; i < count && !wrong; i++)
		wrong = take_point(p, &in);
	if (!wrong && code_left(&in))
		wrong = "there is more behind them";
	if (!wrong)
		return p;
	error_set(err, ERROR_INPUT, "bytes of points: %s", wrong);
	points_free(p);
	return NULL;
}
