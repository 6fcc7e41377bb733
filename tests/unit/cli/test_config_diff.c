/* What SIGHUP would change: a line for every key there is, and which of them need a restart. */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>

#include "base/json.h"

static void diff_is(const char *from, const char *to, const char *expected)
{
	struct config *a = configured(from), *b = configured(to);
	struct buf out = BUF(BUF_PAGE);
	const size_t n = config_diff(a, b, &out);
	size_t lines = 0;

	for (size_t i = 0; i < out.n; i++)
		lines += out.p[i] == '\n';
	assert_string_equal(buf_str(&out), expected);
	assert_int_equal(n, lines);
	buf_fini(&out);
	config_free(a);
	config_free(b);
}

struct change {
	const char *from, *to, *line;
};

#define CLOUD(was, is, line)                                                                       \
	{                                                                                          \
		"clouds: {c: {" was "}}", "clouds: {c: {" is "}}", "~ cloud c: " line "\n"         \
	}
#define SCENARIO(was, is, line)                                                                    \
	{                                                                                          \
		"scenarios: [{name: s, " was "}]", "scenarios: [{name: s, " is "}]",               \
			"~ scenario s: " line "\n"                                                 \
	}
#define HOOK(was, is, line)                                                                        \
	{                                                                                          \
		"alarms: [{name: h, webhook: \"http://h\"" was "}]",                               \
			"alarms: [{name: h, webhook: \"http://h\"" is "}]",                        \
			"~ alarm h: " line "\n"                                                    \
	}
#define COMPONENT(was, is, line)                                                                   \
	{                                                                                          \
		"components: {c: {" was "}}", "components: {c: {" is "}}",                         \
			"~ component c: " line "\n"                                                \
	}
#define MAIL(was, is)                                                                              \
	{                                                                                          \
		"alarms: [{name: m, mail: a@b, server: {host: h, from: f@g, user: u, password: "   \
		"\"env:P\"" was "}}]",                                                             \
			"alarms: [{name: m, mail: a@b, server: {host: h, from: f@g, user: u, "     \
			"password: \"env:P\"" is "}}]",                                            \
			NULL                                                                       \
	}

#define TEXT_10  "- a word\\n"
#define TEXT_100 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10 TEXT_10

