/*
 * alerts.c - what fires now; see alerts.h. Memory knows each alert that fires, by its fingerprint;
 * rows are written when one begins or ends.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "observe/ingest/alerts_inside.h"

#define LABELS_MAX (256u << 10)

struct firing {
	struct alert_row row;
	int64_t until_ms; /* fires so long without being sent again */
	char *component;  /* its id, NULL: none */
	char *probe;      /* the name under which it is told, NULL: it is not */
	char *text;       /* for people */
	enum severity severity;
};

struct alerts {
	struct loop *loop;
	struct facts *facts;
	struct alerts_options o;
	struct map firing; /* fingerprint: struct firing */
	struct timer timer;
	unsigned writing; /* batches under way */
	bool idle;
};

static int64_t now_ms(const struct alerts *a)
{
	return clock_unix_us(loop_clock(a->loop)) / 1000;
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static uint64_t fnv(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return (h ^ 0xff) * 1099511628211ULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* FNV-1a of the sorted labels, as Prometheus' model.LabelSet has it. */
static void fingerprint(const json_t *labels, char *ret)
{
	VEC(const char *) keys = {0};
	uint64_t h = 14695981039346656037ULL;
	const char *key;
	json_t *v;
	json_object_foreach ((json_t *)labels, key, v)
		vec_push(&keys, key);
	if (keys.n)
		qsort(keys.p, keys.n, sizeof(*keys.p), by_text);
	VEC_EACH (&keys, const char *, k)
		h = fnv(fnv(h, *k), json_str(labels, *k));
	vec_fini(&keys);
	snprintf(ret, FINGERPRINT_TEXT, "%016" PRIx64, h);
}

/* --- as observations -------------------------------------------------------------------------- */

static enum severity severity_of(const json_t *labels)
{
	const struct slice s = slice_of(json_str(labels, "severity"));
	if (slice_in_words(s, "critical page error"))
		return SEVERITY_OUTAGE;
	return slice_in_words(s, "info none") ? SEVERITY_NOTE : SEVERITY_DEGRADED;
}

static void tell(struct alerts *a, const struct firing *f, enum fault fault)
{
	if (!f->probe || !a->o.seen)
		return;
	a->o.seen(a->o.arg, &(const struct observation){.cloud = "",
				    .probe = f->probe,
				    .component = f->component,
				    .at_ms = now_ms(a),
				    .fault = fault,
				    .tries = 1,
				    .severity = f->severity,
				    .detail = fault ? f->text : NULL});
}

static const char *first_of(const char *a, const char *b, const char *otherwise)
{
	return a && *a ? a : b && *b ? b : otherwise;
}

/* Whose it is and what it says, out of its labels and annotations. */
static void understand(struct alerts *a, struct firing *f)
{
	struct error err;
	json_t *labels = json_parse(slice_of(f->row.labels), LABELS_MAX, &err);
	json_t *notes = json_parse(slice_of(f->row.annotations), LABELS_MAX, &err);
	const char *name = first_of(json_str(labels, "alertname"), NULL, "alert");
	const char *wanted = json_str(labels, "component");
	const char *id = wanted && a->o.component ? a->o.component(a->o.arg, wanted) : NULL;
	f->severity = severity_of(labels);
	f->text = mem_printf("%s: %s", name,
		first_of(json_str(notes, "summary"), json_str(notes, "description"), "it fires"));
	if (id) {
		f->component = mem_strdup(id);
		f->probe = mem_printf("alert %s %s", name, f->row.fingerprint);
		if (a->o.expect)
			a->o.expect(a->o.arg, f->probe, true);
	}
	json_decref(labels);
	json_decref(notes);
}

static void firing_free(struct firing *f)
{
	alert_row_fini(&f->row);
	free(f->component);
	free(f->probe);
	free(f->text);
	free(f);
}

/* --- rows ------------------------------------------------------------------------------------- */

static void put_row(struct alert_batch *b, const struct firing *f, int64_t ends_ms)
{
	struct alert_row r = f->row;
	r.ends_ms = ends_ms;
	r.firing = !ends_ms;
	r.labels = mem_strdup(r.labels);
	r.annotations = mem_strdup(r.annotations);
	r.url = mem_strdup(r.url);
	vec_push(&b->rows, r);
}

static void on_written(void *arg, const struct error *err)
{
	struct alert_batch *b = arg;
	struct alerts *a = b->alerts;
	a->idle = --a->writing == 0;
	if (b->done)
		b->done(b->arg,
			err       ? 503
			: b->full ? 429
				  : 200,
			err       ? err->msg
			: b->full ? "too many alerts fire: new ones are not taken"
				  : "");
	alert_batch_free(b);
}

static void submit(struct alerts *a, struct alert_batch *b)
{
	b->alerts = a;
	a->writing++;
	a->idle = false;
	facts_submit(a->facts, alert_rows_write, b, on_written);
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void end(struct alerts *a, struct alert_batch *b, struct firing *f, int64_t ends_ms)
{
	put_row(b, f, ends_ms);
	tell(a, f, FAULT_NONE);
	if (f->probe && a->o.expect)
		a->o.expect(a->o.arg, f->probe, false);
	map_remove(&a->firing, f->row.fingerprint);
	firing_free(f);
}

static void begin(struct alerts *a, struct alert_batch *b, const json_t *alert, const char *print,
	int64_t until_ms)
{
	const int64_t starts = json_int(alert, "starts_ms", 0);
	struct firing *f = mem_new(struct firing);
	f->row = (struct alert_row){.firing = true,
		.starts_ms = starts ? starts : now_ms(a),
		.labels = json_text(json_object_get(alert, "labels")),
		.annotations = json_text(json_object_get(alert, "annotations")),
		.url = mem_strdup(json_str(alert, "url"))};
	snprintf(f->row.fingerprint, sizeof(f->row.fingerprint), "%s", print);
	f->until_ms = until_ms;
	map_put(&a->firing, print, f);
	understand(a, f);
	put_row(b, f, 0);
	tell(a, f, FAULT_EXPECTATION);
}

static void take_one(struct alerts *a, struct alert_batch *b, const json_t *alert)
{
	char print[FINGERPRINT_TEXT];
	const int64_t now = now_ms(a), ends = json_int(alert, "ends_ms", 0);
	fingerprint(json_object_get(alert, "labels"), print);
	struct firing *f = map_get(&a->firing, print);
	if (json_flag(alert, "resolved") || (ends && ends <= now)) {
		if (f)
			end(a, b, f, ends && ends <= now ? ends : now);
		return;
	}
	const int64_t until = ends ? ends : now + ALERTS_SILENCE_NS / NS_PER_MS;
	if (f)
		f->until_ms = until;
	else
		begin(a, b, alert, print, until);
}

void alerts_take(struct alerts *a, const json_t *list, alerts_done *done, void *arg)
{
	struct alert_batch *b = mem_new(struct alert_batch);
	const bool room = a->firing.n + json_array_size(list) <= ALERTS_OPEN_MAX;
	size_t i;
	json_t *alert;
	json_array_foreach ((json_t *)list, i, alert) {
		char print[FINGERPRINT_TEXT];
		fingerprint(json_object_get(alert, "labels"), print);
		if (room || map_get(&a->firing, print))
			take_one(a, b, alert);
	}
	b->full = !room;
	b->done = done;
	b->arg = arg;
	submit(a, b);
}

size_t alerts_firing(const struct alerts *a)
{
	return a->firing.n;
}

/* --- time ------------------------------------------------------------------------------------- */

static void on_timer(struct timer *t)
{
	struct alerts *a = t->arg;
	struct alert_batch *b = mem_new(struct alert_batch);
	const int64_t now = now_ms(a);
	MAP_EACH (&a->firing, e) {
		struct firing *f = e->value;
		if (f->until_ms <= now)
			end(a, b, f, f->until_ms);
		else
			tell(a, f, FAULT_EXPECTATION);
	}
	if (b->rows.n)
		submit(a, b);
	else
		alert_batch_free(b);
	timer_start(a->loop, &a->timer, ALERTS_TELL_NS, on_timer, a);
}

/* --- showing ---------------------------------------------------------------------------------- */

struct showing {
	struct alerts *alerts;
	json_t *list;
};

static json_t *parsed(const char *text)
{
	struct error err;
	json_t *j = json_parse(slice_of(text), LABELS_MAX, &err);
	return j ? j : json_object();
}

static void show(void *arg, const struct alert_row *r)
{
	const struct showing *s = arg;
	const struct firing *f = map_get(&s->alerts->firing, r->fingerprint);
	json_array_append_new(
		s->list, json_pack("{s:s, s:s, s:o, s:o, s:s, s:s?, s:I, s:o}", "fingerprint",
				 r->fingerprint, "state", r->firing ? "firing" : "resolved",
				 "labels", parsed(r->labels), "annotations", parsed(r->annotations),
				 "url", r->url, "component", f && r->firing ? f->component : NULL,
				 "starts_ms", (json_int_t)r->starts_ms, "ends_ms",
				 r->ends_ms ? json_integer(r->ends_ms) : json_null()));
}

json_t *alerts_json(struct alerts *a)
{
	struct showing s = {a, json_array()};
	MAP_EACH (&a->firing, e) {
		if (json_array_size(s.list) < ALERTS_SHOWN_MAX)
			show(&s, &((struct firing *)e->value)->row);
	}
	const size_t left = ALERTS_SHOWN_MAX - json_array_size(s.list);
	if (left && !alert_rows_read(a->facts, false, left, show, &s, NULL))
		json_array_clear(s.list);
	return json_pack("{s:o}", "alerts", s.list);
}

/* --- life ------------------------------------------------------------------------------------- */

static void go_on(void *arg, const struct alert_row *r)
{
	struct alerts *a = arg;
	struct firing *f = mem_new(struct firing);
	f->row = *r;
	f->row.labels = mem_strdup(r->labels);
	f->row.annotations = mem_strdup(r->annotations);
	f->row.url = mem_strdup(r->url);
	f->until_ms = now_ms(a) + ALERTS_SILENCE_NS / NS_PER_MS;
	struct firing *double_row = map_put(&a->firing, r->fingerprint, f);
	if (double_row)
		firing_free(double_row);
}

struct alerts *alerts_open(
	struct loop *l, struct facts *f, const struct alerts_options *options, struct error *err)
{
	struct alerts *a = mem_new(struct alerts);
	a->loop = l;
	a->facts = f;
	a->o = *options;
	a->idle = true;
	if (!alert_rows_open(f, err) || !alert_rows_read(f, true, ALERTS_OPEN_MAX, go_on, a, err)) {
		alerts_close(a);
		return NULL;
	}
	MAP_EACH (&a->firing, e)
		understand(a, e->value);
	timer_start(l, &a->timer, ALERTS_TELL_NS, on_timer, a);
	return a;
}

void alerts_close(struct alerts *a)
{
	if (!a)
		return;
	timer_cancel(&a->timer);
	while (!a->idle) /* somebody may stop the loop meanwhile */
		loop_run_until(a->loop, &a->idle);
	MAP_EACH (&a->firing, e)
		firing_free(e->value);
	map_fini(&a->firing);
	free(a);
}
