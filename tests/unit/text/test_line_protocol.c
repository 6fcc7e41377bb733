/*
 * What is written is read back by a strict reader of the line protocol, written from its
 * description: whatever the texts are, a line keeps its parts.
 */
#include "../check.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/vec.h"
#include "text/line_protocol.h"

/* --- a reader that takes nothing but what the protocol allows ----------------------------------
 */

struct pair {
	char *key, *value; /* a text's value without quotes */
	char kind;         /* of a field: 'i' 'r' 't'; a tag 0 */
};

struct point {
	char *measurement;
	VEC(struct pair) tags, fields;
	int64_t at; /* 0: none */
};

/* Up to an unescaped character of `end`; escapes of `escaped` are taken off. NULL: nothing there.
 */
static char *read_name(const char **p, const char *escaped, const char *end)
{
	struct buf out = BUF(BUF_LINE);
	while (**p && !strchr(end, **p)) {
		assert_true((unsigned char)**p >= ' ');
		assert_null(strchr(escaped, **p)); /* would have to be escaped */
		if (**p == '\\') {
			/* A reader may skip what follows any backslash: then no part may end there.
			 */
			assert_true((*p)[1] != 0);
			if (strchr(escaped, (*p)[1]))
				(*p)++;
			else
				assert_null(strchr(end, (*p)[1]));
		}
		buf_add_char(&out, *(*p)++);
	}
	assert_true(out.n > 0);
	return buf_take(&out);
}

static void read_field(const char **p, struct pair *f)
{
	f->key = read_name(p, ",= ", "=");
	assert_int_equal(*(*p)++, '=');
	if (**p == '"') {
		struct buf out = BUF(BUF_LINE);
		for ((*p)++; **p != '"'; (*p)++) {
			assert_true((unsigned char)**p >= ' ');
			if (**p == '\\') {
				(*p)++;
				assert_true(**p == '"' || **p == '\\');
			}
			buf_add_char(&out, **p);
		}
		(*p)++;
		f->kind = 't';
		f->value = mem_strdup(buf_str(&out));
		buf_fini(&out);
		return;
	}
	char *end;
	(void)strtod(*p, &end);
	assert_true(end > *p);
	f->value = mem_strndup(*p, (size_t)(end - *p));
	f->kind = *end == 'i' ? 'i' : 'r';
	*p = end + (*end == 'i');
}

static void read_line(const char *line, struct point *ret)
{
	const char *p = line;
	memset(ret, 0, sizeof(*ret));
	assert_true(*p != '#' && *p != ' ');
	ret->measurement = read_name(&p, ", ", ", ");
	while (*p == ',') {
		struct pair tag = {0};
		p++;
		tag.key = read_name(&p, ",= ", "=");
		assert_int_equal(*p++, '=');
		tag.value = read_name(&p, ",= ", ", ");
		vec_push(&ret->tags, tag);
	}
	assert_int_equal(*p, ' ');
	do {
		struct pair field = {0};
		p++;
		read_field(&p, &field);
		vec_push(&ret->fields, field);
	} while (*p == ',');
	if (*p == ' ') {
		char *end;
		ret->at = strtoll(p + 1, &end, 10);
		assert_true(end > p + 1);
		p = end;
	}
	assert_string_equal(p, "\n");
}

static void point_fini(struct point *x)
{
	free(x->measurement);
	VEC_EACH (&x->tags, struct pair, t) {
		free(t->key);
		free(t->value);
	}
	VEC_EACH (&x->fields, struct pair, f) {
		free(f->key);
		free(f->value);
	}
	vec_fini(&x->tags);
	vec_fini(&x->fields);
}

/* --- examples --------------------------------------------------------------------------------- */

static const char *simple(struct buf *out, const char *tag, const char *text)
{
	struct line l;
	buf_clear(out);
	line_begin(&l, out, "m");
	line_tag(&l, "t", tag);
	line_text(&l, "f", text);
	assert_true(line_end(&l, 0));
	return buf_str(out);
}

static void a_line_is_written_as_the_protocol_says(void **state)
{
	struct buf out = BUF(BUF_LINE);
	struct line l;
	line_begin(&l, &out, "my data, all");
	line_tag(&l, "a key", "x=y, z");
	line_tag(&l, "empty", "");
	line_tag(&l, "none", NULL);
	line_real(&l, "r", 1.25, 3);
	line_real(&l, "nan", NAN, 3);
	line_int(&l, "i", -202);
	line_text(&l, "t", "say \"a\\b\", c=d");
	assert_true(line_end(&l, 1465839830100400200));
	assert_string_equal(buf_str(&out),
		"my\\ data\\,\\ all,a\\ key=x\\=y\\,\\ z r=1.250,i=-202i,"
		"t=\"say \\\"a\\\\b\\\", c=d\" 1465839830100400200\n");
	buf_clear(&out);
	line_begin(&l, &out, "#no comment");
	line_int(&l, "n", 1);
	assert_true(line_end(&l, 0));
	assert_string_equal(buf_str(&out), "_no\\ comment n=1i\n");
	buf_fini(&out);
}

