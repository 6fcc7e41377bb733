/*
 * test_outbox.c - what is stored waits to be sent, numbered for ever; what was taken of others is
 * marked with what it brought; and the parcel between.
 */
#include "../check.h"
#include "base/json.h"
#include "series_house.h"
#include "store/observation_code.h"
#include "store/outbox.h"
#include "store/parcel.h"

#define SPOOL (1 << 20)

static void open_with_outbox(struct series_house *h, int64_t bytes)
{
	h->options.outbox_bytes = bytes;
	series_house_reopen(h);
}

static void append(struct series_house *h, const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct series_sample s = probe_sample(series_house_now(h), 1000 + (int64_t)i);
		assert_true(series_append(probe_series(h->store, name), &s));
	}
}

static void note(struct series_house *h, const char *probe)
{
	const struct observation o = {.cloud = "",
		.probe = probe,
		.component = "web",
		.at_ms = series_house_now(h),
		.fault = FAULT_TIMEOUT,
		.status = 504,
		.tries = 2,
		.warned = true,
		.severity = SEVERITY_DEGRADED,
		.detail = "gave up after 1 s",
		.request = "GET https://a/"};
	struct buf bytes = BUF(BUF_LINE);
	observation_write(&bytes, &o);
	outbox_note(h->store, buf_slice(&bytes));
	buf_fini(&bytes);
}

struct page {
	struct loop *loop;
	bool done;
	struct parcel *parcel;
	int64_t last;
	size_t items;
	uint64_t samples;
	bool more;
};

static void on_page(void *arg, const struct outbox_page *p, const struct error *err)
{
	struct page *page = arg;
	struct buf plain = BUF(PARCEL_BYTES);
	struct error why = {0};
	if (err)
		fail_msg("%s", err->msg);
	page->done = true;
	page->last = p->last;
	page->items = p->items;
	page->samples = p->samples;
	page->more = p->more;
	if (!parcel_unpack(p->parcel, &plain, &why) ||
		!(page->parcel = parcel_read(buf_slice(&plain), &why)))
		fail_msg("%s", why.msg);
	buf_fini(&plain);
}

static struct page read_page(struct series_house *h)
{
	struct page page = {.loop = h->loop};
	assert_non_null(outbox_read(h->store, SLICE("{\"location\": \"here\"}"), on_page, &page));
	assert_false(page.done);
	assert_true(loop_run_until(h->loop, &page.done));
	return page;
}

/* --- what waits ------------------------------------------------------------------------------- */

static void test_what_is_stored_waits(void **state)
{
	struct series_house *h = *state;
	open_with_outbox(h, SPOOL);
	append(h, "one", 3);
	append(h, "two", 2);
	note(h, "one");
	note(h, "two");
	series_house_pass(h, 2000);
	const struct outbox_state s = outbox_state(h->store);
	assert_int_equal(s.samples, 5);
	assert_int_equal(s.items, 2);
	assert_int_equal(strlen(s.stream), OUTBOX_STREAM - 1);
	struct page page = read_page(h);
	assert_int_equal(page.samples, 5);
	assert_int_equal(page.last, s.last);
	assert_false(page.more);
	const struct parcel *p = page.parcel;
	assert_string_equal(json_str(p->head, "location"), "here");
	assert_int_equal(p->items.n, 2);
	assert_false(p->items.p[0].note);
	assert_true(p->items.p[1].note && p->items.p[1].seq == s.last);
	assert_int_equal(p->series.n, 2);
	assert_string_equal(p->series.p[0].name, "one");
	assert_int_equal(parcel_series_place(p, p->series.p[1].id), 1);
	assert_int_equal(parcel_series_place(p, 12345), SIZE_MAX);
	struct code_in in = code_in(p->items.p[1].bytes.p, p->items.p[1].bytes.n);
	struct observation o;
	assert_true(observation_read(&in, &o));
	assert_string_equal(o.probe, "one");
	assert_string_equal(o.detail, "gave up after 1 s");
	assert_null(o.step);
	assert_true(o.fault == FAULT_TIMEOUT && o.status == 504 && o.tries == 2 && o.warned &&
		    o.severity == SEVERITY_DEGRADED);
	assert_true(observation_read(&in, &o));
	assert_string_equal(o.probe, "two");
	assert_false(observation_read(&in, &o));
	assert_false(in.bad);
	parcel_free(page.parcel);
}

