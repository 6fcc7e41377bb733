/* Every error that reading a scenario can give and test_scenario.c does not: at its place, with
 * what was meant, all in one pass. */
#include "written.h"

#include "base/buf.h"

static void test_names(void **state)
{
	written_refused(HEAD
		"params: {it: 1, 2b: 1, a-b: 1, ok_2: 1, zones: {compute: [a]}}\n"
		"texts: {x: [1], x2: {}, null: a, \"\": b}\n"
		"resources:\n"
		"  a23456789012345678901234567890x: {network: {}}\n"
		"  in: {network: {}}\n"
		"  ok_2: {network: {}}\n"
		"  good: {network: {}}\n"
		"checks:\n"
		"  good: {value: 1}\n",
		"t.yaml:2:10: \"it\" is a word of the language, not a name for a param\n"
		"t.yaml:2:17: \"2b\" is no name for a param: letters, digits and _, at most 30\n"
		"t.yaml:2:24: \"a-b\" is no name for a param: letters, digits and _, at most 30\n"
		"t.yaml:3:12: the text \"x\" must be text, not a list\n"
		"t.yaml:3:21: the text \"x2\" must be text, not a map\n"
		"t.yaml:3:25: \"null\" is a word of the language, not a name for a text\n"
		"t.yaml:3:34: \"\" is no name for a text: letters, digits and _, at most 30\n"
		"t.yaml:5:3: \"a23456789012345678901234567890x\" is no name for a step: letters, digits "
		"and _, at most 30\n"
		"t.yaml:6:3: \"in\" is a word of the language, not a name for a step\n"
		"t.yaml:7:3: the step \"ok_2\" has the name of a param (t.yaml:2)\n"
		"t.yaml:10:3: two steps are named \"good\"; the other stands at t.yaml:8\n");
	written_refused(HEAD "texts: {t: a}\nresources: {t: {network: {}}}\n",
		"t.yaml:2:9: the text \"t\" has the name of a step\n");
}

static void test_include(void **state)
{
	written_refused(HEAD
		"include: [[a], {b: 5}, {c: [1]}, \"\", nowhere-at-all]\n"
		"checks: {v: {value: 1}}\n",
		"t.yaml:2:11: include takes a name, a map of names, or a list of those\n"
		"t.yaml:2:20: the params of an included file are a map such as {servers: 2}\n"
		"t.yaml:2:28: the params of an included file are a map such as {servers: 2}\n"
		"t.yaml:2:34: include takes names of scenarios, not text\n"
		"t.yaml:2:38: no scenario \"nowhere-at-all\" to include\n");
}

static void test_expressions(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  a: {network: {}, when: [x], count: {}}\n"
		"  b: {network: {}, when: \"\", count: 1.5}\n"
		"  c: {network: {}, count: -1}\n"
		"  d: {network: {x: \"${i}\", y: \"${it}\"}}\n"
		"  e: {network: {x: \"${sample(1)}\", y: \"${secret(1, 2)}\", z: \"${size_for()}\", f: "
		"\"${file()}\"}}\n"
		"  f: {network: {x: [\"${a\", {y: \"${b c}\"}]}}\n"
		"  g: {network: {x: \"${a.}\", y: \"${a[0}\", z: \"${[1 2]}\"}}\n"
		"  h: {network: {x: \"${ {a 1} }\", y: \"${ {1: 2} }\", z: \"${max(1 2)}\"}}\n"
		"  j: {network: {x: \"${1 ? 2}\", y: \"${'a}\", z: \"${5parsec}\", q: \"${a ; b}\"}}\n"
		"  k: {network: {}, ready: \"[BODY].status =\"}\n",
		"t.yaml:3:26: when must be an expression, not a list\n"
		"t.yaml:3:38: count must be an expression, not a map\n"
		"t.yaml:4:26: when must be an expression, not empty\n"
		"t.yaml:4:37: count is a whole number from 0 to 10000\n"
		"t.yaml:5:27: count is a whole number from 0 to 10000\n"
		"t.yaml:6:23: there is no `i` here: the step has neither count nor each\n"
		"t.yaml:6:34: there is no `it` here: the step has no each\n"
		"t.yaml:7:23: sample takes a list and how many of it\n"
		"t.yaml:7:42: secret takes at most a length\n"
		"t.yaml:7:64: size_for takes an image\n"
		"t.yaml:7:84: file takes a name\n"
		"t.yaml:8:22: this ${ has no closing }\n"
		"t.yaml:8:37: expected an operator or the end, found \"c\"\n"
		"t.yaml:9:25: expected the name of a field after \".\"\n"
		"t.yaml:9:38: expected \"]\" after an index, found the end\n"
		"t.yaml:9:51: expected \",\" or \"]\" in a list, found \"2\"\n"
		"t.yaml:10:27: expected \":\" after the key, found \"1\"\n"
		"t.yaml:10:42: expected a key of a map: a word or a quoted text\n"
		"t.yaml:10:64: expected \",\" or \")\" after an argument, found \"2\"\n"
		"t.yaml:11:28: expected \":\" between the two sides of \"?\", found the end\n"
		"t.yaml:11:36: this ${ has no closing }\n"
		"t.yaml:11:50: not a number with a unit I know (ns us ms s m h d, B KiB MiB GiB, /s, "
		"%)\n"
		"t.yaml:11:69: this character has no meaning in an expression\n"
		"t.yaml:12:42: this character has no meaning in an expression\n");
}

