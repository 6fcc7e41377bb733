/* test_graphite_in.c - Graphite's lines and pickles, read. The pickles are what Python's pickle and
 * carbon's client write; tests/scene/test_ingest.py has the real thing. */
#include "../check.h"
#include "observe/ingest/graphite.h"

static const char *line(struct points *p, const char *text)
{
	return graphite_line_read(slice_of(text), p);
}

static void lines_become_points(void **state)
{
	struct points *p = points_new();

	assert_null(line(p, "a.b.c 1.5 1700000000"));
	assert_null(line(p, "a.b;zone=x;az=1  -2e3\t1700000000.25 "));
	assert_null(line(p, "a 1 -1"));
	assert_null(line(p, "a 1 N"));
	assert_null(line(p, "a 1"));
	assert_int_equal(points_count(p), 5);
	struct point t = points_at(p, 0);
	assert_true(slice_is(t.name, "a.b.c") && t.value == 1.5 && t.at_ms == 1700000000000LL);
	t = points_at(p, 1);
	assert_true(slice_is(t.name, "a.b") && t.value == -2000 && t.at_ms == 1700000000250LL);
	assert_int_equal(t.tag_count, 2);
	assert_string_equal(t.tags[0].key, "az");
	assert_string_equal(t.tags[1].value, "x");
	for (size_t i = 2; i < 5; i++)
		assert_true(points_at(p, i).at_ms == POINTS_NOW);
	points_free(p);
}

static void lines_that_are_none_say_why(void **state)
{
	static const char *const bad[] = {"", "a", "a nan 1", "a inf 1", "a x 1", "a 1 x", "a 1 -2",
		"a 1 1e12", "a 1 2 3", ";k=v 1 2", "a;k 1 2", "a;=v 1 2", "a;k=v;; 1 2", "a{b 1 2",
		"\xff 1 2", "a 1 n"};
	struct points *p = points_new();

	for (size_t i = 0; i < array_len(bad); i++)
		if (!line(p, bad[i]))
			fail_msg("%s", bad[i]);
	assert_int_equal(points_count(p), 0);
	points_free(p);
}

#define PICKLE(text) slice_from("" text, sizeof(text) - 1)

static const char *pickled(struct points *p, struct slice s, struct bad_lines *bad)
{
	*bad = (struct bad_lines){0};
	return graphite_pickle_read(s, p, bad);
}

/* pickle.dumps([("a.b", (1700000000, 1.5)), ("a.b", (1.7e9, 2))], protocol) */
static void every_protocol_is_read(void **state)
{
	const struct slice all[] = {
		PICKLE("(lp0\n(Va.b\np1\n(I1700000000\nF1.5\ntp2\ntp3\na(g1\n(F1700000000.0\nI2\ntp4\n"
		       "tp5\na."),
		PICKLE("]q\x00((X\x03\x00\x00\x00"
		       "a.bq\x01(J\x00\xf1\x53\x65G?\xf8\x00\x00\x00\x00\x00\x00tq\x02tq\x03(h\x01("
		       "GA\xd9\x54\xfc\x40\x00\x00\x00K\x02tq\x04tq\x05"
		       "e."),
		PICKLE("\x80\x02]q\x00(X\x03\x00\x00\x00"
		       "a.bq\x01J\x00\xf1\x53\x65G?\xf8\x00\x00\x00\x00\x00\x00\x86q\x02\x86q\x03h"
		       "\x01GA\xd9\x54\xfc\x40\x00\x00\x00K\x02\x86q\x04\x86q\x05"
		       "e."),
		PICKLE("\x80\x04\x95\x30\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x03"
		       "a.b\x94J\x00\xf1\x53\x65G?\xf8\x00\x00\x00\x00\x00\x00\x86\x94\x86\x94h\x01"
		       "GA\xd9\x54\xfc\x40\x00\x00\x00K\x02\x86\x94\x86\x94"
		       "e."),
		PICKLE("(lp0\n(S'a.b'\np1\n(L1700000000L\nS'1.5'\ntp2\ntp3\na(g1\n(I1700000000\nI2\n"
		       "tp4\ntp5\na."),
	};
	struct bad_lines bad;

	for (size_t i = 0; i < 5; i++) {
		struct points *p = points_new();
		const char *wrong = pickled(p, all[i], &bad);
		if (wrong || bad.n)
			fail_msg("%zu: %s %s", i, wrong ? wrong : "", bad.first);
		assert_int_equal(points_count(p), 2);
		assert_true(slice_is(points_at(p, 0).name, "a.b") && points_at(p, 0).value == 1.5 &&
			    points_at(p, 0).at_ms == 1700000000000LL);
		assert_true(slice_is(points_at(p, 1).name, "a.b") && points_at(p, 1).value == 2 &&
			    points_at(p, 1).at_ms == 1700000000000LL);
		points_free(p);
	}
}

/* pickle.dumps([["a.b", [1700000000, True]], ("a.b", [1700000000, 2**70]), ["a.b", (1700000000,
 * -2**40)]], protocol): what carbon takes too. */
