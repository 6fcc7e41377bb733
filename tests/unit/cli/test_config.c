/* glasshouse.yaml: defaults, the example of the design, files merged, what options add, round trip.
 */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/session.h"
#include "text/yaml_write.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

static const char example[] =
	"site: {name: Example Cloud, url: \"https://status.example.org\","
	" timezone: Europe/Berlin, languages: [en, de]}\n"
	"instance: example-berlin\n"
	"location: berlin-outside\n"
	"listen: {public: 127.0.0.1:8090, intake: 127.0.0.1:8091}\n"
	"store: sqlite:/var/lib/glasshouse\n"
	"clouds:\n"
	"  prod: {endpoints: auto, every: 30s, inflight: 8, compute: 4}\n"
	"scenarios:\n"
	"  - {use: server-login, cloud: prod, every: 10m, params: {servers: 2}}\n"
	"alarms:\n"
	"  - {webhook: \"https://alerts.example.org/hook\", on: [degraded, outage, unknown]}\n"
	"  - {alertmanager: \"http://127.0.0.1:9093\"}\n"
	"  - {deadman: \"https://push.example.org/token\", every: 1m}\n";

static void test_example(void **state)
{
	struct config *c = configured(example);
	const struct config_alarm *a = c->alarms;

	assert_string_equal(c->site_name, "Example Cloud");
	assert_string_equal(c->site_url, "https://status.example.org");
	assert_string_equal(c->timezone, "Europe/Berlin");
	assert_string_equal(c->languages[1], "de");
	assert_null(c->languages[2]);
	assert_string_equal(c->instance, "example-berlin");
	assert_string_equal(c->location, "berlin-outside");
	assert_string_equal(c->public_address, "127.0.0.1:8090");
	assert_string_equal(c->intake_address, "127.0.0.1:8091");
	assert_string_equal(c->state, "/var/lib/glasshouse");
	assert_int_equal(c->cloud_count, 1);
	assert_string_equal(c->clouds[0].name, "prod");
	assert_true(c->clouds[0].endpoints);
	assert_int_equal(c->clouds[0].line, 7);
	assert_int_equal(c->clouds[0].col, 3);
	assert_int_equal(c->scenario_count, 1);
	assert_string_equal(c->scenarios[0].name, "server-login");
	assert_string_equal(c->scenarios[0].cloud, "prod");
	assert_int_equal(c->scenarios[0].every_ns, 600 * NS_PER_S);
	assert_int_equal(json_int(c->scenarios[0].params, "servers", 0), 2);
	assert_int_equal(c->alarm_count, 3);
	assert_int_equal(a[0].alarm.kind, ALARM_WEBHOOK);
	assert_string_equal(a[0].alarm.url, "https://alerts.example.org/hook");
	assert_string_equal(a[0].alarm.name, "webhook alerts.example.org");
	assert_int_equal(
		a[0].alarm.on, 1u << HEALTH_DEGRADED | 1u << HEALTH_OUTAGE | 1u << HEALTH_UNKNOWN);
	assert_int_equal(a[1].alarm.kind, ALARM_ALERTMANAGER);
	assert_true(a[1].alarm.on & ALARM_ON_RECOVERY);
	assert_int_equal(a[2].alarm.kind, ALARM_DEADMAN);
	assert_int_equal(a[2].alarm.every_ns, 60 * NS_PER_S);
	config_free(c);
}

static void test_defaults(void **state)
{
	struct error_list errors = {0};
	struct config *c = config_load(NULL, &errors), *empty = configured("# nothing\n");
	char *host = session_instance(), *dir = session_state_dir();

	assert_non_null(c);
	assert_null(c->file);
	assert_int_equal(c->file_count, 0);
	assert_string_equal(c->timezone, "UTC");
	assert_string_equal(c->instance, host);
	assert_string_equal(c->state, dir);
	assert_string_equal(c->public_address, "127.0.0.1:8090");
	assert_true(c->isolate);
	assert_int_equal(c->threads, 1);
	assert_int_equal(c->raw_days, 14);
	assert_int_equal(c->ten_minute_days, 90);
	assert_int_equal(c->hour_days, 1096);
	assert_int_equal(c->stop_ns, 120 * NS_PER_S);
	assert_null(c->witnesses[0]);
	assert_int_equal(c->confirm, 2);
	assert_int_equal(c->minimum_ns, 60 * NS_PER_S);
	assert_int_equal(
		c->cloud_count + c->scenario_count + c->component_count + c->alarm_count, 0);
	struct buf out = BUF(BUF_PAGE);
	assert_int_equal(config_diff(c, empty, &out), 0);
	buf_fini(&out);
	free(host);
	free(dir);
	config_free(c);
	config_free(empty);
}

