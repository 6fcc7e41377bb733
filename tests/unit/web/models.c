/* models.c - see models.h. */
#include "models.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "judge/health.h"
#include "models_inside.h"

#define DAY_S 86400

/* 200 code points: quotes, markup, an override of direction, an emoji with its joiners. */
#define TWENTY "\xe2\x80\xae<b>\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\"'&amp;\xf0\x9f\xa4\x96x>"
const char *const hostile_name =
	"</title><script>alert(1)</script>\" onload=\"x' style='y " TWENTY TWENTY TWENTY TWENTY
		TWENTY TWENTY TWENTY;

static const struct {
	const char *id, *name, *category;
} parts[] = {
	{"compute", "Compute", "Compute"},
	{"images", "Images", "Compute"},
	{"placement", "Placement", "Compute"},
	{"bare-metal", "Bare metal", "Compute"},
	{"network", "Network", "Network"},
	{"load-balancing", "Load balancing", "Network"},
	{"dns", "DNS", "Network"},
	{"vpn", "VPN", "Network"},
	{"block-storage", "Block storage", "Storage"},
	{"object-storage", "Object storage", "Storage"},
	{"shared-files", "Shared file systems", "Storage"},
	{"backup", "Backup", "Storage"},
	{"identity", "Identity", "Platform"},
	{"dashboard", "Dashboard", "Platform"},
	{"orchestration", "Orchestration", "Platform"},
	{"key-manager", "Key manager", "Platform"},
	{"kubernetes", "Kubernetes clusters", "Platform"},
	{"databases", "Databases", "Platform"},
};

