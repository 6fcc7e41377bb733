/* Texts in every language and none too many; numbers, durations, dates; the choice of a language.
 */
#include "../check.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/json.h"
#include "text/yaml.h"
#include "web/page.h"
#include "web/pages/view.h"

static json_t *texts(const char *lang)
{
	struct error_list errors = {0};
	char *path = mem_printf("web/texts/%s.yaml", lang);
	struct yaml_file *f = yaml_load(path, &errors);
	assert_non_null(f);
	json_t *all = yaml_json(yaml_root(f, 0));
	yaml_free(f);
	free(path);
	return all;
}

/* All files of a folder whose names end so, one after the other. */
static void read_folder(struct buf *all, const char *folder, const char *ending)
{
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		char part[4096];
		size_t n;
		if (!slice_ends(slice_of(e->d_name), ending))
			continue;
		char *path = mem_printf("%s/%s", folder, e->d_name);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		while ((n = fread(part, 1, sizeof(part), f)) > 0)
			buf_add(all, part, n);
		fclose(f);
		free(path);
	}
	closedir(d);
}

static unsigned places(const char *text)
{
	unsigned mask = 0;
	for (const char *p = text; (p = strchr(p, '{')); p++)
		if (p[1] >= '1' && p[1] <= '5' && p[2] == '}')
			mask |= 1u << (p[1] - '0');
	return mask;
}

static void test_keys(void **state)
{
	json_t *en = texts("en"), *de = texts("de"), *value;
	struct buf code = BUF(BUF_PAGE), shown = BUF(BUF_PAGE);
	const char *key;
	read_folder(&code, "src/web/pages", ".c");
	read_folder(&shown, "web/templates", ".mustache");
	json_object_foreach (en, key, value) {
		const char *german = json_str(de, key);
		char *in_code = mem_printf("\"%s\"", key), *in_page = mem_printf("{{t.%s}}", key);
		if (!german)
			fail_msg("no German text \"%s\"", key);
		if (places(json_string_value(value)) != places(german))
			fail_msg("other places in the German text \"%s\"", key);
		if (!strstr(buf_str(&code), in_code) && !strstr(buf_str(&shown), in_page))
			fail_msg("nobody says \"%s\"", key);
		free(in_code);
		free(in_page);
	}
	json_object_foreach (de, key, value) {
		if (strcmp(key, "fault_texts") != 0 && !json_str(en, key))
			fail_msg("no English text \"%s\"", key);
	}
	for (const char *p = buf_str(&shown); (p = strstr(p, "{{t.")); p++) {
		char *name = mem_strndup(p + 4, strcspn(p + 4, "}"));
		if (!json_str(en, name))
			fail_msg("a template says \"%s\", which is not there", name);
		free(name);
	}
	for (int f = 0; f < FAULT_COUNT; f++)
		if (!json_str(json_object_get(de, "fault_texts"), fault_name((enum fault)f)))
			fail_msg("no German text of the fault %s", fault_name((enum fault)f));
	assert_int_equal(json_object_size(json_object_get(de, "fault_texts")), FAULT_COUNT);
	json_decref(en);
	json_decref(de);
	buf_fini(&code);
	buf_fini(&shown);
}

static void test_numbers(void **state)
{
	json_t *en = texts("en"), *de = texts("de");
	struct view e = {.texts = en}, g = {.texts = de};
	assert_string_equal(say_number(&e, 1234), "1234");
	assert_string_equal(say_number(&e, 1234567),
		"1\xe2\x80\xaf"
		"234\xe2\x80\xaf"
		"567");
	assert_string_equal(say_percent(&e, 1, ROUND_DOWN), "100%");
	assert_string_equal(say_percent(&e, 0.9999999, ROUND_DOWN), "99.99%");
	assert_string_equal(say_percent(&e, 0.99996, ROUND_DOWN), "99.99%");
	assert_string_equal(say_percent(&e, 0.99996, ROUND_UP), "100%");
	assert_string_equal(say_percent(&g, 0.9987, ROUND_DOWN), "99,87\xc2\xa0%");
	assert_string_equal(say_percent(&e, 0.5, ROUND_DOWN), "50.0%");
	assert_string_equal(say_percent(&e, 0, ROUND_DOWN), "0%");
	assert_string_equal(say_percent(&e, 0.00001, ROUND_UP), "0.01%");
	static const struct {
		double ms;
		const char *en, *de;
	} rows[] = {{0, "0 ms", "0 ms"}, {1.25, "1.2 ms", "1,2 ms"}, {42, "42 ms", "42 ms"},
		{999.4, "999 ms", "999 ms"}, {999.9, "1.0 s", "1,0 s"}, {1340, "1.3 s", "1,3 s"},
		{19116, "19 s", "19 s"}, {60000, "1 min", "1 min"},
		{95000, "1 min 35 s", "1 min 35 s"}, {1320000, "22 min", "22 min"},
		{3599999, "1 h", "1 h"}, {11400000, "3 h 10 min", "3 h 10 min"},
		{86400000, "1 d", "1 d"}, {360000000, "4 d 4 h", "4 d 4 h"}, {-5, "0 ms", "0 ms"}};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct buf plain = BUF(200);
		/* a space that does not break reads as one here */
		for (const char *p = say_duration(&e, rows[i].ms); *p; p++)
			if (*p != '\xc2')
				buf_add_char(&plain, *p == '\xa0' ? ' ' : *p);
		assert_string_equal(buf_str(&plain), rows[i].en);
		buf_clear(&plain);
		for (const char *p = say_duration(&g, rows[i].ms); *p; p++)
			if (*p != '\xc2')
				buf_add_char(&plain, *p == '\xa0' ? ' ' : *p);
		assert_string_equal(buf_str(&plain), rows[i].de);
		buf_fini(&plain);
	}
	assert_null(e.missing);
	assert_string_equal(say(&e, "nothing_of_this_name", NULL), "");
	assert_string_equal(e.missing, "nothing_of_this_name");
	view_fini(&e);
	view_fini(&g);
	json_decref(en);
	json_decref(de);
}

