/* Reading metrics-processor's configuration: what it means, what is odd, what is wrong. */
#include "../check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "judge/cloudmon/cloudmon.h"

static struct buf notes = BUF(1 << 20);
static struct error_list errors;
static char seen[ERROR_TEXT + 300];

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	const char *slash = strrchr(file, '/');
	buf_printf(&notes, "%s:%u:%u: %s\n", slash ? slash + 1 : file, line, col, text);
}

static struct cloudmon_rules *parse(const char *text, char *const *environment)
{
	buf_clear(&notes);
	error_list_fini(&errors);
	seen[0] = '\0';
	struct cloudmon_rules *r = cloudmon_rules_parse(
		slice_of(text), "config.yaml", environment, on_note, NULL, &errors);
	if (errors.n)
		snprintf(seen, sizeof(seen), "%u:%u: %s", errors.p[0].line, errors.p[0].col,
			errors.p[0].msg);
	assert_int_equal(r == NULL, errors.n > 0);
	return r;
}

#define T                                                                                          \
	"metric_templates: {t: {query: sumSeries(a.$environment.*.$service.count), op: lt, threshold: 5}}\n"
#define E "environments: [{name: e, attributes: {region: R}}]\n"
#define F "flag_metrics: [{name: f, service: s, template: {name: t}, environments: [{name: e}]}]\n"
#define H                                                                                          \
	"health_metrics: {h: {service: s, category: c, metrics: [s.f], expressions: [{expression: s.f, weight: 2}]}}\n"

static void test_whole(void **state)
{
	struct cloudmon_rules *r = parse(
		"datasource: {url: \"http://graphite\", timeout: 2, type: graphite}\n"
		"server: {port: 3005}\n"
		"health_query: {query_from: -10min, query_to: -1min}\n"
		"status_dashboard: {url: \"http://dash\", secret: x}\n" E
		"metric_templates:\n"
		"  t: {query: \"alias(sumSeries(a.$environment.*.$service.x.count),\\\"$service\\\")\", op: lt,"
		" threshold: 5}\n"
		"  v: {query: \"scale(a.$service,$factor)\", op: eq}\n"
		"  p: {promql: \"up{job=\\\"$service\\\"}\", op: gt, threshold: 1.5}\n"
		"flag_metrics:\n"
		"  - {name: f, service: s-1, template: {name: t}, environments: [{name: e, threshold: 7}]}\n"
		"  - {name: v, service: s-1, template: {name: v, vars: {factor: 3}},"
		" environments: [{name: e, threshold: 1}]}\n"
		"  - {name: p, service: s-1, template: {name: p}, environments: [e]}\n"
		"health_metrics:\n"
		"  h:\n"
		"    service: s-1\n"
		"    component_name: One\n"
		"    category: c\n"
		"    metrics: [s-1.f, s-1.v, s-1.p]\n"
		"    expressions:\n"
		"      - {expression: s_1.f + s-1.v, weight: 1}\n"
		"      - {expression: s-1.p, weight: 2}\n",
		NULL);
	if (!r)
		fail_msg("%s", seen);
	assert_string_equal(buf_str(&notes), "");
	assert_int_equal(cloudmon_flag_count(r), 3);
	const struct cloudmon_flag *f = cloudmon_flag_at(r, 0);
	assert_string_equal(f->query, "alias(sumSeries(a.e.*.s-1.x.count),\"s-1\")");
	assert_true(f->threshold == 7 && f->op == FLAG_LT && !f->promql);
	assert_string_equal(cloudmon_flag_at(r, 1)->query, "scale(a.s-1,3)");
	assert_true(cloudmon_flag_at(r, 2)->promql && cloudmon_flag_at(r, 2)->threshold == 1.5);
	assert_string_equal(cloudmon_flag_at(r, 2)->query, "up{job=\"s-1\"}");
	assert_int_equal(cloudmon_health_find(r, "h", "e"), 0);
	assert_int_equal(cloudmon_health_find(r, "h", "x"), -1);
	const struct cloudmon_health *h = cloudmon_health_at(r, 0);
	assert_int_equal(h->metric_count, 3);
	assert_int_equal(h->flags[2], 2);
	assert_int_equal(h->expressions[0].weight, 2); /* the highest comes first */
	assert_string_equal(json_string_value(json_object_get(h->attributes, "region")), "R");
	assert_int_equal(cloudmon_patience(r).hold_s, 600);
	assert_int_equal(cloudmon_patience(r).late_s, 60);
	assert_string_equal(cloudmon_datasource(r)->url, "http://graphite");
	assert_int_equal(cloudmon_datasource(r)->timeout_ns, 2 * NS_PER_S);
	assert_string_equal(cloudmon_dashboard(r)->url, "http://dash");
	cloudmon_rules_free(r);
}