static void test_cloud_defaults(void **state)
{
	struct config *c = configured("clouds: {a: , b: {every: 4s}, c: {endpoints: none}}");

	assert_int_equal(c->clouds[0].every_ns, 30 * NS_PER_S);
	assert_int_equal(c->clouds[0].timeout_ns, 10 * NS_PER_S);
	assert_int_equal(c->clouds[0].slow_ns, 2 * NS_PER_S);
	assert_int_equal(c->clouds[0].inflight, 8);
	assert_int_equal(c->clouds[0].compute, 4);
	assert_int_equal(c->clouds[1].timeout_ns, 4 * NS_PER_S);
	assert_false(c->clouds[2].endpoints);
	config_free(c);
}

static void test_mail(void **state)
{
	struct config *c = configured(
		"alarms:\n"
		"  - mail: [ops@example.org, b@example.org]\n"
		"    to: c@example.org\n"
		"    components: [compute]\n"
		"    fold: 5m\n"
		"    server: {host: mail.example.org, from: gh@example.org, user: gh, password: "
		"\"env:PW\", ca: ca.pem}\n"
		"  - {mail: d@example.org, name: second, server: {host: \"[::1]\", tls: plain, from: "
		"gh@example.org}}\n");
	const struct alarm *a = &c->alarms[0].alarm, *b = &c->alarms[1].alarm;

	assert_string_equal(a->name, "mail ops@example.org");
	assert_string_equal(a->to[2], "c@example.org");
	assert_null(a->to[3]);
	assert_string_equal(a->components[0], "compute");
	assert_int_equal(a->fold_ns, 300 * NS_PER_S);
	assert_string_equal(a->mail.host, "mail.example.org:587");
	assert_int_equal(a->mail.tls, MAIL_STARTTLS);
	assert_string_equal(a->mail.user, "gh");
	assert_string_equal(a->mail.from, "gh@example.org");
	assert_string_equal(a->mail.ca_file, "ca.pem");
	assert_null(a->mail.password);
	assert_string_equal(c->alarms[0].password.from, "env:PW");
	assert_string_equal(b->mail.host, "[::1]:25");
	assert_int_equal(b->mail.tls, MAIL_PLAIN);
	config_free(c);
}

static void test_reports(void **state)
{
	struct config *c = configured(
		"site: {timezone: Europe/Berlin}\n"
		"reports:\n"
		"  - {mail: [ops@example.org, b@example.org], server: {host: mail.example.org, from: "
		"gh@example.org, user: gh, password: \"env:PW\"}}\n"
		"  - {mail: c@example.org, name: weekly, every: 7d, at: \"07:30\", server: {host: "
		"\"h:26\", tls: plain, from: gh@example.org}}\n");
	const struct report *a = &c->reports[0].report, *b = &c->reports[1].report;

	assert_int_equal(c->report_count, 2);
	assert_string_equal(a->name, "mail ops@example.org");
	assert_string_equal(a->to[1], "b@example.org");
	assert_null(a->to[2]);
	assert_int_equal(a->every_ns, 86400 * NS_PER_S);
	assert_int_equal(a->at_minute, -1);
	assert_string_equal(a->mail.host, "mail.example.org:587");
	assert_string_equal(c->reports[0].password.from, "env:PW");
	assert_string_equal(b->name, "weekly");
	assert_int_equal(b->every_ns, 7 * 86400 * NS_PER_S);
	assert_int_equal(b->at_minute, 450);
	assert_string_equal(b->mail.host, "h:26");
	config_free(c);
}

static void about_is(const char *text, const char *expected)
{
	struct config *c = configured(text);
	char *about = json_text(c->about);

	assert_string_equal(about, expected);
	free(about);
	config_free(c);
}

static void test_about(void **state)
{
	about_is("", "{}");
	about_is("site: {about: }", "{}");
	about_is("site: {about: '  '}", "{}");
	/* one text is in the first language, wherever that is said */
	about_is("site: {about: A *b*}", "{\"en\":\"A *b*\"}");
	about_is("site: {about: A, languages: [de, en]}", "{\"de\":\"A\"}");
	about_is("site:\n  about:\n    en: |\n      # A\n      b\n    de: C\n",
		"{\"en\":\"# A\\nb\\n\",\"de\":\"C\"}");
	/* it may be in one that no page is in: better than none */
	about_is("site: {languages: en, about: {de: A}}", "{\"de\":\"A\"}");
}

