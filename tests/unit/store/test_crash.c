/*
 * test_crash.c - processes that die, disks that fill, directories that refuse, files that rot.
 *
 * Each case runs in a child, since limits, users and kill -9 concern a whole process. A child says
 * what it saw through a pipe or its exit status; the parent opens the file afterwards and looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/vec.h"
#include "store/facts.h"
#include "store_house.h"

#define NOBODY 65534

struct yard {
	char root[64];
	char dir[80];
};

static int yard_setup(void **state)
{
	struct yard *y = mem_new(struct yard);

	snprintf(y->root, sizeof(y->root), "/tmp/test-crash-XXXXXX");
	if (!mkdtemp(y->root))
		return -1;
	snprintf(y->dir, sizeof(y->dir), "%s/state", y->root);
	*state = y;
	return 0;
}

static int yard_teardown(void **state)
{
	struct yard *y = *state;

	remove_tree(y->root);
	free(y);
	return 0;
}

/* --- children ----------------------------------------------------------------------------------
 */

static const struct facts_migration pairs[] = {
	{1, "CREATE TABLE left_side(id INTEGER PRIMARY KEY, fill TEXT);"
	    "CREATE TABLE right_side(id INTEGER PRIMARY KEY)"},
};

struct store {
	struct loop *loop;
	struct facts *facts;
	struct error err;
};

static bool store_open(struct store *s, const char *dir)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop_new(NULL, &s->err);
	s->facts = facts_open(dir, s->loop, &s->err);
	return s->facts && facts_migrate(s->facts, "pairs", pairs, 1, &s->err);
}

static void store_close(struct store *s)
{
	facts_close(s->facts);
	loop_free(s->loop);
}

/* Runs `work` in a child; its return value is the status. */
static pid_t start_child(int (*work)(const struct yard *y, int say), const struct yard *y, int say)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		_exit(work(y, say));
	}
	return pid;
}