static void test_notes(void **state)
{
	static const struct {
		const char *text, *note;
	} rows[] = {{T E F H, ""},
		{T E F H "fnord: 1\n", "config.yaml:5:1: \"fnord\" means nothing here\n"},
		{T E F H "flag_metric: []\n",
			"config.yaml:5:1: \"flag_metric\" means nothing here; did you mean"
			" \"flag_metrics\"?\n"},
		{T E H "flag_metrics: [{name: f, service: s, template: {name: tt}, environments: [{name:"
		       " e}]}]\n",
			"config.yaml:4:55: there is no template \"tt\": the flag \"s.f\" is not there; did"
			" you mean \"t\"?\n"},
		{T E H "flag_metrics: [{name: f, service: s, environments: [{name: e}]}]\n",
			"config.yaml:4:16: \"s.f\" has no template: the flag is not there\n"},
		{E F H "metric_templates: {t: {query: a.$region, op: lt, threshold: 5}}\n",
			"has $region, which nobody defines"},
		{T F H "environments: []\n",
			"config.yaml:2:81: the environment \"e\" is not among `environments`: it has no"
			" attributes\n"},
		{T E F "health_metrics: {h: {service: s, category: c, metrics: [s.g], expressions:"
		       " [{expression: s.g, weight: 2}]}}\n",
			"config.yaml:4:57: nobody defines the flag \"s.g\" of \"h\": it is unknown\n"
			"config.yaml:3:16: no health metric uses the flag \"s.f\"\n"},
		{T E F "health_metrics: {h: {service: s, category: c, metrics: [s.f], expressions:"
		       " [{expression: s.f || s.ff, weight: 2}]}}\n",
			"config.yaml:4:90: column 8 of the expression of \"h\": \"s.ff\" is not among its"
			" metrics; it is unknown. Did you mean \"s.f\"?\n"},
		{T E F H "flag_metrics_old: 1\n", "means nothing here"},
		{E F H "metric_templates: {t: {query: a.b, op: lt, threshold: 5}, u: {query: a.b, op: lt,"
		       " threshold: 5}}\n",
			"config.yaml:4:62: no flag uses the template \"u\"\n"},
		{T E H "flag_metrics: [{name: f, service: s, template: {name: t}, environments: [{name: e}]},"
		       " {name: f, service: s, template: {name: t}, environments: [{name: e}]}]\n",
			"\"s.f\" of e is defined again here; the flag of line 4 counts no more\n"}};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct cloudmon_rules *r = parse(rows[i].text, NULL);
		if (!r)
			fail_msg("%zu: %s", i, seen);
		if (*rows[i].note ? !strstr(buf_str(&notes), rows[i].note) : notes.n > 0)
			fail_msg("%zu: %s", i, buf_str(&notes));
		cloudmon_rules_free(r);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"metric_templates: []\n", "1:19: metric_templates: expected a map, found a list"},
		{"flag_metrics: {}\n", "1:15: flag_metrics: expected a list, found a map"},
		{"metric_templates: {t: {op: lt, threshold: 5}}\n",
			"1:23: the template \"t\" has no query"},
		{"metric_templates: {t: {query: sum(, op: lt}}\n",
			"1:31: query of \"t\": column 5 of it: expected a path or a function, found the"
			" end"},
		{"metric_templates: {t: {query: summ(a.b), op: lt}}\n",
			"1:31: query of \"t\": there is no function summ; docs/graphite.md lists them"},
		{"metric_templates: {t: {query: a.b, op: le}}\n",
			"1:40: op of \"t\": expected lt, gt or eq"},
		{"metric_templates: {t: {query: a.b, op: lt, threshold: much}}\n",
			"1:55: threshold: expected a number"},
		{"metric_templates: {t: {query: a.b, promql: up, op: lt}}\n",
			"1:44: \"t\" has a query and promql: leave one out"},
		{"metric_templates: {t: {query: a.b, op: lt}}\n" E F,
			"3:16: neither the flag nor its template \"t\" has a threshold"},
		{"flag_metrics: [{name: f}]\n", "1:16: a flag needs name and service"},
		{T E F "health_metrics: {h: {expressions: [{expression: s.f ||, weight: 1}]}}\n",
			"4:49: expression of \"h\": column 7 of it: expected a flag, the expression ends"},
		{T E F "health_metrics: {h: {expressions: [{expression: s.f, weight: heavy}]}}\n",
			"4:62: weight: expected a whole number, 0 to 255"},
		{"health_query: {query_from: 5min}\n",
			"1:28: query_from: expected a time back from now, such as \"-5min\", at most a"
			" day"},
		{"datasource: {timeout: never}\n", "1:23: timeout: expected seconds, 0.1 to 600"},
		{"environments: [{attributes: {}}]\n", "1:16: an environment needs a name"}};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct cloudmon_rules *r = parse(rows[i].text, NULL);
		cloudmon_rules_free(r);
		if (strcmp(seen, rows[i].error) != 0)
			fail_msg("%zu: %s", i, r ? "taken" : seen);
	}
}