static void what_would_part_the_line_and_cannot_be_escaped_is_replaced(void **state)
{
	struct buf out = BUF(BUF_LINE);
	assert_string_equal(simple(&out, "C:\\", "C:\\"), "m,t=C:/ f=\"C:\\\\\"\n");
	assert_string_equal(simple(&out, "a\\,b", ""), "m,t=a/\\,b f=\"\"\n");
	assert_string_equal(simple(&out, "a\\b", "x"), "m,t=a\\b f=\"x\"\n");
	assert_string_equal(simple(&out, "a\nb", "a\nb"), "m,t=a\\ b f=\"a b\"\n");
	assert_string_equal(simple(&out, "a\\\nb", "\t"), "m,t=a/\\ b f=\" \"\n");
	buf_fini(&out);
}

static void a_line_without_a_field_is_none(void **state)
{
	struct buf out = BUF(BUF_LINE);
	struct line l;
	buf_add_str(&out, "before\n");
	line_begin(&l, &out, "m");
	line_tag(&l, "t", "x");
	line_real(&l, "r", INFINITY, 1);
	line_text(&l, "f", NULL);
	assert_false(line_end(&l, 1));
	assert_string_equal(buf_str(&out), "before\n");
	buf_fini(&out);
}

/* --- any text --------------------------------------------------------------------------------- */

/* Mostly of what means something, and at times of anything. */
static char *draw(struct random *r, bool may_be_empty)
{
	static const char special[] = "\\\\,,==  \"#\n\t\r\x7f{}'/a\xc3\xa9";
	char text[24];
	const size_t n = random_below(r, sizeof(text) - 1) + !may_be_empty;
	for (size_t i = 0; i < n && i < sizeof(text) - 1; i++)
		text[i] = random_below(r, 4) ? special[random_below(r, sizeof(special) - 1)]
					     : (char)(1 + random_below(r, 255));
	return mem_strndup(text, n < sizeof(text) - 1 ? n : sizeof(text) - 1);
}

/* What becomes of a text: as it is, but for what the header says is replaced. */
static void expect_name(const char *given, const char *read)
{
	assert_int_equal(strlen(given), strlen(read));
	for (size_t i = 0; given[i]; i++) {
		const unsigned char c = (unsigned char)given[i];
		if (c == '\\')
			assert_true(read[i] == '\\' || read[i] == '/');
		else if (i == 0 && c == '#')
			assert_true(read[i] == '#' || read[i] == '_');
		else
			assert_int_equal((unsigned char)read[i], c < ' ' || c == 0x7f ? ' ' : c);
	}
}

static void expect_text(const char *given, const char *read)
{
	assert_int_equal(strlen(given), strlen(read));
	for (size_t i = 0; given[i]; i++) {
		const unsigned char c = (unsigned char)given[i];
		assert_int_equal((unsigned char)read[i], c < ' ' || c == 0x7f ? ' ' : c);
	}
}

static void whatever_the_texts_are_a_line_reads_back(void **state)
{
	struct random r;
	random_init_seed(&r, 20260101);
	for (int round = 0; round < 20000; round++) {
		char *m = draw(&r, false), *key = draw(&r, false), *tag = draw(&r, true);
		char *field = draw(&r, false), *text = draw(&r, true);
		const int64_t n = (int64_t)random_u64(&r), at = (int64_t)(random_u64(&r) >> 2);
		const double x = (random_unit(&r) - 0.5) * 1e6;
		struct buf out = BUF(BUF_LINE);
		struct line l;
		struct point p;
		line_begin(&l, &out, m);
		line_tag(&l, key, tag);
		line_tag(&l, "last", "v");
		line_text(&l, field, text);
		line_int(&l, "n", n);
		line_real(&l, "x", x, 6);
		assert_true(line_end(&l, at));
		read_line(buf_str(&out), &p);
		expect_name(m, p.measurement);
		assert_int_equal(p.tags.n, *tag ? 2 : 1);
		if (*tag) {
			expect_name(key, p.tags.p[0].key);
			expect_name(tag, p.tags.p[0].value);
		}
		assert_string_equal(p.tags.p[p.tags.n - 1].value, "v");
		assert_int_equal(p.fields.n, 3);
		expect_name(field, p.fields.p[0].key);
		expect_text(text, p.fields.p[0].value);
		assert_int_equal(p.fields.p[1].kind, 'i');
		assert_int_equal(strtoll(p.fields.p[1].value, NULL, 10), n);
		assert_int_equal(p.fields.p[2].kind, 'r');
		assert_true(fabs(strtod(p.fields.p[2].value, NULL) - x) < 1e-5);
		assert_int_equal(p.at, at);
		point_fini(&p);
		buf_fini(&out);
		char *texts[] = {m, key, tag, field, text};
		for (size_t i = 0; i < array_len(texts); i++)
			free(texts[i]);
	}
}

int test_line_protocol(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_written_as_the_protocol_says),
		cmocka_unit_test(what_would_part_the_line_and_cannot_be_escaped_is_replaced),
		cmocka_unit_test(a_line_without_a_field_is_none),
		cmocka_unit_test(whatever_the_texts_are_a_line_reads_back),
	};
	return cmocka_run_group_tests_name("text/line_protocol", tests, NULL, NULL);
}
