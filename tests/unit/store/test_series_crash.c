/*
 * test_series_crash.c - series and processes that die, files that rot, and two processes at once.
 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/random.h"
#include "series_count.h"
#include "store_house.h"

static void copy_file(const char *from, const char *to)
{
	char *command = mem_printf("cp %s %s", from, to);

	assert_int_equal(system(command), 0);
	free(command);
}

/* --- kill -9 -----------------------------------------------------------------------------------
 */

/* Appends 0, 1, 2 ... two minutes apart, tells after each settling how many are durable. */
static void append_until_killed(const char *root, size_t from, int say)
{
	struct clock clock;
	struct error err = {0};

	clock_init_virtual(&clock, (BEGIN + (int64_t)from * 60000) * 1000);
	struct loop *l = loop_new(&clock, &err);
	struct series_store *st = series_open(root, l, NULL, &err);
	if (!st)
		_exit(8);
	struct series *s = kind_series(st, SERIES_GAUGE, "count");
	for (size_t n = from; n < 2000; n++) {
		const struct series_sample sample = {
			.at_ms = clock_unix_us(&clock) / 1000, .value = (double)n};
		const size_t durable = n + 1;

		series_append(s, &sample);
		loop_advance(l, 60000 * NS_PER_MS);
		if (n % 5 != 4)
			continue;
		series_settle(st);
		if (write(say, &durable, sizeof(durable)) != sizeof(durable))
			_exit(9);
	}
	_exit(0);
}

static size_t run_and_kill(const struct series_house *h, size_t from, unsigned after)
{
	int fds[2];
	size_t durable = from, told;

	assert_int_equal(pipe(fds), 0);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(60);
		append_until_killed(h->root, from, fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &told, sizeof(told)) == sizeof(told)) {
		durable = told;
		if (after-- == 0)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return durable;
}

static struct series_store *look(
	const struct series_house *h, struct clock *clock, struct loop **ret_loop, size_t n)
{
	struct error err = {0};

	clock_init_virtual(clock, (BEGIN + (int64_t)n * 60000) * 1000);
	*ret_loop = loop_new(clock, &err);
	struct series_store *st = series_open(h->root, *ret_loop, NULL, &err);
	if (!st)
		fail_msg("%s", err.msg);
	return st;
}

static void kill_9_loses_only_what_was_not_told_durable(void **state)
{
	struct series_house *h = *state;
	size_t n = 0;

	close_house(h);
	for (unsigned round = 0; round < 16; round++) {
		const size_t durable = run_and_kill(h, n, round % 5 * 2);
		struct clock clock;
		struct loop *l;
		struct series_store *st = look(h, &clock, &l, durable);

		n = count_in_order(st, l);
		assert_true(n >= durable);
		assert_rolled(st, l, n);
		assert_int_equal(series_status(st).corrupt, 0);
		series_close(st);
		loop_free(l);
	}
	assert_true(n > 100);
}

/* Puts back these files as they were before the hour was sealed, as if we had died before they
 * were written. */
static void die_before(struct series_house *h, const char *const *names, size_t n)
{
	struct error err = {0};

	fill_an_hour(h);
	series_close(h->store); /* closes the WAL into its file */
	for (size_t i = 0; i < n; i++) {
		char *path = path_of(h, names[i]), *copy = mem_printf("%s.before", path);

		if (access(path, F_OK) == 0)
			copy_file(path, copy);
		free(path);
		free(copy);
	}
	h->store = series_open(h->root, h->loop, NULL, &err);
	assert_non_null(h->store);
	series_house_pass(h, 15 * 60000); /* past 00:10 */
	assert_rolled(h->store, h->loop, 40);
	series_close(h->store);
	for (size_t i = 0; i < n; i++) {
		char *path = path_of(h, names[i]), *copy = mem_printf("%s.before", path);

		if (access(copy, F_OK) == 0)
			copy_file(copy, path);
		else
			unlink(path);
		free(path);
		free(copy);
	}
	/* reopened without the seal at its begin: what is asked first meets half a seal */
	const struct series_options look_only = {.read_only = true};
	h->store = series_open(h->root, h->loop, &look_only, &err);
	assert_non_null(h->store);
	assert_int_equal(count_in_order(h->store, h->loop), 40);
	assert_rolled(h->store, h->loop, 40);
	series_house_reopen(h);
	assert_int_equal(count_in_order(h->store, h->loop), 40);
	assert_rolled(h->store, h->loop, 40);
	series_house_pass(h, 2 * SERIES_HOUR_MS);
	assert_int_equal(count_in_order(h->store, h->loop), 40);
	assert_rolled(h->store, h->loop, 40);
}

