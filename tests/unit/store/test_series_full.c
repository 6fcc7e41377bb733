/*
 * test_series_full.c - series on disks that fill and in directories that refuse: storing stops, and
 * observing goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "series_count.h"
#include "store_house.h"

#define NOBODY 65534

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
	const struct series_options o = {.trouble = count_trouble, .trouble_arg = &t};
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

/* One is sealed, of the two in the tail one is behind more than is read back at a time. */
#define OLD 3

static void append_old(struct series_house *h)
{
	for (int i = 0; i < OLD; i++) {
		const struct series_sample one = probe_sample(series_house_now(h), 5);

		series_append(probe_series(h->store, "old"), &one);
		series_house_pass(h, i ? 2000 : 2 * SERIES_HOUR_MS);
		for (int k = 0; i == 1 && k < 60000; k++) {
			const struct series_sample other = {.at_ms = series_house_now(h)};

			series_append(kind_series(h->store, SERIES_GAUGE, "beside"), &other);
		}
		series_house_pass(h, 2000);
	}
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
	const struct series_options o = {.trouble = count_trouble, .trouble_arg = &t};

	alarm(60);
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 1;
	clock_init_virtual(&clock, BEGIN * 1000);
	struct loop *l = loop_new(&clock, &err);
	struct series_store *st = series_open(root, l, &o, &err);
	if (!st || series_status(st).storing || t.stopped != 1)
		return 2;
	if (old && count_old(st, l) != OLD)
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

	append_old(h);
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
		if (!st || count_old(st, l) != OLD)
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

int test_series_full(void)
{
	const struct CMUnitTest tests[] = {
		series_test(files_at_their_limit_stop_storing_not_observing),
		series_test(a_full_disk_stops_storing_not_observing),
		series_test(a_directory_that_refuses_stops_storing_not_observing),
		series_test(a_seal_that_fails_is_said_and_tried_again),
		series_test(a_disk_that_became_read_only_is_still_read),
		series_test(what_waits_is_bounded),
	};

	return cmocka_run_group_tests_name("series_full", tests, NULL, NULL);
}
