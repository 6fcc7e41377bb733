/* test_outposts.c - what of the observations of an outpost its house hears: those of now. */
#include "observe/report/outposts.h"

#include <stdlib.h>

#include "../check.h"
#include "../store/series_house.h"
#include "base/json.h"
#include "store/observation_code.h"

struct heard {
	unsigned n;
	int64_t at_ms;
	int status; /* of the parcel */
};

static void on_seen(void *arg, const struct observation *o)
{
	struct heard *h = arg;

	assert_string_equal(o->location, "berlin");
	h->n++;
	h->at_ms = o->at_ms;
}

static void on_about(void *arg)
{
}

static void on_trouble(void *arg, const char *location, const char *why)
{
}

static void on_answer(void *arg, const struct outposts_answer *a)
{
	struct heard *h = arg;

	h->status = a->status;
}

static bool no_name(void *arg, uint32_t id, struct buf *out, struct error *err)
{
	return false;
}

static struct parcel *parcel_of(const char *stream, int64_t sent_ms, int64_t at_ms)
{
	const struct observation o = {.cloud = "c",
		.probe = "p",
		.component = "",
		.at_ms = at_ms,
		.total_us = 1000,
		.tries = 1};
	struct buf note = BUF(1000), out = BUF(PARCEL_BYTES);
	struct parcel_writer w;
	struct error err = {0};
	json_t *head = json_pack("{s:s, s:s, s:I}", "location", "berlin", "stream", stream,
		"sent_ms", (json_int_t)sent_ms);
	char *text = json_text(head);

	observation_write(&note, &o);
	parcel_writer_init(&w);
	assert_true(parcel_writer_add(&w, 1, true, buf_slice(&note)));
	assert_true(parcel_writer_finish(&w, slice_of(text), no_name, NULL, &out, &err));
	struct parcel *p = parcel_read(buf_slice(&out), &err);
	assert_non_null(p);
	parcel_writer_fini(&w);
	buf_fini(&note);
	buf_fini(&out);
	free(text);
	json_decref(head);
	return p;
}

/* What becomes of a parcel in a house that knew nothing of the outpost. Each is of a stream of its
 * own, and so is taken from its first number on. */
static struct heard take(struct series_house *h, int64_t sent_ms, int64_t at_ms)
{
	static const char *const locations[] = {"berlin"};
	static unsigned streams;
	struct heard heard = {0};
	char stream[20];
	const struct outposts_options o = {on_seen, on_about, on_trouble, &heard};
	struct facts *f = facts_open(h->root, h->loop, &h->err);
	assert_non_null(f);
	struct outposts *all = outposts_new(h->loop, f, h->store, &o, &h->err);
	assert_non_null(all);
	snprintf(stream, sizeof(stream), "s%u", streams++);
	outposts_configure(all, locations, 1);
	outposts_take(all, "berlin", parcel_of(stream, sent_ms, at_ms), on_answer, &heard);
	loop_advance(h->loop, 10);
	outposts_free(all);
	facts_close(f);
	assert_true(heard.status > 0);
	return heard;
}

static void what_is_not_of_now_is_left_out(void **state)
{
	static const struct {
		int64_t clock_ms, at_ms; /* the outpost's clock and the time it gives, from now */
		bool heard;
	} t[] = {
		{0, -1000, true},
		{0, -2 * 60000, false},
		{0, 60000, true},
		{0, SERIES_HOUR_MS + 1000, false},
		{0, (INT64_C(1) << 43) + 1000, false}, /* in the year 2305 */
		{SERIES_DAY_MS, SERIES_DAY_MS - 1000, true},
	};
	struct series_house *h = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		const int64_t now = series_house_now(h);
		const struct heard heard = take(h, now + t[i].clock_ms, now + t[i].at_ms);
		assert_int_equal(heard.n, t[i].heard);
		if (heard.n)
			assert_int_equal(heard.at_ms, now + t[i].at_ms - t[i].clock_ms);
	}
}

/* Nor do they overflow when they are compared with ours. */
static void times_that_are_none_are_refused(void **state)
{
	static const struct {
		int64_t sent_ms, at_ms;
		bool refused;
	} t[] = {
		{INT64_MIN, 0, true}, {-1, 0, true}, {INT64_MAX, 0, true},
		{4102444800001, 0, true}, /* in the year 2100 */
		{4102444800000, INT64_MAX, false},
		{0, INT64_MAX, false}, /* of a clock that begins with 1970 */
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct heard heard = take(*state, t[i].sent_ms, t[i].at_ms);
		assert_int_equal(heard.status == 400, t[i].refused);
		assert_int_equal(heard.n, 0);
	}
}

int test_outposts(void)
{
	const struct CMUnitTest tests[] = {
		series_test(what_is_not_of_now_is_left_out),
		series_test(times_that_are_none_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