static void dying_between_roll_ups_and_blocks_counts_nothing_twice(void **state)
{
	static const char *const names[] = {"tail.db", "raw-2026-W53.db"};

	die_before(*state, names, 2);
}

static void dying_between_blocks_and_tail_counts_nothing_twice(void **state)
{
	static const char *const names[] = {"tail.db"};

	die_before(*state, names, 1);
}

static void dying_in_the_midst_of_roll_ups_counts_nothing_twice(void **state)
{
	static const char *const names[] = {"tail.db", "raw-2026-W53.db", "days.db", "1h-2026.db"};

	die_before(*state, names, 4);
}

/* Leaves a journal with which the next one that looks has to undo what it wrote. */
static int die_half_way(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return 1;
	if (sqlite3_exec(db, "BEGIN IMMEDIATE; DELETE FROM block", NULL, NULL, NULL) != SQLITE_OK)
		return 2;
	return sqlite3_db_cacheflush(db) == SQLITE_OK ? 0 : 3;
}

static void dying_half_way_through_a_file_is_undone_by_who_reads_it(void **state)
{
	static const char *const names[] = {
		"raw-2026-W53.db", "10m-2026-12.db", "1h-2026.db", "days.db"};
	struct series_house *h = *state;

	fill_an_hour(h);
	series_house_pass(h, 15 * 60000);
	close_house(h);
	for (int round = 0; round < 2; round++) {
		const struct series_options look = {.read_only = round == 0};

		for (size_t i = 0; i < array_len(names); i++) {
			char *path = path_of(h, names[i]),
			     *journal = mem_printf("%s-journal", path);
			int status;
			const pid_t pid = fork();

			assert_true(pid >= 0);
			if (!pid)
				_exit(die_half_way(path));
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(status, 0);
			assert_int_equal(access(journal, F_OK), 0);
			free(path);
			free(journal);
		}
		h->store = series_open(h->root, h->loop, &look, &h->err);
		assert_non_null(h->store);
		assert_int_equal(count_in_order(h->store, h->loop), 40);
		assert_rolled(h->store, h->loop, 40);
		assert_int_equal(series_status(h->store).corrupt, 0);
		close_house(h);
	}
}

static void dying_before_a_file_is_begun_leaves_nothing_to_read(void **state)
{
	static const char *const names[] = {
		"raw-2026-W53.db", "10m-2026-12.db", "1h-2026.db", "days.db"};
	struct series_house *h = *state;

	fill_an_hour(h);
	close_house(h);
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = path_of(h, names[i]);

		assert_int_equal(truncate(path, 0), 0);
		free(path);
	}
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
	assert_rolled(h->store, h->loop, 40);
	assert_int_equal(series_status(h->store).corrupt, 0);
	series_house_pass(h, 15 * 60000);
	assert_int_equal(count_in_order(h->store, h->loop), 40);
	assert_rolled(h->store, h->loop, 40);
	assert_int_equal(series_status(h->store).corrupt, 0);
}

/* --- files that are cut or rot -----------------------------------------------------------------
 */

static void a_cut_wal_loses_its_end_only(void **state)
{
	struct series_house *h = *state;
	struct random r;

	random_init_seed(&r, 6);
	close_house(h);
	(void)run_and_kill(h, 0, 0); /* killed: the WAL is there */
	char *wal = path_of(h, "tail.db-wal"), *whole = mem_printf("%s/wal", h->root);
	char *db = path_of(h, "tail.db"), *whole_db = mem_printf("%s/db", h->root);
	struct stat st;
	size_t most = 0;
	assert_int_equal(stat(wal, &st), 0);
	copy_file(wal, whole);
	copy_file(db, whole_db);
	for (int round = 0; round < 20; round++) {
		struct clock clock;
		struct loop *l;
		char *shm = path_of(h, "tail.db-shm");

		copy_file(whole, wal);
		copy_file(whole_db, db);
		unlink(shm);
		free(shm);
		const off_t size =
			round ? (off_t)random_below(&r, (uint64_t)st.st_size) : st.st_size;
		assert_int_equal(truncate(wal, size), 0);
		struct series_store *store = look(h, &clock, &l, 5);
		const size_t n = count_in_order(store, l); /* 0 .. n - 1, none in between lost */
		if (n > most)
			most = n;
		series_close(store);
		loop_free(l);
	}
	assert_true(most >= 5);
	free(wal);
	free(whole);
	free(db);
	free(whole_db);
}