static const struct change changes[] = {
	{"", "site: {name: N}", "~ site.name: Cloud status -> N\n"},
	{"", "site: {url: \"http://u/\"}", "~ site.url: \"\" -> http://u/\n"},
	{"", "site: {timezone: Europe/Berlin}", "~ site.timezone: UTC -> Europe/Berlin\n"},
	{"", "site: {languages: de}", "~ site.languages: [\"en\",\"de\"] -> [\"de\"]\n"},
	{"", "site: {about: A}", "~ site.about: {} -> {\"en\":\"A\"}\n"},
	{"site: {about: A}", "site: {about: {en: A, de: B}}",
		"~ site.about: {\"en\":\"A\"} -> {\"en\":\"A\",\"de\":\"B\"}\n"},
	{"site: {about: A}", "site: {about: \"" TEXT_100 TEXT_100 "\"}",
		"~ site.about: {\"en\":\"A\"} -> (209 bytes)\n"},
	{"instance: a", "instance: b", "! instance: needs a restart (a -> b)\n"},
	{"", "location: b", "! location: needs a restart (\"\" -> b)\n"},
	{"", "listen: {public: none}",
		"! listen.public: needs a restart (127.0.0.1:8090 -> none)\n"},
	{"", "listen: {intake: none}",
		"! listen.intake: needs a restart (127.0.0.1:8091 -> none)\n"},
	{"", "listen: {isolate: false}", "! listen.isolate: needs a restart (true -> false)\n"},
	{"", "listen: {threads: 2}", "! listen.threads: needs a restart (1 -> 2)\n"},
	{"", "listen: {token: \"env:T\"}", "! listen.token: needs a restart (none -> env:T)\n"},
	{"store: sqlite:/a", "store: sqlite:/b",
		"! store: needs a restart (sqlite:/a -> sqlite:/b)\n"},
	{"", "keep: {raw: 7d}", "! keep.raw: needs a restart (14d -> 7d)\n"},
	{"", "keep: {ten_minutes: 7d}", "! keep.ten_minutes: needs a restart (90d -> 7d)\n"},
	{"", "keep: {hours: 7d}", "! keep.hours: needs a restart (1096d -> 7d)\n"},
	{"", "stop: 10s", "~ stop: 2m -> 10s\n"},
	{"", "witnesses: \"icmp://w\"", "~ witnesses: [] -> [\"icmp://w\"]\n"},
	{"", "judge: {confirm: 3}", "! judge.confirm: needs a restart (2 -> 3)\n"},
	{"", "judge: {minimum: 3s}", "! judge.minimum: needs a restart (1m -> 3s)\n"},
	{"", "judge: {rules: [{name: a, component: c, when: p95(x) > 1s}]}",
		"~ judge.rules: [] -> [{\"name\":\"a\",\"component\":\"c\",\"severity\":\"degraded\","
		"\"when\":\"p95(x) > 1s\",\"over\":\"5m\",\"for\":\"0s\",\"recover\":\"1m\",\"minimum\":3}]\n"},
	{"", "judge: {slos: [{name: a, component: c, objective: 99%, over: 30d, good: x}]}",
		"~ judge.slos: [] -> [{\"name\":\"a\",\"component\":\"c\",\"objective\":\"99%\",\"good\":\"x\","
		"\"severity\":\"degraded\",\"over\":\"30d\"}]\n"},
	{"", "judge: {slo: [a.yaml]}", "~ judge.slo: [] -> [\"a.yaml\"]\n"},
	{"", "judge: {maintenance: count}",
		"! judge.maintenance: needs a restart (exclude -> count)\n"},
	{"", "judge: {quorum: 3}", "! judge.quorum: needs a restart (majority -> 3)\n"},
	{"", "judge: {flapping: off}",
		"! judge.flapping: needs a restart ({\"changes\":6,\"within\":\"30m\",\"quiet\":\"10m\"} -> off)\n"},
	{"", "judge: {depends: {a: [b]}}", "~ judge.depends: {} -> {\"a\":[\"b\"]}\n"},
	CLOUD("", "title: T", "title none -> T"),
	CLOUD("", "endpoints: none", "endpoints auto -> none"),
	CLOUD("", "every: 10s", "every 30s -> 10s"),
	CLOUD("", "timeout: 5s", "timeout 10s -> 5s"),
	CLOUD("", "slow: 1s", "slow 2s -> 1s"),
	CLOUD("", "inflight: 9", "inflight 8 -> 9"),
	CLOUD("", "hosts: [a, b]", "hosts none -> [\"a\",\"b\"]"),
	CLOUD("", "compute: 5, every: 1m", "every 30s -> 1m, compute 4 -> 5"),
	SCENARIO("use: b", "use: c", "use b -> c"),
	SCENARIO("use: a, every: 1m", "use: a, every: 2m", "every 1m -> 2m"),
	SCENARIO("use: a, document: x", "use: a, document: y", "document x -> y"),
	SCENARIO("use: a, params: {}", "use: a, params: {a: [1]}", "params {} -> {\"a\":[1]}"),
	COMPONENT("", "name: N", "name none -> N"),
	COMPONENT("", "category: N", "category none -> N"),
	COMPONENT("region: R", "", "region R -> none"),
	COMPONENT("", "hidden: true", "hidden false -> true"),
	HOOK("", ", token: \"env:T\"", "token none -> env:T"),
	HOOK(", on: outage", ", on: degraded", "on [\"outage\"] -> [\"degraded\"]"),
	HOOK("", ", components: [a]", "components none -> [\"a\"]"),
	HOOK("", ", fold: 5s", "fold 1m -> 5s"),
	HOOK("", ", maintenance: true", "maintenance false -> true"),
	{"alarms: [{name: h, webhook: \"http://a\"}]", "alarms: [{name: h, webhook: \"http://b\"}]",
		"~ alarm h: webhook http://a -> http://b\n"},
	{"alarms: [{name: h, webhook: \"http://a\"}]",
		"alarms: [{name: h, alertmanager: \"http://a\"}]",
		"~ alarm h: webhook http://a -> none, alertmanager none -> http://a\n"},
	{"alarms: [{name: d, deadman: \"http://a\"}]",
		"alarms: [{name: d, deadman: \"http://a\", every: 5m}]",
		"~ alarm d: every 1m -> 5m\n"},
	{"alarms: [{name: m, mail: a@b, server: {host: h, from: f@g}}]",
		"alarms: [{name: m, mail: [a@b, c@d], server: {host: h, from: f@g}}]",
		"~ alarm m: mail [\"a@b\"] -> [\"a@b\",\"c@d\"]\n"},
	{"", "listen: {statsd: \"127.0.0.1:1\"}", "~ listen.statsd: none -> 127.0.0.1:1\n"},
	{"listen: {graphite: \"[::1]:1\"}", "", "~ listen.graphite: [::1]:1 -> none\n"},
	{"", "listen: {pickle: \"127.0.0.1:1\"}", "~ listen.pickle: none -> 127.0.0.1:1\n"},
	{"", "faces: {influx: write}", "~ faces.influx: none -> write\n"},
	{"", "faces: {prometheus: write}", "~ faces.prometheus: none -> write\n"},
	{"", "faces: {alertmanager: write}", "~ faces.alertmanager: none -> write\n"},
	{"", "faces: {gatus: write}", "~ faces.gatus: none -> write\n"},
	{"faces: {uptime_kuma: write}", "", "~ faces.uptime_kuma: write -> none\n"},
	{"", "cloudmon: {environment: prod}", "~ cloudmon.environment: none -> prod\n"},
	{"", "cloudmon: {zone: eu}", "~ cloudmon.zone: none -> eu\n"},
	{"cloudmon: {environment: p, zone: z}", "cloudmon: {environment: p, zone: z, own: true}",
		"~ cloudmon.own: false -> true\n"},
	{"clouds: {a: }", "clouds: {a: , b: {every: 5s}}", "+ cloud b (every 5s)\n"},
	{"clouds: {a: , b: }", "clouds: {a: }", "- cloud b\n"},
	{"clouds: {prod: }", "clouds: {prod: }\nscenarios: [{use: volume-life}]",
		"+ scenario volume-life (cloud prod, every 10m)\n"},
	{"clouds: {prod: }\nscenarios: [{use: volume-life}]", "clouds: {prod: }",
		"- scenario volume-life (cloud prod)\n"},
	{"", "components: {c: {name: N}}", "+ component c\n"},
	{"components: {c: {name: N}}", "", "- component c\n"},
	{"", "alarms: [{webhook: \"http://h/x\"}]", "+ alarm webhook h (webhook)\n"},
	{"alarms: [{webhook: \"http://h/x\"}]", "", "- alarm webhook h\n"},
	{"", "metrics: [{otlp: \"http://h:1/x\"}]", "+ metrics otlp h:1\n"},
	{"metrics: [{otlp: \"http://h:1/x\"}]", "metrics: [{otlp: \"http://h:1/x\", every: 1m}]",
		"~ metrics otlp h:1: every 15s -> 1m\n"},
	{"", "events: {suspect: none}",
		"~ events.suspect: {\"lasting\":\"3m\",\"announce\":\"10m\",\"close\":\"auto\",\"after\":\"5m\","
		"\"regroup\":\"15m\"} -> none\n"},
	{"", "dashboards: [{name: d, cloudmon: \"http://h\", version: 2, token: env:T}]",
		"+ dashboard d\n"},
	{"dashboards: [{name: d, cloudmon: \"http://h\"}]",
		"dashboards: [{name: d, cloudmon: \"http://h\", contact: noc@example.org}]",
		"~ dashboard d: contact none -> noc@example.org\n"},
	{"", "outposts: [{location: b, token: env:B}]", "+ outpost b\n"},
	{"outposts: [{location: b, token: env:B}]", "outposts: [{location: b, token: env:C}]",
		"~ outpost b: token env:B -> env:C\n"},
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < array_len(changes); i++)
		diff_is(changes[i].from, changes[i].to, changes[i].line);
}

