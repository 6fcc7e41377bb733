/*
 * openslo.c - OpenSLO v1: documents of kind SLO, SLI, Service, AlertPolicy and AlertCondition
 * become objectives.
 *
 * A service is a component: its name, or its annotation glasshouse/component. A metric is carried
 * when its source says `type: glasshouse` and `spec: {series: SELECTOR}`. What is not carried is
 * told, each with its place; an objective that cannot be kept without it is left out.
 */

#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "base/zone.h"
#include "judge/rules/slo.h"

enum { KIND_SLI, KIND_SERVICE, KIND_POLICY, KIND_CONDITION, KINDS };
static const char *const kinds[KINDS] = {"SLI", "Service", "AlertPolicy", "AlertCondition"};

struct reading {
	const char *file;
	struct slo_list *into;
	slo_note *note;
	void *arg;
	struct error_list *errors;
	struct map named[KINDS]; /* by metadata.name: struct yaml, the document */
};

static void tell(struct reading *r, const struct yaml *at, const char *fmt, ...) like_printf(3, 4);

static void tell(struct reading *r, const struct yaml *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (r->note)
		r->note(r->arg, r->file, at->line, at->col, text);
	free(text);
}

/* Text at a key, or "". */
static const char *text_at(const struct yaml *map, const char *key)
{
	const struct yaml *y = map ? yaml_get(map, key) : NULL;
	return y && y->kind == YAML_SCALAR ? y->text.p : "";
}

static const struct yaml *at(const struct yaml *map, const char *key)
{
	return map ? yaml_get(map, key) : NULL;
}

/* The keys of a map that are not among `known`: words with spaces between. */
static void tell_rest(
	struct reading *r, const struct yaml *map, const char *known, const char *what)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
		if (!slice_in_words(map->keys[i]->text, known))
			tell(r, map->keys[i], "%s: %.60s is not carried", what,
				map->keys[i]->text.p);
}

/* --- durations
 * ---------------------------------------------------------------------------------------- */

/* 5m 12h 28d 1w, and with months, quarters and years the span of a calendar. */
static bool read_duration(const char *text, int64_t *ret_ms, enum slo_span *ret_span)
{
	const size_t n = strspn(text, "0123456789");
	int64_t count;
	*ret_span = SLO_ROLLING;
	if (!n || n > 6 || strlen(text) != n + 1 || !units_parse_int(slice_from(text, n), &count) ||
		count < 1)
		return false;
	switch (text[n]) {
	case 'm': *ret_ms = count * 60000; break;
	case 'h': *ret_ms = count * SERIES_HOUR_MS; break;
	case 'd': *ret_ms = count * SERIES_DAY_MS; break;
	case 'w': *ret_ms = count * 7 * SERIES_DAY_MS; break;
	case 'M': *ret_ms = count * 30 * SERIES_DAY_MS; break;
	case 'Q': *ret_ms = count * 90 * SERIES_DAY_MS; break;
	case 'Y': *ret_ms = count * 365 * SERIES_DAY_MS; break;
	default: return false;
	}
	if (count == 1)
		*ret_span = text[n] == 'd'   ? SLO_DAY
			    : text[n] == 'w' ? SLO_WEEK
			    : text[n] == 'M' ? SLO_MONTH
			    : text[n] == 'Q' ? SLO_QUARTER
			    : text[n] == 'Y' ? SLO_YEAR
					     : SLO_ROLLING;
	return true;
}