static void flip(const char *path, int64_t offset)
{
	const int fd = open(path, O_RDWR);
	uint8_t b;

	assert_true(fd >= 0 && pread(fd, &b, 1, offset) == 1);
	b ^= 0x10;
	assert_int_equal(pwrite(fd, &b, 1, offset), 1);
	close(fd);
}

/* Where the block of a series begins in the file: its t0, as it was written. */
static int64_t find_bytes(const char *path, const void *bytes, size_t n)
{
	struct stat st;
	const int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	char *p = mem_alloc((size_t)st.st_size);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	const char *at = memmem(p, (size_t)st.st_size, bytes, n);
	const int64_t offset = at ? at - p : -1;
	free(p);
	return offset;
}

static void a_corrupt_block_is_left_out_and_counted(void **state)
{
	struct series_house *h = *state;
	const int64_t hour = series_house_now(h) / SERIES_HOUR_MS * SERIES_HOUR_MS;
	struct answer a;

	for (int i = 0; i < 3; i++) {
		const char *const names[] = {"first", "second", "third"};
		const struct series_sample one = probe_sample(hour + 1000 + i, 5);

		series_append(probe_series(h->store, names[i]), &one);
	}
	series_house_pass(h, 3 * SERIES_HOUR_MS);
	series_close(h->store);
	char *raw = path_of(h, "raw-2026-W53.db");
	struct buf t0 = BUF(64);
	buf_add(&t0, "G\1\0\0", 4);
	code_put_varint(&t0, (uint64_t)hour + 1001);
	const int64_t at = find_bytes(raw, t0.p, t0.n);
	assert_true(at > 0);
	flip(raw, at + 6);
	free(raw);
	buf_fini(&t0);
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
	assert_true(ask_runs(
		probe_series(h->store, "second"), h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, 0);
	answer_fini(&a);
	assert_int_equal(series_status(h->store).corrupt, 1);
	assert_true(ask_runs(
		probe_series(h->store, "first"), h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, 1);
	answer_fini(&a);
	assert_true(ask_runs(
		probe_series(h->store, "third"), h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, 1);
	answer_fini(&a);
	/* the roll-ups know it still */
	assert_true(ask_points(probe_series(h->store, "second"), h->loop, hour,
		hour + SERIES_HOUR_MS, SERIES_HOUR_MS, true, &a));
	assert_int_equal(a.points.p[0].n, 1);
	answer_fini(&a);
}

/* Any file, cut or overwritten anywhere: it opens, answers, stores what comes, and says so. */
static void rotten_files_never_stop_it(void **state)
{
	static const char *const names[] = {
		"tail.db", "raw-2026-W53.db", "10m-2026-12.db", "1h-2026.db", "days.db"};
	struct series_house *h = *state;
	struct random r;

	random_init_seed(&r, 7);
	for (int round = 0; round < 15; round++) {
		const struct series_sample one = probe_sample(series_house_now(h), 5);
		struct answer a;
		struct stat st;

		series_append(probe_series(h->store, "rot"), &one);
		series_house_pass(h, SERIES_HOUR_MS);
		series_close(h->store);
		char *path = path_of(h, names[round % 5]);
		assert_int_equal(stat(path, &st), 0);
		if (round < 5)
			assert_int_equal(
				truncate(path, (off_t)random_below(&r, (uint64_t)st.st_size)), 0);
		else
			for (int i = 0; i < 30; i++)
				flip(path, (int64_t)random_below(
						   &r, round < 10 ? 100 : (uint64_t)st.st_size));
		free(path);
		h->store = series_open(h->root, h->loop, NULL, &h->err);
		assert_non_null(h->store);
		const int64_t now = series_house_now(h);
		const struct series_sample next = probe_sample(now, 6);
		series_append(probe_series(h->store, "rot"), &next);
		for (int64_t step = 60000; step <= SERIES_DAY_MS; step *= 60) {
			if (ask_points(probe_series(h->store, "rot"), h->loop,
				    now - 2 * SERIES_HOUR_MS, now + 1, step, false, &a))
				assert_true(a.points.n > 0 && a.points.p[a.points.n - 1].n > 0);
			answer_fini(&a);
		}
		series_house_pass(h, 4 * SERIES_HOUR_MS);
		assert_true(ask_last(probe_series(h->store, "rot"), h->loop, &a));
		answer_fini(&a);
	}
	assert_true(series_status(h->store).storing);
}

/* What comes late for an hour that was sealed before is over its mark, and not taken for sealed. */
static void rows_after_a_rotten_tail_are_numbered_on(void **state)
{
	struct series_house *h = *state;
	const int64_t hour = series_house_now(h) / SERIES_HOUR_MS * SERIES_HOUR_MS;
	struct answer a;

	for (int i = 0; i < 3; i++) {
		const struct series_sample one = probe_sample(hour + 1000 * i, 5);
		series_append(probe_series(h->store, "late"), &one);
		series_house_pass(h, 2000);
	}
	series_house_pass(h, 3 * SERIES_HOUR_MS);
	series_close(h->store);
	char *tail = path_of(h, "tail.db");
	for (int i = 0; i < 100; i++)
		flip(tail, i);
	free(tail);
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
	const struct series_sample late = probe_sample(hour + 9000, 5);
	series_append(probe_series(h->store, "late"), &late);
	series_house_pass(h, 3 * SERIES_HOUR_MS);
	assert_true(
		ask_runs(probe_series(h->store, "late"), h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, 4);
	answer_fini(&a);
	series_close(h->store);
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
	assert_true(
		ask_runs(probe_series(h->store, "late"), h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, 4);
	answer_fini(&a);
}

/* --- two at once -------------------------------------------------------------------------------
 */

static void two_stores_share_a_directory(void **state)
{
	struct series_house *h = *state;
	struct series_store *other = series_open(h->root, h->loop, NULL, &h->err);
	struct answer a;

	assert_non_null(other);
	series_house_pass(h, BEGIN - series_house_now(h));
	for (int i = 0; i < 600; i++) {
		struct series_store *st = i % 2 ? other : h->store;
		const struct series_sample one = {.at_ms = series_house_now(h), .value = (double)i};

		series_append(kind_series(st, SERIES_GAUGE, "count"), &one);
		if (i % 7 == 0) {
			series_settle(h->store);
			series_settle(other);
		}
		loop_advance(h->loop, 30 * NS_PER_S);
	}
	series_settle(other);
	loop_advance(h->loop, 3 * SERIES_HOUR_MS * NS_PER_MS);
	series_settle(h->store);
	series_settle(other);
	assert_int_equal(series_id(kind_series(other, SERIES_GAUGE, "count")),
		series_id(kind_series(h->store, SERIES_GAUGE, "count")));
	assert_int_equal(count_in_order(h->store, h->loop), 600);
	assert_rolled(h->store, h->loop, 600);
	loop_advance(h->loop, SERIES_HOUR_MS * NS_PER_MS);
	series_settle(other);
	assert_int_equal(count_in_order(other, h->loop), 600);
	assert_rolled(other, h->loop, 600);
	assert_true(ask_last(kind_series(other, SERIES_GAUGE, "count"), h->loop, &a));
	assert_true(a.runs.p[0].value == 599);
	answer_fini(&a);
	series_close(other);
}

int test_series_crash(void)
{
	const struct CMUnitTest tests[] = {
		series_test(kill_9_loses_only_what_was_not_told_durable),
		series_test(dying_between_roll_ups_and_blocks_counts_nothing_twice),
		series_test(dying_between_blocks_and_tail_counts_nothing_twice),
		series_test(dying_in_the_midst_of_roll_ups_counts_nothing_twice),
		series_test(dying_half_way_through_a_file_is_undone_by_who_reads_it),
		series_test(dying_before_a_file_is_begun_leaves_nothing_to_read),
		series_test(a_cut_wal_loses_its_end_only),
		series_test(a_corrupt_block_is_left_out_and_counted),
		series_test(rotten_files_never_stop_it),
		series_test(rows_after_a_rotten_tail_are_numbered_on),
		series_test(two_stores_share_a_directory),
	};

	return cmocka_run_group_tests_name("series_crash", tests, NULL, NULL);
}