static void test_mail_server(void **state)
{
	static const char *const parts[] = {", ca: /ca", ", tls: implicit"};
	static const struct change servers[] = {
		MAIL("", ", ca: /ca"),
		MAIL("", ", tls: implicit"),
	};

	for (size_t i = 0; i < array_len(servers); i++) {
		struct config *a = configured(servers[i].from), *b = configured(servers[i].to);
		struct buf out = BUF(BUF_PAGE);
		assert_int_equal(config_diff(a, b, &out), 1);
		assert_non_null(strstr(buf_str(&out), "~ alarm m: server {"));
		assert_non_null(strstr(buf_str(&out), strrchr(parts[i], ' ') + 1));
		buf_fini(&out);
		config_free(a);
		config_free(b);
	}
}

static void test_nothing_and_all(void **state)
{
	for (size_t i = 0; i < array_len(changes); i++)
		diff_is(changes[i].to, changes[i].to, "");
	diff_is("instance: a\nclouds: {a: }", "instance: b\nclouds: {b: }\nstop: 5s",
		"! instance: needs a restart (a -> b)\n~ stop: 2m -> 5s\n- cloud a\n"
		"+ cloud b (every 30s)\n");
}

/* No key is forgotten above: every leaf of the document of a full configuration is changed there.
 */
static void test_every_key(void **state)
{
	struct config *c = configured(
		"clouds: {c: }\nscenarios: [{use: a}]\ncomponents: {c: {}}\n"
		"alarms: [{webhook: \"http://h\"}]");
	json_t *j = config_json(c), *v, *inner;
	const char *section, *key;

	json_object_foreach (j, section, v) {
		const json_t *map = json_is_array(v) && json_array_size(v) ? json_array_get(v, 0)
				    : !strcmp(section, "clouds") || !strcmp(section, "components")
					    ? json_object_get(v, "c")
					    : v;
		json_object_foreach ((json_t *)map, key, inner) {
			bool there = !strcmp(key, "name") && map != v; /* tells them apart */
			const size_t n = strlen(key);
			if (!strcmp(section, "scenarios") && !strcmp(key, "cloud"))
				there = true; /* as well */
			for (size_t i = 0; i < array_len(changes) && !there; i++)
				for (const char *at = changes[i].line;
					(at = strstr(at, key)) && !there; at++)
					there = at[n] == ':' || at[n] == ' ';
			if (!there)
				print_error("%s: %s is changed by no line\n", section, key);
			assert_true(there);
		}
	}
	json_decref(j);
	config_free(c);
}

int test_config_diff(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_mail_server),
		cmocka_unit_test(test_nothing_and_all),
		cmocka_unit_test(test_every_key),
	};

	return cmocka_run_group_tests_name("config_diff", tests, NULL, NULL);
}