static bool read_window(struct reading *r, struct slo *s, const struct yaml *spec)
{
	const struct yaml *list = at(spec, "timeWindow");
	const struct yaml *w =
		list && list->kind == YAML_LIST && list->n == 1 ? list->items[0] : NULL;
	const struct yaml *calendar = at(w, "calendar");
	enum slo_span span;
	bool rolling = !calendar;
	if (!w || !read_duration(text_at(w, "duration"), &s->over_ms, &span)) {
		tell(r, list ? list : spec,
			"SLO %s is left out: timeWindow: one window with a duration such as 28d",
			s->name);
		return false;
	}
	tell_rest(r, w, "duration isRolling calendar", "timeWindow");
	tell_rest(r, calendar, "startTime timeZone", "calendar");
	if (at(w, "isRolling"))
		yaml_bool(at(w, "isRolling"), &rolling);
	if (!rolling && span == SLO_ROLLING)
		tell(r, w,
			"SLO %s is left out: a calendar has one day, week, month, quarter or year",
			s->name);
	else if (rolling && (s->over_ms < SLO_OVER_MIN_MS || s->over_ms > SLO_OVER_MAX_MS))
		tell(r, w, "SLO %s is left out: a window is from 1d to 366d", s->name);
	else if (rolling)
		return true;
	if (rolling || span == SLO_ROLLING)
		return false;
	s->span = span;
	if (*text_at(calendar, "startTime"))
		tell(r, at(calendar, "startTime"),
			"calendar: startTime is not carried: a %s begins as calendars have it",
			slo_span_name(span));
	free(s->timezone);
	s->timezone =
		mem_strdup(*text_at(calendar, "timeZone") ? text_at(calendar, "timeZone") : "UTC");
	struct zone *z = zone_load(s->timezone, NULL);
	zone_free(z);
	if (!z)
		tell(r, calendar, "SLO %s is left out: \"%.60s\" is no time zone I know", s->name,
			s->timezone);
	return z != NULL;
}

/* --- what is measured
 * ------------------------------------------------------------------------------------ */

static bool read_metric(
	struct reading *r, const struct slo *s, const struct yaml *metric, struct selector *into)
{
	const struct yaml *source = at(metric, "metricSource"), *spec = at(source, "spec");
	const char *series = text_at(spec, "series");
	struct error err = {0};
	if (!source || strcmp(text_at(source, "type"), "glasshouse") != 0 || !*series) {
		tell(r, source ? source : metric,
			"SLO %s is left out: its metric is not of our series (type: glasshouse, spec:"
			" {series: 'probe{component=\"compute\"}'})",
			s->name);
		return false;
	}
	tell_rest(r, source, "type spec", "metricSource");
	tell_rest(r, spec, "series", "metricSource: spec");
	if (selector_parse(into, slice_of(series), &err))
		return true;
	tell(r, at(spec, "series"), "SLO %s is left out: %.300s", s->name, err.msg);
	return false;
}

static bool read_ratio(struct reading *r, struct slo *s, const struct yaml *ratio)
{
	const struct yaml *good = at(ratio, "good"), *bad = at(ratio, "bad");
	tell_rest(r, ratio, "counter good bad total", "ratioMetric");
	if (!good == !bad || !at(ratio, "total")) {
		tell(r, ratio, "SLO %s is left out: ratioMetric wants good or bad, and total",
			s->name);
		return false;
	}
	s->part_is_bad = bad != NULL;
	s->has_whole = true;
	return read_metric(r, s, good ? good : bad, &s->part) &&
	       read_metric(r, s, at(ratio, "total"), &s->whole);
}

static bool read_threshold(
	struct reading *r, struct slo *s, const struct yaml *metric, const struct yaml *objective)
{
	const char *op = text_at(objective, "op");
	const struct yaml *value = at(objective, "value");
	const bool less = !strcmp(op, "lte") || !strcmp(op, "lt");
	if (!value || !yaml_real(value, &s->limit) ||
		(!less && strcmp(op, "gte") != 0 && strcmp(op, "gt") != 0)) {
		tell(r, objective,
			"SLO %s is left out: thresholdMetric wants op (lte, lt, gte, gt)"
			" and value in its objective",
			s->name);
		return false;
	}
	s->op = less ? SLO_LESS : SLO_MORE;
	return read_metric(r, s, metric, &s->part);
}

/* The SLI's document or the one in place; its spec. */
static const struct yaml *indicator_of(struct reading *r, const struct yaml *spec)
{
	const struct yaml *inside = at(spec, "indicator");
	const struct yaml *named = map_get(&r->named[KIND_SLI], text_at(spec, "indicatorRef"));
	return at(inside ? inside : named, "spec");
}

static bool read_indicator(
	struct reading *r, struct slo *s, const struct yaml *spec, const struct yaml *objective)
{
	const struct yaml *own = indicator_of(r, objective);
	const struct yaml *sli = own ? own : indicator_of(r, spec);
	const struct yaml *ratio = at(sli, "ratioMetric"), *threshold = at(sli, "thresholdMetric");
	tell_rest(r, sli, "description ratioMetric thresholdMetric", "SLI");
	if (ratio)
		return read_ratio(r, s, ratio);
	if (threshold)
		return read_threshold(r, s, threshold, objective);
	tell(r, spec, "SLO %s is left out: no indicator with ratioMetric or thresholdMetric",
		s->name);
	return false;
}

