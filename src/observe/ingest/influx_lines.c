/*
 * influx_lines.c - InfluxDB's line protocol; see bodies.h.
 *
 * A backslash takes the meaning of a comma, a space, an equals sign or a backslash behind it from
 * that; before anything else it stands for itself. Names are unescaped into a buffer of the line's
 * own.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/ingest/bodies.h"
#include "observe/ingest/number.h"

#define WHY_MAX (BAD_TEXT - 1)

struct reader { /* of one line */
	const char *p, *end;
	struct buf text; /* what was unescaped; slices are made when it does not move any more */
	struct slice keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX];
	size_t tags;
	const char *wrong;
};

struct field {
	size_t key_at, key_n;
	double value;
	bool numeric;
};

#define FIELDS_MAX 256

struct part { /* of `text` */
	size_t at, n;
};

/* --- words ------------------------------------------------------------------------------------ */

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Up to one of `stops` that is not escaped. */
static struct part word(struct reader *r, const char *stops)
{
	const size_t at = r->text.n;
	while (r->p < r->end && !is_one_of(*r->p, stops)) {
		if (*r->p == '\\' && r->p + 1 < r->end && is_one_of(r->p[1], ", =\\"))
			r->p++;
		buf_add_char(&r->text, *r->p++);
	}
	return (struct part){at, r->text.n - at};
}

static struct slice text_of(const struct reader *r, struct part part)
{
	return slice_from(r->text.p ? r->text.p + part.at : "", part.n);
}