static unsigned draw(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

json_t *model_text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static enum health mood_health(enum mood mood, size_t i)
{
	static const enum health mixed[] = {HEALTH_OPERATIONAL, HEALTH_DEGRADED, HEALTH_OPERATIONAL,
		HEALTH_OPERATIONAL, HEALTH_OUTAGE, HEALTH_OPERATIONAL, HEALTH_UNKNOWN,
		HEALTH_OPERATIONAL, HEALTH_MAINTENANCE};
	if (mood == MOOD_GOOD)
		return HEALTH_OPERATIONAL;
	if (mood == MOOD_UNKNOWN || mood == MOOD_BLIND)
		return HEALTH_UNKNOWN;
	return i < array_len(mixed) ? mixed[i] : HEALTH_OPERATIONAL;
}

static const char *rule_of(enum health h)
{
	static const char *const rules[] = {
		[HEALTH_OPERATIONAL] = "good",
		[HEALTH_DEGRADED] = "slow",
		[HEALTH_OUTAGE] = "silent",
		[HEALTH_UNKNOWN] = "stale",
		[HEALTH_MAINTENANCE] = "good",
	};
	return rules[h];
}

/* One day: mostly good, sometimes not, a gap of our own on two of them. */
static json_t *day(enum mood mood, size_t i, int64_t ago, unsigned *state)
{
	int64_t s[HEALTH_COUNT] = {DAY_S}, gap = 0;
	const unsigned dice = draw(state) % 1000;
	if (mood == MOOD_WILD) {
		const unsigned kind = (unsigned)(i + (size_t)ago) % 5;
		s[0] = kind ? 1000 : DAY_S;
		s[kind] = DAY_S - (kind ? 1000 : 0);
	} else if (mood != MOOD_GOOD && ago == 40) {
		gap = 50000;
		s[0] = DAY_S - gap;
	} else if (mood != MOOD_GOOD && ago == 41) {
		gap = DAY_S;
		s[0] = 0;
	} else if (mood != MOOD_GOOD && dice < 8) {
		s[HEALTH_OUTAGE] = 60 + draw(state) % 9000;
		s[HEALTH_DEGRADED] = 600;
		s[0] = DAY_S - 600 - s[HEALTH_OUTAGE];
	} else if (mood != MOOD_GOOD && dice < 22) {
		s[HEALTH_DEGRADED] = 300 + draw(state) % 20000;
		s[0] = DAY_S - s[HEALTH_DEGRADED];
	} else if (mood != MOOD_GOOD && dice < 30) {
		s[HEALTH_UNKNOWN] = 20000 + draw(state) % 60000;
		s[0] = DAY_S - s[HEALTH_UNKNOWN];
	} else if (mood != MOOD_GOOD && dice < 34) {
		s[HEALTH_MAINTENANCE] = 7200;
		s[0] = DAY_S - 7200;
	}
	if (ago == 0 && mood_health(mood, i) != HEALTH_OPERATIONAL) {
		s[mood_health(mood, i)] += 1500;
		s[0] = 22000;
	}
	if (mood == MOOD_UNKNOWN) {
		s[0] = s[1] = s[2] = s[4] = 0;
		s[HEALTH_UNKNOWN] = DAY_S;
	}
	return json_pack("{s:I, s:[I,I,I,I,I], s:I}", "day", (json_int_t)(NOW / 86400000 - ago),
		"s", (json_int_t)s[0], (json_int_t)s[1], (json_int_t)s[2], (json_int_t)s[3],
		(json_int_t)s[4], "gap", (json_int_t)gap);
}

static json_t *days(enum mood mood, size_t i, int64_t n)
{
	unsigned state = (unsigned)(i * 7919 + 17);
	json_t *all = json_array();
	for (int64_t ago = n - 1; ago >= 0; ago--)
		json_array_append_new(all, day(mood, i, ago, &state));
	return all;
}

/* As the house does: over the last n days of `all`. */
static json_t *ratio(const json_t *all, size_t n)
{
	double up = 0, down = 0, lost = 0;
	const size_t have = json_array_size(all);
	for (size_t k = have > n ? have - n : 0; k < have; k++) {
		const json_t *d = json_array_get(all, k), *s = json_object_get(d, "s");
		up += (double)json_integer_value(json_array_get(s, 0)) +
		      (double)json_integer_value(json_array_get(s, 1));
		down += (double)json_integer_value(json_array_get(s, 2));
		lost += (double)json_integer_value(json_array_get(s, 3)) +
			(double)json_int(d, "gap", 0);
	}
	const double all_s = up + down + lost;
	return json_pack("{s:o, s:f, s:f, s:f}", "up",
		up + down > 0 ? json_real(up / (up + down)) : json_null(), "best",
		all_s > 0 ? (up + lost) / all_s : 1, "worst", all_s > 0 ? up / all_s : 0, "seen",
		all_s > 0 ? (up + down) / all_s : 0);
}

static json_t *component(enum mood mood, size_t i, bool operators)
{
	const enum health h = mood_health(mood, i);
	char id[80], name[80];
	const size_t part = i % array_len(parts), round = i / array_len(parts);
	snprintf(id, sizeof(id), round ? "%s-%zu" : "%s", parts[part].id, round);
	snprintf(name, sizeof(name), round ? "%s %zu" : "%s", parts[part].name, round + 1);
	json_t *d = days(mood, i, 90), *o = json_object();
	const bool hostile = mood == MOOD_HOSTILE;
	json_object_set_new(o, "id", model_text(id));
	json_object_set_new(o, "name", model_text(hostile ? hostile_name : name));
	json_object_set_new(
		o, "category", model_text(hostile ? hostile_name : parts[part].category));
	json_object_set_new(o, "region", model_text(round == 1 ? "eu-2" : ""));
	json_object_set_new(o, "cloud", model_text("prod"));
	json_object_set_new(o, "health", model_text(health_name(h)));
	json_object_set_new(o, "rule", model_text(rule_of(h)));
	if (operators)
		json_object_set_new(o, "text", model_text("2 of 3 answers took longer than 800ms"));
	json_object_set_new(o, "since_ms", json_integer(NOW - (h ? 1500000 : 86400000 * 3LL)));
	json_object_set_new(o, "checked_ms", json_integer(NOW - 12000));
	json_object_set_new(o, "stored", json_boolean(mood == MOOD_MIXED && i == 7));
	json_object_set_new(o, "evidence", json_integer((json_int_t)i + 400));
	json_object_set_new(o, "root", model_text(h == HEALTH_DEGRADED ? "network" : NULL));
	json_object_set_new(o, "dissent",
		model_text(h == HEALTH_DEGRADED ? "1 of 3 locations sees an outage: bonn-outside"
						: NULL));
	json_object_set_new(o, "maintenance", model_text(h == HEALTH_MAINTENANCE ? "" : NULL));
	json_object_set_new(o, "flapping", json_false());
	json_object_set_new(o, "availability",
		json_pack("{s:o, s:o, s:o, s:o}", "d1", ratio(d, 1), "d7", ratio(d, 7), "d30",
			ratio(d, 30), "d90", ratio(d, 90)));
	json_object_set_new(o, "days", d);
	return o;
}

static json_t *categories(const json_t *components)
{
	json_t *all = json_array();
	const json_t *c, *seen;
	size_t i, k;
	json_array_foreach (components, i, c) {
		json_t *home = NULL;
		json_array_foreach (all, k, seen) {
			if (json_equal(
				    json_object_get(seen, "name"), json_object_get(c, "category")))
				home = (json_t *)seen;
		}
		if (!home) {
			home = json_pack("{s:O, s:[]}", "name", json_object_get(c, "category"),
				"components");
			json_array_append_new(all, home);
		}
		json_array_append(json_object_get(home, "components"), json_object_get(c, "id"));
	}
	return all;
}

static json_t *scenario_row(enum mood mood, const char *name, const char *title)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:{s:I, s:s, s:f}}", "name", name, "title",
		mood == MOOD_HOSTILE ? hostile_name : title, "cloud", "prod", "every_ms",
		(json_int_t)600000, "component", "compute", "last", "at_ms",
		(json_int_t)(NOW - 95000), "verdict", mood == MOOD_MIXED ? "failed" : "passed",
		"built_ms", 19116.0);
}