static void test_numbers_never_go_back(void **state)
{
	struct series_house *h = *state;
	open_with_outbox(h, SPOOL);
	append(h, "one", 1);
	series_house_pass(h, 2000);
	const struct outbox_state first = outbox_state(h->store);
	assert_true(first.last > 0);
	outbox_taken(h->store, first.last);
	series_settle(h->store);
	assert_int_equal(outbox_state(h->store).items, 0);
	assert_int_equal(outbox_state(h->store).oldest_ms, 0);
	h->clock.unix_us -= 60LL * 1000000; /* set back, and started again */
	open_with_outbox(h, SPOOL);
	append(h, "one", 1);
	series_house_pass(h, 2000);
	const struct outbox_state second = outbox_state(h->store);
	assert_string_equal(first.stream, second.stream);
	assert_int_equal(second.items, 1);
	assert_true(second.last > first.last);
	/* The other side knows of more than we do: what comes is over that. */
	outbox_taken(h->store, second.last + 1000);
	append(h, "one", 1);
	series_house_pass(h, 2000);
	assert_int_equal(outbox_state(h->store).last, second.last + 1001);
}

static void test_the_oldest_go_for_lack_of_room(void **state)
{
	struct series_house *h = *state;
	open_with_outbox(h, 4096);
	for (size_t i = 0; i < 40; i++) {
		append(h, "one", 20);
		series_house_pass(h, 1100);
	}
	const struct outbox_state s = outbox_state(h->store);
	assert_true(s.bytes <= 4096 && s.too_many > 0 && s.too_old == 0);
	assert_int_equal(s.samples + s.too_many, 800);
	struct page page = read_page(h);
	assert_int_equal(page.samples, s.samples);
	assert_int_equal(page.last, s.last);
	parcel_free(page.parcel);
}

static void test_the_oldest_go_after_a_week(void **state)
{
	struct series_house *h = *state;
	open_with_outbox(h, SPOOL);
	append(h, "one", 3);
	series_house_pass(h, 2000);
	series_house_pass(h, 6 * SERIES_DAY_MS);
	append(h, "one", 1);
	series_house_pass(h, 2000);
	assert_int_equal(outbox_state(h->store).samples, 4);
	series_house_pass(h, SERIES_DAY_MS);
	append(h, "one", 1);
	series_house_pass(h, 2000);
	const struct outbox_state s = outbox_state(h->store);
	assert_int_equal(s.samples, 2);
	assert_int_equal(s.too_old, 3);
	assert_int_equal(s.too_many, 0);
}

static void test_pages_one_after_the_other(void **state)
{
	struct series_house *h = *state;
	uint64_t all = 0;
	int64_t before = 0;
	size_t pages = 0;
	open_with_outbox(h, 64 << 20);
	for (size_t i = 0; i < 30; i++) {
		append(h, i % 2 ? "one" : "two", 10000);
		series_house_pass(h, 1100);
	}
	for (bool more = true; more; pages++) {
		struct page page = read_page(h);
		assert_true(page.items > 0 && page.last > before);
		all += page.samples;
		before = page.last;
		more = page.more;
		parcel_free(page.parcel);
		outbox_taken(h->store, page.last);
	}
	series_settle(h->store);
	assert_int_equal(all, 300000);
	assert_true(pages > 1);
	assert_int_equal(outbox_state(h->store).items, 0);
	assert_int_equal(outbox_state(h->store).bytes, 0);
	struct page none = read_page(h);
	assert_true(none.items == 0 && none.last == 0);
	parcel_free(none.parcel);
}

static void fails(void *arg, const struct outbox_page *p, const struct error *err)
{
	fail_msg("it was cancelled");
}

