/*
 * slo.c - objectives as glasshouse.yaml has them; see slo.h.
 */

#include "judge/rules/slo.h"

#include <string.h>

#include "base/units.h"
#include "base/zone.h"
#include "text/keys.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

static const char *const severities[] = {"degraded", "outage", "note", NULL};
static const char *const spans[] = {"rolling", "day", "week", "month", "quarter", "year"};

const char *slo_span_name(enum slo_span s)
{
	return spans[s];
}

#define SLO(name, type, field) name, type, offsetof(struct slo_text, field)
static const struct key slo_keys[] = {
	{SLO("name", KEY_TEXT, name), .required = true, .max = 64, .help = "unique"},
	{SLO("component", KEY_TEXT, component), .max = 64, .help = "id of the component"},
	{SLO("objective", KEY_TEXT, objective), .max = 20, .help = "99.9%"},
	{SLO("over", KEY_TIME, over_ns), .min = DAY_NS, .max = 366 * DAY_NS},
	{SLO("calendar", KEY_TEXT, calendar), .max = 20,
		.help = "day, week, month, quarter, year: instead of over"},
	{SLO("timezone", KEY_TEXT, timezone), .max = 64, .help = "of the calendar"},
	{SLO("good", KEY_TEXT, good), .max = RULE_TEXT_MAX, .help = "series whose good runs count"},
	{SLO("bad", KEY_TEXT, bad), .max = RULE_TEXT_MAX, .help = "instead: series of what is bad"},
	{SLO("of", KEY_TEXT, of), .max = RULE_TEXT_MAX, .help = "series of all there is"},
	{SLO("faster", KEY_TIME, faster_ns), .min = NS_PER_MS, .max = DAY_NS,
		.help = "what a good run takes at most"},
	{SLO("severity", KEY_WORD, severity), .words = severities,
		.help = "of a budget that burns"},
	{SLO("text", KEY_TEXT, text), .max = RULE_TEXT_MAX, .help = "a sentence for people"},
};
#undef SLO

void slo_text_init(struct slo_text *t)
{
	*t = (struct slo_text){.severity = RULE_DEGRADED};
}

void slo_text_fini(struct slo_text *t)
{
	keys_release(slo_keys, array_len(slo_keys), t);
}

bool slo_text_read(
	struct slo_text *t, const struct yaml *map, const char *file, struct error_list *errors)
{
	struct slo_text before = *t;
	char **fields[] = {&t->name, &t->component, &t->objective, &t->good, &t->bad, &t->of,
		&t->calendar, &t->timezone, &t->text};
	char *old[] = {before.name, before.component, before.objective, before.good, before.bad,
		before.of, before.calendar, before.timezone, before.text};
	for (size_t i = 0; i < array_len(fields); i++)
		*fields[i] = NULL;
	t->file = file;
	t->line = map->line;
	t->col = map->col;
	const bool good = keys_read(map, file, "an SLO", slo_keys, array_len(slo_keys), t, errors);
	for (size_t i = 0; i < array_len(fields); i++) {
		if (*fields[i])
			free(old[i]);
		else
			*fields[i] = old[i];
	}
	return good;
}

/* --- making one
 * ------------------------------------------------------------------------------------ */

static bool wrong(const struct slo_text *t, struct error_list *errors, const char *what)
{
	error_list_at(errors, t->file, t->line, t->col, "SLO %.64s: %s", t->name, what);
	return false;
}

static bool read_objective(const struct slo_text *t, struct slo *s, struct error_list *errors)
{
	if (t->objective && units_parse_percent(slice_of(t->objective), &s->objective) &&
		s->objective > 0 && s->objective < 1)
		return true;
	return wrong(t, errors, "objective: a percentage below 100 such as 99.9%");
}

