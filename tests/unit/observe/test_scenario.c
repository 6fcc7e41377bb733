/*
 * Scenarios as they are written: what is taken, and every error with its place.
 */

#include "written.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const struct step *step_of(const struct scenario *s, const char *name)
{
	const int i = scenario_step(s, slice_of(name));
	assert_true(i >= 0);
	return &s->steps[i];
}

static bool needs(const struct scenario *s, const char *step, const char *other)
{
	const struct step *a = step_of(s, step);
	const int b = scenario_step(s, slice_of(other));
	for (size_t i = 0; i < a->need_count; i++)
		if ((int)a->needs[i] == b)
			return true;
	return false;
}

static const char login_scenario[] = HEAD
	"title: log in\n"
	"deadline: 10m\n"
	"params: {servers: 1, image: auto, flavor: auto, external: auto}\n"
	"resources:\n"
	"  net: {network: {}}\n"
	"  subnet: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.71.0.0/24}}\n"
	"  router: {router: {external_gateway_info: {network_id: \"${external}\"}}}\n"
	"  link: {router_interface: {router: \"${router}\", subnet_id: \"${subnet}\"}}\n"
	"  key: {keypair: }\n"
	"  port: {port: {network_id: \"${net}\", fixed_ips: [{subnet_id: \"${subnet}\"}]}, "
	"count: \"${servers}\"}\n"
	"  server: {server: {imageRef: \"${image}\", flavorRef: \"${flavor}\", networks: "
	"[{port: \"${port[i]}\"}]}, count: \"${servers}\", after: [link],\n"
	"    login: {host: \"${fip[i].floating_ip_address}\", key: \"${key}\"}}\n"
	"  fip: {floating_ip: {floating_network_id: \"${external}\", port_id: \"${port[i]}\"}, "
	"count: servers, after: [link]}\n"
	"checks:\n"
	"  reach: {ping: {to: \"${fip[i].floating_ip_address}\"}, each: server}\n"
	"  login: {ssh: {to: \"${it}\", run: hostname}, each: server, "
	"expect: [\"[OUTPUT] == ${it.name}\"], retry: {until: 2m, every: 500ms, on: [timeout, 503]}}\n";

static void test_login(void **state)
{
	struct scenario *s = written_parse(login_scenario);
	assert_string_equal(s->name, "t");
	assert_string_equal(s->title, "log in");
	assert_true(s->deadline_ns == 600 * NS_PER_S);
	assert_true(s->teardown_ns == 600 * NS_PER_S);
	assert_int_equal(s->step_count, 10);
	assert_true(s->params[1].is_auto);
	assert_true(needs(s, "subnet", "net"));
	assert_true(needs(s, "server", "link"));
	assert_true(needs(s, "server", "port"));
	/* What stands in `login` is needed by those who log in, not by the server. */
	assert_false(needs(s, "server", "fip"));
	assert_true(needs(s, "login", "fip"));
	assert_true(needs(s, "login", "key"));
	assert_true(needs(s, "reach", "fip"));
	assert_true(needs(s, "reach", "server"));
	assert_false(needs(s, "reach", "key"));
	const struct step *login = step_of(s, "login");
	assert_int_equal(login->verb, VERB_SSH);
	assert_int_equal(login->each_step, scenario_step(s, SLICE("server")));
	assert_int_equal(login->expect.n, 1);
	assert_string_equal(login->expect.p[0].text, "[OUTPUT] == ${it.name}");
	assert_true(login->retry.set && login->retry.until_ns == 120 * NS_PER_S);
	assert_int_equal(login->retry.on.n, 2);
	assert_int_equal(login->retry.on.p[0].fault, FAULT_TIMEOUT);
	assert_int_equal(login->retry.on.p[1].status, 503);
	assert_non_null(step_of(s, "key")->body);
	/* In order, every step stands after what it needs. */
	size_t at[10];
	for (size_t i = 0; i < s->step_count; i++)
		at[s->order[i]] = i;
	for (size_t i = 0; i < s->step_count; i++)
		for (size_t k = 0; k < s->steps[i].need_count; k++)
			assert_true(at[s->steps[i].needs[k]] < at[i]);
	scenario_free(s);
}

