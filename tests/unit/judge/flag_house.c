/* flag_house.c - see flag_house.h. */
#include "flag_house.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define API(codes) "stats.counters.openstack.api.$environment.*.$service.*.*." codes ".count"

const char usual_rules[] =
	"environments: [{name: prod, attributes: {region: NORTH}}]\n"
	"metric_templates:\n"
	"  low:\n"
	"    query: \"smartSummarize(asPercent(sumSeries(" API("{2*,3*,404}") "),"
	" sumSeries(" API("attempted") ")), '3min', 'average')\"\n"
	"    op: lt\n"
	"    threshold: 65\n"
	"  low2:\n"
	"    query: \"smartSummarize(asPercent(sumSeries(" API("{2*,3*,404}") "),"
	" sumSeries(" API("attempted") ")), '2min', 'average')\"\n"
	"    op: lt\n"
	"    threshold: 65\n"
	"  down:\n"
	"    query: \"asPercent(smartSummarize(sumSeries(" API("failed") "), '1min', 'average', '1min'),"
	" smartSummarize(sumSeries(" API("attempted") "), '1min', 'average', '1min'))\"\n"
	"    op: eq\n"
	"    threshold: 100\n"
	"  refused:\n"
	"    query: \"asPercent(sumSeries(" API("failed") "), sumSeries(" API("attempted") "))\"\n"
	"    op: gt\n"
	"    threshold: 10\n"
	"  errors:\n"
	"    query: \"consolidateBy(aggregate(" API("5*") ", 'count'), 'sum')\"\n"
	"    op: gt\n"
	"    threshold: 0\n"
	"  slow:\n"
	"    query: \"smartSummarize(consolidateBy(aggregate(stats.timers.openstack.api.$environment"
	".*.$service.*.*.*.mean, 'average'), 'average'), '3min', 'average')\"\n"
	"    op: gt\n"
	"    threshold: 1200\n"
	"flag_metrics:\n"
#define FLAG(service, flag)                                                                        \
	"  - {name: " flag ", service: " service ", template: {name: " flag                        \
	"}, environments: [{name: prod}]}\n"
#define FLAGS(service)                                                                             \
	FLAG(service, "low")                                                                       \
	FLAG(service, "low2")                                                                      \
	FLAG(service, "down") FLAG(service, "refused") FLAG(service, "errors") FLAG(service, "slow")
	FLAGS("a") FLAGS("b") FLAGS("c") FLAGS("d")
	"health_metrics:\n"
#define HEALTH(s)                                                                                  \
	"  " s ":\n    service: " s "\n    component_name: Service " s                             \
	"\n    category: compute\n"                                                                \
	"    metrics: [" s ".low, " s ".down, " s                                                  \
	".slow]\n"                                                                                 \
	"    expressions:\n"                                                                       \
	"      - {expression: \"" s ".slow || " s                                                  \
	".low\", weight: 1}\n"                                                                     \
	"      - {expression: \"" s                                                                \
	".down\", weight: 2}\n"                                                                    \
	"  " s "_both:\n    service: " s                                                           \
	"\n    category: compute\n"                                                                \
	"    metrics: [" s ".refused, " s                                                          \
	".slow]\n"                                                                                 \
	"    expressions: [{expression: \"" s ".refused && " s                                     \
	".slow\", weight: 1}]\n"                                                                   \
	"  " s "_two:\n    service: " s "\n    category: compute\n    metrics: [" s                \
	".low2]\n"                                                                                 \
	"    expressions: [{expression: \"" s                                                      \
	".low2\", weight: 1}]\n"                                                                   \
	"  " s "_errors:\n    service: " s                                                         \
	"\n    category: compute\n"                                                                \
	"    metrics: [" s                                                                         \
	".errors]\n"                                                                               \
	"    expressions: [{expression: \"" s ".errors\", weight: 1}]\n"
	HEALTH("a") HEALTH("b") HEALTH("c") HEALTH("d");

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	struct flag_house *f = arg;
	const char *slash = strrchr(file, '/');
	char *all = mem_printf("%s%s:%u:%u: %s\n", f->notes ? f->notes : "",
		slash ? slash + 1 : file, line, col, text);
	free(f->notes);
	f->notes = all;
}

void flag_house_rules(struct flag_house *f, const char *config)
{
	struct error_list errors = {0};
	char *path = mem_printf("%s/config.yaml", f->house->root);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(config, file);
	assert_int_equal(fclose(file), 0);
	f->rules = cloudmon_rules_load(path, NULL, on_note, f, &errors);
	if (!f->rules)
		fail_msg("%u:%u: %s", errors.p[0].line, errors.p[0].col, errors.p[0].msg);
	error_list_fini(&errors);
	free(path);
}