static bool read_span(const struct slo_text *t, struct slo *s, struct error_list *errors)
{
	struct error err = {0};
	if (!t->over_ns == !t->calendar)
		return wrong(t, errors, "either over (30d) or calendar (month)");
	s->over_ms = t->over_ns / NS_PER_MS;
	if (s->over_ms % SERIES_HOUR_MS)
		return wrong(t, errors, "over: whole hours");
	if (!t->calendar)
		return true;
	for (int i = SLO_DAY; i <= SLO_YEAR; i++)
		if (!strcmp(t->calendar, spans[i]))
			s->span = (enum slo_span)i;
	if (s->span == SLO_ROLLING)
		return wrong(t, errors, "calendar: day, week, month, quarter or year");
	struct zone *z = zone_load(s->timezone, &err);
	zone_free(z);
	return z ? true : wrong(t, errors, "timezone: an IANA name such as Europe/Berlin");
}

static bool read_selector(const struct slo_text *t, const char *key, const char *text,
	struct selector *into, struct error_list *errors)
{
	struct error err = {0};
	if (selector_parse(into, slice_of(text), &err))
		return true;
	char *what = mem_printf("%s: %s", key, err.msg);
	wrong(t, errors, what);
	free(what);
	return false;
}

static bool read_parts(const struct slo_text *t, struct slo *s, struct error_list *errors)
{
	if (!t->good == !t->bad)
		return wrong(t, errors,
			"either good or bad: series such as probe{component=\"compute\"}");
	if (t->bad && !t->of)
		return wrong(t, errors, "bad needs of: the series of all there is");
	if (t->faster_ns && (t->bad || t->of))
		return wrong(t, errors, "faster goes with good alone");
	s->part_is_bad = t->bad != NULL;
	s->has_whole = t->of != NULL;
	if (t->faster_ns) {
		s->op = SLO_LESS;
		s->limit = (double)t->faster_ns / (double)NS_PER_US;
	}
	return read_selector(
		       t, t->bad ? "bad" : "good", t->bad ? t->bad : t->good, &s->part, errors) &&
	       (!t->of || read_selector(t, "of", t->of, &s->whole, errors));
}

struct slo *slo_new(const struct slo_text *t, struct error_list *errors)
{
	struct slo *s = mem_new(struct slo);
	s->name = mem_strdup(t->name);
	s->component = mem_strdup(t->component);
	s->text = mem_strdup(t->text);
	s->timezone = mem_strdup(t->timezone ? t->timezone : "UTC");
	s->file = mem_strdup(t->file);
	s->line = t->line;
	s->col = t->col;
	slo_default_alerts(s, (enum rule_severity)t->severity);
	bool good = s->component || wrong(t, errors, "component is missing");
	good = read_objective(t, s, errors) && good;
	good = read_span(t, s, errors) && good;
	good = read_parts(t, s, errors) && good;
	if (good)
		return s;
	slo_free(s);
	return NULL;
}

void slo_default_alerts(struct slo *s, enum rule_severity severity)
{
	const int64_t minute = 60000, hour = SERIES_HOUR_MS;
	s->alerts[0] = (struct slo_alert){14.4, hour, 5 * minute, severity};
	s->alerts[1] = (struct slo_alert){6, 6 * hour, 30 * minute, severity};
	s->alerts[2] = (struct slo_alert){1, 72 * hour, 6 * hour, RULE_NOTE};
	s->alert_count = 3;
}

void slo_free(struct slo *s)
{
	if (!s)
		return;
	free(s->name);
	free(s->component);
	free(s->text);
	free(s->timezone);
	free(s->file);
	selector_fini(&s->part);
	selector_fini(&s->whole);
	free(s);
}

void slo_list_fini(struct slo_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		slo_free(l->p[i]);
	vec_fini(l);
}

json_t *slo_text_json(const struct slo_text *t)
{
	char over[UNITS_TEXT];
	json_t *j = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s}", "name",
		t->name, "component", t->component, "objective", t->objective, "good", t->good,
		"bad", t->bad, "of", t->of, "calendar", t->calendar, "timezone", t->timezone,
		"text", t->text, "severity", severities[t->severity]);
	if (t->over_ns)
		json_object_set_new(j, "over", json_string(units_time_whole(t->over_ns, over)));
	if (t->faster_ns)
		json_object_set_new(j, "faster", json_string(units_time_whole(t->faster_ns, over)));
	return j;
}
