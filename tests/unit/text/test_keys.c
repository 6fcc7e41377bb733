/* Maps read through a table: every type, every error at its place, all in one pass. */
#include "../check.h"

#include "base/buf.h"
#include "base/clock.h"
#include "text/keys.h"

struct thing {
	char *name, **hosts;
	bool on;
	int64_t n, wait_ns, size;
	double share;
	int mode;
	const struct yaml *any, *map, *list;
};

static const char *const modes[] = {"slow", "fast", NULL};

#define AT(field) offsetof(struct thing, field)
static const struct key table[] = {
	{"name", KEY_TEXT, AT(name), true, 0, 8, NULL, "what it is called"},
	{"on", KEY_BOOL, AT(on), false, 0, 0, NULL, NULL},
	{"n", KEY_INT, AT(n), false, 1, 10, NULL, NULL},
	{"share", KEY_REAL, AT(share), false, 0, 0, NULL, NULL},
	{"wait", KEY_TIME, AT(wait_ns), false, NS_PER_MS, 60 * NS_PER_S, NULL, NULL},
	{"size", KEY_SIZE, AT(size), false, 1024, 1 << 20, NULL, NULL},
	{"mode", KEY_WORD, AT(mode), false, 0, 0, modes, NULL},
	{"hosts", KEY_TEXTS, AT(hosts), false, 0, 0, NULL, NULL},
	{"any", KEY_NODE, AT(any), false, 0, 0, NULL, NULL},
	{"map", KEY_MAP, AT(map), false, 0, 0, NULL, NULL},
	{"list", KEY_LIST, AT(list), false, 0, 0, NULL, NULL},
};

static struct thing thing;
static struct yaml_file *file;

/* Reads into `thing`; the errors, a line each. Owned. */
static char *read_text(const char *text)
{
	struct error_list errors = {0};
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];
	thing = (struct thing){.n = 5, .mode = -1};
	file = yaml_parse(slice_of(text), "f", &errors);
	assert_non_null(file);
	const bool good = keys_read(
		yaml_root(file, 0), "f", "a thing", table, array_len(table), &thing, &errors);
	assert_true(good == (errors.n == 0));
	for (size_t i = 0; i < errors.n; i++)
		buf_printf(&all, "%s\n", error_text(&errors.p[i], line, sizeof(line)));
	error_list_fini(&errors);
	return buf_take(&all);
}

static void done(char *errors)
{
	free(errors);
	keys_release(table, array_len(table), &thing);
	assert_null(thing.name);
	assert_null(thing.hosts);
	yaml_free(file);
}

static void test_all_types(void **state)
{
	char *errors = read_text(
		"name: 007\non: true\nn: 10\nshare: 0.5\nwait: 1m\nsize: 1KiB\nmode: fast\n"
		"hosts: [a, 5]\nany: {x: 1}\nmap: {}\nlist: []\n");
	assert_string_equal(errors, "");
	assert_string_equal(thing.name, "007"); /* as written */
	assert_true(thing.on && thing.n == 10 && thing.share == 0.5);
	assert_true(thing.wait_ns == 60 * NS_PER_S && thing.size == 1024 && thing.mode == 1);
	assert_string_equal(thing.hosts[0], "a");
	assert_string_equal(thing.hosts[1], "5");
	assert_null(thing.hosts[2]);
	assert_non_null(yaml_get(thing.any, "x"));
	assert_int_equal(thing.map->n + thing.list->n, 0);
	done(errors);
	errors = read_text("{name: a, hosts: alone}");
	assert_string_equal(errors, "");
	assert_string_equal(thing.hosts[0], "alone");
	assert_null(thing.hosts[1]);
	assert_int_equal(thing.n, 5); /* what is not there stays */
	done(errors);
}

static void test_every_error_in_one_pass(void **state)
{
	char *errors = read_text(
		"naem: x\n"
		"on: 1\n"
		"n: 11\n"
		"share: much\n"
		"wait: 5\n"
		"size: 2GiB\n"
		"mode: quick\n"
		"hosts: [a, [b]]\n"
		"map: []\n"
		"list: x\n"
		"elsewhere: 1\n");
	assert_string_equal(errors,
		"f:1:1: a thing: unknown key \"naem\"; did you mean \"name\"?\n"
		"f:2:5: a thing: on must be true or false, not \"1\"\n"
		"f:3:4: a thing: n must be from 1 to 10, not \"11\"\n"
		"f:4:8: a thing: share must be a number, not \"much\"\n"
		"f:5:7: a thing: wait must be a time with a unit, such as 10s or 5m, not \"5\"\n"
		"f:6:7: a thing: size must be from 1.0KiB to 1.0MiB, not \"2GiB\"\n"
		"f:7:7: a thing: mode must be one of slow, fast, not \"quick\"\n"
		"f:8:8: a thing: hosts must be text or a list of texts, not a list\n"
		"f:9:6: a thing: map must be a map, not a list\n"
		"f:10:7: a thing: list must be a list, not \"x\"\n"
		"f:11:1: a thing: unknown key \"elsewhere\"\n"
		"f:1:1: a thing: name is missing (what it is called)\n");
	done(errors);
}

static void test_edges(void **state)
{
	char *errors = read_text("{name: 123456789, n: 0x10, wait: 0s, share: .inf}");
	assert_non_null(strstr(errors, "name must be shorter, not \"123456789\""));
	assert_non_null(strstr(errors, "n must be "));
	assert_non_null(strstr(errors, "wait must be from 1ms to 1m, not \"0s\""));
	done(errors);
	errors = read_text("{name: , n: 1.5, mode: [slow], wait: {}}");
	assert_non_null(strstr(errors, "name must be text, not "));
	assert_non_null(strstr(errors, "n must be a whole number, not \"1.5\""));
	assert_non_null(strstr(errors, "mode must be one of slow, fast, not a list"));
	assert_non_null(
		strstr(errors, "wait must be a time with a unit, such as 10s or 5m, not a map"));
	done(errors);
	errors = read_text("[name]");
	assert_string_equal(errors, "f:1:1: a thing must be a map, not a list\n");
	done(errors);
}

int test_keys(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_every_error_in_one_pass),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
