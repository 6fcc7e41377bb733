/*
 * run_json.c - see run_json.h.
 */

#include "observe/scenario/run_json.h"

#include <stdint.h>
#include <string.h>

#include "base/secret.h"
#include "base/vec.h"

/* Around the head and the steps of a text. */
#define TEXT_REST 64

static void put_ms(json_t *o, const char *key, int64_t ns)
{
	json_object_set_new(o, key, ns < 0 ? json_null() : json_real((double)ns / 1e6));
}

/* What a guest printed need not be UTF-8; then only ASCII is left of it. */
static json_t *text_json(const char *text)
{
	if (!text)
		return json_null();
	json_t *j = json_string(text);
	if (j)
		return j;
	char *plain = mem_strdup(text);
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	j = json_string(plain);
	free(plain);
	return j;
}

static json_t *row_json(const struct run_report *r, const struct run_row *row)
{
	static const char *const states[] = {
		"waiting", "started", "ready", "failed", "skipped", "absent"};
	json_t *o = json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:s?, s:o}",
		"name", row->name, "kind", row->kind, "component", row->component, "metric",
		row->metric, "state", states[row->state], "fault", fault_name(row->fault),
		"degraded", row->degraded, "first_cause", row->first_cause, "critical",
		row->on_critical_path, "detail", text_json(row->detail), "request_id",
		row->request_id, "service_request_id", text_json(row->service_request_id));
	put_ms(o, "needed_ms", row->needed_ns);
	put_ms(o, "start_ms", row->start_ns);
	put_ms(o, "answer_ms", row->answer_ns);
	put_ms(o, "ready_ms", row->ready_ns);
	put_ms(o, "remove_ms", row->remove_ns);
	put_ms(o, "gone_ms", row->gone_ns);
	if (row->critical >= 0)
		json_object_set_new(o, "after", json_string(r->rows[row->critical].name));
	if (row->dimensions)
		json_object_set_new(o, "dimensions", json_scrubbed(row->dimensions));
	if (row->measured)
		json_object_set_new(o, "measured", json_scrubbed(row->measured));
	if (row->boot)
		json_object_set_new(o, "boot", json_scrubbed(row->boot));
	return o;
}

static json_t *error_json(const struct error *err)
{
	char text[ERROR_TEXT + 300];
	if (!err)
		return json_null();
	char *clean = secret_scrubbed(error_text(err, text, sizeof(text)));
	json_t *j = text_json(clean);
	free(clean);
	return j;
}

static json_t *cost_json(const struct run_report *r)
{
	return json_pack("{s:I, s:f}", "objects", (json_int_t)r->created, "server_minutes",
		r->server_minutes);
}

static json_t *head(const struct run_report *r)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "verdict", verdict_name(r->verdict),
		"run", r->label, "created", (json_int_t)r->created, "deleted",
		(json_int_t)r->deleted, "left", (json_int_t)r->left, "requests",
		(json_int_t)r->requests);
	json_object_set_new(o, "cost", cost_json(r));
	put_ms(o, "built_ms", r->built_ns);
	put_ms(o, "ended_ms", r->ended_ns);
	if (r->error)
		json_object_set_new(o, "error", error_json(r->error));
	return o;
}

json_t *run_json(const struct run_report *r)
{
	json_t *o = head(r), *rows = json_array();
	for (size_t i = 0; i < r->row_count; i++)
		json_array_append_new(rows, row_json(r, &r->rows[i]));
	json_object_set_new(o, "steps", rows);
	return o;
}

/* --- as text, within the limit -----------------------------------------------------------------
 *
 * Each choice keeps a part of the steps that the one before keeps. When what was written comes to
 * be too long, the next one is made, and what it does not keep is dropped.
 */

static const struct {
	size_t first, most; /* besides the steps that failed and the critical path; at most */
} choices[] = {{SIZE_MAX, SIZE_MAX}, {RUN_JSON_KEPT, SIZE_MAX}, {0, RUN_JSON_KEPT}, {0, 50}, {0, 5},
	{0, 0}};

struct written {
	size_t row, n; /* bytes */
};

struct run_text {
	const struct run_report *report;
	char *head;  /* without the brace that ends it */
	size_t next; /* row to be looked at */
	size_t room; /* bytes for steps */
	size_t choice;
	struct buf steps;
	VEC(struct written) written;
};

