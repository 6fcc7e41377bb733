/*
 * test_series_crash.c - series and processes that die, disks that fill, directories that refuse,
 * files that rot; and two processes at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/random.h"
#include "series_house.h"
#include "store_house.h"

#define NOBODY 65534
#define BEGIN  1798761000000 /* 2026-12-31T23:50:00Z */

static char *path_of(const struct series_house *h, const char *name)
{
	return mem_printf("%s/series/%s", h->root, name);
}

static void copy_file(const char *from, const char *to)
{
	char *command = mem_printf("cp %s %s", from, to);

	assert_int_equal(system(command), 0);
	free(command);
}

/* All gauge values of the series, which count from 0: how many are there, each once. */
static size_t count_in_order(struct series_store *st, struct loop *l)
{
	struct series *s = kind_series(st, SERIES_GAUGE, "count");
	struct answer a;

	if (!ask_runs(s, l, BEGIN, BEGIN + 2 * SERIES_DAY_MS, &a))
		fail_msg("%s", a.err.msg);
	for (size_t i = 0; i < a.runs.n; i++)
		if (a.runs.p[i].value != (double)i)
			fail_msg("%g stands where %zu should", a.runs.p[i].value, i);
	const size_t n = a.runs.n;
	answer_fini(&a);
	return n;
}