static int wait_for_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool take_count(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

static int64_t count(struct facts *f, const char *what)
{
	char *sql = mem_printf("SELECT count(*) FROM %s", what);
	struct error err = {0};
	int64_t n = -1;

	if (!facts_query(f, sql, NULL, 0, take_count, &n, &err))
		fail_msg("%s", err.msg);
	free(sql);
	return n;
}

static bool take_text(void *arg, const struct facts_row *row)
{
	snprintf(arg, 64, "%s", facts_text(row, 0));
	return false;
}

static void assert_file_is_sound(struct facts *f)
{
	char text[64] = "";
	struct error err = {0};

	if (!facts_query(f, "PRAGMA integrity_check", NULL, 0, take_text, text, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(text, "ok");
}

/* --- kill -9 -----------------------------------------------------------------------------------
 */

struct ids {
	int64_t *p;
	size_t n, cap;
};

struct pair_job {
	int64_t id;
	int say;
	struct store *store;
};

static bool add_pair(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct pair_job *j = arg;
	const struct facts_value v[] = {FACTS_I(j->id), FACTS_T("some weight to carry")};

	return facts_run(tx, "INSERT INTO left_side VALUES(?, ?)", v, 2, err) &&
	       facts_run(tx, "INSERT INTO right_side VALUES(?)", v, 1, err);
}

static void submit_pair(struct store *s, int64_t id, int say);

static void tell_pair(void *arg, const struct error *err)
{
	struct pair_job *j = arg;

	if (err || write(j->say, &j->id, sizeof(j->id)) != sizeof(j->id))
		_exit(9);
	submit_pair(j->store, j->id + 16, j->say);
	free(j);
}

static void submit_pair(struct store *s, int64_t id, int say)
{
	struct pair_job *j = mem_new(struct pair_job);

	*j = (struct pair_job){id, say, s};
	facts_submit(s->facts, add_pair, j, tell_pair);
}

/* Sixteen jobs are always under way; each callback tells its id and submits the next. */
static int write_until_killed(const struct yard *y, int say)
{
	struct store s;
	int64_t top = 0;
	struct error err = {0};

	if (!store_open(&s, y->dir) ||
		!facts_query(s.facts, "SELECT coalesce(max(id), 0) FROM left_side", NULL, 0,
			take_count, &top, &err))
		return 8;
	for (int i = 1; i <= 16; i++)
		submit_pair(&s, top + i, say);
	loop_run(s.loop);
	return 7;
}

/* Reads told ids into `told`; kills the child after `n` of them and reads what it still said. */
static void kill_after(pid_t pid, int fd, int n, struct ids *told)
{
	int64_t id;

	while (read(fd, &id, sizeof(id)) == sizeof(id)) {
		vec_push(told, id);
		if (n-- == 0)
			kill(pid, SIGKILL);
	}
}

static void assert_all_there(struct facts *f, const struct ids *told)
{
	VEC_EACH (told, int64_t, id) {
		char *what = mem_printf("right_side WHERE id = %lld", (long long)*id);

		assert_int_equal(count(f, what), 1);
		free(what);
	}
}

static void kill_9_leaves_all_or_nothing_of_each_job(void **state)
{
	struct yard *y = *state;
	struct ids told = {0};

	for (int round = 0; round < 40; round++) {
		struct store s;
		int64_t left;
		int fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = start_child(write_until_killed, y, fds[1]);
		close(fds[1]);
		kill_after(pid, fds[0], round * 3, &told);
		close(fds[0]);
		assert_int_equal(wait_for_child(pid), -SIGKILL);
		assert_true(store_open(&s, y->dir));
		assert_file_is_sound(s.facts);
		left = count(s.facts, "left_side");
		assert_int_equal(count(s.facts, "right_side"), left);
		assert_int_equal(count(s.facts, "left_side JOIN right_side USING(id)"), left);
		assert_all_there(s.facts, &told);
		store_close(&s);
	}
	assert_true(told.n > 40);
	vec_fini(&told);
}

/* --- two programs ------------------------------------------------------------------------------
 */

static int write_hundred(const struct yard *y, int base)
{
	struct store s;
	int good = 0;

	if (!store_open(&s, y->dir))
		return 1;
	for (int i = 0; i < 100; i++) {
		struct pair_job j = {.id = base + i};

		good += facts_call(s.facts, add_pair, &j, &s.err);
	}
	store_close(&s);
	return good == 100 ? 0 : 2;
}

static void two_programs_share_a_directory(void **state)
{
	struct yard *y = *state;
	struct store s;
	pid_t one = start_child(write_hundred, y, 1000);
	pid_t two = start_child(write_hundred, y, 2000);

	assert_int_equal(wait_for_child(one), 0);
	assert_int_equal(wait_for_child(two), 0);
	assert_true(store_open(&s, y->dir));
	assert_int_equal(count(s.facts, "left_side JOIN right_side USING(id)"), 200);
	assert_file_is_sound(s.facts);
	store_close(&s);
}

/* --- no room -----------------------------------------------------------------------------------
 */

static bool add_much(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct pair_job *j = arg;
	const struct facts_value v[] = {FACTS_I(j->id)};

	return facts_run(tx, "INSERT INTO left_side VALUES(?, hex(zeroblob(20000)))", v, 1, err) &&
	       facts_run(tx, "INSERT INTO right_side VALUES(?)", v, 1, err);
}

/* Writes until it is told that there is no room, says how many were accepted and why it ended. */
static int write_until_full(const struct yard *y, int say)
{
	struct store s;
	int64_t accepted = 0;
	char message[ERROR_TEXT] = "";

	if (!store_open(&s, y->dir))
		return 1;
	for (;; accepted++) {
		struct pair_job j = {.id = accepted + 1};

		if (accepted > 1000)
			return 2;
		if (!facts_call(s.facts, add_much, &j, &s.err))
			break;
	}
	snprintf(message, sizeof(message), "%s", s.err.msg);
	if (count(s.facts, "left_side JOIN right_side USING(id)") != accepted ||
		count(s.facts, "left_side") != accepted)
		return 3;
	if (write(say, &accepted, sizeof(accepted)) != sizeof(accepted) ||
		write(say, message, sizeof(message)) != sizeof(message))
		return 4;
	store_close(&s);
	return 0;
}

static int write_under_a_limit(const struct yard *y, int say)
{
	const struct rlimit limit = {600 << 10, 600 << 10};

	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? write_until_full(y, say) : 5;
}

#define CANNOT_MOUNT 77

static int write_on_a_small_disk(const struct yard *y, int say)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mkdir(y->dir, 0700) != 0 || mount("tmpfs", y->dir, "tmpfs", 0, "size=700k") != 0)
		return CANNOT_MOUNT;
	return write_until_full(y, say);
}

static void read_end(int fd, int64_t *accepted, char *message)
{
	assert_int_equal(read(fd, accepted, sizeof(*accepted)), sizeof(*accepted));
	assert_int_equal(read(fd, message, ERROR_TEXT), ERROR_TEXT);
}

static void a_file_at_its_limit_keeps_what_was_accepted(void **state)
{
	struct yard *y = *state;
	struct store s;
	int64_t accepted;
	char message[ERROR_TEXT];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(wait_for_child(start_child(write_under_a_limit, y, fds[1])), 0);
	read_end(fds[0], &accepted, message);
	close(fds[0]);
	close(fds[1]);
	assert_true(accepted > 0);
	assert_non_null(strstr(message, "facts.db"));
	assert_true(store_open(&s, y->dir));
	assert_int_equal(count(s.facts, "left_side JOIN right_side USING(id)"), accepted);
	assert_int_equal(count(s.facts, "left_side"), accepted);
	assert_file_is_sound(s.facts);
	store_close(&s);
}

static void a_full_disk_is_said_with_what_to_do(void **state)
{
	struct yard *y = *state;
	int64_t accepted;
	char message[ERROR_TEXT];
	int fds[2], status;

	assert_int_equal(pipe(fds), 0);
	status = wait_for_child(start_child(write_on_a_small_disk, y, fds[1]));
	if (status == CANNOT_MOUNT) {
		print_message("SKIPPED: a small disk needs the right to mount one\n");
		skip();
	}
	assert_int_equal(status, 0);
	read_end(fds[0], &accepted, message);
	close(fds[0]);
	close(fds[1]);
	assert_true(accepted > 0);
	assert_non_null(strstr(message, "free some space"));
}

/* --- no right ----------------------------------------------------------------------------------
 */

/* Says the error of opening. As root nothing is forbidden, so another user tries. */
static int try_to_open(const struct yard *y, int say)
{
	struct store s;
	char message[ERROR_TEXT] = "";

	if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 1;
	if (store_open(&s, y->dir))
		return 2;
	snprintf(message, sizeof(message), "%s", s.err.msg);
	facts_close(s.facts);
	loop_free(s.loop);
	return write(say, message, sizeof(message)) == sizeof(message) ? 0 : 3;
}

static void opening_fails_with(const struct yard *y, const char *first, const char *second)
{
	char message[ERROR_TEXT];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(wait_for_child(start_child(try_to_open, y, fds[1])), 0);
	assert_int_equal(read(fds[0], message, sizeof(message)), sizeof(message));
	close(fds[0]);
	close(fds[1]);
	if (!strstr(message, first) || !strstr(message, second))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", message, first, second);
}

static void a_directory_without_rights_is_named(void **state)
{
	struct yard *y = *state;

	chmod(y->root, 0555);
	opening_fails_with(y, y->dir, "--state");
	chmod(y->root, 0755);
	assert_int_equal(mkdir(y->dir, 0755), 0);
	chmod(y->dir, 0555);
	opening_fails_with(y, y->dir, "--state");
}

static void a_file_without_rights_is_named(void **state)
{
	struct yard *y = *state;
	char *path = mem_printf("%s/facts.db", y->dir);
	int fd;

	chmod(y->root, 0755);
	assert_int_equal(mkdir(y->dir, 0777), 0);
	chmod(y->dir, 0777);
	fd = open(path, O_CREAT | O_WRONLY, 0400);
	assert_true(fd >= 0);
	close(fd);
	chmod(path, 0400);
	opening_fails_with(y, path, "--state");
	free(path);
}

/* --- rot ---------------------------------------------------------------------------------------
 */

static void overwrite(const struct yard *y, off_t from, size_t n)
{
	char *path = mem_printf("%s/facts.db", y->dir);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pwrite(fd, "\x5a", 1, from + (off_t)i), 1);
	close(fd);
	free(path);
}