static bool skip(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void skip_spaces(struct reader *r)
{
	while (skip(r, ' '))
		;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool is_word_of(struct slice s, const char *const *words)
{
	for (; *words; words++)
		if (slice_is(s, *words))
			return true;
	return false;
}

static bool read_quoted(struct reader *r)
{
	for (r->p++; r->p < r->end; r->p++) {
		if (*r->p == '\\' && r->p + 1 < r->end)
			r->p++;
		else if (*r->p == '"') {
			r->p++;
			return true;
		}
	}
	r->wrong = "unbalanced quotes";
	return false;
}

static void read_value(struct reader *r, struct field *f)
{
	static const char *const yes[] = {"t", "T", "true", "True", "TRUE", NULL};
	static const char *const no[] = {"f", "F", "false", "False", "FALSE", NULL};
	if (r->p < r->end && *r->p == '"') {
		read_quoted(r);
		return;
	}
	const char *from = r->p;
	while (r->p < r->end && *r->p != ',' && *r->p != ' ')
		r->p++;
	struct slice s = slice_from(from, (size_t)(r->p - from));
	f->numeric = true;
	f->value = is_word_of(s, yes);
	if (!s.n)
		r->wrong = "missing field value";
	else if (is_word_of(s, yes) || is_word_of(s, no))
		return;
	else {
		const char last = s.p[s.n - 1];
		const bool whole = last == 'i' || last == 'u';
		s.n -= whole;
		if (!number_read(s, &f->value) || (last == 'u' && f->value < 0) ||
			(whole && slice_find(s, '.') < s.n))
			r->wrong = "invalid number";
	}
}

/* --- a line ----------------------------------------------------------------------------------- */

static void read_tags(struct reader *r, struct part *keys, struct part *values)
{
	while (!r->wrong && skip(r, ',')) {
		const struct part key = word(r, ",= ");
		if (!skip(r, '=') || !key.n) {
			r->wrong = key.n ? "missing tag value" : "missing tag key";
			return;
		}
		const struct part value = word(r, ",= ");
		if (!value.n || r->tags == POINTS_TAGS_MAX)
			r->wrong = value.n ? "too many tags" : "missing tag value";
		else {
			keys[r->tags] = key;
			values[r->tags++] = value;
		}
	}
}

static size_t read_fields(struct reader *r, struct field *fields)
{
	size_t n = 0;
	do {
		const struct part key = word(r, ",= ");
		struct field f = {.key_at = key.at, .key_n = key.n};
		if (!key.n || !skip(r, '='))
			r->wrong = key.n ? "missing field value" : "missing fields";
		else
			read_value(r, &f);
		if (n == FIELDS_MAX)
			r->wrong = "too many fields";
		else
			fields[n++] = f;
	} while (!r->wrong && skip(r, ','));
	if (!r->wrong && r->p < r->end && *r->p != ' ')
		r->wrong = "invalid field format";
	return n;
}

struct precision {
	const char *name;
	int64_t times, per; /* of a number: * times / per is ms */
};

static int64_t read_time(struct reader *r, const struct precision *of)
{
	int64_t x;
	skip_spaces(r);
	const struct slice s = slice_trim(slice_from(r->p, (size_t)(r->end - r->p)));
	if (!s.n)
		return POINTS_NOW;
	if (!units_parse_int(s, &x) || __builtin_mul_overflow(x, of->times, &x)) {
		r->wrong = "bad timestamp";
		return 0;
	}
	return x / of->per;
}

/* The name of a field's series: MEASUREMENT.FIELD; of "value" that of the measurement alone. */
static enum points_added put_field(struct reader *r, struct part measurement, const struct field *f,
	int64_t at_ms, struct points *p)
{
	const struct slice m = text_of(r, measurement);
	const struct slice key = text_of(r, (struct part){f->key_at, f->key_n});
	struct buf name = BUF(SERIES_KEY_MAX);
	buf_add_slice(&name, m);
	if (!slice_is(key, "value")) {
		buf_add_char(&name, '.');
		buf_add_slice(&name, key);
	}
	const enum points_added a = points_add(p, name.over ? SLICE("") : buf_slice(&name), r->keys,
		r->values, r->tags, at_ms, f->value);
	buf_fini(&name);
	return a;
}

/* POINTS_FULL, or ADDED also when it is none: r->wrong says so. */
static enum points_added read_line(struct reader *r, const struct precision *of, struct points *p)
{
	struct part keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX];
	struct field fields[FIELDS_MAX];
	const struct part measurement = word(r, ", ");
	if (!measurement.n)
		r->wrong = "missing measurement";
	if (!r->wrong)
		read_tags(r, keys, values);
	if (!r->wrong && !skip(r, ' '))
		r->wrong = "missing fields";
	skip_spaces(r);
	const size_t n = r->wrong ? 0 : read_fields(r, fields);
	const int64_t at_ms = r->wrong ? 0 : read_time(r, of);
	for (size_t i = 0; i < r->tags; i++) {
		r->keys[i] = text_of(r, keys[i]);
		r->values[i] = text_of(r, values[i]);
	}
	for (size_t i = 0; i < n && !r->wrong; i++) {
		const enum points_added a =
			fields[i].numeric ? put_field(r, measurement, &fields[i], at_ms, p)
					  : POINTS_ADDED;
		if (a == POINTS_FULL)
			return a;
		if (a != POINTS_ADDED)
			r->wrong = points_added_text(a);
	}
	return POINTS_ADDED;
}

static void say_bad(struct bad_lines *bad, struct slice line, const char *why)
{
	char text[WHY_MAX];
	struct bad_lines one = {0};
	/* in the words of InfluxDB, whose clients look for them */
	bad_lines_add(&one, "", line);
	snprintf(text, sizeof(text), "unable to parse '%.70s': %.60s", one.first + 2, why);
	bad->n++;
	if (!bad->first[0])
		snprintf(bad->first, sizeof(bad->first), "%s", text);
}

static const struct precision *find_precision(const char *name)
{
	static const struct precision rows[] = {{"", 1, 1000000}, {"n", 1, 1000000},
		{"ns", 1, 1000000}, {"u", 1, 1000}, {"us", 1, 1000}, {"ms", 1, 1}, {"s", 1000, 1},
		{"m", 60000, 1}, {"h", 3600000, 1}};
	for (size_t i = 0; i < array_len(rows); i++)
		if (!strcmp(name ? name : "", rows[i].name))
			return &rows[i];
	return NULL;
}

/* The end of a line; one that stands in quotes of a field is none. */
static size_t line_end(struct slice body)
{
	const char *stop = memchr(body.p, '\n', body.n);
	size_t n = stop ? (size_t)(stop - body.p) : body.n;
	if (!memchr(body.p, '"', n))
		return n;
	bool quoted = false, fields = false;
	for (n = 0; n < body.n && (quoted || body.p[n] != '\n'); n++) {
		if (body.p[n] == '\\' && n + 1 < body.n && body.p[n + 1] != '\n')
			n++;
		else if (body.p[n] == ' ' && !quoted)
			fields = true;
		else if (body.p[n] == '"' && fields)
			quoted = !quoted;
	}
	return n;
}

enum body_read influx_read(struct slice body, const char *precision, struct points *p,
	struct bad_lines *bad, struct error *err)
{
	const struct precision *of = find_precision(precision);
	struct reader r = {.text = BUF(BODY_DECODED_MAX)};
	enum points_added a = POINTS_ADDED;
	if (!of) {
		error_set(err, ERROR_INPUT,
			"the precision \"%.20s\" is none of ns, us, ms, s, m, h", precision);
		return BODY_WRONG;
	}
	while (body.n && a != POINTS_FULL) {
		const size_t n = line_end(body);
		struct slice line = slice_trim(slice_sub(body, 0, n));
		body = slice_sub(body, n + 1, body.n);
		if (!line.n || line.p[0] == '#')
			continue;
		buf_clear(&r.text);
		r.p = line.p;
		r.end = line.p + line.n;
		r.tags = 0;
		r.wrong = NULL;
		a = read_line(&r, of, p);
		if (r.wrong)
			say_bad(bad, line, r.wrong);
	}
	buf_fini(&r.text);
	if (a != POINTS_FULL)
		return BODY_TAKEN;
	error_set(err, ERROR_LIMIT,
		"more than %d values or %u bytes of them in one body: send less"
		" at once",
		POINTS_MAX, POINTS_BYTES);
	return BODY_LARGE;
}
