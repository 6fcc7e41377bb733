/*
 * test_series_restart.c - what the tail holds of an hour is read back in pieces, whoever seals it
 * meanwhile, and what is handed over meanwhile waits.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "../check.h"
#include "series_count.h"
#include "store/series_writer.h"

#define SERIES 40
#define ROWS   48 /* a minute apart: in one hour */
#define EACH   75 /* of a series in a row */
#define MINUTE 60000
#define ROW    (SERIES * EACH * 20) /* bytes that it has at most */

static struct series *series_of(struct series_store *st, size_t i)
{
	char name[16];

	snprintf(name, sizeof(name), "part.%zu", i);
	return kind_series(st, SERIES_GAUGE, name);
}

static void append_row(struct series_store *st, int64_t at_ms, size_t row)
{
	for (size_t i = 0; i < SERIES; i++)
		for (size_t k = 0; k < EACH; k++) {
			const struct series_sample one = {
				.at_ms = at_ms + (int64_t)k, .value = (double)(row * EACH + k)};

			assert_true(series_append(series_of(st, i), &one));
		}
}

/* From 22:10 to 22:58. */
static void fill(struct series_house *h)
{
	for (size_t row = 0; row < ROWS; row++) {
		append_row(h->store, series_house_now(h), row);
		series_house_pass(h, MINUTE);
	}
}

/* All rows of all series, each sample once and in order. */
static void assert_whole(const struct series_house *h, struct series_store *st, size_t rows)
{
	const int64_t now = series_house_now(h);

	for (size_t i = 0; i < SERIES; i++) {
		struct answer a;

		if (!ask_runs(
			    series_of(st, i), h->loop, now - 4 * SERIES_HOUR_MS, now + MINUTE, &a))
			fail_msg("%s", a.err.msg);
		assert_int_equal(a.runs.n, rows * EACH);
		for (size_t k = 0; k < a.runs.n; k++)
			assert_true(a.runs.p[k].value == (double)k);
		answer_fini(&a);
	}
}

/* --- the writer's half -------------------------------------------------------------------------
 */

static struct writer *writer_of(const struct series_house *h, bool read_only)
{
	int64_t keep_ms[LEVELS];
	char *dir = path_of(h, "");

	for (size_t i = 0; i < LEVELS; i++)
		keep_ms[i] = 1000 * SERIES_DAY_MS;
	struct writer *w = writer_new(dir, read_only, keep_ms, 0);
	free(dir);
	return w;
}

struct told {
	size_t rows, turns, hours;
	unsigned parts;
	bool covered;
};

/* One turn; whether there is more. */
static bool turn(struct writer *w, struct told *told, int64_t now_ms, bool seal)
{
	struct turn t = {.now_ms = now_ms, .seal = seal};
	size_t bytes = 0;

	writer_turn(w, &t);
	if (!t.good)
		fail_msg("%s", t.err.msg);
	VEC_EACH (&t.rows, struct found_row, r) {
		assert_true(r->n < ROW);
		bytes += r->n;
	}
	assert_true(bytes <= TAIL_PIECE + ROW);
	VEC_EACH (&t.hours, struct hour_parts, p) {
		told->hours++;
		told->parts = p->parts;
		told->covered = p->covered;
	}
	told->rows += t.rows.n;
	told->turns++;
	const bool more = t.more;
	turn_fini(&t);
	return more;
}

static void a_turn_tells_a_piece(void **state)
{
	struct series_house *h = *state;

	fill(h);
	close_house(h);
	for (int read_only = 0; read_only < 2; read_only++) {
		struct writer *w = writer_of(h, read_only);
		struct told told = {0};

		while (turn(w, &told, series_house_now(h), false))
			assert_true(told.rows < ROWS);
		assert_int_equal(told.rows, ROWS);
		assert_true(told.turns > 2);
		writer_free(w);
	}
	h->store = series_open(h->root, h->loop, &h->options, &h->err);
	assert_non_null(h->store);
}

/* Another process does, between the first piece and the second. */
static void seal_it(struct series_house *h)
{
	h->store = series_open(h->root, h->loop, &h->options, &h->err);
	assert_non_null(h->store);
	series_house_pass(h, 20 * MINUTE);
	assert_whole(h, h->store, ROWS);
}