/* --- alerts
 * --------------------------------------------------------------------------------------------------
 */

static void read_condition(struct reading *r, struct slo *s, const struct yaml *condition)
{
	const struct yaml *named =
		map_get(&r->named[KIND_CONDITION], text_at(condition, "conditionRef"));
	const struct yaml *spec = at(named ? named : condition, "spec"), *c = at(spec, "condition");
	struct slo_alert a = {.severity = RULE_DEGRADED};
	enum slo_span span;
	double burn = 0;
	if (!c || strcmp(text_at(c, "kind"), "burnrate") != 0 || !at(c, "threshold") ||
		!yaml_real(at(c, "threshold"), &burn) || burn <= 0 ||
		!read_duration(text_at(c, "lookbackWindow"), &a.long_ms, &span) ||
		a.long_ms > SLO_LONG_MAX_MS || s->alert_count == SLO_ALERTS_MAX) {
		tell(r, condition,
			"an alert condition is left out: kind: burnrate with threshold and"
			" lookbackWindow up to 3d is carried");
		return;
	}
	tell_rest(r, spec, "description severity condition", "AlertCondition");
	tell_rest(r, c, "kind op threshold lookbackWindow", "AlertCondition");
	a.burn = burn;
	a.short_ms = a.long_ms / 12 / 60000 * 60000; /* so that it ends soon when it is over */
	a.short_ms = a.short_ms < 60000 ? 60000 : a.short_ms;
	a.severity = strcmp(text_at(spec, "severity"), "page") != 0 ? RULE_NOTE : RULE_DEGRADED;
	s->alerts[s->alert_count++] = a;
}

static void read_policy(struct reading *r, struct slo *s, const struct yaml *policy)
{
	const struct yaml *named = policy->kind == YAML_SCALAR
					   ? map_get(&r->named[KIND_POLICY], policy->text.p)
					   : policy;
	const struct yaml *spec = at(named, "spec"), *list = at(spec, "conditions");
	if (!list || list->kind != YAML_LIST) {
		tell(r, policy,
			"an alert policy is left out: there is none of that name, or it has"
			" no conditions");
		return;
	}
	tell_rest(r, spec, "description conditions", "AlertPolicy");
	for (size_t i = 0; i < list->n; i++)
		read_condition(r, s, list->items[i]);
}

static void read_alerts(struct reading *r, struct slo *s, const struct yaml *spec)
{
	const struct yaml *list = at(spec, "alertPolicies");
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n; i++)
		read_policy(r, s, list->items[i]);
	if (!s->alert_count)
		slo_default_alerts(s, RULE_DEGRADED);
}

/* --- objectives
 * ------------------------------------------------------------------------------------------------
 */

static char *component_of(const struct reading *r, const char *service)
{
	const struct yaml *document = map_get(&r->named[KIND_SERVICE], service);
	const struct yaml *annotations = at(at(document, "metadata"), "annotations");
	const char *own = text_at(annotations, "glasshouse/component");
	return mem_strdup(*own ? own : service);
}

static bool read_target(struct reading *r, struct slo *s, const struct yaml *objective)
{
	const struct yaml *target = at(objective, "target"),
			  *percent = at(objective, "targetPercent");
	double x = 0;
	if (target && yaml_real(target, &x))
		s->objective = x;
	else if (percent && yaml_real(percent, &x))
		s->objective = x / 100;
	if (s->objective > 0 && s->objective < 1)
		return true;
	tell(r, objective, "SLO %s is left out: target: a share between 0 and 1, or targetPercent",
		s->name);
	return false;
}