static void test_all_errors_at_once(void **state)
{
	written_refused(HEAD
		"deadline: 10\n"
		"resource: {}\n"
		"resources:\n"
		"  net: {netwrok: {}}\n"
		"  sub: {subnet: {network_id: \"${nett}\"}, timout: 3s}\n"
		"  two: {network: {}, ping: {to: a}}\n"
		"  none: {after: [net]}\n"
		"  port: {port: {network_id: \"${net}\"}, timeout: 5}\n"
		"checks:\n"
		"  far: {ping: {to: a, form: b}, after: [nett]}\n",
		"t.yaml:2:11: a scenario: deadline must be a time with a unit, such as 10s or 5m, not "
		"\"10\"\n"
		"t.yaml:3:1: a scenario: unknown key \"resource\"; did you mean \"resources\"?\n"
		"t.yaml:5:9: step net: \"netwrok\" is no key, verb or kind; did you mean \"network\"?\n"
		"t.yaml:6:33: there is no step, param or text \"nett\"; did you mean \"net\"?\n"
		"t.yaml:6:42: step sub: \"timout\" is no key, verb or kind; did you mean \"timeout\"?\n"
		"t.yaml:7:22: step two has two verbs, network and ping: make it two steps\n"
		"t.yaml:8:3: step none says nothing to do: it needs a kind such as network, or a verb "
		"such as ping\n"
		"t.yaml:9:49: step port: timeout must be a time with a unit, such as 10s or 5m, not "
		"\"5\"\n"
		"t.yaml:11:23: ping: unknown key \"form\"; did you mean \"from\"?\n"
		"t.yaml:11:41: after: there is no step \"nett\"; did you mean \"net\"?\n");
}

static void test_cycles(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  a: {port: {network_id: \"${b}\"}}\n"
		"  b: {network: {}, after: [c]}\n"
		"  c: {router: {name2: \"${a.id}\"}}\n",
		"t.yaml:3:3: these steps wait for each other: a needs b needs c needs a\n");
	written_refused(HEAD "resources:\n  a: {network: {x: \"${a.id}\"}}\n",
		"t.yaml:3:3: these steps wait for each other: a needs a\n");
	/* A stream ends after the steps it goes around, which start after it has. */
	written_refused(HEAD
		"resources:\n  a: {network: {}, after: [s]}\nchecks:\n"
		"  s: {stream: {to: \"icmp://192.0.2.1\"}, around: [a]}\n",
		"t.yaml:3:3: these steps wait for each other: a needs s needs a\n");
	written_refused(HEAD
		"resources:\n  a: {network: {}}\n  b: {subnet: {network_id: \"${a}\"}}\n"
		"checks:\n"
		"  s: {stream: {to: \"icmp://${b.gateway_ip}\"}, around: [a]}\n",
		"t.yaml:3:3: these steps wait for each other: a needs s needs b needs a\n");
}

static void test_kept(void **state)
{
	struct scenario *s = written_parse(HEAD
		"resources:\n"
		"  key: {keypair: {public_key: \"ssh-ed25519 AAAA\"}, keep: 3}\n"
		"  net: {network: {}, keep: forever}\n"
		"  sub: {subnet: {network_id: \"${net}\"}, keep: 1}\n");
	assert_true(step_of(s, "key")->keep == 3 && step_of(s, "net")->keep == -1);
	scenario_free(s);
	written_refused(HEAD
		"resources:\n"
		"  vm: {server_batch: {}, keep: 2}\n",
		"t.yaml:3:26: a server_batch cannot be kept\n");
}

static void test_many(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  net: {network: {}, count: 2}\n"
		"  sub: {subnet: {network_id: \"${net}\", name: \"${run}-${i}\"}}\n"
		"  port: {port: {network_id: \"${net[0]}\", x: \"${it}\"}, count: 2}\n"
		"  all: {value: \"${len(net[*])}\"}\n"
		"  twice: {network: {}, count: 1, each: net}\n"
		"  early: {network: {}, count: \"${i}\"}\n",
		"t.yaml:4:33: \"net\" has several elements: write net[i] for one, net[*] for all\n"
		"t.yaml:4:56: there is no `i` here: the step has neither count nor each\n"
		"t.yaml:5:48: there is no `it` here: the step has no each\n"
		"t.yaml:7:34: step twice has both count and each\n"
		"t.yaml:8:34: there is no `i` here: the step has neither count nor each\n");
}

