/*
 * outside.c - values that another Graphite has: its /render is asked for what paths hold, never
 * for functions, which are ours whoever has the values.
 */

#include <string.h>

#include "base/json.h"
#include "judge/graphite/glob.h"
#include "judge/graphite/graphite_inside.h"
#include "net/url.h"

#define ANSWER_MAX (32u << 20)

struct outside_request { /* paths of one span, or one seriesByTag() */
	struct graphite_call *call;
	VEC(size_t) wants;
	struct span span;
	bool tagged;
	struct buf form;
	struct http_call *http;
	char *answer;
	size_t answer_n;
};

/* --- making -------------------------------------------------------------------------------------
 */

struct outside *outside_new(struct loop *l, const char *url, int64_t timeout_ns, struct error *err)
{
	const struct http_client_options options = {.use_proxy = true, .connections = 4};
	struct http_client *http = http_client_new(l, &options, err);
	if (!http)
		return NULL;
	struct outside *o = mem_new(struct outside);
	o->http = http;
	const size_t n = strlen(url);
	o->url = mem_printf("%.*s/render", (int)(n && url[n - 1] == '/' ? n - 1 : n), url);
	o->timeout_ns = timeout_ns;
	return o;
}

void outside_stop(struct outside *o)
{
	http_client_free(o->http);
	o->http = NULL;
}