static void test_variables(void **state)
{
	char *environment[] = {(char[]){"PATH=/bin"}, (char[]){"MP_DATASOURCE__URL=http://other"},
		(char[]){"MP_HEALTH_QUERY__QUERY_TO=-30s"},
		(char[]){"MP_METRIC_TEMPLATES__T__THRESHOLD=9"}, (char[]){"MP_FNORD=1"}, NULL};
	struct cloudmon_rules *r = parse(T E F H "datasource: {url: http://first}\n", environment);
	if (!r)
		fail_msg("%s", seen);
	assert_string_equal(cloudmon_datasource(r)->url, "http://other");
	assert_int_equal(cloudmon_patience(r).late_s, 30);
	assert_true(cloudmon_flag_at(r, 0)->threshold == 9);
	assert_string_equal(buf_str(&notes), "MP_FNORD:1:2: \"fnord\" means nothing here\n");
	cloudmon_rules_free(r);
	environment[1] = (char[]){"MP_DATASOURCE__TIMEOUT=soon"};
	assert_null(parse(T E F H, environment));
	assert_string_equal(errors.p[0].file, "MP_DATASOURCE__TIMEOUT");
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* Maps are merged, lists replaced, which is told; files of conf.d in order of their names. */
static void test_files(void **state)
{
	char dir[] = "/tmp/test-flag-rules-XXXXXX";
	assert_non_null(mkdtemp(dir));
	char *more = mem_printf("%s/conf.d", dir);
	assert_int_equal(mkdir(more, 0700), 0);
	write_file(dir, "config.yaml", T E F H);
	write_file(more, "20.yaml",
		"metric_templates: {t: {threshold: 8}}\nflag_metrics:\n- {name: g, service:"
		" s, template: {name: t}, environments: [{name: e}]}\n");
	write_file(more, "10.yaml", "metric_templates: {t: {threshold: 7}}\n");
	write_file(more, "other.txt", "not read: {");
	buf_clear(&notes);
	error_list_fini(&errors);
	struct cloudmon_rules *r = cloudmon_rules_load(dir, NULL, on_note, NULL, &errors);
	assert_non_null(r);
	assert_int_equal(cloudmon_flag_count(r), 1);
	assert_string_equal(cloudmon_flag_at(r, 0)->name, "s.g");
	assert_true(cloudmon_flag_at(r, 0)->threshold == 8);
	assert_non_null(strstr(buf_str(&notes),
		"config.yaml:3:15: flag_metrics: this list is replaced by that of "));
	cloudmon_rules_free(r);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {
			"config.yaml", "conf.d/20.yaml", "conf.d/10.yaml", "conf.d/other.txt"};
		char *path = mem_printf("%s/%s", dir, names[i]);
		unlink(path);
		free(path);
	}
	rmdir(more);
	assert_null(cloudmon_rules_load(dir, NULL, on_note, NULL, &errors));
	assert_non_null(strstr(errors.p[0].msg, "expected config.yaml or conf.d/NAME.yaml"));
	rmdir(dir);
	free(more);
}

/* The public rule set of production, when it is there: whole, with every note. */
static void test_production(void **state)
{
	static const char *const places[] = {"../shared/data/cloudmon/mp-prod",
		"../../shared/data/cloudmon/mp-prod", "shared/data/cloudmon/mp-prod"};
	const char *place = NULL;
	for (size_t i = 0; i < array_len(places) && !place; i++)
		place = access(places[i], R_OK) == 0 ? places[i] : NULL;
	if (!place)
		skip();
	buf_clear(&notes);
	error_list_fini(&errors);
	struct cloudmon_rules *r = cloudmon_rules_load(place, NULL, on_note, NULL, &errors);
	assert_non_null(r);
	assert_int_equal(cloudmon_flag_count(r), 320);
	assert_int_equal(cloudmon_health_count(r), 99);
	static const struct {
		const char *what;
		size_t n;
	} expected[] = {{"is not among `environments`", 2}, {"is defined again here", 3},
		{"no flag uses the template", 5}, {"nobody defines the flag", 3},
		{"is not among its metrics", 1}, {"is of other environments", 3},
		{"no health metric uses the flag", 1}};
	size_t all = 0;
	for (size_t i = 0; i < array_len(expected); i++) {
		size_t n = 0;
		for (const char *p = buf_str(&notes); (p = strstr(p, expected[i].what)); p++)
			n++;
		if (n != expected[i].n)
			fail_msg("%s: %zu times", expected[i].what, n);
		all += n;
	}
	assert_int_equal(cloudmon_note_count(r), all);
	/* Three flags that nobody defines, one of them misspelled in its expression. */
	const int64_t eip = cloudmon_health_find(r, "eip", "production_eu-de");
	assert_true(eip >= 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(cloudmon_health_at(r, (size_t)eip)->flags[i], CLOUDMON_NOBODY);
	cloudmon_rules_free(r);
}

static int end(void **state)
{
	buf_fini(&notes);
	error_list_fini(&errors);
	return 0;
}

int test_flag_rules(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole),
		cmocka_unit_test(test_notes), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_variables), cmocka_unit_test(test_files),
		cmocka_unit_test(test_production)};
	return cmocka_run_group_tests_name("flag_rules", tests, NULL, end);
}