static void add_lists(json_t *o, enum mood mood, size_t n)
{
	json_t *probes = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			probes, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "name", "p", "kind",
					i ? "endpoint" : "token", "cloud", "prod", "component",
					"compute", "every_ms", (json_int_t)30000, "method", "GET"));
	json_object_set_new(o, "probes", probes);
	const char *row = "[{s:s, s:s, s:I, s:I}, {s:s, s:s, s:I, s:I}]";
	json_object_set_new(o, "probe_kinds",
		n ? json_pack(row, "kind", "token", "cloud", "prod", "every_ms", (json_int_t)30000,
			    "count", (json_int_t)1, "kind", "endpoint", "cloud", "prod", "every_ms",
			    (json_int_t)30000, "count", (json_int_t)(n - 1))
		  : json_array());
	json_object_set_new(o, "scenarios",
		json_pack("[o]", scenario_row(mood, "server-login",
					 "A customer starts a server and logs in")));
	json_object_set_new(o, "possible",
		json_pack("[{s:s,s:s,s:i,s:s},{s:s,s:s,s:i,s:s}]", "name", "volume-life", "title",
			"A volume is made, snapshotted, backed up and restored", "objects", 4,
			"text",
			"1 volume of 1 GiB, 1 snapshot, 1 backup and a volume from each of them",
			"name", "server-per-zone", "title", "A server in every availability zone",
			"objects", 9, "text", "a network, and in each zone a server and its port"));
}

/* --- what the site says of itself */

static const char about_en[] =
	"We observe **Example Cloud** from outside, as its customers see it. *Nothing here comes"
	" from the cloud itself.*\n\n## Whom to ask\n\n- Operations: <mailto:ops@example.org>,"
	" [how to report a fault](https://example.org/support \"Support\")\n- Figures:"
	" [availability](/availability)\n  1. by day\n  2. by month\n\n### Zones\n\n"
	"| Zone | Place | Racks |\n|:-----|:-----:|------:|\n| eu-1 | Berlin | 14 |\n"
	"| eu-2 | ~~Bonn~~ Köln | 9 |\n\n> What is not known is not shown as good.\n\n"
	"```\nopenstack --os-cloud example server list\n```\n\n---\n\n"
	"![The map of our zones](https://example.org/map.png)\n";
static const char about_de[] =
	"Wir beobachten **Example Cloud** von außen, so wie ihre Kunden sie sehen.\n";
static const char about_hostile[] =
	"# </title><script>alert(1)</script>\n\n<b>raw</b> <img src=x onerror=alert(1)>\n\n"
	"[a](javascript:alert(1)) ![b](data:text/html,x) [c](//evil.example)"
	" [d](https://evil.example/\"onload=\"x)\n\n</div></section>\n";

static json_t *about(enum mood mood)
{
	if (mood == MOOD_MIXED)
		return json_pack("{s:s, s:s}", "en", about_en, "de", about_de);
	if (mood == MOOD_GOOD)
		return json_pack("{s:s}", "de", about_de);
	if (mood == MOOD_HOSTILE)
		return json_pack("{s:s}", "en", about_hostile);
	return json_object();
}

json_t *model_site(enum mood mood, size_t n, bool operators)
{
	json_t *components = json_array(), *o = json_object();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(components, component(mood, i, operators));
	json_object_set_new(o, "site",
		json_pack("{s:s, s:s, s:s, s:[s,s], s:b, s:s, s:s}", "name",
			mood == MOOD_HOSTILE ? hostile_name : "Example Cloud", "url",
			"https://status.example.org", "timezone", "Europe/Berlin", "languages",
			"en", "de", "simulated", mood == MOOD_MIXED || mood == MOOD_BLIND,
			"location", "berlin-outside", "version", "0.1.0"));
	json_object_set_new(json_object_get(o, "site"), "about", about(mood));
	if (operators)
		json_object_set_new(
			json_object_get(o, "site"), "instance", model_text("example-berlin"));
	json_object_set_new(o, "at_ms", json_integer(NOW));
	json_object_set_new(o, "started_ms", json_integer(NOW - 3600000 * 9));
	json_object_set_new(o, "revision", json_integer(512));
	json_object_set_new(o, "health", model_text(health_name(mood_health(mood, 4))));
	json_object_set_new(o, "observing",
		json_pack("{s:b, s:b, s:I, s:s}", "storing", mood != MOOD_BLIND, "blind",
			mood == MOOD_BLIND, "since_ms", (json_int_t)(NOW - 240000), "why",
			"no witness answers"));
	json_object_set_new(o, "categories", categories(components));
	json_object_set_new(o, "components", components);
	add_lists(o, mood, n);
	model_add_events(o, mood, operators);
	if (operators) {
		json_object_set_new(o, "alarms",
			json_pack("[{s:s,s:s,s:i,s:i,s:i,s:s}]", "name", "hook", "kind", "webhook",
				"sent", 12, "failed", 1, "waiting", 1, "trouble",
				"the connection was refused"));
		json_object_set_new(o, "jobs",
			json_pack("[{s:s,s:I,s:I,s:b,s:i,s:i,s:i,s:I}]", "name", "prod compute",
				"every_ms", (json_int_t)30000, "next_ms", (json_int_t)(NOW + 9000),
				"running", 0, "open", 0, "runs", 41234, "skips", 3, "worst_late_ms",
				(json_int_t)18));
	}
	return o;
}

