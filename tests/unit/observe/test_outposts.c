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
	struct facts *f = facts_open(h->root, h->loop, &h->err);
	const char *const locations[] = {"berlin"};

	assert_non_null(f);
	for (size_t i = 0; i < array_len(t); i++) {
		struct heard heard = {0};
		char stream[20];
		const struct outposts_options o = {on_seen, on_about, on_trouble, &heard};
		struct outposts *all = outposts_new(h->loop, f, h->store, &o, &h->err);
		assert_non_null(all);
		snprintf(stream, sizeof(stream), "s%zu", i); /* each from its first number on */
		outposts_configure(all, locations, 1);
		const int64_t now = series_house_now(h);
		outposts_take(all, "berlin",
			parcel_of(stream, now + t[i].clock_ms, now + t[i].at_ms), on_answer,
			&heard);
		loop_advance(h->loop, 10);
		assert_int_equal(heard.n, t[i].heard);
		if (heard.n)
			assert_int_equal(heard.at_ms, now + t[i].at_ms - t[i].clock_ms);
		outposts_free(all);
		assert_true(heard.status > 0);
	}
	facts_close(f);
}

int test_outposts(void)
{
	const struct CMUnitTest tests[] = {
		series_test(what_is_not_of_now_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
