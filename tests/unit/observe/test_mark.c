/* Names and marks: whose an object is. The CHECKs were computed with another implementation of
 * HMAC-SHA256 and base32. */
#include "../check.h"

#include "base/mem.h"
#include "observe/scenario/mark.h"

static void named(char *got, const char *expected)
{
	assert_string_equal(got, expected);
	free(got);
}

#define RUN "t2k9f1-x7qa"

static void test_names(void **state)
{
	named(mark_name("site-a", "p1", "server", RUN, "server", true, 0, 1),
		"gh-t2k9f1-x7qa-server-0-he3e3yktuo");
	named(mark_name("site-a", "p1", "network", RUN, "my_net", false, 0, 1),
		"gh-t2k9f1-x7qa-my-net-x5i3rbxpur");
	named(mark_name("site-b", "p1", "server", RUN, "server", true, 0, 1),
		"gh-t2k9f1-x7qa-server-0-vr2gshfg63");
	named(mark_name("site-a", NULL, "keypair", RUN, "key", false, 0, 2),
		"gh-t2k9f1-x7qa-key-a2-g3wsofzer5");
}

static bool ours(const char *instance, const char *project, const char *kind, const char *name)
{
	struct slice run = SLICE("");
	const bool is = mark_name_is_ours(instance, project, kind, slice_of(name), &run);
	if (is)
		assert_true(slice_is(run, RUN));
	return is;
}

static void test_whose(void **state)
{
	static const char name[] = "gh-t2k9f1-x7qa-server-0-he3e3yktuo";
	assert_true(ours("site-a", "p1", "server", name));
	assert_false(ours("site-b", "p1", "server", name));
	assert_false(ours("site-a", "p2", "server", name));
	assert_false(ours("site-a", "p1", "network", name));
	assert_false(ours("", "p1", "server", name));
	/* One character off, anywhere. */
	for (size_t i = 0; i < sizeof(name) - 1; i++) {
		char other[sizeof(name)];
		memcpy(other, name, sizeof(name));
		other[i] = other[i] == 'q' ? 'r' : 'q';
		assert_false(ours("site-a", "p1", "server", other));
	}
	assert_true(mark_name_is_ours("site-a", "p1", "server", slice_of(name), NULL));
}

static void test_not_ours(void **state)
{
	static const char *const names[] = {"", "gh-", "gh", "gh--", "server", "gh-a-b-c",
		"gh-t2k9f1-x7qa-server-0", "gh-t2k9f1-x7qa-server-0-", "gh-aaaaaaaaaa",
		"GH-t2k9f1-x7qa-server-0-he3e3yktuo", "gh-t2k9f1-x7qa-server-0-HE3E3YKTUO",
		"gh-t2k9f1-x7qa-server-0-he3e3yktuo ", "xgh-t2k9f1-x7qa-server-0-he3e3yktuo"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(ours("site-a", "p1", "server", names[i]));
	assert_false(mark_name_is_ours("site-a", "p1", "server",
		slice_from("gh-t2k9f1-x7qa-server-0\0he3e3yktuo", 34), NULL));
}

static void test_marks(void **state)
{
	struct mark_parts p;
	char *text = mark_text("site-a", RUN, "my_net", 3, 1);
	assert_string_equal(text, "glasshouse site-a t2k9f1-x7qa my_net 3");
	assert_true(mark_parse(slice_of(text), &p));
	assert_true(slice_is(p.instance, "site-a") && slice_is(p.run, RUN));
	assert_true(slice_is(p.step, "my_net") && p.i == 3 && p.attempt == 1);
	free(text);
	text = mark_text("two words", RUN, "net", 0, 2);
	assert_string_equal(text, "glasshouse two words t2k9f1-x7qa net 0 a2");
	assert_true(mark_parse(slice_of(text), &p));
	assert_true(slice_is(p.instance, "two words") && p.i == 0 && p.attempt == 2);
	free(text);
}

static void test_no_marks(void **state)
{
	static const char *const texts[] = {"", "glasshouse", "glasshouse a", "glasshouse a b c",
		"glasshouse  run net 0x", "glass house a run net 0", "a glasshouse i run net 0",
		"glasshouse i run net -1", "glasshouse i run net 1000001",
		"glasshouse i run net 0 a1", "glasshouse i run net 0 a", "glasshouse i run net a2",
		"glasshouse i run net 0 ", "glasshouse run net 0",
		"a server for glasshouse tests 5"};
	struct mark_parts p;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (mark_parse(slice_of(texts[i]), &p))
			fail_msg("\"%s\" is no mark", texts[i]);
}

static void test_labels(void **state)
{
	struct random r;
	char a[RUN_LABEL_TEXT], b[RUN_LABEL_TEXT];
	random_init_seed(&r, 7);
	mark_run_label(1790000000000000, &r, a);
	mark_run_label(1790000000000000, &r, b);
	assert_string_not_equal(a, b); /* two in one second */
	assert_true(strlen(a) == 11 && a[6] == '-' &&
		    strspn(a, "0123456789abcdefghijklmnopqrstuvwxyz-") == 11);
	assert_memory_equal(a, "tlpwu8", 6);
	mark_run_label(0, &r, a);
	assert_true(strlen(a) == 6 && a[0] == '0' && a[1] == '-');
	mark_run_label(INT64_MAX, &r, a);
	assert_true(strlen(a) < RUN_LABEL_TEXT);
}

int test_mark(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_no_marks),
		cmocka_unit_test(test_labels),
	};
	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