/* The same by roll-ups: their counts, and the sum of 0 .. n - 1. */
static void assert_rolled(struct series_store *st, struct loop *l, size_t n)
{
	static const int64_t steps[] = {1000 * 60 * 7, 600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	const int64_t from = BEGIN / SERIES_DAY_MS * SERIES_DAY_MS;
	struct series *s = kind_series(st, SERIES_GAUGE, "count");

	for (size_t i = 0; i < array_len(steps); i++) {
		uint64_t got = 0;
		double sum = 0;
		struct answer a;

		if (!ask_points(s, l, from, from + 3 * SERIES_DAY_MS, steps[i], false, &a))
			fail_msg("%s", a.err.msg);
		for (size_t k = 0; k < a.points.n; k++) {
			got += a.points.p[k].n;
			sum += a.points.p[k].sum;
		}
		assert_int_equal(got, n);
		assert_true(sum == (double)n * ((double)n - 1) / 2);
		answer_fini(&a);
	}
}

/* A child must not inherit open databases: SQLite shares what it knows of a file in a process. */
static void close_house(struct series_house *h)
{
	series_close(h->store);
	h->store = NULL;
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

/* --- dying between the commits of a seal -------------------------------------------------------
 */

static void fill_an_hour(struct series_house *h)
{
	struct series *s = kind_series(h->store, SERIES_GAUGE, "count");

	/* an hour that is sealed whole, so that questions go to the files */
	series_house_pass(h, BEGIN - 3 * SERIES_HOUR_MS - series_house_now(h));
	const struct series_sample before = probe_sample(series_house_now(h), 7);
	series_append(probe_series(h->store, "before"), &before);
	series_house_pass(h, BEGIN - series_house_now(h));
	for (int i = 0; i < 40; i++) {
		const struct series_sample one = {.at_ms = series_house_now(h), .value = (double)i};

		series_append(s, &one);
		loop_advance(h->loop, 60000 * NS_PER_MS / 5);
	}
	series_settle(h->store);
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

/* --- no room, no right -------------------------------------------------------------------------
 */

struct troubles {
	int stopped, went_on;
};

static void on_trouble(void *arg, const struct error *why)
{
	struct troubles *t = arg;

	if (why)
		t->stopped++;
	else
		t->went_on++;
}

static int wait_child(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define CANNOT_MOUNT 77

/* A small disk where we may mount one; else a limit on the size of files, in any directory. */
static bool make_scarce(const char *root, bool disk)
{
	const struct rlimit limit = {120 * 1024, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	return disk || setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static bool make_room(const char *root, bool disk)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return disk ? mount("tmpfs", root, "tmpfs", MS_REMOUNT, "size=50m") == 0
		    : setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static bool mount_small_disk(const char *root)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mkdir(root, 0700) == 0 &&
	       mount("tmpfs", root, "tmpfs", 0, "size=300k") == 0;
}

static int fill_the_disk(const char *root, bool disk)
{
	struct clock clock;
	struct error err = {0};
	struct troubles t = {0};
	const struct series_options o = {.trouble = on_trouble, .trouble_arg = &t};
	struct answer a;
	size_t n = 0;

	alarm(60);
	if (disk && !mount_small_disk(root))
		return CANNOT_MOUNT;
	clock_init_virtual(&clock, BEGIN * 1000);
	struct loop *l = loop_new(&clock, &err);
	struct series_store *st = series_open(root, l, &o, &err);
	struct series *s = st ? kind_series(st, SERIES_GAUGE, "count") : NULL;
	if (!s || !make_scarce(root, disk))
		return 1;
	while (series_status(st).storing && n < 40000) {
		for (int i = 0; i < 40; i++, n++) {
			const struct series_sample one = {
				.at_ms = clock_unix_us(&clock) / 1000, .value = (double)n};

			series_append(s, &one);
			loop_advance(l, 20 * NS_PER_MS);
		}
		series_settle(st);
	}
	const struct series_status full = series_status(st);
	if (full.storing || !full.why.msg[0] || !full.waiting || full.lost || t.stopped != 1)
		return 2;
	if (count_in_order(st, l) != n) /* observing goes on */
		return 3;
	if (disk && !strstr(full.why.msg, "free some space"))
		return 8;
	if (!make_room(root, disk))
		return 4;
	loop_advance(l, 11 * NS_PER_S);
	series_settle(st);
	const struct series_status again = series_status(st);
	if (!again.storing || again.waiting || again.lost || t.went_on != 1)
		return 5;
	series_close(st);
	st = series_open(root, l, NULL, &err);
	if (!st || count_in_order(st, l) != n)
		return 6;
	if (!ask_last(kind_series(st, SERIES_GAUGE, "count"), l, &a) || a.runs.n != 1)
		return 7;
	answer_fini(&a);
	series_close(st);
	loop_free(l);
	return 0;
}

static void full_disk(struct series_house *h, bool disk)
{
	char *root = mem_printf("%s/full", h->root);

	close_house(h);
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(fill_the_disk(root, disk));
	const int status = wait_child(pid);
	free(root);
	if (status == CANNOT_MOUNT) {
		print_message("SKIPPED: a small disk needs the right to mount one\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void files_at_their_limit_stop_storing_not_observing(void **state)
{
	full_disk(*state, false);
}

static void a_full_disk_stops_storing_not_observing(void **state)
{
	full_disk(*state, true);
}

static size_t count_old(struct series_store *st, struct loop *l)
{
	struct answer a;

	if (!ask_runs(probe_series(st, "old"), l, BEGIN - 3 * SERIES_DAY_MS, BEGIN, &a))
		return 0;
	const size_t n = a.runs.n;
	answer_fini(&a);
	return n;
}

static int use_what_is_not_ours(const char *root, bool old)
{
	struct clock clock;
	struct error err = {0};
	struct troubles t = {0};
	const struct series_options o = {.trouble = on_trouble, .trouble_arg = &t};

	alarm(60);
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 1;
	clock_init_virtual(&clock, BEGIN * 1000);
	struct loop *l = loop_new(&clock, &err);
	struct series_store *st = series_open(root, l, &o, &err);
	if (!st || series_status(st).storing || t.stopped != 1)
		return 2;
	if (old && count_old(st, l) != 2) /* one sealed, one in the tail */
		return 4;
	for (int i = 0; i < 100; i++) {
		const struct series_sample one = {
			.at_ms = clock_unix_us(&clock) / 1000, .value = (double)i};

		series_append(kind_series(st, SERIES_GAUGE, "count"), &one);
		loop_advance(l, NS_PER_S);
	}
	series_settle(st);
	if (count_in_order(st, l) != 100 || series_status(st).waiting != 100)
		return 3;
	series_close(st);
	loop_free(l);
	return 0;
}

static void a_directory_that_refuses_stops_storing_not_observing(void **state)
{
	struct series_house *h = *state;
	char *root = mem_printf("%s/shut", h->root);

	close_house(h);
	assert_int_equal(chmod(h->root, 0755), 0);
	assert_int_equal(mkdir(root, 0555), 0);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(use_what_is_not_ours(root, false));
	assert_int_equal(wait_child(pid), 0);
	free(root);
}

static void a_seal_that_fails_is_said_and_tried_again(void **state)
{
	struct series_house *h = *state;
	char *raw = path_of(h, "raw-2026-W53.db");

	fill_an_hour(h); /* up to 23:58 */
	assert_int_equal(unlink(raw), 0);
	assert_int_equal(mkdir(raw, 0700), 0);
	series_house_reopen(h);
	series_house_pass(h, 13 * 60000);
	assert_false(series_status(h->store).storing);
	assert_non_null(strstr(series_status(h->store).why.msg, "raw-2026-W53.db"));
	assert_int_equal(count_in_order(h->store, h->loop), 40);
	/* rows are still stored meanwhile, and it is still trouble */
	const struct series_sample one = {.at_ms = series_house_now(h), .value = 40};
	series_append(kind_series(h->store, SERIES_GAUGE, "count"), &one);
	series_house_pass(h, 9000);
	series_settle(h->store);
	assert_int_equal(series_status(h->store).waiting, 0);
	assert_false(series_status(h->store).storing);
	assert_int_equal(rmdir(raw), 0);
	series_house_pass(h, 21000);
	assert_true(series_status(h->store).storing);
	assert_int_equal(access(raw, F_OK), 0);
	assert_int_equal(count_in_order(h->store, h->loop), 41);
	assert_rolled(h->store, h->loop, 41);
	free(raw);
}

/* What a disk holds that became read-only is still read, by the program and by the reader. */
static void a_disk_that_became_read_only_is_still_read(void **state)
{
	struct series_house *h = *state;

	for (int i = 0; i < 2; i++) {
		const struct series_sample one = probe_sample(series_house_now(h), 5);

		series_append(probe_series(h->store, "old"), &one);
		series_house_pass(h, i ? 2000 : 2 * SERIES_HOUR_MS);
	}
	close_house(h);
	char *command = mem_printf("chmod -R a+rX,a-w %s", h->root);
	assert_int_equal(system(command), 0);
	free(command);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		const int failed = use_what_is_not_ours(h->root, true);
		const struct series_options look = {.read_only = true};
		struct clock clock;
		struct error err = {0};

		if (failed)
			_exit(failed);
		clock_init_virtual(&clock, BEGIN * 1000);
		struct loop *l = loop_new(&clock, &err);
		struct series_store *st = series_open(h->root, l, &look, &err);
		if (!st || count_old(st, l) != 2)
			_exit(5);
		series_close(st);
		loop_free(l);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void what_waits_is_bounded(void **state)
{
	struct series_house *h = *state;
	struct series *s = kind_series(h->store, SERIES_GAUGE, "many");

	for (int i = 0; i < SERIES_WAITING_MAX + 1000; i++) {
		const struct series_sample one = {.at_ms = series_house_now(h) - i % 1000000 * 60};

		series_append(s, &one);
	}
	const struct series_status st = series_status(h->store);
	assert_int_equal(st.lost + st.waiting + st.refused_parts, SERIES_WAITING_MAX + 1000);
	assert_true(st.lost + st.refused_parts >= 1000 && st.waiting <= SERIES_WAITING_MAX);
}

/* --- reading has limits ------------------------------------------------------------------------
 */

static void asking_too_much_is_refused(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "limits");
	const int64_t now = series_house_now(h);
	const struct series_sample one = probe_sample(now, 5);
	struct answer a;

	series_append(s, &one);
	assert_false(ask_points(s, h->loop, now - 10001, now, 1, true, &a));
	assert_int_equal(a.err.kind, ERROR_LIMIT);
	answer_fini(&a);
	assert_true(ask_points(s, h->loop, now - 10000, now, 1, true, &a));
	assert_int_equal(a.points.n, SERIES_POINTS_MAX);
	answer_fini(&a);
	assert_false(ask_points(s, h->loop, now, now, 1, true, &a));
	assert_int_equal(a.err.kind, ERROR_INPUT);
	answer_fini(&a);
	assert_false(ask_points(s, h->loop, now - 30 * SERIES_DAY_MS, now, 3600001, true, &a));
	assert_int_equal(a.err.kind, ERROR_LIMIT);
	assert_non_null(strstr(a.err.msg, "ten minutes"));
	answer_fini(&a);
	assert_false(ask_days(s, h->loop, 20000, SERIES_POINTS_MAX + 1, &a));
	answer_fini(&a);
}

static void a_query_can_be_cancelled_and_calls_back_once(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "cancelled");
	const int64_t now = series_house_now(h);
	struct answer first = {0}, second = {0};

	series_cancel(series_read(s, now - 1000, now, 10, true, on_points, &first));
	series_runs(s, now - 1000, now, on_runs, &second);
	assert_int_equal(first.calls + second.calls, 0);
	series_close(h->store); /* cancels what is under way, or it was done */
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(first.err.kind, ERROR_CANCELLED);
	answer_fini(&first);
	answer_fini(&second);
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
}

/* --- retention ---------------------------------------------------------------------------------
 */

static bool is_there(struct series_house *h, const char *name)
{
	char *path = path_of(h, name);
	const bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void files_go_when_all_of_them_is_old(void **state)
{
	struct series_house *h = *state;
	struct answer a;
	const int64_t begin = series_house_now(h);

	for (int week = 0; week < 57; week++) {
		const struct series_sample one = probe_sample(series_house_now(h), 1000 + week);

		series_append(probe_series(h->store, "old"), &one);
		series_settle(h->store);
		series_house_pass(h, 7 * SERIES_DAY_MS);
		assert_int_equal(is_there(h, "raw-2026-W53.db"), week < 2);
		assert_int_equal(is_there(h, "10m-2026-12.db"), week < 13);
		assert_true(is_there(h, "1h-2026.db"));
	}
	assert_true(is_there(h, "1h-2027.db") && is_there(h, "days.db"));
	const int64_t from = begin / SERIES_DAY_MS * SERIES_DAY_MS;
	assert_true(ask_points(probe_series(h->store, "old"), h->loop, from,
		from + 400 * SERIES_DAY_MS, SERIES_HOUR_MS, false, &a));
	assert_int_equal(a.points.n, 57);
	for (size_t i = 0; i < a.points.n; i++)
		assert_true(a.points.p[i].sum == (double)(1000 + i));
	answer_fini(&a);
	assert_true(
		ask_days(probe_series(h->store, "old"), h->loop, from / SERIES_DAY_MS, 400, &a));
	assert_int_equal(a.days.p[0].point.n, 1);
	assert_int_equal(a.days.p[56 * 7].point.n, 1);
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
		series_test(files_at_their_limit_stop_storing_not_observing),
		series_test(a_full_disk_stops_storing_not_observing),
		series_test(a_directory_that_refuses_stops_storing_not_observing),
		series_test(a_seal_that_fails_is_said_and_tried_again),
		series_test(a_disk_that_became_read_only_is_still_read),
		series_test(what_waits_is_bounded),
		series_test(asking_too_much_is_refused),
		series_test(a_query_can_be_cancelled_and_calls_back_once),
		series_test(files_go_when_all_of_them_is_old),
		series_test(two_stores_share_a_directory),
	};

	return cmocka_run_group_tests_name("series_crash", tests, NULL, NULL);
}
