/*
 * house_metrics.c - GET /metrics in the Prometheus text format 0.0.4, and what /healthz says.
 *
 * Only what is at hand: nothing is read from a disk for a scrape.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text/exposition.h"
#include "web/house_inside.h"

#define TEXT_MAX (8u << 20)

static void one(struct buf *b, const char *name, const char *type, const char *help, double x)
{
	exposition_family(b, name, type, help);
	exposition_value(b, name, NULL, 0, x);
}

/* --- components ------------------------------------------------------------------------------- */

static void add_states(struct buf *b, const struct component *c, enum health is)
{
	for (int i = 0; i < HEALTH_COUNT; i++) {
		const struct exposition_label l[] = {{"component", c->id}, {"cloud", c->cloud},
			{"state", health_name((enum health)i)}};
		exposition_value(b, "component_state", l, 3, i == (int)is);
	}
}

static void add_components(struct buf *b, const struct judge *j)
{
	const size_t n = judge_component_count(j);
	exposition_family(b, "component_health", "gauge",
		"State of the component: 0 operational, 1 degraded, 2 outage, 3 unknown, 4 maintenance.");
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(j, i);
		const struct exposition_label l[] = {{"component", c->id}, {"cloud", c->cloud}};
		exposition_value(b, "component_health", l, 2, judge_verdict(j, c->id)->health);
	}
	exposition_family(
		b, "component_state", "gauge", "1 for the state that the component is in.");
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(j, i);
		add_states(b, c, judge_verdict(j, c->id)->health);
	}
	exposition_family(
		b, "component_since_seconds", "gauge", "When this state began, Unix time.");
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(j, i);
		const struct exposition_label l[] = {{"component", c->id}, {"cloud", c->cloud}};
		exposition_value(b, "component_since_seconds", l, 2,
			(double)judge_verdict(j, c->id)->since_ms / 1000);
	}
}

static void add_worked_on(void *text, const char *probe, const char *event)
{
	const struct exposition_label l = {"probe", probe};
	exposition_value(text, "probe_maintenance", &l, 1, 1);
}

/* --- jobs and alarms -------------------------------------------------------------------------- */

static void add_jobs(struct buf *b, struct house *h)
{
	static const struct {
		const char *key, *name, *type, *help;
		double unit;
	} rows[] = {
		{"runs", "probe_runs_total", "counter", "Runs begun of each probe.", 1},
		{"skips", "probe_skips_total", "counter",
			"Runs not begun because earlier ones were still under way.", 1},
		{"running", "probe_running", "gauge", "Runs under way.", 1},
		{"worst_late_ms", "probe_worst_late_seconds", "gauge",
			"The latest that a run ever began.", 1000},
	};
	json_t *site = json_object();
	if (h->more)
		h->more(h->arg, site);
	const json_t *jobs = json_object_get(site, "jobs"), *job;
	for (size_t r = 0; r < array_len(rows); r++) {
		size_t i;
		exposition_family(b, rows[r].name, rows[r].type, rows[r].help);
		json_array_foreach ((json_t *)jobs, i, job) {
			const struct exposition_label l = {"probe", json_str(job, "name")};
			exposition_value(b, rows[r].name, &l, 1,
				json_number_value(json_object_get(job, rows[r].key)) /
					rows[r].unit);
		}
	}
	json_decref(site);
}

static void add_alarms(struct buf *b, const struct house *h)
{
	const struct alarm_state *states = NULL;
	const size_t n = h->alarms ? alarms_states(h->alarms, &states) : 0;
	static const char *const names[] = {
		"alarm_deliveries_total", "alarm_failures_total", "alarm_waiting"};
	static const char *const help[] = {"Deliveries that the receiver took.",
		"Attempts that failed.", "Deliveries that wait."};
	for (size_t k = 0; k < array_len(names); k++) {
		exposition_family(b, names[k], k == 2 ? "gauge" : "counter", help[k]);
		for (size_t i = 0; i < n; i++) {
			const struct exposition_label l = {"alarm", states[i].name};
			const double x[] = {(double)states[i].sent, (double)states[i].failed,
				(double)states[i].waiting};
			exposition_value(b, names[k], &l, 1, x[k]);
		}
	}
}

/* --- what comes from outside ------------------------------------------------------------------ */