static json_t *trend(double base, unsigned seed, bool troubled)
{
	const int64_t step = 600000, from = NOW / step * step - 144 * step;
	json_t *points = json_array();
	unsigned state = seed;
	for (int i = 0; i < 145; i++) {
		const double p50 = base * (1 + 0.2 * sin(i / 9.0) + (draw(&state) % 100) / 600.0 +
						  (troubled && i > 120 ? (i - 120) / 10.0 : 0));
		const bool missing = i > 40 && i < 47;
		const bool dead = troubled && i >= 60 && i < 63;
		const int n = missing ? 0 : 20, ok = missing || dead     ? 0
						     : draw(&state) % 30 ? n
									 : n - 3;
		json_t *o = json_pack("{s:I, s:i, s:i}", "at_ms", (json_int_t)(from + i * step),
			"n", n, "ok", ok);
		json_object_set_new(o, "p50_ms", ok ? json_real(p50) : json_null());
		json_object_set_new(o, "p95_ms",
			ok ? json_real(p50 * (1.3 + draw(&state) % 100 / 120.0)) : json_null());
		json_object_set_new(o, "max_ms", ok ? json_real(p50 * 2.6) : json_null());
		json_array_append_new(points, o);
	}
	return json_pack("{s:I, s:I, s:I, s:o}", "from_ms", (json_int_t)from, "to_ms",
		(json_int_t)(from + 144 * step), "step_ms", (json_int_t)step, "points", points);
}

static json_t *empty_trend(void)
{
	json_t *t = trend(1, 1, false), *points = json_object_get(t, "points"), *p;
	size_t i;
	json_array_foreach (points, i, p) {
		json_object_set_new(p, "n", json_integer(0));
		json_object_set_new(p, "ok", json_integer(0));
		json_object_set_new(p, "p50_ms", json_null());
	}
	return t;
}

static json_t *spans(bool operators)
{
	static const struct {
		int hours;
		enum health health;
		const char *rule;
		bool gap;
	} rows[] = {{1, HEALTH_DEGRADED, "slow", false}, {5, HEALTH_OPERATIONAL, "good", false},
		{6, HEALTH_OUTAGE, "silent", false}, {30, HEALTH_OPERATIONAL, "good", false},
		{33, HEALTH_UNKNOWN, "ours", false}, {700, HEALTH_OPERATIONAL, "good", false},
		{720, HEALTH_UNKNOWN, "", true}, {2100, HEALTH_MAINTENANCE, "good", false}};
	json_t *all = json_array();
	int64_t to = NOW;
	for (size_t i = 0; i < array_len(rows); i++) {
		const int64_t from = NOW - rows[i].hours * 3600000LL;
		json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:b, s:s}", "id",
			rows[i].gap ? (json_int_t)0 : (json_int_t)(500 - i), "from_ms",
			(json_int_t)from, "to_ms", (json_int_t)to, "health",
			health_name(rows[i].health), "gap", rows[i].gap, "rule", rows[i].rule);
		if (operators)
			json_object_set_new(o, "text", model_text("2 of 3 sources fail: timeout"));
		json_array_append_new(all, o);
		to = from;
	}
	return all;
}

json_t *model_component(enum mood mood, bool operators)
{
	json_t *o = component(mood, 1, operators);
	json_object_set_new(o, "spans", spans(operators));
	json_object_set_new(o, "probes",
		json_pack("[{s:s,s:s,s:n,s:I,s:o},{s:s,s:s,s:s,s:I,s:o},{s:s,s:s,s:n,s:I,s:o}]",
			"name", mood == MOOD_HOSTILE ? hostile_name : "prod image", "kind",
			"endpoint", "step", "every_ms", (json_int_t)30000, "trend",
			trend(42, 5, true), "name", "server-login", "kind", "scenario", "step",
			"upload", "every_ms", (json_int_t)600000, "trend", trend(9400, 11, false),
			"name", "token", "kind", "token", "step", "every_ms", (json_int_t)60000,
			"trend", empty_trend()));
	return o;
}