static void test_wrong_values(void **state)
{
	written_refused(HEAD
		"resources:\n"
		"  a: {network: [1]}\n"
		"  b: {network: {}, grade: bad, keep: 0}\n"
		"  c: {network: {}, must_fail: [tiemout, 42], hold: 5s}\n"
		"  d: {network: {}, retry: {every: 1s}}\n"
		"  e: {router_interface: {subnet_id: x}}\n"
		"  f: {network: {}, upload: 3MiB, around: [a]}\n"
		"  g: {network: {name: fixed}}\n"
		"  h: {find: {network: {}}}\n"
		"  j: {find: {netwrk: {name: x}}}\n"
		"  k: text\n"
		"  run: {network: {}}\n"
		"  l: {network: {a: \"${1 +}\"}}\n"
		"  m: {network: {a: \"${sizefor(1)}\", b: \"${cidr(1)}\"}}\n"
		"  n: {server_action: {of: \"${b}\", os-stop: null, os-start: null}}\n"
		"  o: {network: {}, like: nobody, count: 20000}\n"
		"checks:\n"
		"  p: {ping: {}}\n"
		"  q: {value: 1, expect: [\"[STATUS] ==\"]}\n"
		"  r: {stream: {to: \"icmp://x\"}}\n"
		"  s: {value: 1, hold: 2s}\n"
		"  u: {ssh: {to: \"${b}\"}}\n",
		"t.yaml:3:16: the body of network is a map of its fields, not a list\n"
		"t.yaml:4:27: step b: grade must be one of outage, degraded, note, not \"bad\"\n"
		"t.yaml:4:38: keep is a number of runs, or forever, not \"0\"\n"
		"t.yaml:5:32: \"tiemout\" is neither a fault such as timeout nor an HTTP status; did you "
		"mean \"timeout\"?\n"
		"t.yaml:5:41: \"42\" is neither a fault such as timeout nor an HTTP status\n"
		"t.yaml:6:27: retry needs tries or until\n"
		"t.yaml:7:7: router_interface: `router` is missing\n"
		"t.yaml:8:20: a network has no data to upload\n"
		"t.yaml:8:34: `around` has no meaning for network: it belongs to a stream\n"
		"t.yaml:9:23: a name of one's own must contain ${run}, so that it can be told whose it "
		"is\n"
		"t.yaml:10:13: find takes one kind and the fields to find it by, such as {network: "
		"{name: shared}}\n"
		"t.yaml:11:14: \"netwrk\" is no kind; did you mean \"network\"?\n"
		"t.yaml:12:6: step k must be a map such as {network: {}}, not text\n"
		"t.yaml:13:3: \"run\" is a word of the language, not a name for a step\n"
		"t.yaml:14:26: expected a value, found the end\n"
		"t.yaml:15:23: unknown function \"sizefor\"; did you mean \"size_for\"?\n"
		"t.yaml:15:43: cidr takes 3 arguments, not 1\n"
		"t.yaml:16:22: server_action takes `of` and one action such as os-stop: null\n"
		"t.yaml:17:26: like: there is no step \"nobody\"\n"
		"t.yaml:17:41: count is a whole number from 0 to 10000\n"
		"t.yaml:19:7: ping: `to` is missing\n"
		"t.yaml:20:38: expected a measurement such as [STATUS], a ${expression} or a value\n"
		"t.yaml:21:3: the stream r needs `around`: the steps it runs around\n"
		"t.yaml:22:17: hold goes with must_fail\n"
		"t.yaml:23:17: the step \"b\" has no `login` to log in with\n");
}

