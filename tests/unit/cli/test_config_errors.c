/* Every error of all files in one pass, with its place, what would be right, and no secret in it.
 */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>

static bool is_refused(const struct place *p, const char *text, const char *expected)
{
	char *got = refusal(p, text);
	const bool same = !strcmp(got, expected);

	if (!same)
		print_error("expected:\n%sgot:\n%s", expected, got);
	free(got);
	return same;
}

static void refuses(const struct place *p, const char *text, const char *expected)
{
	assert_true(is_refused(p, text, expected));
}

static void test_one_pass(void **state)
{
	struct place *p = *state;

	place_put(p, "conf.d/a.yaml", "instanc: x\nclouds: {prd: {every: 1ms}}\n");
	refuses(p,
		"site: {timezone: Europe/Berlim, languages: [en, fr]}\n"
		"clouds:\n"
		"  prod: {every: 30, inflght: 8}\n"
		"scenarios:\n"
		"  - {cloud: prod}\n"
		"  - {use: x, cloud: porod, every: 5s}\n",
		"conf.d/a.yaml:1:1: the configuration: unknown key \"instanc\"; did you mean "
		"\"instance\"?\n"
		"conf.d/a.yaml:2:23: cloud prd: every must be from 1s to 1d, not \"1ms\"\n"
		"glasshouse.yaml:1:18: timezone: there is no zone \"Europe/Berlim\" in "
		"/usr/share/zoneinfo; did you mean \"Europe/Berlin\"?\n"
		"glasshouse.yaml:1:49: the site: languages: there are en and de, not \"fr\"\n"
		"glasshouse.yaml:3:17: cloud prod: every must be a time with a unit, such as 10s "
		"or 5m, not \"30\"\n"
		"glasshouse.yaml:3:21: cloud prod: unknown key \"inflght\"; did you mean "
		"\"inflight\"?\n"
		"glasshouse.yaml:5:5: a scenario: use is missing (a shipped scenario or a file)\n"
		"glasshouse.yaml:6:21: a scenario: there is no cloud \"porod\" in `clouds`; did you "
		"mean \"prod\"?\n"
		"glasshouse.yaml:6:35: a scenario: every must be from 10s to 7d, not \"5s\"\n");
}

struct refused {
	const char *text, *error;
};

