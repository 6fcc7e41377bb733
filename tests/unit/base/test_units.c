/* test_units.c - numbers with units, as people write and read them. */
#include "base/units.h"

#include <math.h>

#include "../check.h"
#include "base/mem.h"
#include "base/random.h"

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"10ms", 10000000}, {"5s", 5000000000}, {"10m", 600000000000}, {"0s", 0},
		{"2h", 7200000000000}, {"7d", 604800000000000}, {"1h30m", 5400000000000},
		{"1.5s", 1500000000}, {"250us", 250000}, {"1ns", 1}, {"0.1ns", 0},
		{"106751d", 9223286400000000000}, {"9223372036854775807ns", INT64_MAX}};
	for (size_t i = 0; i < array_len(good); i++) {
		int64_t ns = -1;
		if (!units_parse_time(slice_of(good[i].text), &ns) || ns != good[i].ns)
			fail_msg("%s gives %lld", good[i].text, (long long)ns);
	}
	static const char *const bad[] = {"", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "5x",
		"5S", "1.s", ".5s", "1..5s", "1h30", "106752d", "9223372036854775808ns",
		"99999999999h1s", "1e3s", "5sm", "123456789012345678901234567890123456789012345s",
		"0x5s", "5s\n"};
	int64_t ns;
	for (size_t i = 0; i < array_len(bad); i++)
		if (units_parse_time(slice_of(bad[i]), &ns))
			fail_msg("taken for a time: \"%s\"", bad[i]);
	assert_false(units_parse_time(slice_from("5s\0", 3), &ns));
}

static void test_size(void **state)
{
	int64_t n;
	assert_true(units_parse_size(SLICE("16KiB"), &n) && n == 16384);
	assert_true(units_parse_size(SLICE("5GiB"), &n) && n == 5368709120);
	assert_true(units_parse_size(SLICE("1.5MB"), &n) && n == 1500000);
	assert_true(units_parse_size(SLICE("0B"), &n) && n == 0);
	assert_true(units_parse_size(SLICE("8388607TiB"), &n));
	static const char *const bad[] = {
		"", "5", "5K", "5kb", "5KB", "1GiB1MiB", "8388608TiB", "-1B", "9.3e18B"};
	for (size_t i = 0; i < array_len(bad); i++)
		if (units_parse_size(slice_of(bad[i]), &n))
			fail_msg("taken for a size: %s", bad[i]);
}

static void test_rate_percent(void **state)
{
	double x;
	assert_true(units_parse_rate(SLICE("200/s"), &x) && fabs(x - 200) < 1e-9);
	assert_true(units_parse_rate(SLICE("5/m"), &x) && fabs(x - 5.0 / 60) < 1e-12);
	assert_true(units_parse_rate(SLICE("1.8/h"), &x) && fabs(x - 0.0005) < 1e-12);
	assert_true(units_parse_percent(SLICE("0.5%"), &x) && fabs(x - 0.005) < 1e-12);
	assert_true(units_parse_percent(SLICE("100%"), &x) && fabs(x - 1) < 1e-12);
	static const char *const rates[] = {"200", "/s", "200/", "200/x", "200/ms", "200s", "-1/s"};
	for (size_t i = 0; i < array_len(rates); i++)
		assert_false(units_parse_rate(slice_of(rates[i]), &x));
	assert_false(units_parse_percent(SLICE("0.5"), &x));
	assert_false(units_parse_percent(SLICE("5%%"), &x));
}

static void test_int(void **state)
{
	int64_t n;
	assert_true(units_parse_int(SLICE("9223372036854775807"), &n) && n == INT64_MAX);
	assert_true(units_parse_int(SLICE("-9223372036854775808"), &n) && n == INT64_MIN);
	assert_true(units_parse_int(SLICE("+007"), &n) && n == 7);
	static const char *const bad[] = {"", "-", "+", "9223372036854775808",
		"-9223372036854775809", "1.0", "0x1", " 1", "1 ", "--1", "99999999999999999999999"};
	for (size_t i = 0; i < array_len(bad); i++)
		if (units_parse_int(slice_of(bad[i]), &n))
			fail_msg("taken for a number: \"%s\"", bad[i]);
}