static void test_steps_of(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  net: {network: {}}\n"
		"  a: {network: {}, after: \"${net}\"}\n"
		"  b: {network: {}, after: [nte, [net], net]}\n"
		"  c: {network: {}, with: nett}\n"
		"  d: {network: {}, each: nit}\n"
		"  e: {network: {}, each: {a: {b: [1]}}}\n"
		"  f: {network: {}, each: {}}\n"
		"  g: {network: {}, like: [net]}\n"
		"checks:\n"
		"  s: {stream: {to: \"icmp://x\"}, around: [net, nett]}\n",
		"t.yaml:4:27: after takes names of steps, without ${}\n"
		"t.yaml:5:28: after: there is no step \"nte\"; did you mean \"net\"?\n"
		"t.yaml:5:33: after takes names of steps, without ${}\n"
		"t.yaml:6:26: with: there is no step \"nett\"; did you mean \"net\"?\n"
		"t.yaml:7:26: each: there is no step \"nit\"; did you mean \"net\"?\n"
		"t.yaml:8:30: each with names takes lists: {zone: \"${zones.compute}\"}\n"
		"t.yaml:9:26: each is an empty map\n"
		"t.yaml:10:26: like: there is no step \"a list\"\n"
		"t.yaml:12:47: around: there is no step \"nett\"; did you mean \"net\"?\n");
}

