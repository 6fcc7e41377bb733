/*
 * reports_text.c - what a report says: plain text, the worst of each part, everything counted.
 */

#include "tell/reports_inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/map.h"
#include "base/units.h"
#include "observe/scenario/journal.h"

#define CHANGES_MAX 20
#define CAUSES_MAX  5 /* of a scenario */
#define ROWS_MAX    10
#define OBJECTS_MAX 10
#define RUNS_MAX    100000
#define TEXT_MAX    (256u << 10)

static const char *time_text(const struct report_making *m, int64_t at_ms, char *text)
{
	const int64_t at_s = at_ms / 1000;
	const time_t local = (time_t)(at_s + zone_offset_s(m->zone, at_s));
	struct tm tm;
	gmtime_r(&local, &tm);
	snprintf(text, CLOCK_TEXT, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min);
	return text;
}

static const char *span_text(int64_t ms, char *text)
{
	return units_time_text(ms * NS_PER_MS, text);
}

static void heading(struct buf *out, const char *text)
{
	buf_printf(out, "\n%s\n", text);
	for (size_t i = strlen(text); i-- > 0;)
		buf_add_char(out, '-');
	buf_add_char(out, '\n');
}

/* --- components ------------------------------------------------------------------------------- */

struct seen { /* of one component */
	int64_t ms[HEALTH_COUNT], gap_ms;
	int64_t last_id;
	enum health last;
};

struct change {
	int64_t at_ms;
	const char *name; /* borrowed of the part */
	enum health was, health;
	char *text;
};

struct changes {
	const struct report_making *making;
	const struct report_part *part;
	struct seen seen;
	VEC(struct change) all;
};

static bool on_span(void *arg, const struct judge_span *s)
{
	struct changes *c = arg;
	const int64_t ms = s->to_ms - s->from_ms;
	if (s->gap) {
		c->seen.gap_ms += ms;
		return true;
	}
	c->seen.ms[health_counts(s->health, s->maintenance != NULL)] += ms;
	/* that something else explains the same state is no change of state */
	const bool fresh = s->from_ms > c->making->from_ms && s->id != c->seen.last_id &&
			   (!c->seen.last_id || s->health != c->seen.last);
	if (fresh && (c->seen.last_id || s->health != HEALTH_OPERATIONAL))
		vec_push(&c->all, ((struct change){s->from_ms, c->part->name,
					  c->seen.last_id ? c->seen.last : HEALTH_UNKNOWN,
					  s->health, mem_strdup(s->text ? s->text : "")}));
	c->seen.last_id = s->id;
	c->seen.last = s->health;
	return true;
}

static void write_component(struct buf *out, const struct changes *c)
{
	char text[UNITS_TEXT];
	const struct seen *s = &c->seen;
	const int64_t up = s->ms[HEALTH_OPERATIONAL] + s->ms[HEALTH_DEGRADED];
	const int64_t known = up + s->ms[HEALTH_OUTAGE];
	buf_printf(out, "%-28s ", c->part->name);
	const int64_t hundredths = known ? up * 10000 / known : 0; /* down: 100 % is all of it */
	if (known)
		buf_printf(out, "%7.2f %%", (double)hundredths / 100);
	else
		buf_printf(out, "%9s", "not known");
	buf_printf(out, "  now %s", health_name(c->part->health));
	static const enum health told[] = {HEALTH_OUTAGE, HEALTH_DEGRADED, HEALTH_UNKNOWN};
	for (size_t i = 0; i < array_len(told); i++)
		if (s->ms[told[i]])
			buf_printf(out, ", %s %s", health_name(told[i]),
				span_text(s->ms[told[i]], text));
	buf_add_char(out, '\n');
}

static int by_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static void write_changes(struct buf *out, struct changes *c)
{
	char at[CLOCK_TEXT];
	if (c->all.n)
		qsort(c->all.p, c->all.n, sizeof(*c->all.p), by_time);
	heading(out, "Changes of state");
	if (!c->all.n)
		buf_add_str(out, "none\n");
	const size_t skipped = c->all.n > CHANGES_MAX ? c->all.n - CHANGES_MAX : 0;
	if (skipped)
		buf_printf(out, "%zu earlier ones\n", skipped);
	for (size_t i = skipped; i < c->all.n; i++) {
		const struct change *x = &c->all.p[i];
		buf_printf(out, "%s  %s: %s -> %s  %.120s\n", time_text(c->making, x->at_ms, at),
			x->name, health_name(x->was), health_name(x->health), x->text);
	}
}