json_t *model_availability(enum mood mood, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = component(mood, i, false), *d = days(mood, i, 365),
		       *months = json_array();
		for (int m = 0; m < 14; m++) {
			char month[16];
			snprintf(month, sizeof(month), "%d-%02d", m < 11 ? 2026 : 2025,
				m < 11 ? 11 - m : 23 - m);
			json_t *r = ratio(d, (size_t)(30 + m * 13));
			json_object_set_new(r, "month", model_text(month));
			json_array_append_new(months, r);
		}
		json_object_set_new(o, "months", months);
		json_object_set_new(json_object_get(o, "availability"), "d365", ratio(d, 365));
		json_object_set_new(o, "days", d);
		json_array_append_new(all, o);
	}
	json_t *slos = json_array();
	static const double left[] = {0.62, 0.05, -0.4};
	static const char *const states[] = {"good", "firing", "good", "unknown"};
	static const char *const spans[] = {"rolling", "month", "quarter", "week"};
	for (size_t i = 0; i < n && i < 4; i++)
		json_array_append_new(slos,
			json_pack(
				"{s:o, s:o, s:o, s:f, s:o?, s:s, s:I, s:f, s:f, s:o, s:o, s:s, s:I}",
				"name", model_text("compute-api"), "component",
				model_text("compute"), "component_name", model_text("Compute"),
				"objective", 0.999, "text",
				i % 2 ? model_text("Requests are answered within 800 ms.") : NULL,
				"span", spans[i], "over_ms", (json_int_t)30 * 86400000, "good",
				99910.0, "whole", 100000.0, "ratio",
				i < 3 ? json_real(0.9991) : json_null(), "budget_left",
				i < 3 ? json_real(left[i]) : json_null(), "state", states[i],
				"since_ms", (json_int_t)1));
	return json_pack("{s:o, s:o}", "components", all, "slos", slos);
}

static json_t *run_row(size_t i, bool operators)
{
	static const char *const verdicts[] = {"failed", "passed", "passed", "degraded", "passed",
		"passed", "passed", "unknown", "passed", "passed"};
	const char *verdict = verdicts[i % array_len(verdicts)];
	const int64_t at = NOW - 95000 - (int64_t)i * 600000;
	json_t *o = json_pack("{s:I, s:s, s:f, s:I, s:i, s:i, s:i, s:n}", "at_ms", (json_int_t)at,
		"verdict", verdict, "built_ms", 17000.0 + (double)(i * 7919 % 9000), "ended_ms",
		(json_int_t)(at + 26418), "created", 14, "deleted", i ? 14 : 13, "left", i ? 0 : 1,
		"cause");
	if (operators)
		json_object_set_new(o, "run", model_text("tp3k6o-cbmv"));
	if (strcmp(verdict, "failed") == 0) {
		json_t *cause = json_pack("{s:s, s:s, s:s, s:s}", "step", "server[0]", "component",
			"Compute", "fault", "stuck", "sentence",
			"the object did not become ready in time");
		if (operators)
			json_object_set_new(cause, "detail", model_text("status BUILD after 300s"));
		json_object_set_new(o, "cause", cause);
	}
	return o;
}

json_t *model_scenario(enum mood mood, bool operators)
{
	json_t *o = scenario_row(mood, "server-login", "A customer starts a server and logs in");
	json_t *runs = json_array();
	for (size_t i = 0; i < 50; i++)
		json_array_append_new(runs, run_row(i, operators));
	json_object_set_new(o, "makes",
		json_pack("[s,s,s,s,s]", "1 network with its subnet", "1 router with a gateway",
			"1 security group with 2 rules", "2 servers, each with a port",
			"2 floating IPs"));
	json_object_set_new(o, "deadline_ms", json_integer(600000));
	json_object_set_new(o, "runs", runs);
	json_object_set_new(o, "whole", trend(19000, 3, true));
	json_object_set_new(o, "steps",
		json_pack("[{s:s,s:s,s:o},{s:s,s:s,s:o},{s:s,s:s,s:o}]", "name", "server",
			"component", "Compute", "trend", trend(9000, 21, true), "name", "router",
			"component", "Network", "trend", trend(600, 23, false), "name", "login",
			"component", "", "trend", trend(6300, 29, false)));
	return o;
}

#define HOST_A "3735d7a5a0c8b2f1e4d6c9b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918"
#define HOST_B "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d8e1f0a2b3c4d5e6f70819203"

/* How a server came up; the first one did not. */
static json_t *boot(enum mood mood, bool good)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:[{s:s,s:f},{s:s,s:f},{s:s,s:f},{s:s,s:f}], "
		"s:[{s:s,s:b,s:i},{s:s,s:b,s:i}], s:b}",
		"server", "5f2a", "host", good ? HOST_B : HOST_A, "zone",
		mood == MOOD_HOSTILE ? hostile_name : "eu-1", "image", "debian-12", "flavor",
		"m1.small", "phases", "name", "schedule", "ms", 812.0, "name", "network", "ms",
		1650.0, "name", "block device", "ms", 420.0, "name", "spawn", "ms",
		good ? 5100.0 : 4400.0, "hosts", "host", HOST_A, "good", 0, "s", 5, "host", HOST_B,
		"good", 1, "s", 7, "good", good);
	json_array_append_new(json_object_get(o, "phases"),
		json_pack("{s:s, s:f}", "name", "guest", "ms", good ? 8000.0 : -3.0));
	if (good)
		return o;
	json_object_set_new(o, "fault", model_text("ssh_auth"));
	json_object_set_new(o, "failed", model_text("login[0]"));
	json_object_set_new(o, "cause", model_text("no_metadata"));
	json_object_set_new(o, "console",
		model_text(
			mood == MOOD_HOSTILE
				? hostile_name
				: "url_helper.py[WARNING]: Calling 'http://169.254.169.254/' failed"));
	return o;
}