/* It is told of no seal, so it must be told of all rows. */
static void who_only_looks_sees_the_tail_as_it_was(void **state)
{
	struct series_house *h = *state;
	struct told told = {0};

	fill(h);
	close_house(h);
	struct writer *w = writer_of(h, true);
	assert_true(turn(w, &told, series_house_now(h), false));
	seal_it(h);
	while (turn(w, &told, series_house_now(h), false))
		assert_true(told.rows < ROWS);
	assert_int_equal(told.rows, ROWS);
	assert_int_equal(told.hours, 0);
	writer_free(w);
}

/* And who seals himself is told of the seal, and that nothing of the hour is left beside it. */
static void what_was_sealed_between_two_pieces_is_told(void **state)
{
	struct series_house *h = *state;
	struct told told = {0};

	fill(h);
	close_house(h);
	struct writer *w = writer_of(h, false);
	assert_true(turn(w, &told, series_house_now(h), false));
	seal_it(h);
	assert_false(turn(w, &told, series_house_now(h), false));
	assert_true(told.rows < ROWS);
	told = (struct told){0};
	assert_false(turn(w, &told, series_house_now(h), true));
	assert_int_equal(told.rows, 0);
	assert_int_equal(told.hours, 1);
	assert_int_equal(told.parts, 1);
	assert_true(told.covered);
	writer_free(w);
}

/* --- the whole store ---------------------------------------------------------------------------
 */

static void all_of_it_is_there_after_a_restart(void **state)
{
	struct series_house *h = *state;

	fill(h);
	h->options.read_only = true;
	series_house_reopen(h);
	assert_whole(h, h->store, ROWS);
	h->options.read_only = false;
	series_house_reopen(h);
	assert_whole(h, h->store, ROWS);
	assert_true(series_status(h->store).spilled_bytes > 0);
	series_house_pass(h, 20 * MINUTE);
	assert_whole(h, h->store, ROWS);
	series_house_reopen(h);
	assert_whole(h, h->store, ROWS);
	assert_int_equal(series_status(h->store).corrupt, 0);
}

static int64_t rows_left(const struct series_house *h)
{
	char *path = path_of(h, "tail.db");
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT count(*) FROM row", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	const int64_t n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(path);
	return n;
}

/* Another process stores more than a piece between two turns of ours. */
static void what_is_handed_over_meanwhile_is_done_after_it(void **state)
{
	struct series_house *h = *state;

	series_settle(h->store); /* it takes the lock, and seals */
	struct series_store *other = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(other);
	for (size_t row = 0; row < ROWS; row++) {
		append_row(other, series_house_now(h) + (int64_t)row * 1000, row);
		series_settle(other);
	}
	append_row(h->store, series_house_now(h) + ROWS * 1000, ROWS);
	series_settle(h->store);
	assert_int_equal(series_status(h->store).waiting, 0);
	assert_int_equal(rows_left(h), ROWS + 1);
	assert_whole(h, h->store, ROWS + 1);
	series_close(other);

	/* and the seal of that hour is due while there is more */
	other = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(other);
	for (size_t row = 1; row < ROWS; row++) {
		append_row(other, series_house_now(h) + (int64_t)(ROWS + row) * 1000, ROWS + row);
		series_settle(other);
	}
	loop_advance(h->loop, 65 * MINUTE * NS_PER_MS);
	series_settle(h->store);
	assert_int_equal(rows_left(h), 0);
	assert_whole(h, h->store, 2 * ROWS);
	series_settle(other);
	series_close(other);
}

int test_series_restart(void)
{
	const struct CMUnitTest tests[] = {
		series_test(a_turn_tells_a_piece),
		series_test(who_only_looks_sees_the_tail_as_it_was),
		series_test(what_was_sealed_between_two_pieces_is_told),
		series_test(all_of_it_is_there_after_a_restart),
		series_test(what_is_handed_over_meanwhile_is_done_after_it),
	};

	return cmocka_run_group_tests_name("series_restart", tests, NULL, NULL);
}