static bool write_components(struct report_making *m, struct buf *out, int64_t *ret_gap_ms)
{
	struct changes c = {.making = m};
	bool good = true;
	*ret_gap_ms = -1;
	heading(out, "Availability");
	if (!m->parts.n)
		buf_add_str(out, "no components\n");
	VEC_EACH (&m->parts, struct report_part, p) {
		c.part = p;
		c.seen = (struct seen){0};
		good = good &&
		       judge_history(m->facts, p->id, m->from_ms, m->to_ms, on_span, &c, &m->err);
		write_component(out, &c);
		if (c.seen.gap_ms > *ret_gap_ms && (c.seen.gap_ms || c.seen.last_id))
			*ret_gap_ms = c.seen.gap_ms; /* of one without verdicts nothing is told */
	}
	write_changes(out, &c);
	VEC_EACH (&c.all, struct change, x)
		free(x->text);
	vec_fini(&c.all);
	return good;
}

/* --- runs ------------------------------------------------------------------------------------- */

struct scenario_runs {
	size_t n, passed, degraded, failed, unknown, could_not_run, under_way;
	struct map causes; /* "step: fault" -> size_t * */
};

struct runs {
	const struct report_making *making;
	struct map scenarios;
};

static void count_cause(struct scenario_runs *s, const json_t *cause)
{
	const char *step = json_str(cause, "step"), *fault = json_str(cause, "fault");
	if (!step || !fault)
		return;
	char *key = mem_printf("%s: %s", step, fault);
	size_t *n = map_get(&s->causes, key);
	if (!n) {
		n = mem_new(size_t);
		map_put(&s->causes, key, n);
	}
	(*n)++;
	free(key);
}

static void count_run(struct scenario_runs *s, const struct journal_run_row *row)
{
	json_t *summary = row->summary ? json_parse(slice_of(row->summary), SIZE_MAX, NULL) : NULL;
	const char *v = row->verdict;
	s->n++;
	if (!v)
		s->under_way++;
	else if (!strcmp(v, "passed"))
		s->passed++;
	else if (!strcmp(v, "degraded"))
		s->degraded++;
	else if (!strcmp(v, "failed"))
		s->failed++;
	else if (json_is_object(json_object_get(summary, "error")) ||
		 json_is_string(json_object_get(summary, "error")))
		s->could_not_run++;
	else
		s->unknown++;
	count_cause(s, json_object_get(summary, "cause"));
	json_decref(summary);
}

static bool on_run(void *arg, const struct journal_run_row *row)
{
	struct runs *r = arg;
	const int64_t began_ms = row->began_unix_us / 1000;
	if (began_ms < r->making->from_ms)
		return false;
	if (began_ms >= r->making->to_ms)
		return true;
	char *key = mem_printf("%s (%s)", row->scenario, row->cloud);
	struct scenario_runs *s = map_get(&r->scenarios, key);
	if (!s) {
		s = mem_new(struct scenario_runs);
		map_put(&r->scenarios, key, s);
	}
	free(key);
	count_run(s, row);
	return true;
}

static void write_causes(struct buf *out, struct map *causes)
{
	size_t told = 0;
	for (size_t most = SIZE_MAX; told < CAUSES_MAX && told < causes->n;) {
		size_t next = 0; /* the most below `most` */
		MAP_EACH (causes, e) {
			const size_t n = *(const size_t *)e->value;
			if (n < most && n > next)
				next = n;
		}
		MAP_EACH (causes, e) {
			if (*(const size_t *)e->value == next && told < CAUSES_MAX) {
				buf_printf(out, "    %zu x %s\n", next, e->key);
				told++;
			}
		}
		most = next;
	}
	if (told < causes->n)
		buf_printf(out, "    and %zu other first causes\n", causes->n - told);
}

static void write_scenario(struct buf *out, const char *name, struct scenario_runs *s)
{
	const struct {
		size_t n;
		const char *word;
	} parts[] = {{s->passed, "passed"}, {s->degraded, "degraded"}, {s->failed, "failed"},
		{s->unknown, "unknown"}, {s->could_not_run, "could not run"},
		{s->under_way, "not ended"}};
	buf_printf(out, "%-28s %zu runs", name, s->n);
	for (size_t i = 0; i < array_len(parts); i++)
		if (parts[i].n)
			buf_printf(out, "%s %zu %s", i ? "," : ":", parts[i].n, parts[i].word);
	buf_add_char(out, '\n');
	write_causes(out, &s->causes);
}

static bool write_runs(struct report_making *m, struct buf *out)
{
	struct runs r = {.making = m};
	const bool good = journal_runs(m->facts, NULL, NULL, RUNS_MAX, on_run, &r, &m->err);
	heading(out, "Runs of scenarios");
	if (!r.scenarios.n)
		buf_add_str(out, "none\n");
	MAP_EACH (&r.scenarios, e) {
		struct scenario_runs *s = e->value;
		write_scenario(out, e->key, s);
		MAP_EACH (&s->causes, c)
			free(c->value);
		map_fini(&s->causes);
		free(s);
	}
	map_fini(&r.scenarios);
	return good;
}