static json_t *host(enum mood mood, const char *id, const char *name, int quiet_days, int failures)
{
	json_t *days = json_array();
	unsigned state = (unsigned)quiet_days + 3;
	for (int ago = 13; ago >= 0; ago--) {
		const bool quiet = ago < quiet_days || quiet_days > 13;
		const int good = quiet || draw(&state) % 6 == 0 ? 0 : 5 + (int)(draw(&state) % 9);
		json_array_append_new(days,
			json_pack("{s:I, s:i, s:i}", "day", (json_int_t)(NOW / 86400000 - ago),
				"good", good, "failed", ago < failures ? 2 + ago : 0));
	}
	json_t *o = json_pack("{s:s, s:o, s:s, s:o, s:b, s:i, s:i, s:o, s:o, s:n}", "host", id,
		"name", model_text(mood == MOOD_HOSTILE ? hostile_name : name), "zone", "eu-1",
		"last_good_ms",
		quiet_days > 13 ? json_null()
				: json_integer(NOW - 720000 - quiet_days * 86400000LL),
		"last_good", !failures, "good_24h", quiet_days ? 0 : 9, "failed_24h",
		failures ? 4 : 0, "median_ms", quiet_days > 13 ? json_null() : json_integer(8421),
		"days", days, "last_failure");
	if (failures)
		json_object_set_new(o, "last_failure",
			json_pack("{s:I, s:s, s:s, s:s, s:s}", "at_ms", (json_int_t)(NOW - 95000),
				"run", "tp3k6o-cbmv", "step",
				mood == MOOD_HOSTILE ? hostile_name : "server[0]", "fault",
				"ssh_auth", "cause", "no_metadata"));
	return o;
}

json_t *model_hosts(enum mood mood)
{
	json_t *hosts = json_array(), *mixed;
	json_array_append_new(hosts, host(mood, HOST_A, "rack1-node07.example.org", 2, 2));
	json_array_append_new(hosts, host(mood, "0c" HOST_B, NULL, 14, 1));
	json_array_append_new(hosts, mixed = host(mood, "1c" HOST_B, NULL, 0, 1));
	json_object_set_new(mixed, "last_good", json_true());
	json_array_append_new(hosts, host(mood, "2c" HOST_A, "rack1-node08.example.org", 0, 0));
	json_array_append_new(hosts, host(mood, HOST_B, NULL, 0, 0));
	json_array_append_new(hosts, host(mood, "4c" HOST_A, "rack2-node01.example.org", 6, 0));
	return json_pack(
		"{s:b, s:[{s:s, s:{s:s, s:s, s:i, s:i, s:i}, s:i, s:i, s:o}, {s:s, s:n, s:i, s:i, s:[]}]}",
		"more", mood != MOOD_MIXED, "clouds", "cloud",
		mood == MOOD_HOSTILE ? hostile_name : "prod", "common", "dimension", "host",
		"value", mood == MOOD_HOSTILE ? hostile_name : "rack1-node07.example.org", "failed",
		4, "came_up", 0, "elsewhere", 27, "nowhere", 1, "left_out", 3, "hosts", hosts,
		"cloud", "lab", "common", "nowhere", 0, "left_out", 0, "hosts");
}

static json_t *figure(enum mood mood, const char *what, const char *service, const char *name,
	int64_t n, int64_t errors, double ms)
{
	const bool hostile = mood == MOOD_HOSTILE;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "what", what, "cloud",
		hostile ? hostile_name : "prod", "service", service, "name",
		hostile ? hostile_name : name, "n", (json_int_t)n, "errors", (json_int_t)errors,
		"trend", trend(ms > 0 ? ms : 1, (unsigned)n, errors > 0));
	static const char *const times[] = {
		"min_ms", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		json_object_set_new(
			o, times[i], n > errors ? json_real(ms * (double)(i + 1)) : json_null());
	json_object_set_new(o, "faults",
		errors ? json_pack("{s:I}", hostile ? hostile_name : "timeout", (json_int_t)errors)
		       : json_object());
	return o;
}

json_t *model_calls(enum mood mood)
{
	const bool hostile = mood == MOOD_HOSTILE;
	json_t *waits = json_array(), *calls = json_array();
	json_array_append_new(waits, figure(mood, "wait", "", "server ready", 144, 3, 9100));
	json_array_append_new(waits, figure(mood, "wait", "", "volume gone", 4, 4, 0));
	for (int i = 0; i < 12; i++)
		json_array_append_new(
			calls, figure(mood, "call", "compute", "POST /servers", 100 + i, i % 2,
				       hostile && i ? 0 : 800.0 / (i + 1)));
	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:i, s:o, s:o}", "view",
		hostile ? hostile_name : "24h", "from_ms", (json_int_t)(MODELS_NOW_MS - 86400000),
		"to_ms", (json_int_t)MODELS_NOW_MS, "unread", hostile ? 2 : 0, "more_waits", 0,
		"more_calls", 7, "waits", waits, "calls", calls);
}