static void add_ingest(struct buf *b, const struct ingest *i)
{
	static const struct {
		const char *name, *help;
	} rows[] = {{"ingest_points_total", "Values and lines from outside that were taken."},
		{"ingest_bad_total", "Lines and parts that are none."},
		{"ingest_refused_total",
			"Not taken: too many series, too old, or ahead of the clock."},
		{"ingest_lost_packets_total", "Packets the kernel dropped."}};
	const struct ingest_state s = ingest_state(i);
	for (size_t r = 0; r < array_len(rows); r++) {
		exposition_family(b, rows[r].name, "counter", rows[r].help);
		for (int k = 0; k < INGEST_SOURCES; k++) {
			const struct exposition_label l = {
				"source", ingest_source_name((enum ingest_source)k)};
			const double x[] = {(double)s.source[k].points, (double)s.source[k].bad,
				(double)s.source[k].refused, (double)s.source[k].lost};
			exposition_value(b, rows[r].name, &l, 1, x[r]);
		}
	}
	one(b, "ingest_series", "gauge", "Series made of what comes from outside.",
		(double)s.names);
	one(b, "ingest_waiting_points", "gauge", "Values that are no samples yet.",
		(double)s.waiting);
}

/* --- series and the process ------------------------------------------------------------------- */

static void add_series(struct buf *b, const struct series_store *series)
{
	const struct series_status s = series_status(series);
	one(b, "series_storing", "gauge", "1 while samples are stored.", s.storing);
	one(b, "series_appended_samples_total", "counter", "Samples taken.", (double)s.appended);
	one(b, "series_lost_samples_total", "counter", "Samples lost for lack of room.",
		(double)s.lost);
	exposition_family(
		b, "series_refused_samples_total", "counter", "Samples not taken, by why.");
	const struct {
		const char *why;
		uint64_t n;
	} refused[] = {{"old", s.refused_old}, {"ahead", s.refused_ahead},
		{"parts", s.refused_parts}, {"value", s.refused_value}};
	for (size_t i = 0; i < array_len(refused); i++) {
		const struct exposition_label l = {"why", refused[i].why};
		exposition_value(b, "series_refused_samples_total", &l, 1, (double)refused[i].n);
	}
	one(b, "series_corrupt_total", "counter", "Blocks and rows left out as corrupt.",
		(double)s.corrupt);
	one(b, "series_waiting_samples", "gauge", "Samples not on the disk yet.",
		(double)s.waiting);
	one(b, "series_known", "gauge", "Series known.", (double)s.series);
}

/* Resident pages are the second number of statm; a pseudo-file, it does not block. */
static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char text[128] = "", *end;
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	(void)strtoll(text, &end, 10);
	return (double)strtoll(end, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static void add_process(struct buf *b, struct house *h)
{
	const struct exposition_label l = {"version", GLASSHOUSE_VERSION};
	exposition_family(b, "build_info", "gauge", "The program.");
	exposition_value(b, "build_info", &l, 1, 1);
	one(b, "blind", "gauge", "1 while our own connectivity is gone.",
		judge_is_blind(h->judge, NULL));
	one(b, "loop_longest_turn_seconds", "gauge", "The longest turn of the loop.",
		(double)loop_longest_turn_ns(h->loop, false) / 1e9);
	buf_printf(b,
		"# HELP process_start_time_seconds When the program began, Unix time.\n"
		"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.15g\n"
		"# HELP process_resident_memory_bytes Resident memory.\n"
		"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %.15g\n",
		(double)h->started_ms / 1000, resident_bytes());
}

json_t *metrics_json(struct house *h)
{
	struct buf b = BUF(TEXT_MAX);
	json_t *j = json_object();
	add_components(&b, h->judge);
	exposition_family(
		&b, "probe_maintenance", "gauge", "1 for each probe within declared work.");
	judge_worked_on(h->judge, add_worked_on, &b);
	rules_expose(&b, h);
	add_jobs(&b, h);
	add_alarms(&b, h);
	add_series(&b, h->series);
	if (h->ingest)
		add_ingest(&b, h->ingest);
	metrics_outposts(&b, h);
	add_process(&b, h);
	if (h->metrics)
		metrics_expose(h->metrics, &b);
	put_text(j, "text", buf_str(&b));
	buf_fini(&b);
	return j;
}

static int begin_nothing(struct house_asked *a)
{
	return 0;
}

static int end_metrics(struct house_asked *a)
{
	a->doc = metrics_json(a->house);
	return 200;
}

static int end_health(struct house_asked *a)
{
	const struct house *h = a->house;
	a->doc = json_object();
	put(a->doc, "ready", json_boolean(h->publishing && days_all_loaded(h)));
	put(a->doc, "storing", json_boolean(series_status(h->series).storing));
	put(a->doc, "blind", json_boolean(judge_is_blind(h->judge, NULL)));
	return 200;
}

const struct house_question metrics_question = {"metrics", true, begin_nothing, NULL, end_metrics};
const struct house_question health_question = {"health", false, begin_nothing, NULL, end_health};