static const struct refused wrong[] = {
	/* outposts */
	{"location: a\nreport: {to: \"https://h\"}",
		"2:9: report: token is missing (token: file:PATH)"},
	{"location: a\nreport: {token: env:A}",
		"2:9: report: to is missing, the address of the house"},
	{"report: {to: \"https://h\", token: env:A}",
		"1:9: report: the house must know where we stand: location is missing"},
	{"location: a\nreport: {to: \"https://h\", token: env:A}\n"
	 "outposts: [{location: b, token: env:B}]",
		"2:9: report: an outpost has no outposts of its own: let them report to the house"},
	{"outposts: [{location: b, token: env:B}, {location: b, token: env:C}]",
		"1:41: two outposts stand in \"b\""},
	{"location: b\noutposts: [{location: b, token: env:B}]",
		"2:12: an outpost: we stand in \"b\" ourselves; call it otherwise"},
	{"listen: {intake: none}\noutposts: [{location: b, token: env:B}]",
		"2:12: outposts report to the intake, and listen: intake is none"},
	{"faces: {influx: read}", "1:17: faces: influx must be write or none"},
	{"listen: {statsd: here}",
		"1:18: listen: statsd: \"here\" is no address to listen on; write 127.0.0.1:8090, "
		"[::1]:8090 or none"},
	{"store: \"postgresql://db/x\"",
		"1:8: store: PostgreSQL is not in this version of glasshouse; write sqlite:DIR"},
	{"store: mysql", "1:8: store: \"mysql\" must be sqlite:DIR, a directory"},
	{"store: 'sqlite:'", "1:8: store: \"sqlite:\" must be sqlite:DIR, a directory"},
	/* shapes */
	{"[a]", "1:1: the configuration must be a map, not a list"},
	{"probes: {}", "1:9: the configuration: probes must be a list, not a map"},
	{"probes: [a]", "1:10: a probe must be a map, not text"},
	{"probes: [{http: \"http://x/\"}]",
		"1:10: probe (no name): name is missing (letters, digits, '-', '_', '.')"},
	{"clouds: [a]", "1:9: the configuration: clouds must be a map, not a list"},
	{"scenarios: {a: b}", "1:12: the configuration: scenarios must be a list, not a map"},
	{"scenarios: [a]", "1:13: a scenario must be a map, not text"},
	{"a: 1\n---\nb: 2",
		"1:1: the configuration: unknown key \"a\"\n"
		"glasshouse.yaml:3:1: a configuration is one document; put this into conf.d"},
	{"stop: 1s\nstop: 2s", "2:1: this key is there twice: stop"},
	/* texts */
	{"instance: two words",
		"1:11: instance: \"two words\" must be 1 to 64 letters, digits or . _ -"},
	{"location: a/b", "1:11: location: \"a/b\" must be 1 to 64 letters, digits or . _ -"},
	{"site: {name: \"a\\nb\"}", "1:14: the site: name must be one line of 1 to 200 bytes"},
	{"site: {url: status.example.org}",
		"1:13: the site: url: \"status.example.org\" is not an address: it should begin "
		"with https:// or http://"},
	{"site: {url: \"ftp://x/\"}",
		"1:13: the site: url: \"ftp://x/\" must begin with http:// or https://"},
	{"site: {url: \"https://me:hunter2@x/\"}",
		"1:13: the site: url: \"…@…\" is not an address: it contains a user name or password"},
	{"site: {timezone: ../etc/passwd}",
		"1:18: timezone: \"../etc/passwd\" is no name such as Europe/Berlin"},
	{"site: {languages: []}", "1:19: the site: languages needs one at least: en, de"},
	{"site: {languages: [en, en]}", "1:24: the site: languages: \"en\" is there twice"},
	{"site: {about: [A]}",
		"1:15: the site: about must be text, or a map from languages to texts, not a list"},
	{"site: {about: {fr: A}}", "1:16: the site: about: there are en and de, not \"fr\""},
	{"site: {about: {en: [A]}}", "1:20: the site: about must be text, not a list"},
	{"site: {about: \"a\\u0007\"}", "1:15: the site: about: control characters are no text"},
	{"site: {about: '>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>> A'}",
		"1:15: the site: about: quotes, lists and emphasis nest deeper than 32"},
	/* listen */
	{"listen: {public: localhost:80}",
		"1:18: listen: public: \"localhost:80\" is no address to listen on; write "
		"127.0.0.1:8090, [::1]:8090 or none"},
	{"listen: {public: 127.0.0.1}",
		"1:18: listen: public: \"127.0.0.1\" is no address to listen on; write "
		"127.0.0.1:8090, [::1]:8090 or none"},
	{"listen: {public: 127.0.0.1:65536}",
		"1:18: listen: public: \"127.0.0.1:65536\" is no address to listen on; write "
		"127.0.0.1:8090, [::1]:8090 or none"},
	{"listen: {intake: 0.0.0.0:8091}",
		"1:18: listen: intake 0.0.0.0:8091 is reached from other machines: it needs a token "
		"(token: file:PATH), or 127.0.0.1"},
	{"listen: {public: 127.0.0.1:8091}",
		"1:18: listen: public and intake are the same address, 127.0.0.1:8091"},
	{"listen: {threads: 0}", "1:19: listen: threads must be from 1 to 64, not \"0\""},
	{"listen: {isolate: yes}", "1:19: listen: isolate must be true or false, not \"yes\""},
	/* secrets */
	{"listen: {token: hunter2}",
		"1:17: listen: token: secrets do not stand here: put it into a file of mode 0600 and "
		"write file:PATH, or into the environment and write env:NAME"},
	{"listen: {token: [hunter2]}",
		"1:17: listen: token: secrets do not stand here: put it into a file of mode 0600 and "
		"write file:PATH, or into the environment and write env:NAME"},
	{"listen: {token: \"env:A-B\"}",
		"1:17: listen: token: secrets do not stand here: put it into a file of mode 0600 and "
		"write file:PATH, or into the environment and write env:NAME"},
	/* numbers */
	{"keep: {raw: 36h}", "1:13: keep: raw must be whole days, such as 14d"},
	{"keep: {hours: 1h}", "1:15: keep: hours must be from 1d to 36500d, not \"1h\""},
	{"stop: 2h", "1:7: the configuration: stop must be from 1s to 1h, not \"2h\""},
	{"judge: {confirm: 0}", "1:18: judge: confirm must be from 1 to 100, not \"0\""},
	{"judge: {minimum: 0s}", "1:18: judge: minimum must be from 1s to 1d, not \"0s\""},
	{"witnesses: [\"udp://x:1\"]",
		"1:13: witnesses: \"udp://x:1\" must be tcp://HOST:PORT, icmp://HOST or an http(s) "
		"address"},
	{"witnesses: [\"tcp://x\"]",
		"1:13: witnesses: \"tcp://x\" must be tcp://HOST:PORT, icmp://HOST or an http(s) "
		"address"},
	/* clouds, scenarios, components */
	{"clouds: {a: {hosts: {b: c}}}",
		"1:21: cloud a: hosts must be text or a list of texts, not a map"},
	{"clouds: {a: {hosts: [\"\"]}}",
		"1:22: the name of a host must be one line of 1 to 200 bytes"},
	{"clouds: {a: {every: 2s, timeout: 3s}}",
		"1:34: cloud a: timeout is longer than every: probes would overlap"},
	{"clouds: {a: {endpoints: some}}",
		"1:25: cloud a: endpoints must be one of auto, none, not \"some\""},
	{"clouds: {a: , b: }\nscenarios: [{use: x}]",
		"2:13: a scenario: which of the 2 clouds? cloud is missing"},
	{"scenarios: [{use: x}, {use: x}]",
		"1:23: two scenarios are called x; give one another name"},
	{"clouds: {a: }\nscenarios: [{use: x, cloud: a}, {name: x, use: y}]",
		"2:33: two scenarios are called x in cloud a; give one another name"},
	{"scenarios: [{use: x, params: [1]}]",
		"1:30: a scenario: params must be a map, not a list"},
	{"scenarios: [{use: [x]}]", "1:19: a scenario: use must be text, not a list"},
	{"alarms: [{webhook: [x]}]", "1:20: an alarm: webhook must be text, not a list"},
	{"alarms: [5]", "1:10: an alarm must be a map, not a number"},
	{"scenarios: [{use: ''}]", "1:19: use: the name of a scenario, or a file, is missing"},
	{"components: {Compute: {}}",
		"1:14: components: \"Compute\" must be 1 to 64 small letters, digits or -"},
	/* alarms */
	{"alarms: [{name: x}]", "1:10: an alarm needs one of webhook, alertmanager, mail, deadman"},
	{"alarms: [{webhook: \"http://a\", deadman: \"http://b\"}]",
		"1:10: an alarm needs only one of webhook, alertmanager, mail, deadman"},
	{"alarms: [{webhook: \"http://a/x\"}, {webhook: \"http://a/y\"}]",
		"1:35: two alarms are called \"webhook a\"; give one another name"},
	{"alarms: [{webhook: \"http://a\", on: [outtage]}]",
		"1:37: an alarm: on: \"outtage\" is none of degraded, outage, unknown, recovery; did "
		"you mean \"outage\"?"},
	{"alarms: [{webhook: \"http://a\", every: 1m}]",
		"1:10: an alarm of kind webhook takes no every"},
	{"alarms: [{deadman: \"http://a\", fold: 1m, on: outage, components: a}]",
		"1:10: an alarm of kind deadman takes no fold\n"
		"glasshouse.yaml:1:10: an alarm of kind deadman takes no on\n"
		"glasshouse.yaml:1:10: an alarm of kind deadman takes no components"},
	{"alarms: [{webhook: \"http://a\", token: hunter2}]",
		"1:39: an alarm: token: secrets do not stand here: put it into a file of mode 0600 and "
		"write file:PATH, or into the environment and write env:NAME"},
	{"reports: [{mail: a@b}]", "1:11: a report by mail needs a server: {host, from}"},
	{"reports: [{server: {host: h, from: a@b}}]",
		"1:11: a report by mail goes to 1 to 50 addresses, not 0"},
	{"reports: [{mail: a@b, at: 7, server: {host: h, from: a@b}}]",
		"1:27: a report: at: \"7\" is no hour of the day such as \"07:00\""},
	{"reports: [{mail: a@b, at: \"24:00\", server: {host: h, from: a@b}}]",
		"1:27: a report: at: \"24:00\" is no hour of the day such as \"07:00\""},
	{"reports: [{mail: a@b, every: 90m, server: {host: h, from: a@b}}]",
		"1:11: a report: every is a number of whole hours"},
	{"reports: [{mail: a@b, every: 5h, at: \"07:00\", server: {host: h, from: a@b}}]",
		"1:11: a report: with at, every divides a day (1h 2h 3h 4h 6h 8h 12h) or is whole"
		" days"},
	{"reports: [{mail: a@b, server: {host: h, from: a@b}}, {mail: a@b, server: {host: h, from: "
	 "a@b}}]",
		"1:54: two reports are called \"mail a@b\"; give one another name"},
	{"alarms: [{mail: a@b}]", "1:10: an alarm by mail needs a server: {host, from}"},
	{"alarms: [{mail: nobody, server: {host: h, from: a@b}}]",
		"1:17: mail: \"nobody\" is no mail address; write ops@example.org"},
	{"alarms: [{mail: \"a@b\\nBcc: c@d\", server: {host: h, from: a@b}}]",
		"1:17: mail: \"a@b\nBcc: c@d\" is no mail address; write ops@example.org"},
	{"alarms: [{mail: a@b, server: {host: \"h:0\", from: a@b}}]",
		"1:37: a mail server: host: \"h:0\" is no host; write mail.example.org:587"},
	{"alarms: [{mail: a@b, server: {host: h, from: a@b, user: u}}]",
		"1:10: a mail server: user and password belong together"},
	{"alarms: [{mail: a@b, server: {host: h, tls: plain, from: a@b, user: u, password: "
	 "\"env:P\"}}]",
		"1:10: a mail server: a password is not sent without TLS; tls: starttls or implicit"},
	/* receivers of numbers */
	{"metrics: [{every: 1s}]",
		"1:11: a receiver of metrics needs one of influx, otlp, remote_write, statsd, "
		"graphite"},
	{"metrics: [{influx: \"http://a\", otlp: \"http://b\"}]",
		"1:11: a receiver of metrics needs only one of influx, otlp, remote_write, statsd, "
		"graphite"},
	{"metrics: [{otlp: \"http://b\", database: d}]",
		"1:11: a receiver of metrics of kind otlp takes no database"},
	{"metrics: [{influx: \"http://b\", headers: {X: \"env:A\"}}]",
		"1:11: a receiver of metrics of kind influx takes no headers"},
	{"metrics: [{influx: \"http://b\", username: u}]",
		"1:11: a receiver of metrics: username and password belong together"},
	{"metrics: [{influx: \"http://b\", dialect: oshm, precision: ms}]",
		"1:11: a receiver of metrics: dialect oshm has no precision: its lines have no time"},
	{"metrics: [{influx: \"http://b\", measurement: \"#x\"}]",
		"1:45: metrics: a measurement does not begin with #"},
	{"metrics: [{otlp: \"http://b\", headers: {\"a b\": \"env:A\"}}]",
		"1:40: metrics: headers: \"a b\" is no name of a header of yours"},
	{"metrics: [{influx: \"http://b\"}, {influx: \"http://b\"}]",
		"1:33: two receivers of metrics are called \"influx b:80\"; give one another name"},
};

