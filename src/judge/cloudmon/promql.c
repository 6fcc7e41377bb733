/*
 * promql.c - see promql.h.
 */

#include "judge/cloudmon/promql.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "net/http_client.h"
#include "net/url.h"

#define ANSWER_MAX (4u << 20)

struct promql {
	struct http_client *http;
	char *url;
	int64_t timeout_ns;
};

struct one { /* query */
	struct cloudmon_asking *all;
	size_t i;
	struct buf form;
	struct http_call *http;
};

struct cloudmon_asking {
	struct promql *p;
	struct one *queries;
	size_t n, due, minutes;
	int64_t from_s;
	double *values;
	struct error err;
	void (*done)(void *to, const double *values, const struct error *err);
	void *to;
};

/* --- reading ------------------------------------------------------------------------------------
 */

static void take_values(struct cloudmon_asking *a, size_t i, const json_t *rows)
{
	for (size_t k = 0; k < json_array_size(rows); k++) {
		const json_t *row = json_array_get(rows, k);
		const char *text = json_string_value(json_array_get(row, 1));
		const int64_t at = (int64_t)json_number_value(json_array_get(row, 0));
		const int64_t m = (at - 60 - a->from_s) / 60;
		if (text && at >= a->from_s + 60 && m < (int64_t)a->minutes)
			a->values[i * a->minutes + (size_t)m] = strtod(text, NULL);
	}
}

static void take_answer(struct cloudmon_asking *a, size_t i, struct slice body)
{
	struct error err = {0};
	json_t *all = json_parse(body, ANSWER_MAX, &err);
	const json_t *result = json_at(all, "data", "result", NULL);
	if (!json_is_array(result))
		error_set(&a->err, ERROR_STORE, "Prometheus' answer is none of query_range");
	else if (json_array_size(result) > 1)
		error_set(&a->err, ERROR_INPUT,
			"the query gives %zu series: join them, as sum(...) does",
			json_array_size(result));
	else
		take_values(a, i, json_object_get(json_array_get(result, 0), "values"));
	json_decref(all);
}

static void end(struct cloudmon_asking *a)
{
	a->done(a->to, a->err.kind ? NULL : a->values, a->err.kind ? &a->err : NULL);
	for (size_t i = 0; i < a->n; i++)
		buf_fini(&a->queries[i].form);
	free(a->queries);
	free(a->values);
	free(a);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct one *q = arg;
	struct cloudmon_asking *a = q->all;
	q->http = NULL;
	if (answer->fault && !a->err.kind)
		error_set(&a->err, ERROR_STORE, "Prometheus does not answer: %s",
			answer->detail[0] ? answer->detail : fault_name(answer->fault));
	else if (answer->status / 100 == 4 && !a->err.kind)
		error_set(&a->err, ERROR_INPUT, "Prometheus refuses the query: %.*s",
			(int)(answer->body.n < 200 ? answer->body.n : 200), answer->body.p);
	else if (!answer->fault && answer->status != 200 && !a->err.kind)
		error_set(
			&a->err, ERROR_STORE, "Prometheus answers with status %d", answer->status);
	if (!a->err.kind)
		take_answer(a, q->i, answer->body);
	if (!--a->due)
		end(a);
}

/* --- asking -------------------------------------------------------------------------------------
 */

static struct cloudmon_asking *ask(void *arg, const char *const *queries, size_t n, int64_t from_s,
	int64_t until_s, void (*done)(void *to, const double *values, const struct error *err),
	void *to)
{
	static const struct http_header form = {
		"Content-Type", "application/x-www-form-urlencoded"};
	struct promql *p = arg;
	struct cloudmon_asking *a = mem_new(struct cloudmon_asking);
	*a = (struct cloudmon_asking){
		.p = p, .n = n, .due = n, .from_s = from_s, .done = done, .to = to};
	a->minutes = (size_t)((until_s - from_s) / 60 + 1);
	a->queries = mem_new_array(n, sizeof(*a->queries));
	a->values = mem_new_array(n * a->minutes, sizeof(*a->values));
	for (size_t i = 0; i < n * a->minutes; i++)
		a->values[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		struct one *q = &a->queries[i];
		*q = (struct one){.all = a, .i = i, .form = BUF(BUF_PAGE)};
		buf_printf(&q->form, "start=%lld&end=%lld&step=60&query=", (long long)from_s + 60,
			(long long)until_s + 60);
		url_encode(&q->form, slice_of(queries[i]));
		q->http = http_send(p->http,
			&(struct http_request){.method = "POST",
				.url = p->url,
				.headers = &form,
				.header_count = 1,
				.body = buf_str(&q->form),
				.body_n = q->form.n,
				.deadline_ns = p->timeout_ns,
				.answer_max = ANSWER_MAX},
			on_answer, q);
	}
	return a;
}

static void cancel(void *arg, struct cloudmon_asking *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->queries[i].http)
			http_cancel(a->queries[i].http);
}

struct promql *promql_new(struct loop *l, const char *url, int64_t timeout_ns, struct error *err)
{
	const struct http_client_options options = {.use_proxy = true, .connections = 8};
	struct http_client *http = http_client_new(l, &options, err);
	if (!http)
		return NULL;
	struct promql *p = mem_new(struct promql);
	const size_t n = strlen(url);
	*p = (struct promql){.http = http,
		.url = mem_printf(
			"%.*s/api/v1/query_range", (int)(n && url[n - 1] == '/' ? n - 1 : n), url),
		.timeout_ns = timeout_ns};
	return p;
}

void promql_free(struct promql *p)
{
	if (!p)
		return;
	http_client_free(p->http);
	free(p->url);
	free(p);
}

struct cloudmon_source promql_source(struct promql *p)
{
	return (struct cloudmon_source){.ask = ask, .cancel = cancel, .arg = p};
}