struct run_text *run_text_new(const struct run_report *r, const json_t *more)
{
	struct run_text *t = mem_new(struct run_text);
	json_t *o = head(r);
	if (more)
		json_object_update(o, (json_t *)more);
	t->report = r;
	t->head = json_text(o);
	json_decref(o);
	const size_t n = strlen(t->head) - 1;
	t->head[n] = 0;
	t->room = n + TEXT_REST < RUN_JSON_MAX ? RUN_JSON_MAX - n - TEXT_REST : 0;
	buf_init(&t->steps, RUN_JSON_MAX);
	return t;
}

static bool keeps(const struct run_text *t, size_t i)
{
	const struct run_row *row = &t->report->rows[i];
	return t->written.n < choices[t->choice].most &&
	       (i < choices[t->choice].first || row->state == ELEMENT_FAILED ||
		       row->on_critical_path);
}

static void keep(struct run_text *t, size_t i, struct slice text)
{
	if (t->written.n)
		buf_add_char(&t->steps, ',');
	buf_add_slice(&t->steps, text);
	vec_push(&t->written, ((struct written){i, text.n}));
}

static void narrow(struct run_text *t)
{
	struct run_text old = *t;
	size_t at = 0;
	t->choice++;
	buf_init(&t->steps, RUN_JSON_MAX);
	memset(&t->written, 0, sizeof(t->written));
	VEC_EACH (&old.written, struct written, w) {
		if (keeps(t, w->row))
			keep(t, w->row, slice_sub(buf_slice(&old.steps), at, w->n));
		at += w->n + 1;
	}
	buf_fini(&old.steps);
	vec_fini(&old.written);
}

bool run_text_step(struct run_text *t)
{
	const size_t i = t->next;
	if (i == t->report->row_count)
		return false;
	t->next++;
	if (!keeps(t, i))
		return true;
	json_t *o = row_json(t->report, &t->report->rows[i]);
	char *text = json_text(o);
	const struct slice s = slice_of(text);
	json_decref(o);
	while (keeps(t, i) && t->steps.n + s.n + 1 > t->room)
		narrow(t);
	if (keeps(t, i))
		keep(t, i, s);
	free(text);
	return true;
}

char *run_text_take(struct run_text *t)
{
	struct buf out = BUF(RUN_JSON_MAX);
	const size_t left_out = t->report->row_count - t->written.n;
	buf_add_str(&out, t->head);
	if (left_out)
		buf_printf(&out, ",\"left_out\":%zu", left_out);
	buf_add_str(&out, ",\"steps\":[");
	buf_add_slice(&out, buf_slice(&t->steps));
	buf_add_str(&out, "]}");
	free(t->head);
	buf_fini(&t->steps);
	vec_fini(&t->written);
	free(t);
	return buf_take(&out);
}

/* --- in short --------------------------------------------------------------------------------- */

static bool comes_before(const struct run_row *a, const struct run_row *b)
{
	if (a->grade != b->grade)
		return a->grade < b->grade;
	return a->ready_ns < b->ready_ns;
}

const struct run_row *run_cause(const struct run_report *r)
{
	const struct run_row *cause = NULL, *degraded = NULL;
	if (r->verdict == VERDICT_PASSED)
		return NULL;
	for (size_t i = 0; i < r->row_count; i++) {
		const struct run_row *row = &r->rows[i];
		if (row->first_cause && (!cause || comes_before(row, cause)))
			cause = row;
		if (row->degraded && (!degraded || row->ready_ns < degraded->ready_ns))
			degraded = row;
	}
	/* A failure that nobody minds has not degraded the run. */
	return cause && (cause->grade != GRADE_NOTE || !degraded) ? cause : degraded;
}

static json_t *cause_json(const struct run_row *row)
{
	if (!row)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:s?, s:o}", "step", row->name, "component",
		row->component, "fault", fault_name(row->fault), "sentence",
		row->fault != FAULT_NONE ? fault_text(row->fault) : NULL, "detail",
		text_json(row->detail), "request_id", row->request_id, "service_request_id",
		text_json(row->service_request_id));
}

json_t *run_json_summary(const struct run_report *r)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I}", "created", (json_int_t)r->created,
		"deleted", (json_int_t)r->deleted, "left", (json_int_t)r->left, "requests",
		(json_int_t)r->requests, "steps", (json_int_t)r->row_count);
	json_object_set_new(o, "cost", cost_json(r));
	put_ms(o, "built_ms", r->built_ns);
	put_ms(o, "ended_ms", r->ended_ns);
	json_object_set_new(o, "error", error_json(r->error));
	json_object_set_new(o, "cause", cause_json(run_cause(r)));
	return o;
}