static void test_real(void **state)
{
	double x;
	assert_true(units_parse_real(SLICE("-0.5e-3"), &x) && fabs(x + 0.0005) < 1e-15);
	assert_true(units_parse_real(SLICE("10"), &x) && fabs(x - 10) < 1e-12);
	assert_true(units_parse_real(SLICE("1E+2"), &x) && fabs(x - 100) < 1e-12);
	static const char *const bad[] = {
		"", "-", "01", "1.", ".5", "1e", "+1", "nan", "inf", "0x10", "1e999", "1 ", "1,5"};
	for (size_t i = 0; i < array_len(bad); i++)
		if (units_parse_real(slice_of(bad[i]), &x))
			fail_msg("taken for a number: \"%s\"", bad[i]);
	assert_false(units_parse_real(slice_from("1\0002", 3), &x));
}

static void test_time_text(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{0, "0ns"}, {999, "999ns"}, {1000, "1.00us"}, {840000, "840us"},
		{999499, "999us"}, {999500, "1.00ms"}, {12500000, "12.5ms"}, {99950000, "100ms"},
		{999499999, "999ms"}, {1520000000, "1.52s"}, {9994999999, "9.99s"},
		{9995000000, "10.0s"}, {59949999999, "59.9s"}, {59950000000, "1m00s"},
		{125000000000, "2m05s"}, {3599400000000, "59m59s"}, {3599500000000, "1h00m"},
		{3725000000000, "1h02m"}, {-1520000000, "-1.52s"}, {-5, "-5ns"},
		{INT64_MAX, "2562047h47m"}, {INT64_MIN, "-2562047h47m"}};
	char t[UNITS_TEXT];
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(units_time_text(rows[i].ns, t), rows[i].text);
}

static void test_exact_parses_back(void **state)
{
	char t[UNITS_TEXT];
	assert_string_equal(units_time_exact(90 * 1000000000LL, t), "90s");
	assert_string_equal(units_time_exact(1500000000, t), "1500ms");
	assert_string_equal(units_time_exact(0, t), "0s");
	assert_string_equal(units_time_exact(1, t), "1ns");
	const int64_t second = 1000000000;
	assert_string_equal(units_time_whole(7 * 24 * 3600 * second, t), "7d");
	assert_string_equal(units_time_whole(36 * 3600 * second, t), "36h");
	assert_string_equal(units_time_whole(-120 * second, t), "-2m");
	assert_string_equal(units_time_whole(90 * second, t), "90s");
	assert_string_equal(units_time_whole(1500000, t), "1500us");
	assert_string_equal(units_time_whole(0, t), "0s");
	struct random r;
	random_init_seed(&r, 2);
	for (int i = 0; i < 10000; i++) {
		const int64_t ns = (int64_t)(random_u64(&r) >> (1 + random_below(&r, 60)));
		int64_t back;
		assert_true(units_parse_time(slice_of(units_time_exact(ns, t)), &back));
		assert_true(back == ns);
	}
}

static void test_size_text(void **state)
{
	char t[UNITS_TEXT];
	assert_string_equal(units_size_text(0, t), "0B");
	assert_string_equal(units_size_text(1023, t), "1023B");
	assert_string_equal(units_size_text(1572864, t), "1.5MiB");
	assert_string_equal(units_size_text(16384, t), "16KiB");
	assert_string_equal(units_size_text((int64_t)5 << 40, t), "5.0TiB");
	assert_string_equal(units_size_text(1048575, t), "1.0MiB"); /* never 1024KiB */
}

int test_units(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_rate_percent),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_time_text),
		cmocka_unit_test(test_exact_parses_back),
		cmocka_unit_test(test_size_text),
	};
	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