static json_t *explore_point(int i, bool smoke)
{
	const double mid = 40 + 20 * sin(i / 9.0);
	json_t *p = json_pack("{s:I, s:i, s:i}", "at_ms",
		(json_int_t)(NOW - 86400000 + i * 600000LL), "n", i % 40 == 7 ? 0 : 60, "ok",
		i % 40 == 7   ? 0
		: i % 25 == 3 ? 20
			      : 60);
	if (i % 40 == 7)
		return p;
	if (smoke)
		json_object_set_new(p, "smoke",
			json_pack("[f, f, f, f, f, f, f]", mid - 9, mid - 7, mid - 3, mid, mid + 5,
				mid + 20, mid + 30));
	else
		json_object_set_new(p, "value", json_real(mid - 30));
	json_object_set_new(p, "min", json_real(mid - 40));
	json_object_set_new(p, "max", json_real(mid + 400));
	return p;
}

static json_t *explore_drawn(const char *name, const char *kind, const char *unit, int where)
{
	json_t *points = json_array();
	for (int i = 0; i < 144; i++)
		json_array_append_new(points, explore_point(i + where, kind[0] == 'p'));
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "text", name, "kind", kind, "unit",
		unit, "location", where ? "amsterdam" : "berlin", "why",
		where ? NULL : "it was not to be read", "total", explore_point(0, kind[0] == 'p'),
		"points", points);
}

json_t *model_explore(enum mood mood)
{
	const char *name = mood == MOOD_HOSTILE ? hostile_name : "stats.timers.api.GET.servers.200";
	const bool wrong = mood == MOOD_UNKNOWN;
	json_t *list = json_array(), *drawn = json_array();
	for (int i = 0; !wrong && i < 12; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:b}", "text", name,
						    "kind", i % 2 ? "sum" : "dist", "unit", "ms",
						    "locations", i % 3 + 1, "chosen", i == 0));
	for (int i = 0; !wrong && i < 3; i++)
		json_array_append_new(drawn,
			explore_drawn(name, i < 2 ? "probe" : "gauge", i < 2 ? "ms" : "", i));
	return json_pack(
		"{s:s, s:s, s:s, s:[s], s:s?, s:I, s:I, s:I, s:i, s:i, s:i, s:[s], s:o, s:o}",
		"pattern", name, "from", mood == MOOD_HOSTILE ? hostile_name : "-1d", "until",
		"now", "chosen", name, "wrong", wrong ? "from: it is no time: whenever" : NULL,
		"from_ms", (json_int_t)(NOW - 86400000), "to_ms", (json_int_t)NOW, "step_ms",
		(json_int_t)600000, "columns", 144, "more", wrong ? 0 : 17, "not_drawn",
		wrong ? 0 : 1, "absent", name, "list", list, "drawn", drawn);
}

json_t *model_run(enum mood mood)
{
	json_t *report = json_load_file("tests/unit/web/run.json", 0, NULL), *server;
	if (!report)
		return NULL;
	/* the first server did not come up, and what needs it was not tried */
	json_t *steps = json_object_get(report, "steps"), *s;
	size_t i;
	json_array_foreach (steps, i, s) {
		const char *name = json_str(s, "name");
		server = mood != MOOD_GOOD && name && !strcmp(name, "server[0]") ? s : NULL;
		if (name && !strncmp(name, "server[", 7))
			json_object_set_new(s, "boot", boot(mood, !server));
		if (server) {
			json_object_set_new(server, "state", model_text("failed"));
			json_object_set_new(server, "fault", model_text("stuck"));
			json_object_set_new(server, "first_cause", json_true());
			json_object_set_new(server, "detail",
				model_text(mood == MOOD_HOSTILE ? hostile_name
								: "status BUILD after 300s"));
		}
		if (mood != MOOD_GOOD && name && strstr("reach[0] login[0]", name)) {
			json_object_set_new(s, "state", model_text("skipped"));
			json_object_set_new(s, "start_ms", json_null());
			json_object_set_new(s, "ready_ms", json_null());
		}
	}
	const char *verdict = mood == MOOD_GOOD ? "passed" : "failed";
	json_object_set_new(report, "verdict", model_text(verdict));
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:o}", "scenario", "server-login", "cloud",
		"prod", "instance", "example-berlin", "at_ms", (json_int_t)(NOW - 95000),
		"ended_ms", (json_int_t)(NOW - 68000), "verdict", verdict, "report", report);
}

static json_t *told(enum mood mood)
{
	return json_pack(
		"[{s:s, s:s, s:s, s:I, s:{s:s, s:{s:I, s:I}, s:[{s:s, s:f}, {s:s, s:n}], s:i,"
		" s:{s:s}}}]",
		"by", mood == MOOD_HOSTILE ? hostile_name : "rule:image-slow", "health", "degraded",
		"text", "answers take 812 ms", "at_ms", (json_int_t)(NOW - 1510000), "evidence",
		"rule", "p95('image') > 800ms", "window", "from_ms", (json_int_t)(NOW - 1810000),
		"to_ms", (json_int_t)(NOW - 1510000), "values", "series", "image", "p95", 812.5,
		"series", "image-eu-2", "p95", "minimum", 20, "operators", "file",
		"/etc/glasshouse/rules.yaml");
}