void outside_free(struct outside *o)
{
	if (!o)
		return;
	free(o->url);
	free(o);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static bool pattern_fits(const char *pattern, const char *name)
{
	struct slice p = slice_of(pattern), n = slice_of(name), part, own;
	struct error err = {0};
	while (slice_next(&p, '.', &part)) {
		struct glob g = {0};
		if (!slice_next(&n, '.', &own))
			return false;
		char *text = slice_dup(own);
		const bool fits = glob_init(&g, part, &err) && glob_fits(&g, text);
		glob_fini(&g);
		free(text);
		if (!fits)
			return false;
	}
	return !slice_next(&n, '.', &own);
}

/* One line of an answer; NULL: it has no values. */
static struct curve *read_line(const json_t *line)
{
	const json_t *points = json_object_get(line, "datapoints");
	const char *name = json_str(line, "target");
	const size_t n = json_array_size(points);
	if (!name || !n)
		return NULL;
	const json_t *first = json_array_get(points, 0), *second = json_array_get(points, 1);
	const int64_t start = json_integer_value(json_array_get(first, 1));
	const int64_t step =
		second ? json_integer_value(json_array_get(second, 1)) - start : GRAPHITE_STEP_S;
	if (start <= 0 || step <= 0)
		return NULL;
	struct curve *c = curve_new(mem_strdup(name), start, step, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(json_array_get(points, i), 0);
		c->v[i] = json_is_number(v) ? json_number_value(v) : NAN;
	}
	return c;
}

static void give_lines(struct graphite_call *c, struct outside_request *r, const json_t *all)
{
	struct curves lines = {0};
	for (size_t i = 0; i < json_array_size(all); i++) {
		struct curve *line = read_line(json_array_get(all, i));
		c->points_count += line ? line->n : 0;
		if (line)
			vec_push(&lines, line);
	}
	for (size_t k = 0; k < r->wants.n; k++) {
		const struct want *w = &c->eval.wants.p[r->wants.p[k]];
		struct curves own = {0};
		for (size_t i = 0; i < lines.n; i++) {
			if (!r->tagged && !pattern_fits(w->path, lines.p[i]->name))
				continue;
			struct curve *one =
				curve_like(lines.p[i], mem_strdup(lines.p[i]->name), lines.p[i]->n);
			memcpy(one->v, lines.p[i]->v, one->n * sizeof(*one->v));
			one->xff = c->xff;
			mem_replace(&one->expr, w->path);
			vec_push(&own, one);
		}
		eval_give(&c->eval, w, &own);
	}
	curves_fini(&lines);
}

static void read_work(struct worker_job *j, unsigned thread)
{
	struct graphite_call *c = (struct graphite_call *)j;
	VEC_EACH (&c->outside, struct outside_request *, r) {
		struct error err = {0};
		if (c->err.kind || atomic_load(&c->cancelled))
			return;
		json_t *all =
			json_parse(slice_from((*r)->answer, (*r)->answer_n), ANSWER_MAX, &err);
		if (json_is_array(all))
			give_lines(c, *r, all);
		else
			error_set(&c->err, ERROR_STORE, "Graphite's answer is no list in JSON");
		json_decref(all);
	}
	if (c->points_count > GRAPHITE_POINTS && !c->err.kind)
		error_set(&c->err, ERROR_LIMIT,
			"the targets are of more than %d values; ask for a shorter time or fewer"
			" series",
			GRAPHITE_POINTS);
}

static void read_done(struct worker_job *j)
{
	struct graphite_call *c = (struct graphite_call *)j;
	outside_forget(c);
	call_fetched(c);
}

/* --- asking -------------------------------------------------------------------------------------
 */

void outside_forget(struct graphite_call *c)
{
	VEC_EACH (&c->outside, struct outside_request *, r) {
		vec_fini(&(*r)->wants);
		buf_fini(&(*r)->form);
		free((*r)->answer);
		free(*r);
	}
	vec_fini(&c->outside);
}

void outside_cancel(struct graphite_call *c)
{
	VEC_EACH (&c->outside, struct outside_request *, r)
		if ((*r)->http)
			http_cancel((*r)->http);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct outside_request *r = arg;
	struct graphite_call *c = r->call;
	r->http = NULL;
	if (a->fault && !c->err.kind)
		error_set(&c->err, ERROR_STORE, "Graphite does not answer: %s",
			a->detail[0] ? a->detail : fault_name(a->fault));
	else if (!a->fault && a->status != 200 && !c->err.kind)
		error_set(&c->err, ERROR_STORE, "Graphite answers with status %d", a->status);
	if (!c->err.kind) {
		r->answer = mem_strndup(a->body.p, a->body.n);
		r->answer_n = a->body.n;
	}
	if (--c->outside_due)
		return;
	c->job.work = read_work;
	c->job.done = read_done;
	worker_submit(c->g->names, &c->job);
}

static struct outside_request *request_for(struct graphite_call *c, const struct want *w)
{
	VEC_EACH (&c->outside, struct outside_request *, r)
		if (!w->tagged && !(*r)->tagged && (*r)->span.from_s == w->span.from_s &&
			(*r)->span.until_s == w->span.until_s)
			return *r;
	struct outside_request *r = mem_new(struct outside_request);
	r->call = c;
	r->span = w->span;
	r->tagged = w->tagged;
	r->form = BUF(BUF_PAGE);
	buf_printf(&r->form, "format=json&noCache=1&from=%lld&until=%lld",
		(long long)w->span.from_s, (long long)w->span.until_s);
	vec_push(&c->outside, r);
	return r;
}

void outside_begin(struct graphite_call *c)
{
	static const struct http_header form = {
		"Content-Type", "application/x-www-form-urlencoded"};
	struct outside *o = c->g->outside;
	for (size_t i = 0; i < c->eval.wants.n; i++) {
		const struct want *w = &c->eval.wants.p[i];
		struct outside_request *r = request_for(c, w);
		vec_push(&r->wants, i);
		buf_add_str(&r->form, "&target=");
		url_encode(&r->form, slice_of(w->path));
	}
	c->outside_due = c->outside.n;
	VEC_EACH (&c->outside, struct outside_request *, r)
		(*r)->http = http_send(o->http,
			&(struct http_request){.method = "POST",
				.url = o->url,
				.headers = &form,
				.header_count = 1,
				.body = buf_str(&(*r)->form),
				.body_n = (*r)->form.n,
				.deadline_ns = o->timeout_ns,
				.answer_max = ANSWER_MAX},
			on_answer, *r);
}