static void test_bodies(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  net: {network: text}\n"
		"  f1: {find: network}\n"
		"  f2: {find: {network: {name: a}, port: {name: b}}}\n"
		"  f3: {find: {router_interface: {name: x}}}\n"
		"  g1: {group: [a, b]}\n"
		"  g2: {group: {a: 1}}\n"
		"actions:\n"
		"  s1: {set: {name: x}}\n"
		"  s2: {set: \"${net}\"}\n"
		"  s3: {server_action: {of: \"${net}\"}}\n"
		"  c1: {call: {method: GET, pth: /}}\n"
		"  d1: {delete: {off: x}}\n"
		"  d2: {delete: \"\"}\n"
		"checks:\n"
		"  h: {http: {urll: x}}\n"
		"  t: {tcp: [a]}\n"
		"  l: {list: }\n"
		"  w: {wait: [a]}\n"
		"  v: {value: }\n"
		"  st1: {stream: {to: \"icmp://x\", every: 10}, around: [net]}\n"
		"  st2: {stream: {to: \"icmp://x\", every: [10ms]}, around: [net]}\n"
		"  st3: {stream: {to: \"icmp://x\", every: \"${run}\"}, around: [net]}\n",
		"t.yaml:3:18: the body of network is a map of its fields, not text\n"
		"t.yaml:4:14: find takes one kind and the fields to find it by, such as {network: "
		"{name: shared}}\n"
		"t.yaml:5:14: find takes one kind and the fields to find it by, such as {network: "
		"{name: shared}}\n"
		"t.yaml:6:15: a router_interface cannot be found: the API has no list\n"
		"t.yaml:7:15: a group is an expression such as \"${a[*] + b[*]}\"\n"
		"t.yaml:8:15: a group is an expression such as \"${a[*] + b[*]}\"\n"
		"t.yaml:10:8: set: `of` is missing\n"
		"t.yaml:11:13: the body of set is a map, not text\n"
		"t.yaml:12:23: server_action takes `of` and one action such as os-stop: null\n"
		"t.yaml:13:8: call: `service` is missing\n"
		"t.yaml:13:8: call: `path` is missing\n"
		"t.yaml:13:28: call: unknown key \"pth\"; did you mean \"path\"?\n"
		"t.yaml:14:8: delete: `of` is missing\n"
		"t.yaml:14:17: delete: unknown key \"off\"; did you mean \"of\"?\n"
		"t.yaml:15:16: delete: `of` is missing\n"
		"t.yaml:17:7: http: `url` is missing\n"
		"t.yaml:17:14: http: unknown key \"urll\"; did you mean \"url\"?\n"
		"t.yaml:18:12: the body of tcp is a map, not a list\n"
		"t.yaml:19:7: list: `service` is missing\n"
		"t.yaml:20:13: wait must be an expression, not a list\n"
		"t.yaml:22:41: stream: `every` must be a time with a unit, such as 10ms, not \"10\"\n"
		"t.yaml:23:41: stream: `every` must be a time with a unit, such as 10ms, not \"a "
		"list\"\n");
}

static void test_places(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  net: {network: {}}\n"
		"  g: {group: \"${net}\", count: 2, each: [a], expect: [\"1 == 1\"], retry: {tries: 2}}\n"
		"  v: {volume: {size: 1}, login: {user: a}, allowed: [a], optional: true}\n"
		"  s: {server: {}, login: text}\n"
		"  s2: {server: {}, login: {usr: a}}\n"
		"actions:\n"
		"  w: {wait: \"1 == 1\", must_fail: [409], hold: 1s, undo: {}}\n"
		"  w2: {wait: \"1 == 1\", until: \"2 == 2\"}\n"
		"  d: {delete: \"${net}\", keep: 2, with: net, ready: now, lock: \"\", upload: 1MiB, until: "
		"\"1 == 1\"}\n"
		"checks:\n"
		"  p: {ping: {to: a}, around: [net], lead: 1s, tail: 1s, must_fail: []}\n",
		"t.yaml:4:24: `count` has no meaning for group: a group has as many elements as its "
		"members\n"
		"t.yaml:4:34: `each` has no meaning for group: a group has as many elements as its "
		"members\n"
		"t.yaml:4:34: step g has both count and each\n"
		"t.yaml:4:45: `expect` has no meaning for group: a group measures nothing\n"
		"t.yaml:4:65: `retry` has no meaning for group: it belongs to what can be tried again\n"
		"t.yaml:5:26: login stands at a server or a group of servers\n"
		"t.yaml:5:44: `allowed` has no meaning for volume: it belongs to http\n"
		"t.yaml:5:58: `optional` has no meaning for volume: it belongs to list\n"
		"t.yaml:6:26: login is a map: {user, host, port, key, via}, not text\n"
		"t.yaml:7:28: login: unknown key \"usr\"; did you mean \"user\"?\n"
		"t.yaml:9:23: `must_fail` has no meaning for wait: it belongs to what is asked of the "
		"cloud or a guest\n"
		"t.yaml:9:51: `undo` has no meaning for wait: it belongs to set, server_action, call and "
		"guest\n"
		"t.yaml:10:24: `until` has no meaning for wait: it belongs to a change or a check\n"
		"t.yaml:11:3: d is kept, so it cannot need net, which is not\n"
		"t.yaml:11:25: `keep` has no meaning for delete: it belongs to something that is made\n"
		"t.yaml:11:34: `with` has no meaning for delete: it belongs to something that is made\n"
		"t.yaml:11:45: `ready` has no meaning for delete: it belongs to something that is made\n"
		"t.yaml:11:57: `lock` has no meaning for delete: it belongs to something that is made\n"
		"t.yaml:11:67: `upload` has no meaning for delete: it belongs to an image\n"
		"t.yaml:11:81: `until` has no meaning for delete: it belongs to a change or a check\n"
		"t.yaml:13:22: `around` has no meaning for ping: it belongs to a stream\n"
		"t.yaml:13:37: `lead` has no meaning for ping: it belongs to a stream\n"
		"t.yaml:13:47: `tail` has no meaning for ping: it belongs to a stream\n"
		"t.yaml:13:68: must_fail needs at least one fault\n");
}