static void test_about_merged(void **state)
{
	static const char *const cases[][3] = {
		{"A", "B", "{\"en\":\"B\"}"},
		{"{en: A, de: B}", "{de: C}", "{\"en\":\"A\",\"de\":\"C\"}"},
		{"{en: A, de: B}", "{de: ''}", "{\"en\":\"A\"}"},
		{"{en: A, de: B}", "C", "{\"en\":\"C\"}"},
		{"A", "{de: B}", "{\"de\":\"B\",\"en\":\"A\"}"},
		{"A", "{en: B}", "{\"en\":\"B\"}"},
		{"A", "''", "{}"},
	};
	struct place *p = *state;

	for (size_t i = 0; i < array_len(cases); i++) {
		char *first = mem_printf("site: {about: %s}\n", cases[i][0]);
		char *second = mem_printf("site: {about: %s}\n", cases[i][1]);

		place_put(p, "glasshouse.yaml", first);
		place_put(p, "conf.d/a.yaml", second);
		struct config *c = configured_files(p);
		char *about = json_text(c->about);
		assert_string_equal(about, cases[i][2]);
		free(first);
		free(second);
		free(about);
		config_free(c);
	}
}

/* --- several files -----------------------------------------------------------------------------
 */

static void test_merge(void **state)
{
	struct place *p = *state;

	place_put(p, "glasshouse.yaml",
		"instance: one\n"
		"witnesses: [\"icmp://192.0.2.1\"]\n"
		"clouds: {prod: {every: 10s, title: Prod, hosts: one}}\n"
		"scenarios:\n"
		"  - {name: life, use: volume-life, cloud: prod, params: {a: 1, m: {x: 1}}}\n"
		"components: {compute: {name: Servers}}\n"
		"alarms: [{name: hook, webhook: \"http://h/\", on: degraded}]\n");
	place_put(p, "conf.d/20.yaml",
		"clouds: {prod: {inflight: 20}, lab: }\n"
		"scenarios: [{name: life, every: 5m, params: {b: 2, m: {y: 2}}},"
		" {use: image-life, cloud: lab}]\n"
		"alarms: [{name: hook, on: outage, token: \"file:t\"}]\n");
	place_put(p, "conf.d/10.yaml",
		"instance: two\nwitnesses: \"tcp://192.0.2.1:80\"\n"
		"components: {compute: {category: Machines}, network: {hidden: true}}\n"
		"clouds: {prod: {every: 20s, hosts: [two, three]}}\n");
	place_put(p, "conf.d/ignored.yml", "instance: bad name\n");
	place_put(p, "conf.d/.hidden.yaml", "instance: bad name\n");
	struct config *c = configured_files(p);
	assert_int_equal(c->file_count, 3);
	assert_string_equal(strrchr(c->files[1], '/'), "/10.yaml");
	assert_string_equal(c->instance, "two");
	assert_string_equal(c->witnesses[0], "icmp://192.0.2.1");
	assert_string_equal(c->witnesses[1], "tcp://192.0.2.1:80");
	assert_null(c->witnesses[2]);
	assert_int_equal(c->cloud_count, 2);
	assert_int_equal(c->clouds[0].every_ns, 20 * NS_PER_S);
	assert_int_equal(c->clouds[0].inflight, 20);
	assert_string_equal(c->clouds[0].hosts[0], "one");
	assert_string_equal(c->clouds[0].hosts[2], "three");
	assert_null(c->clouds[0].hosts[3]);
	assert_null(c->clouds[1].hosts);
	assert_string_equal(c->clouds[0].title, "Prod");
	assert_int_equal(c->scenario_count, 2);
	char *params = json_text(c->scenarios[0].params);
	assert_string_equal(params, "{\"a\":1,\"m\":{\"x\":1,\"y\":2},\"b\":2}");
	free(params);
	assert_int_equal(c->scenarios[0].every_ns, 300 * NS_PER_S);
	assert_string_equal(c->scenarios[1].name, "image-life");
	assert_ptr_equal(c->scenarios[1].file, c->files[2]);
	assert_string_equal(c->components[0].name, "Servers");
	assert_string_equal(c->components[0].category, "Machines");
	assert_true(c->components[1].hidden);
	assert_int_equal(c->alarm_count, 1);
	assert_int_equal(c->alarms[0].alarm.on, 1u << HEALTH_DEGRADED | 1u << HEALTH_OUTAGE);
	assert_string_equal(c->alarms[0].token.from, "file:t");
	config_free(c);
}