json_t *model_evidence(enum mood mood, bool operators)
{
	json_t *o = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:I, s:n, s:s, s:s, s:{s:I, s:I}, s:i, s:n}", "id", 498,
		"component", "images", "component_name",
		mood == MOOD_HOSTILE ? hostile_name : "Images", "health", "degraded", "was",
		"operational", "at_ms", (json_int_t)(NOW - 1500000), "until_ms", "rule", "failing",
		"text", "1 of 2 sources fails: no answer within the time allowed", "window",
		"from_ms", (json_int_t)(NOW - 1600000), "to_ms", (json_int_t)(NOW - 1500000),
		"previous", 496, "next");
	json_object_set_new(o, "sources",
		json_pack("[{s:s,s:s,s:i,s:i,s:i,s:I,s:f,s:f,s:{s:i,s:i}},"
			  "{s:s,s:s,s:i,s:i,s:i,s:I,s:n,s:n,s:{}}]",
			"probe", "prod image", "step", "", "n", 4, "failed", 2, "slow", 1,
			"last_ms", (json_int_t)(NOW - 1500000), "median_ms", 1342.0, "worst_ms",
			4810.0, "faults", "timeout", 1, "unavailable", 1, "probe", "server-login",
			"step", "image", "n", 1, "failed", 0, "slow", 0, "last_ms",
			(json_int_t)(NOW - 1560000), "median_ms", "worst_ms", "faults"));
	json_object_set_new(o, "answering", json_integer(1));
	json_object_set_new(o, "failing", json_integer(1));
	json_object_set_new(o, "unable", json_integer(0));
	json_object_set_new(o, "silent", json_integer(0));
	json_object_set_new(o, "undecided", json_integer(2));
	json_object_set_new(o, "lesser", json_integer(0));
	json_object_set_new(o, "root", model_text("identity"));
	json_object_set_new(o, "maintenance", model_text("2026-11-26-firmware"));
	json_object_set_new(
		o, "dissent", model_text("1 of 3 locations sees an outage: bonn-outside"));
	json_object_set_new(o, "flapping", json_true());
	json_object_set_new(o, "told", told(mood));
	if (operators)
		json_object_set_new(o, "samples",
			json_pack("[{s:I,s:s,s:s,s:s,s:i,s:s,s:f,s:s,s:s,s:s,s:s,s:s},"
				  "{s:I,s:s,s:s,s:s,s:i,s:s,s:f}]",
				"at_ms", (json_int_t)(NOW - 1500000), "probe", "prod image", "step",
				"", "fault", "unavailable", "status", 503, "detail",
				mood == MOOD_HOSTILE ? hostile_name : "503 Service Unavailable",
				"total_ms", 812.5, "request", "GET /v2/images?limit=1", "curl",
				"curl -sS -H \"X-Auth-Token: $OS_TOKEN\" "
				"'https://image.example.org/v2/images?limit=1'",
				"request_id", "req-3d49506d-e6f4-4d86-a371-3e65c9e8fb45",
				"service_request_id", "req-3984e24c-6cf1-43cb-b7c1-537bc05815fa",
				"run", "tp3k6o-cbmv", "at_ms", (json_int_t)(NOW - 1530000), "probe",
				"prod image", "step", "", "fault", "none", "status", 200, "detail",
				"", "total_ms", 1342.0));
	return o;
}

json_t *model_alerts(enum mood mood)
{
	const bool hostile = mood == MOOD_HOSTILE;
	if (mood == MOOD_UNKNOWN)
		return json_pack("{s:[]}", "alerts");
	return json_pack(
		"{s:[{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s}, s:s, s:s, s:I, s:n},"
		" {s:s, s:s, s:{s:s}, s:{}, s:s, s:n, s:I, s:I}]}",
		"alerts", "fingerprint", "9f86d081884c7d65", "state", "firing", "labels",
		"alertname", hostile ? hostile_name : "VolumesFail", "severity", "critical",
		"instance", "storage-01.example.org:9100", "annotations", "summary",
		hostile ? hostile_name : "Volumes cannot be made since 5 minutes", "url",
		hostile ? "data:text/html,<b>" : "https://prometheus.example.org/graph?g0.expr=up",
		"component", "block-storage", "starts_ms", (json_int_t)(NOW - 300000), "ends_ms",
		"fingerprint", "60303ae22b998861", "state", "resolved", "labels", "alertname",
		"NodeDown", "annotations", "url", "", "component", "starts_ms",
		(json_int_t)(NOW - 9000000), "ends_ms", (json_int_t)(NOW - 7000000));
}

json_t *model_problem(int status, const char *path)
{
	return json_pack("{s:i, s:s}", "status", status, "path", path);
}