static void test_cancelled(void **state)
{
	struct series_house *h = *state;
	open_with_outbox(h, SPOOL);
	outbox_cancel(outbox_read(h->store, SLICE("{}"), fails, NULL));
	series_settle(h->store);
}

/* --- what was taken --------------------------------------------------------------------------- */

static void count(void *arg)
{
	++*(size_t *)arg;
}

static void test_what_was_taken_is_marked(void **state)
{
	struct series_house *h = *state;
	size_t moved = 0;
	h->options.stored = count;
	h->options.trouble_arg = &moved;
	series_house_reopen(h);
	assert_int_equal(inbox_taken(h->store, "berlin/1"), 0);
	append(h, "one", 2);
	inbox_take(h->store, "berlin/1", 7);
	inbox_take(h->store, "berlin/1", 9);
	inbox_take(h->store, "paris/1", 3);
	assert_int_equal(inbox_taken(h->store, "berlin/1"), 0); /* not yet */
	inbox_hurry(h->store);
	series_settle(h->store);
	assert_int_equal(moved, 1);
	assert_int_equal(inbox_taken(h->store, "berlin/1"), 9);
	series_house_reopen(h);
	assert_int_equal(inbox_taken(h->store, "berlin/1"), 9);
	assert_int_equal(inbox_taken(h->store, "paris/1"), 3);
	assert_int_equal(inbox_taken(h->store, "paris/2"), 0);
}

/* --- parcels ---------------------------------------------------------------------------------- */

static bool name_it(void *arg, uint32_t id, struct buf *out, struct error *err)
{
	const struct parcel_name *name = arg;
	parcel_name_write(out, name);
	return true;
}

/* One sample of series 5, called as said. */
static void write_parcel(const struct parcel_name *name, struct buf *out)
{
	struct parcel_writer w;
	struct row_writer row;
	struct buf bytes = BUF(BUF_LINE);
	struct error err = {0};
	const struct series_sample s = {.at_ms = 1000, .value = 1};
	const struct row_series series = {5, SERIES_GAUGE};
	row_writer_init(&row);
	row_writer_add(&row, 0, SERIES_GAUGE, &s);
	row_writer_finish(&row, &series, 1, &bytes);
	parcel_writer_init(&w);
	assert_true(parcel_writer_add(&w, 17, false, buf_slice(&bytes)));
	assert_false(parcel_writer_add(&w, 17, false, buf_slice(&bytes))); /* they only grow */
	assert_false(parcel_writer_add(&w, 18, false, SLICE("no row")));
	assert_false(parcel_writer_add(&w, 18, true, SLICE("no note")));
	assert_int_equal(parcel_writer_series(&w), 1);
	assert_true(
		parcel_writer_finish(&w, SLICE("{}"), name_it, (void *)(uintptr_t)name, out, &err));
	parcel_writer_fini(&w);
	row_writer_fini(&row);
	buf_fini(&bytes);
}

static struct parcel *there_and_back(const struct parcel_name *name)
{
	struct buf plain = BUF(PARCEL_BYTES);
	struct error err = {0};
	write_parcel(name, &plain);
	struct parcel *p = parcel_read(buf_slice(&plain), &err);
	assert_true(p || err.msg[0]);
	buf_fini(&plain);
	return p;
}

static void test_names_of_series(void **state)
{
	(void)state;
	struct parcel *p = there_and_back(
		&(struct parcel_name){SERIES_GAUGE, "us", "probe", "{a=\"b\\\"c\",d=\"\\\\\"}"});
	assert_non_null(p);
	assert_int_equal(p->series.p[0].id, 5);
	assert_int_equal(p->series.p[0].tag_count, 2);
	assert_string_equal(p->series.p[0].tags[0].key, "a");
	assert_string_equal(p->series.p[0].tags[0].value, "b\"c");
	assert_string_equal(p->series.p[0].tags[1].value, "\\");
	parcel_free(p);
	static const struct parcel_name wrong[] = {
		{SERIES_GAUGE, "", "", ""}, {SERIES_GAUGE, "", "a{b", ""},
		{SERIES_GAUGE, "{", "a", ""}, {SERIES_GAUGE, "", "a", "b"},
		{SERIES_GAUGE, "", "a", "{b=\"c\""}, {SERIES_GAUGE, "", "a", "{b=\"c\"}d"},
		{SERIES_GAUGE, "", "a", "{b=\"c}"}, {SERIES_GAUGE, "", "a", "{b=\"c\",b=\"d\"}"},
		{SERIES_GAUGE, "", "a", "{=\"c\"}"}, {SERIES_GAUGE, "", "a", "{"},
		{SERIES_PROBE, "", "a", ""}, /* the row says that it is a gauge */
	};
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_null(there_and_back(&wrong[i]));
}