static void test_values(void **state)
{
	written_refused(HEAD
		"teardown: 8d\n"
		"resources:\n"
		"  a: {network: {}, timeout: 0s, request: 1, abort: 1, component: [x]}\n"
		"  b: {network: {}, keep: -1, retry: {tries: 0, until: 2d, on: [none]}}\n"
		"  c: {network: {}, retry: 5}\n"
		"  d: {keypair: {}, keep: forever}\n"
		"  e: {subnet: {network_id: \"${a}\"}, keep: 2}\n"
		"checks:\n"
		"  f: {value: 1, expect: [[STATUS]]}\n"
		"  g: {value: 1, expect: {a: b}}\n"
		"  h: {value: 1, warn: [\"[STATUS] == 1\", \"[STATUS] == 1 )\"]}\n",
		"t.yaml:2:11: a scenario: teardown must be from 1ms to 7d, not \"8d\"\n"
		"t.yaml:4:29: step a: timeout must be from 1ms to 7d, not \"0s\"\n"
		"t.yaml:4:42: step a: request must be a time with a unit, such as 10s or 5m, not "
		"\"1\"\n"
		"t.yaml:4:52: step a: abort must be true or false, not \"1\"\n"
		"t.yaml:4:66: step a: component must be text, not a list\n"
		"t.yaml:5:26: keep is a number of runs, or forever, not \"-1\"\n"
		"t.yaml:5:45: retry: tries must be from 1 to 10000, not \"0\"\n"
		"t.yaml:5:55: retry: until must be from 1ms to 1d, not \"2d\"\n"
		"t.yaml:6:27: retry must be a map, not a number\n"
		"t.yaml:7:3: a keypair can be kept only with a public_key of yours: a private key made "
		"in a run ends with it\n"
		"t.yaml:8:3: e is kept, so it cannot need a, which is not\n"
		"t.yaml:10:26: a condition is text such as \"[STATUS] == 200\", not a list (put it in "
		"quotes)\n"
		"t.yaml:11:25: a condition is text such as \"[STATUS] == 200\", not a map\n"
		"t.yaml:12:56: expected && or || or the end\n");
}

static void test_limits(void **state)
{
	struct buf text = BUF(BUF_PAGE);
	buf_add_str(&text, HEAD "checks:\n");
	for (int i = 0; i < 2502; i++)
		buf_printf(&text, "  c%d: {value: 1}\n", i);
	written_refused(buf_str(&text), "t.yaml:2503:3: a scenario has at most 2500 steps\n");
	buf_fini(&text);
}

/* More errors than anyone reads: the first are kept, the rest is counted. */
static void test_many_errors(void **state)
{
	struct buf text = BUF(BUF_PAGE);
	struct error_list errors = {0};
	buf_add_str(&text, HEAD "checks:\n");
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "  c%d: {value: \"${nope}\"}\n", i);
	assert_null(scenario_parse(buf_slice(&text), "t.yaml", NULL, written_kinds, &errors));
	assert_int_equal(errors.n, ERROR_LIST_MAX);
	assert_int_equal(errors.dropped, 150);
	for (size_t i = 1; i < errors.n; i++)
		assert_true(errors.p[i - 1].line < errors.p[i].line);
	error_list_fini(&errors);
	buf_fini(&text);
}

int test_read_errors(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_steps_of),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_errors),
	};
	return cmocka_run_group_tests_name("read_errors", tests, written_setup, written_teardown);
}