void flag_house_open(struct flag_house *f, void **state, const char *config)
{
	*f = (struct flag_house){.house = *state};
	f->graphite = graphite_new(f->house->loop, f->house->series, &f->house->err);
	assert_non_null(f->graphite);
	flag_house_rules(f, config);
	f->cloudmon = cloudmon_new(f->house->loop, f->graphite, f->rules,
		&(struct cloudmon_options){.series = f->house->series});
	/* All windows lie behind the start of the watch. */
	house_pass(f->house, 900000);
	f->begin_s = house_now(f->house) / 1000;
}

void flag_house_close(struct flag_house *f)
{
	cloudmon_free(f->cloudmon);
	graphite_free(f->graphite);
	cloudmon_rules_free(f->rules);
	free(f->notes);
}

static void append(struct flag_house *f, enum series_kind kind, const char *unit, const char *name,
	int64_t at_s, double value, uint64_t n)
{
	const struct series_key key = {.kind = kind, .unit = unit, .location = "", .name = name};
	struct series_hist hist = {0};
	struct series_sample s = {.at_ms = at_s * 1000, .value = value};
	if (kind == SERIES_DIST) {
		s.n = n;
		s.min = s.max = value / (double)n;
		series_hist_add(&hist, (uint64_t)s.min, (uint32_t)n);
		s.hist = &hist;
	}
	if (n)
		assert_true(series_append(series_get(f->house->series, &key), &s));
	series_hist_fini(&hist);
}

static void append_line(
	struct flag_house *f, const char *name, const char *field, int64_t at_s, double value)
{
	char *path = mem_printf("%s.%s", name, field);
	append(f, SERIES_GAUGE, "", path, at_s, value, 1);
	free(path);
}

static void count(struct flag_house *f, const char *service, const char *zone, const char *code,
	int64_t at_s, double n)
{
	char *name = mem_printf(
		"stats.counters.openstack.api.prod.%s.%s.GET.things.%s", zone, service, code);
	if (n > 0 && f->lines)
		append_line(f, name, "count", at_s, n);
	else if (n > 0)
		append(f, SERIES_SUM, "", name, at_s, n, 1);
	free(name);
}

void flag_house_flush(struct flag_house *f, const char *service, const char *zone, int64_t at_s,
	const struct flush *x)
{
	count(f, service, zone, "attempted", at_s, x->attempted);
	count(f, service, zone, "200", at_s, x->ok);
	count(f, service, zone, "500", at_s, x->errors);
	count(f, service, zone, "failed", at_s, x->failed);
	char *name = mem_printf("stats.timers.openstack.api.prod.%s.%s.GET.things.%s", zone,
		service, x->errors > 0 ? "500" : "200");
	const uint64_t n = (uint64_t)(x->errors + x->ok);
	if (n && f->lines)
		append_line(f, name, "mean", at_s, x->mean_ms);
	else
		append(f, SERIES_DIST, "us", name, at_s, x->mean_ms * 1000 * (double)n, n);
	free(name);
}

static void flush_letter(struct flag_house *f, const char *service, char letter, int64_t at_s)
{
	static const struct {
		char letter;
		struct flush north, south;
	} letters[] = {{'h', {5, 5, 0, 0, 100}, {5, 5, 0, 0, 100}},
		{'s', {5, 5, 0, 0, 2000}, {5, 5, 0, 0, 2000}},
		{'e', {5, 0, 5, 0, 100}, {5, 0, 5, 0, 100}},
		{'o', {5, 0, 0, 5, 0}, {5, 0, 0, 5, 0}}, {'z', {5, 0, 0, 5, 0}, {5, 5, 0, 0, 100}},
		{'b', {5, 4, 0, 1, 2000}, {5, 4, 0, 1, 2000}}};
	for (size_t i = 0; i < array_len(letters); i++)
		if (letters[i].letter == letter) {
			flag_house_flush(f, service, "north", at_s, &letters[i].north);
			flag_house_flush(f, service, "south", at_s, &letters[i].south);
		}
}

void flag_house_wait(struct flag_house *f, int64_t seconds)
{
	for (; seconds > 0; seconds -= 10) {
		house_pass(f->house, 10000);
		cloudmon_pass(f->cloudmon);
	}
}

void flag_house_story(struct flag_house *f, const char *service, const char *story)
{
	for (const char *c = story; *c; c++)
		for (int i = 0; i < 6; i++) {
			house_pass(f->house, 10000);
			flush_letter(f, service, *c, house_now(f->house) / 1000);
			cloudmon_pass(f->cloudmon);
		}
	flag_house_wait(f, 200);
}

void flag_house_weights(struct flag_house *f, const char *key, size_t n, char *text)
{
	const int64_t health = cloudmon_health_find(f->rules, key, "prod");
	assert_true(health >= 0);
	for (size_t i = 0; i < n; i++) {
		const int w =
			cloudmon_weight(f->cloudmon, (size_t)health, f->begin_s + 60 * (int64_t)i);
		text[i] = w < 0 ? '?' : (char)('0' + w);
	}
	text[n] = '\0';
}