static void lists_and_all_numbers_are_taken(void **state)
{
	const struct slice all[] = {
		PICKLE("\x80\x02]q\x00(]q\x01(X\x03\x00\x00\x00"
		       "a.bq\x02]q\x03(J\x00\xf1Se\x88"
		       "eeh\x02]q\x04(J\x00\xf1Se\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@e\x86q\x05]q\x06(h\x02J\x00\xf1Se\x8a\x06\x00\x00\x00\x00\x00\xff\x86q\x07"
		       "ee."),
		PICKLE("\x80\x04\x95"
		       "F\x00\x00\x00\x00\x00\x00\x00]\x94(]\x94(\x8c\x03"
		       "a.b\x94]\x94(J\x00\xf1Se\x88"
		       "eeh\x02]\x94(J\x00\xf1Se\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@e\x86\x94]\x94(h\x02J\x00\xf1Se\x8a\x06\x00\x00\x00\x00\x00\xff\x86\x94"
		       "ee."),
	};
	struct bad_lines bad;

	for (size_t i = 0; i < array_len(all); i++) {
		struct points *p = points_new();
		const char *wrong = pickled(p, all[i], &bad);
		if (wrong || bad.n)
			fail_msg("%zu: %s %s", i, wrong ? wrong : "", bad.first);
		assert_int_equal(points_count(p), 3);
		assert_true(points_at(p, 0).value == 1);
		assert_true(points_at(p, 1).value == 1180591620717411303424.0);
		assert_true(points_at(p, 2).value == -1099511627776.0);
		points_free(p);
	}
	struct points *p = points_new(); /* -5 in more bytes than it needs */
	assert_null(pickled(p,
		PICKLE("]q\x00(X\x03\x00\x00\x00"
		       "a.bq\x01J\x00\xf1Se\x8a\x08\xfb\xff\xff\xff\xff\xff\xff\xff\x86\x86"
		       "e."),
		&bad));
	assert_true(points_count(p) == 1 && points_at(p, 0).value == -5);
	points_free(p);
}

static void nothing_is_ever_run_or_looked_up(void **state)
{
	const struct slice evil[] = {
		PICKLE("cos\nsystem\n(S'true'\ntR."),
		PICKLE("(S'true'\nios\nsystem\n."),
		PICKLE("\x80\x02"
		       "cposix\nsystem\nX\x04\x00\x00\x00true\x85R."),
		PICKLE("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."),
		PICKLE("(dp0\n."),
		PICKLE("}."),
		PICKLE("\x8f."),
		PICKLE("(lp0\n(S'x'\nb."),
		PICKLE("Pnothing\n."),
		PICKLE("\x82\x01."),
		PICKLE("]\x81."),
	};
	struct points *p = points_new();
	struct bad_lines bad;

	for (size_t i = 0; i < array_len(evil); i++)
		if (!pickled(p, evil[i], &bad))
			fail_msg("%zu", i);
	assert_int_equal(points_count(p), 0);
	points_free(p);
}

static void what_is_broken_is_refused(void **state)
{
	const struct slice broken[] = {PICKLE(""), PICKLE("."), PICKLE("]"), PICKLE("]]."),
		PICKLE("K\x01."), PICKLE("a."), PICKLE("]a."), PICKLE("e."), PICKLE("(e."),
		PICKLE("h\x00."), PICKLE("]q\xff.."), PICKLE("p0\n."), PICKLE("X\xff\xff\xff\xff."),
		PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), PICKLE("\x86."),
		PICKLE("](K\x01."),
		PICKLE("]."
		       "]."),
		PICKLE("]r\xff\xff\xff\x7f."), PICKLE("G\x00.")};
	struct points *p = points_new();
	struct bad_lines bad;

	for (size_t i = 0; i < array_len(broken); i++)
		if (!pickled(p, broken[i], &bad))
			fail_msg("%zu", i);
	/* items that are none are counted; the others are taken */
	assert_null(pickled(p,
		PICKLE("](K\x01X\x01\x00\x00\x00"
		       "aK\x05N\x86\x86X\x01\x00\x00\x00"
		       "aK\x05K\x01\x86\x86X\x01\x00\x00\x00"
		       "aK\x05G\x7f\xf0\x00\x00\x00\x00\x00\x00\x86\x86X\x01\x00\x00\x00"
		       "aNK\x01\x86\x86X\x00\x00\x00\x00K\x05K\x01\x86\x86"
		       "e."),
		&bad));
	assert_int_equal(bad.n, 5);
	assert_int_equal(points_count(p), 1);
	points_free(p);
}

int test_graphite_in(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_points),
		cmocka_unit_test(lines_that_are_none_say_why),
		cmocka_unit_test(every_protocol_is_read),
		cmocka_unit_test(lists_and_all_numbers_are_taken),
		cmocka_unit_test(nothing_is_ever_run_or_looked_up),
		cmocka_unit_test(what_is_broken_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
