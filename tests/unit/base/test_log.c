/* test_log.c - lines read back from a file: quoting, levels, cutting, threads, no secrets. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../check.h"
#include "base/clock.h"
#include "base/secret.h"

static int fd;

static int begin(void **state)
{
	fd = memfd_create("log", MFD_CLOEXEC);
	log_init(fd, LOG_INFO);
	return fd < 0;
}

static int end(void **state)
{
	log_init(STDERR_FILENO, LOG_NOTICE);
	return close(fd);
}

/* Returns owned: all that was logged. */
static char *logged(void)
{
	const off_t n = lseek(fd, 0, SEEK_END);
	char *text = mem_alloc((size_t)n + 1);
	assert_int_equal(pread(fd, text, (size_t)n, 0), n);
	text[n] = 0;
	return text;
}

static void test_line(void **state)
{
	log_event(LOG_NOTICE, "run_started", "scenario", "%s", "server-login", "servers", "%d", -2,
		"text", "%s", "two words", "quote", "%s", "a\"b\\c", "line", "%s", "x\ny\x1b[31m",
		"empty", "%s", "", "nil", "%s", NULL, "u", "%u", 4000000000u, "ll", "%lld",
		-5000000000LL, "llu", "%llu", 18446744073709551615ULL, "zu", "%zu", (size_t)9, "f",
		"%f", 0.5, "f3", "%.3f", 1.0 / 3, "umlaut", "%s", "gr\u00fcn", NULL);
	char *text = logged();
	int64_t at;
	char ts[25] = {0};
	assert_memory_equal(text, "ts=", 3);
	memcpy(ts, text + 3, 24);
	assert_true(clock_parse_rfc3339(ts, &at));
	assert_true(clock_unix_us(&clock_system) - at < 60000000);
	assert_string_equal(text + 27,
		" level=notice event=run_started scenario=server-login servers=-2 text=\"two words\""
		" quote=\"a\\\"b\\\\c\" line=\"x\\ny\\x1b[31m\" empty=\"\" nil=\"\" u=4000000000"
		" ll=-5000000000 llu=18446744073709551615 zu=9 f=0.500000 f3=0.333"
		" umlaut=gr\u00fcn\n");
	free(text);
}

static void test_levels(void **state)
{
	assert_true(log_on(LOG_ERROR));
	assert_true(log_on(LOG_INFO));
	assert_false(log_on(LOG_DEBUG));
	log_event(LOG_DEBUG, "hidden", NULL);
	log_event(LOG_INFO, "shown", NULL);
	char *text = logged();
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, "level=info event=shown\n"));
	free(text);
}

static void test_no_secret(void **state)
{
	struct secret *s = secret_new(SLICE("correct horse"));
	log_event(LOG_INFO, "auth", "with", "%s", "pw=correct horse!", NULL);
	/* The secret stands across the place where the line is cut. */
	struct buf longer = BUF(BUF_PAGE);
	while (longer.n < 70000)
		buf_add_str(&longer, "correct horse");
	log_event(LOG_INFO, "flood", "with", "%s", buf_str(&longer), NULL);
	char *text = logged();
	assert_non_null(
		strstr(text, "event=auth with=pw=***!\n") ?: strstr(text, "with=\"pw=***!\""));
	assert_null(strstr(text, "correct"));
	assert_null(strstr(text, "horse"));
	free(text);
	buf_fini(&longer);
	secret_unref(s);
}

static void check_cut(const char *filler, const char *ending)
{
	struct buf longer = BUF(BUF_PAGE);
	while (longer.n < 100000)
		buf_add_str(&longer, filler);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	log_event(LOG_INFO, "big", "first", "%d", 1, "value", "%s", buf_str(&longer), "after", "%d",
		2, NULL);
	char *text = logged();
	const size_t n = strlen(text);
	assert_true(n <= BUF_LINE && n > BUF_LINE - 100);
	assert_non_null(strstr(text, " first=1 value=\""));
	assert_string_equal(text + n - strlen(ending), ending);
	assert_true(utf8_valid(slice_of(text)));
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	free(text);
	buf_fini(&longer);
}

static void test_cut(void **state)
{
	check_cut("x", "xxx\" cut=true\n");
	check_cut("\n", "\\n\" cut=true\n");
	check_cut("\x01", "\\x01\" cut=true\n");
	check_cut("\u00e4", "\u00e4\" cut=true\n");
	check_cut("\u20ac", "\u20ac\" cut=true\n");
}

static void *write_many(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_event(LOG_INFO, "thread", "text", "%s", arg, NULL);
	return NULL;
}

static void test_lines_of_threads_never_mix(void **state)
{
	pthread_t threads[4];
	char text[4][3000];
	for (int i = 0; i < 4; i++) {
		memset(text[i], 'a' + i, sizeof(text[i]));
		text[i][2999] = 0;
		pthread_create(&threads[i], NULL, write_many, text[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	char *all = logged();
	int lines = 0;
	for (char *p = all, *next; (next = strchr(p, '\n')); p = next + 1, lines++) {
		const char *value = strstr(p, " text=");
		assert_non_null(value);
		assert_int_equal(strspn(value + 6, (char[]){value[6], 0}), 2999);
		assert_ptr_equal(value + 6 + 2999, next);
	}
	assert_int_equal(lines, 2000);
	free(all);
}

int test_log(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, begin, end),
		cmocka_unit_test_setup_teardown(test_levels, begin, end),
		cmocka_unit_test_setup_teardown(test_no_secret, begin, end),
		cmocka_unit_test_setup_teardown(test_cut, begin, end),
		cmocka_unit_test_setup_teardown(test_lines_of_threads_never_mix, begin, end),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