static void read_objective(struct reading *r, const struct yaml *document,
	const struct yaml *objective, size_t i, size_t n)
{
	const struct yaml *spec = at(document, "spec");
	const char *name = text_at(at(document, "metadata"), "name");
	struct slo *s = mem_new(struct slo);
	s->name = n > 1 ? mem_printf("%.60s-%zu", name, i + 1) : mem_printf("%.60s", name);
	s->component = component_of(r, text_at(spec, "service"));
	s->text = *text_at(spec, "description") ? mem_strdup(text_at(spec, "description")) : NULL;
	s->timezone = mem_strdup("UTC");
	s->file = mem_strdup(r->file);
	s->line = objective->line;
	s->col = objective->col;
	tell_rest(r, objective, "displayName op value target targetPercent indicator indicatorRef",
		"objective");
	bool good = read_target(r, s, objective);
	good = good && read_window(r, s, spec);
	good = good && read_indicator(r, s, spec, objective);
	if (!good || r->into->n >= SLOS_MAX) {
		if (good)
			tell(r, objective, "SLO %s is left out: more than %d", s->name, SLOS_MAX);
		slo_free(s);
		return;
	}
	read_alerts(r, s, spec);
	vec_push(r->into, s);
}

static void read_slo(struct reading *r, const struct yaml *document)
{
	const struct yaml *spec = at(document, "spec"), *list = at(spec, "objectives");
	const char *method = text_at(spec, "budgetingMethod");
	if (!*text_at(at(document, "metadata"), "name") || !*text_at(spec, "service") || !list ||
		list->kind != YAML_LIST) {
		tell(r, document,
			"an SLO is left out: it wants metadata.name, spec.service and"
			" spec.objectives");
		return;
	}
	tell_rest(r, document, "apiVersion kind metadata spec", "SLO");
	tell_rest(r, spec,
		"description service indicator indicatorRef timeWindow budgetingMethod objectives"
		" alertPolicies",
		"SLO");
	if (*method && strcmp(method, "Occurrences") != 0) {
		tell(r, at(spec, "budgetingMethod"),
			"SLO %.60s is left out: budgetingMethod Occurrences is carried, not %.40s",
			text_at(at(document, "metadata"), "name"), method);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		read_objective(r, document, list->items[i], i, list->n);
}

/* --- documents
 * ---------------------------------------------------------------------------------------------------
 */

static void name_document(struct reading *r, const struct yaml *d)
{
	const char *kind = text_at(d, "kind"), *name = text_at(at(d, "metadata"), "name");
	for (int k = 0; k < KINDS; k++)
		if (!strcmp(kind, kinds[k]) && map_put(&r->named[k], name, (void *)(uintptr_t)d))
			tell(r, d, "there are two of kind %s called %.60s: the last one counts",
				kind, name);
}

static void check_document(struct reading *r, const struct yaml *d)
{
	const char *kind = text_at(d, "kind"), *version = text_at(d, "apiVersion");
	bool known = !strcmp(kind, "SLO");
	for (int k = 0; k < KINDS; k++)
		known = known || !strcmp(kind, kinds[k]);
	if (strcmp(version, "openslo/v1") != 0)
		error_list_at(r->errors, r->file, d->line, d->col,
			"expected an OpenSLO document: apiVersion: openslo/v1, not \"%.40s\"",
			version);
	else if (!known)
		tell(r, d, "a document of kind %.40s is not carried", kind);
}

static bool read_all(struct reading *r, struct yaml_file *f)
{
	const size_t before = r->errors->n + r->errors->dropped;
	const size_t n = f ? yaml_documents(f) : 0;
	for (size_t i = 0; i < n; i++) {
		check_document(r, yaml_root(f, i));
		name_document(r, yaml_root(f, i));
	}
	const bool good = f && r->errors->n + r->errors->dropped == before;
	for (size_t i = 0; good && i < n; i++)
		if (!strcmp(text_at(yaml_root(f, i), "kind"), "SLO"))
			read_slo(r, yaml_root(f, i));
	for (int k = 0; k < KINDS; k++)
		map_fini(&r->named[k]);
	yaml_free(f);
	return good;
}

bool openslo_load(const char *path, struct slo_list *into, slo_note *note, void *arg,
	struct error_list *errors)
{
	struct reading r = {path, into, note, arg, errors, {{0}}};
	return read_all(&r, yaml_load(path, errors));
}

bool openslo_parse(struct slice text, const char *name, struct slo_list *into, slo_note *note,
	void *arg, struct error_list *errors)
{
	struct reading r = {name, into, note, arg, errors, {{0}}};
	return read_all(&r, yaml_parse(text, name, errors));
}