static void a_file_that_is_no_database_is_said(void **state)
{
	struct yard *y = *state;
	struct store s;

	assert_int_equal(mkdir(y->dir, 0700), 0);
	overwrite(y, 0, 5000);
	assert_false(store_open(&s, y->dir));
	assert_int_equal(s.err.kind, ERROR_STORE);
	assert_non_null(strstr(s.err.msg, "facts.db"));
	assert_non_null(strstr(s.err.msg, "move the file away"));
	loop_free(s.loop);
}

static void a_rotten_page_is_said(void **state)
{
	struct yard *y = *state;
	struct store s;
	int64_t n = 0;

	assert_true(store_open(&s, y->dir));
	for (int i = 1; i <= 50; i++) {
		struct pair_job j = {.id = i};

		assert_true(facts_call(s.facts, add_much, &j, &s.err));
	}
	store_close(&s);           /* the last one to close copies the log into the file */
	overwrite(y, 4096, 40000); /* pages 2 to 11: the tables' roots */
	assert_false(
		store_open(&s, y->dir) && facts_query(s.facts, "SELECT count(fill) FROM left_side",
						  NULL, 0, take_count, &n, &s.err));
	assert_int_equal(s.err.kind, ERROR_STORE);
	assert_non_null(strstr(s.err.msg, "facts.db"));
	assert_non_null(strstr(s.err.msg, "move the file away"));
	facts_close(s.facts);
	loop_free(s.loop);
}

int test_crash(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			kill_9_leaves_all_or_nothing_of_each_job, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			two_programs_share_a_directory, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			a_file_at_its_limit_keeps_what_was_accepted, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_is_said_with_what_to_do, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_without_rights_is_named, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			a_file_without_rights_is_named, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_database_is_said, yard_setup, yard_teardown),
		cmocka_unit_test_setup_teardown(a_rotten_page_is_said, yard_setup, yard_teardown),
	};

	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