/* --- calls and waits -------------------------------------------------------------------------- */

/* The slowest, and all with errors as far as there is room. */
static void write_figures(const struct report_making *m, struct buf *out, enum figure_what what,
	const char *title, const char *column)
{
	struct figure_row picked[2 * ROWS_MAX];
	size_t n = 0, errors = 0;
	for (size_t i = 0; i < m->rows[what].n; i++) {
		const struct figure_row *row = &m->rows[what].p[i];
		const bool also = i >= ROWS_MAX && row->errors && errors < ROWS_MAX;
		if (i < ROWS_MAX || also)
			picked[n++] = *row;
		errors += also;
	}
	heading(out, title);
	if (n)
		figure_rows_write(out, column, picked, n, n);
	else
		buf_add_str(out, "none\n");
	if (m->rows[what].n > n)
		buf_printf(out, "and %zu more, shorter and without errors or fewer\n",
			m->rows[what].n - n);
}

/* --- the ledger ------------------------------------------------------------------------------- */

static bool on_object(void *arg, const struct journal_object *o)
{
	struct buf *out = arg;
	buf_printf(out, "    %s %s (%s), run %s\n", o->kind, o->cloud_id ? o->cloud_id : "-",
		o->cloud, o->run);
	if (o->fix)
		buf_printf(out, "      %s\n", o->fix);
	return true;
}

static bool write_ledger(struct report_making *m, struct buf *out)
{
	const struct journal_filter all = {.fate = -1},
				    admin = {.fate = OBJECT_NEEDS_ADMIN, .limit = OBJECTS_MAX};
	struct journal_totals t = {0};
	heading(out, "Ledger");
	if (!journal_totals(m->facts, &all, NULL, NULL, &t, &m->err))
		return false;
	buf_printf(out,
		"created %lld: deleted %lld, in use %lld, kept %lld, left for a sweep %lld,"
		" leaked %lld, unsure %lld\n"
		"needs an administrator: %lld\n",
		(long long)t.created, (long long)t.deleted, (long long)t.in_use, (long long)t.kept,
		(long long)t.left, (long long)t.leaked, (long long)t.unsure,
		(long long)t.needs_admin);
	if (!t.needs_admin)
		return true;
	const bool good = journal_ledger(m->facts, &admin, on_object, out, &m->err);
	if (t.needs_admin > OBJECTS_MAX)
		buf_printf(out, "    and %lld more\n", (long long)(t.needs_admin - OBJECTS_MAX));
	return good;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void write_unobserved(const struct report_making *m, struct buf *out, int64_t gap_ms)
{
	char text[UNITS_TEXT];
	heading(out, "Not observed");
	if (gap_ms > 0)
		buf_printf(out, "%s of this time we did not observe: neither up nor down.\n",
			span_text(gap_ms, text));
	else
		buf_add_str(out, gap_ms < 0 ? "not known\n" : "none\n");
	if (m->unread)
		buf_printf(
			out, "%zu series could not be read and are left out above.\n", m->unread);
}

static void write_head(const struct report_making *m, struct buf *out)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	buf_printf(out, "%s, %s to %s (%s)\n", m->site, time_text(m, m->from_ms, from),
		time_text(m, m->to_ms, to), *m->timezone ? m->timezone : "UTC");
	if (*m->url)
		buf_printf(out, "%s\n", m->url);
	buf_printf(out, "seen%s%s by %s\n", *m->location ? " from " : "", m->location, m->instance);
}

void report_write(struct report_making *m)
{
	struct buf out = BUF(TEXT_MAX);
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	int64_t gap_ms;
	write_head(m, &out);
	bool good = write_components(m, &out, &gap_ms) && write_runs(m, &out);
	if (good) {
		write_figures(m, &out, FIGURE_WAIT, "Waits", "wait");
		write_figures(m, &out, FIGURE_CALL, "Calls", "call");
		if (m->benches.n) {
			heading(&out, "Benchmarks");
			buf_add_str(&out, buf_str(&m->benches));
		}
		good = write_ledger(m, &out);
	}
	if (good) {
		write_unobserved(m, &out, gap_ms);
		m->mail = mem_new(struct report_mail);
		random_uuid(&random_system, m->mail->id);
		m->mail->made_ms = m->mail->next_ms = m->made_ms;
		m->mail->subject = mem_printf("[%s] Report %s to %s", m->site,
			time_text(m, m->from_ms, from), time_text(m, m->to_ms, to));
		m->mail->text = mem_strdup(buf_str(&out));
	}
	buf_fini(&out);
}