static void test_parcels_that_are_none(void **state)
{
	(void)state;
	struct buf plain = BUF(PARCEL_BYTES), packed = BUF(PARCEL_BYTES), back = BUF(PARCEL_BYTES);
	struct error err = {0};
	write_parcel(&(struct parcel_name){SERIES_GAUGE, "", "a", "{b=\"c\"}"}, &plain);
	for (size_t n = 0; n < plain.n; n++) /* cut anywhere */
		assert_null(parcel_read(slice_from(plain.p, n), &err));
	for (size_t i = 0; i < plain.n; i++) { /* or changed: read as another, or not at all */
		plain.p[i] ^= 0x41;
		parcel_free(parcel_read(buf_slice(&plain), &err));
		plain.p[i] ^= 0x41;
	}
	parcel_pack(buf_slice(&plain), &packed);
	assert_true(parcel_unpack(buf_slice(&packed), &back, &err));
	assert_true(slice_eq(buf_slice(&back), buf_slice(&plain)));
	assert_false(parcel_unpack(slice_from(packed.p, packed.n - 1), &back, &err));
	assert_false(parcel_unpack(SLICE("nothing"), &back, &err));
	/* A frame that says it is larger than may be. */
	static const char huge[] = "\x28\xb5\x2f\xfd\xa0\xff\xff\xff\x7f\x01\x00\x00";
	assert_false(parcel_unpack(slice_from(huge, sizeof(huge) - 1), &back, &err));
	assert_int_equal(err.kind, ERROR_LIMIT);
	buf_fini(&plain);
	buf_fini(&packed);
	buf_fini(&back);
}

static void test_long_texts_are_cut_between_letters(void **state)
{
	(void)state;
	char text[OBSERVATION_TEXT_MAX + 100];
	struct buf bytes = BUF(BUF_LINE);
	struct observation o = {.cloud = "c", .probe = "p", .component = "", .detail = text}, back;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[0] = 'a';
	text[1] = 'b';
	text[2] = 'c'; /* all others lie across the limit */
	text[3] = 'd';
	memmove(text + 1, text, sizeof(text) - 2);
	text[sizeof(text) - 1] = '\0';
	while (strlen(text) && !utf8_valid(slice_of(text)))
		text[strlen(text) - 1] = '\0';
	o.request = "\xff no UTF-8";
	observation_write(&bytes, &o);
	assert_true(observations_valid(buf_slice(&bytes)));
	struct code_in in = code_in(bytes.p, bytes.n);
	assert_true(observation_read(&in, &back));
	assert_in_range(strlen(back.detail), OBSERVATION_TEXT_MAX - 3, OBSERVATION_TEXT_MAX);
	assert_null(back.request);
	assert_string_equal(back.component, "");
	buf_fini(&bytes);
}

int test_outbox(void)
{
	const struct CMUnitTest tests[] = {
		series_test(test_what_is_stored_waits),
		series_test(test_numbers_never_go_back),
		series_test(test_the_oldest_go_for_lack_of_room),
		series_test(test_the_oldest_go_after_a_week),
		series_test(test_pages_one_after_the_other),
		series_test(test_cancelled),
		series_test(test_what_was_taken_is_marked),
		cmocka_unit_test(test_names_of_series),
		cmocka_unit_test(test_parcels_that_are_none),
		cmocka_unit_test(test_long_texts_are_cut_between_letters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