static void test_paths(void **state)
{
	struct place *p = *state;

	place_put(p, "glasshouse.yaml",
		"store: sqlite:state\nclouds: {a: }\n"
		"scenarios: [{use: scenes/mine.yaml}, {use: other.yaml, document: second},"
		" {use: /abs/x.yml}, {use: plain}]\n");
	struct config *c = configured_files(p);
	char *state_dir = place_path(p, "state"), *mine = place_path(p, "scenes/mine.yaml");
	assert_string_equal(c->state, state_dir);
	assert_string_equal(c->scenarios[0].use, mine);
	assert_string_equal(c->scenarios[0].name, "mine");
	assert_string_equal(c->scenarios[1].name, "second");
	assert_string_equal(c->scenarios[2].use, "/abs/x.yml");
	assert_string_equal(c->scenarios[2].name, "x");
	assert_string_equal(c->scenarios[3].use, "plain");
	assert_string_equal(c->scenarios[3].cloud, "a");
	free(state_dir);
	free(mine);
	config_free(c);
}

/* --- where it is looked for --------------------------------------------------------------------
 */

static void found_is(const char *given, const char *expected)
{
	char *found = config_find(given);

	if (expected)
		assert_string_equal(found, expected);
	else
		assert_null(found);
	free(found);
}