static void test_top(void **state)
{
	written_refused("", "t.yaml:1:1: the file is empty\n");
	written_refused("[a]", "t.yaml:1:1: a scenario must be a map, not a list\n");
	written_refused(
		HEAD, "t.yaml:1:1: a scenario needs steps under resources, actions or checks\n");
	written_refused("resources: {a: {network: {}}}\n",
		"t.yaml:1:1: a scenario: scenario is missing (its name)\n");
	written_refused(HEAD "matrix: {a: [1]}\nresources: {a: {network: {}}}\n",
		"t.yaml:2:1: matrix stands beside `use:` in glasshouse.yaml, not in a scenario\n");
	written_refused(HEAD
		"params: {number: auto, a: \"${b}\", c: \"${x}\", a b: 1}\n"
		"texts: {a: x, t: \"${t}\"}\n"
		"resources: {x: {network: {}}}\n",
		"t.yaml:2:18: `auto` works for params whose name ends in image, flavor, external, "
		"volume_type, dns or servers, not for \"number\"\n"
		"t.yaml:2:30: there is no step, param or text \"b\"\n"
		"t.yaml:2:41: a param cannot use the step \"x\": params are known before the run\n"
		"t.yaml:2:46: \"a b\" is no name for a param: letters, digits and _, at most 30\n"
		"t.yaml:3:9: the text \"a\" has the name of a param\n"
		"t.yaml:3:15: the text \"t\" contains itself\n");
	written_refused(
		"scenario: a\nchecks: {x: {value: 1}}\n---\nscenario: b\nchecks: {x: {value: 1}}\n",
		"t.yaml:1:1: this file has 2 scenarios, say which: a, b\n");
}

/* Texts in texts multiply: each is judged once for each place, whoever names it. */
static void test_texts(void **state)
{
	struct buf text = BUF(BUF_ANSWER);
	buf_add_str(&text, HEAD "texts:\n");
	for (int i = 0; i < 20; i++) {
		buf_printf(&text, "  t%d: \"", i);
		for (int k = 0; k < 10; k++)
			buf_printf(&text, "${t%d}", i + 1);
		buf_add_str(&text, "\"\n");
	}
	buf_add_str(&text,
		"  t20: \"${i} ${nte}\"\nresources:\n  net: {network: {}}\n"
		"checks:\n  a: {value: \"${t0}\"}\n  b: {value: \"${t0}\", count: 2}\n");
	written_refused(buf_str(&text),
		"t.yaml:23:11: there is no `i` here: the step has neither count nor each\n"
		"t.yaml:23:16: there is no step, param or text \"nte\"; did you mean \"net\"?\n");
	buf_fini(&text);
	written_refused(HEAD
		"texts: {a: \"${b}\", b: \"${c}${a}\", c: x}\n"
		"checks: {v: {value: \"${c}\"}}\n",
		"t.yaml:2:9: the text \"a\" contains itself\n"
		"t.yaml:2:20: the text \"b\" contains itself\n");
}

static void test_like(void **state)
{
	struct scenario *s = written_parse(HEAD
		"resources:\n"
		"  net: {network: {}}\n"
		"  n2: {network: {mtu: 1400, shared: false}, count: 3, timeout: 9s}\n"
		"  n3: {like: n2, network: {mtu: 1300}}\n"
		"  n4: {like: n3, each: [a, b], timeout: 8s}\n"
		"checks:\n"
		"  a: {value: 1, expect: [\"[VALUE] == 1\"], after: [net]}\n"
		"  b: {like: a, after: [n2]}\n");
	const struct step *n3 = step_of(s, "n3"), *n4 = step_of(s, "n4"), *b = step_of(s, "b");
	assert_non_null(n3->count);
	assert_true(n3->timeout_ns == 9 * NS_PER_S);
	assert_int_equal(interp_count(n3->body), 2);
	assert_null(n4->count);
	assert_non_null(n4->each);
	assert_true(n4->timeout_ns == 8 * NS_PER_S);
	assert_int_equal(interp_count(n4->body), 2);
	assert_int_equal(b->after_count, 1);
	assert_true(needs(s, "b", "n2"));
	assert_false(needs(s, "b", "net"));
	assert_int_equal(b->expect.n, 1);
	scenario_free(s);
	written_refused(HEAD "checks:\n  a: {like: b}\n  b: {like: a}\n",
		"t.yaml:3:3: step a says nothing to do: it needs a kind such as network, or a verb such "
		"as ping\n"
		"t.yaml:4:3: step b says nothing to do: it needs a kind such as network, or a verb such "
		"as ping\n"
		"t.yaml:4:13: b is like a, which is like it\n");
}