static void test_wrong(void **state)
{
	size_t bad = 0;

	for (size_t i = 0; i < array_len(wrong); i++) {
		char *expected = mem_printf("glasshouse.yaml:%s\n", wrong[i].error);
		bad += !is_refused(*state, wrong[i].text, expected);
		free(expected);
	}
	assert_int_equal(bad, 0);
}

static void test_files(void **state)
{
	struct place *p = *state;

	refuses(p, NULL, "glasshouse.yaml: cannot read: No such file or directory\n");
	for (int i = 0; i < 100; i++) {
		char name[30];
		snprintf(name, sizeof(name), "conf.d/%d.yaml", i);
		place_put(p, name, "");
	}
	refuses(p, "", "conf.d: more than 100 files\n");
}

static void test_limits(void **state)
{
	struct place *p = *state;
	struct buf text = BUF(BUF_PAGE);

	buf_add_str(&text, "components:\n");
	for (int i = 0; i < 10001; i++)
		buf_printf(&text, "  c%d: {name: N}\n", i);
	refuses(p, buf_str(&text),
		"glasshouse.yaml:10002:3: more than 10000 clouds, scenarios, components and alarms\n");
	buf_clear(&text);
	for (int i = 0; i < 80; i++)
		buf_printf(&text, "x%d: 1\n", i);
	char *got = refusal(p, buf_str(&text));
	assert_non_null(strstr(got, "and 30 more\n"));
	free(got);
	buf_clear(&text);
	buf_add_str(&text, "site:\n  about: |\n    ");
	while (text.n < (64 << 10) + 21)
		buf_add_char(&text, 'x');
	refuses(p, buf_str(&text),
		"glasshouse.yaml:3:1: the site: about: longer than 64 KiB (65537 bytes)\n");
	buf_cut(&text, text.n - 1);
	config_free(configured(buf_str(&text)));
	buf_fini(&text);
}

int test_config_errors(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_pass, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_wrong, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_files, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_limits, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("config_errors", tests, NULL, NULL);
}