static void test_find(void **state)
{
	struct place *p = *state;
	char *cwd = realpath(".", NULL), *xdg = place_path(p, "xdg");
	char *user = place_path(p, "xdg/glasshouse/glasshouse.yaml");
	const bool installed = access("/etc/glasshouse/glasshouse.yaml", F_OK) == 0;

	setenv("XDG_CONFIG_HOME", xdg, 1);
	unsetenv("GLASSHOUSE_CONFIG");
	assert_int_equal(chdir(p->dir), 0);
	if (!installed)
		found_is(NULL, NULL);
	place_put(p, "xdg/glasshouse/glasshouse.yaml", "");
	found_is(NULL, user);
	place_put(p, "glasshouse.yaml", "");
	found_is(NULL, "glasshouse.yaml");
	setenv("GLASSHOUSE_CONFIG", "/from/environment", 1);
	found_is(NULL, "/from/environment");
	found_is("/given", "/given");
	unsetenv("GLASSHOUSE_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	assert_int_equal(chdir(cwd), 0);
	free(cwd);
	free(xdg);
	free(user);
}

/* --- options -----------------------------------------------------------------------------------
 */

static void test_add(void **state)
{
	struct error_list errors = {0};
	struct config *c = configured("scenarios: [{use: volume-life}]");

	assert_null(c->scenarios[0].cloud);
	assert_true(config_add_cloud(c, "prod", &errors));
	assert_true(config_add_cloud(c, "prod", &errors));
	assert_int_equal(c->cloud_count, 1);
	assert_string_equal(c->scenarios[0].cloud, "prod");
	assert_true(config_add_scenario(c, "volume-life", &errors));
	assert_int_equal(c->scenario_count, 1);
	assert_true(config_add_scenario(c, "./x/server-login.yaml", &errors));
	assert_string_equal(c->scenarios[1].name, "server-login");
	assert_string_equal(c->scenarios[1].use, "./x/server-login.yaml");
	assert_string_equal(c->scenarios[1].cloud, "prod");
	assert_true(config_add_cloud(c, "lab", &errors));
	assert_int_equal(errors.n, 0);
	assert_false(config_add_scenario(c, "image-life", &errors));
	assert_non_null(strstr(errors.p[0].msg, "which cloud?"));
	error_list_fini(&errors);
	config_free(c);
}

static void test_metrics(void **state)
{
	struct config *c = configured(
		"metrics:\n"
		"  - {influx: \"http://127.0.0.1:8086\", username: u, password: \"env:P\"}\n"
		"  - {influx: \"http://127.0.0.1:8186/write?db=cicd\", dialect: oshm, every: 1s}\n"
		"  - {otlp: \"https://c.example.org/v1/metrics\", headers: {X-Key: \"file:k\"}}\n");
	assert_int_equal(c->metrics_count, 3);
	const struct metrics_receiver *a = &c->metrics[0].receiver, *b = &c->metrics[1].receiver;
	assert_int_equal(a->kind, METRICS_INFLUX);
	assert_string_equal(a->name, "influx 127.0.0.1:8086");
	assert_string_equal(a->database, "glasshouse");
	assert_string_equal(a->measurement, "glasshouse");
	assert_int_equal(a->every_ns, 5 * NS_PER_S);
	assert_int_equal(a->spool_size, 16 << 20);
	assert_string_equal(c->metrics[0].password.from, "env:P");
	assert_null(a->password); /* read later */
	assert_int_equal(b->dialect, METRICS_OSHM);
	assert_string_equal(b->measurement, ""); /* the cloud's */
	assert_int_equal(b->every_ns, NS_PER_S);
	char *url = metrics_write_url(b);
	assert_string_equal(url, "http://127.0.0.1:8186/write?db=cicd");
	free(url);
	const struct config_metrics *o = &c->metrics[2];
	assert_int_equal(o->receiver.kind, METRICS_OTLP);
	assert_string_equal(o->receiver.name, "otlp c.example.org:443");
	assert_int_equal(o->receiver.header_count, 1);
	assert_string_equal(o->receiver.headers[0].name, "X-Key");
	assert_string_equal(o->headers[0].from, "file:k");
	config_free(c);
}

/* --- what is shown is what would give it ---------------------------------------------------------
 */

static void test_round_trip(void **state)
{
	static const char *const texts[] = {"", example,
		"site: {languages: [de], about: {en: \"# A\\n\\n- b\\n\\n\", de: ' \"c\": # d'}}\n",
		"listen: {public: none, intake: \"[::1]:9\", isolate: false, threads: 3, token: "
		"\"env:T\"}\n"
		"keep: {raw: 1d, ten_minutes: 2d, hours: 3d}\nstop: 30s\n"
		"judge: {confirm: 3, minimum: 90s}\n"
		"witnesses: [\"tcp://a:1\", \"icmp://b\", \"https://c/\"]\n"
		"clouds: {\"a: b\": {title: \"# x\", endpoints: none, every: 1s, timeout: 500ms, "
		"slow: 1ms}}\n"
		"scenarios: [{use: x, document: d, params: {a: [1, {b: \"no\"}], \"1\": null, c: "
		"1.5, d: \"\", e: {}, f: true}}]\n"
		"components: {c: {name: N, category: C, region: R, hidden: true}}\n"
		"alarms:\n"
		"  - {mail: a@b, name: m, on: [recovery], fold: 2s, components: [c, d], server: "
		"{host: h, tls: implicit, user: u, password: \"env:P\", from: f@g, ca: /x}}\n"
		"  - {deadman: \"http://d/\", every: 10s, token: \"file:t\"}\n"
		"metrics:\n"
		"  - {influx: \"http://h:8086\"}\n"
		"  - {name: o, influx: \"http://h:8186/write?db=x\", dialect: oshm, measurement: m, username: "
		"u, password: \"env:P\", gzip: true, every: 1s, spool: 1MiB}\n"
		"  - {otlp: \"http://h:4318/v1/metrics\", headers: {X-Key: \"env:K\", Y: \"file:y\"}}\n"
		"  - {name: p, influx: \"http://h\", database: d, precision: ms, spool: 1500KiB}\n"
		"reports: [{mail: [a@b, c@d], every: 6h, at: \"09:05\", server: {host: h, from: f@g, "
		"user: u, password: \"env:P\"}}, {mail: a@b, name: r, every: 5h, server: {host: h, tls: "
		"plain, from: f@g}}]\n"};

	for (size_t i = 0; i < array_len(texts); i++) {
		struct config *c = configured(texts[i]);
		json_t *j = config_json(c);
		struct buf yaml = BUF(BUF_PAGE);
		yaml_write(&yaml, j);
		struct config *again = configured(buf_str(&yaml));
		char *before = shown(c), *after = shown(again);
		assert_string_equal(before, after);
		free(before);
		free(after);
		buf_fini(&yaml);
		json_decref(j);
		config_free(again);
		config_free(c);
	}
}

int test_config(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_cloud_defaults),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_about),
		cmocka_unit_test_setup_teardown(test_about_merged, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_merge, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_paths, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_find, place_set_up, place_tear_down),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