/* --- files ------------------------------------------------------------------------------------ */

static char directory[64];

static void write_file(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", directory, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static int make_directory(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test-scenario-XXXXXX");
	return mkdtemp(directory) ? 0 : 1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"base.yaml", "main.yaml", "a.yaml", "b.yaml"};
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s/%s", directory, names[i]);
		unlink(path);
		free(path);
	}
	return rmdir(directory);
}

static struct scenario *load(const char *name, const char *document, char **ret_errors)
{
	const char *const dirs[] = {"/nowhere", directory, NULL};
	struct error_list errors = {0};
	struct scenario *s = scenario_load(name, document, dirs, written_kinds, &errors);
	*ret_errors = written_errors(&errors);
	return s;
}

static void test_include(void **state)
{
	char *errors;
	write_file("base.yaml",
		"scenario: base\ndeadline: 1m\nrequired: [who]\n"
		"params: {servers: 2, fips: \"${servers}\", external: auto}\n"
		"resources:\n"
		"  net: {network: {}, count: \"${servers}\"}\n"
		"checks:\n"
		"  x: {value: \"${who}\"}\n");
	write_file("main.yaml",
		"scenario: main\n"
		"include: {base: {fips: 0, who: \"${name}\"}}\n"
		"params: {servers: 3, name: me}\n"
		"resources:\n"
		"  sub: {subnet: {network_id: \"${net[i]}\"}, each: net}\n");
	struct scenario *s = load("main", NULL, &errors);
	assert_string_equal(errors, "");
	assert_non_null(s);
	free(errors);
	assert_string_equal(s->name, "main");
	assert_true(s->deadline_ns == 900 * NS_PER_S);
	assert_int_equal(s->step_count, 3);
	assert_int_equal(s->param_count, 5);
	assert_true(needs(s, "sub", "net"));
	for (size_t i = 0; i < s->param_count; i++)
		assert_non_null(s->params[i].value);
	scenario_free(s);

	write_file("main.yaml",
		"scenario: main\n"
		"include: [{base: {fip: 0}}, bsae]\n"
		"resources:\n"
		"  net: {network: {}}\n"
		"  sub: {subnet: {network_id: \"${nte}\"}}\n");
	s = load("main", NULL, &errors);
	assert_null(s);
	char *expected = mem_printf(
		"%s/main.yaml:2:19: base has no param \"fip\"; did you mean \"fips\"?\n"
		"%s/main.yaml:2:29: no scenario \"bsae\" to include; did you mean \"base\"?\n"
		"%s/main.yaml:4:3: two steps are named \"net\"; the other stands at %s/base.yaml:6\n"
		"%s/main.yaml:5:33: there is no step, param or text \"nte\"; did you mean \"net\"?\n",
		directory, directory, directory, directory, directory);
	assert_string_equal(errors, expected);
	free(expected);
	free(errors);
}

static void test_include_circle(void **state)
{
	char *errors;
	write_file("a.yaml", "scenario: a\ninclude: b\nchecks: {x: {value: 1}}\n");
	write_file("b.yaml", "scenario: b\ninclude: [a]\nchecks: {y: {value: 1}}\n");
	assert_null(load("a", NULL, &errors));
	assert_non_null(strstr(errors, "a file includes itself: "));
	free(errors);
	write_file("a.yaml",
		"scenario: a\nchecks: {x: {value: 1}}\n---\n"
		"scenario: c\nchecks: {x: {value: 2}, y: {value: 3}}\n");
	struct scenario *s = load("a", "c", &errors);
	assert_non_null(s);
	assert_int_equal(s->step_count, 2);
	scenario_free(s);
	free(errors);
	assert_null(load("a", "d", &errors));
	assert_non_null(strstr(errors, "no scenario of this file is named d: a, c"));
	free(errors);
	assert_null(load("aa", NULL, &errors));
	assert_non_null(strstr(errors, "no scenario \"aa\" in /nowhere, "));
	free(errors);
}

int test_scenario(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_like),
		cmocka_unit_test_setup_teardown(test_include, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
			test_include_circle, make_directory, remove_directory),
	};
	return cmocka_run_group_tests_name("scenario", tests, written_setup, written_teardown);
}