static void test_days(void **state)
{
	json_t *en = texts("en"), *de = texts("de");
	struct view e = {.texts = en}, g = {.texts = de};
	assert_string_equal(say_day(&e, 0), "1 Jan 1970");
	assert_string_equal(say_day(&e, 19782), "29 Feb 2024");
	assert_string_equal(say_day(&g, 20783), "26. Nov. 2026");
	assert_string_equal(say_day(&e, -1), "31 Dec 1969");
	assert_string_equal(say_month(&g, "2026-03"), "M\xc3\xa4rz 2026");
	assert_string_equal(say_month(&e, "2026-13"), " 2026");
	assert_string_equal(say_month(&e, "never"), "");
	assert_string_equal(say_moment(&e, 1795675282000), "26 Nov 2026, 06:41 UTC");
	assert_string_equal(say_clock(&e, 1795675282000), "06:41:22 UTC");
	assert_string_equal(say_second(&e, 1795675282000), "26 Nov 2026, 06:41:22 UTC");
	assert_string_equal(say_moment(&e, 1795675282000), "26 Nov 2026, 06:41 UTC");
	assert_int_equal(day_of(-1), -1);
	assert_int_equal(day_of(86399999), 0);
	/* against the C library, over leap years and the ends of centuries */
	for (int64_t day = -200000; day < 200000; day += 97) {
		int y, m, d;
		struct tm tm;
		const time_t at = (time_t)(day * DAY_S);
		gmtime_r(&at, &tm);
		civil_from_days(day, &y, &m, &d);
		assert_int_equal(y, tm.tm_year + 1900);
		assert_int_equal(m, tm.tm_mon + 1);
		assert_int_equal(d, tm.tm_mday);
	}
	view_fini(&e);
	view_fini(&g);
	json_decref(en);
	json_decref(de);
}

static void test_language(void **state)
{
	json_t *only_de = json_pack("[s]", "de"), *both = json_pack("[s,s]", "de", "en");
	assert_string_equal(page_language(NULL, NULL), "en");
	assert_string_equal(page_language("", NULL), "en");
	assert_string_equal(page_language("de", NULL), "de");
	assert_string_equal(page_language("de-AT, en;q=0.5", NULL), "de");
	assert_string_equal(page_language("DE", both), "de");
	assert_string_equal(page_language("fr, de;q=0.7, en;q=0.3", NULL), "de");
	assert_string_equal(page_language("en;q=0.2,de ; q=0.9", NULL), "de");
	assert_string_equal(page_language("de;q=0, *", NULL), "en");
	assert_string_equal(page_language("en;q=0", NULL), "en");
	assert_string_equal(page_language("fr", NULL), "en");
	assert_string_equal(page_language("*", only_de), "de");
	assert_string_equal(page_language("en", only_de), "de");
	assert_string_equal(page_language("de;q=x, en;q=0.1", NULL), "en");
	assert_string_equal(page_language(",,;;q=,de;q=1.5,", NULL), "de");
	assert_string_equal(page_language("deutsch", NULL), "en");
	json_decref(only_de);
	json_decref(both);
}

int test_page_words(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_language),
	};
	return cmocka_run_group_tests_name("page_words", tests, NULL, NULL);
}
