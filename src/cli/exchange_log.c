/*
 * exchange_log.c - see exchange_log.h.
 */

#include "cli/exchange_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct exchange_log {
	FILE *f;
};

struct exchange_log *exchange_log_open(const char *path, struct error *err)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		error_sys(err, errno, "cannot write %s", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	struct exchange_log *l = mem_new(struct exchange_log);
	l->f = f;
	return l;
}

static json_t *headers_json(const struct http_header *h, size_t n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < n; i++)
		json_object_set_new(o, h[i].name, json_string(h[i].value));
	return o;
}

/* A body that is JSON is logged as JSON, so that the line can be queried. */
static json_t *body_json(struct slice body)
{
	if (!body.n)
		return json_null();
	json_t *j = json_parse(body, BUF_ANSWER, NULL);
	if (j)
		return j;
	j = json_stringn(body.p, body.n);
	return j ? j : json_sprintf("%zu bytes that are not text", body.n);
}

static json_t *phases_json(const struct phases *p)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "resolve_ms",
		(double)p->resolve_ns / 1e6, "connect_ms", (double)p->connect_ns / 1e6, "tls_ms",
		(double)p->tls_ns / 1e6, "wait_ms", (double)p->wait_ns / 1e6, "body_ms",
		(double)p->body_ns / 1e6, "total_ms", (double)p->total_ns / 1e6);
}

void exchange_log_write(struct exchange_log *l, const struct cloud_exchange *x)
{
	char at[CLOCK_TEXT];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:i, s:s, s:i}", "at",
		clock_rfc3339(x->at_unix_us, at), "service", x->service, "method", x->method, "url",
		x->url, "microversion", x->microversion, "request_id", x->request_id,
		"service_request_id", x->service_request_id ? x->service_request_id : "", "status",
		x->status, "fault", fault_name(x->fault), "attempt", (int)x->attempt);
	if (!o)
		return;
	json_object_set_new(o, "phases", phases_json(&x->phases));
	json_object_set_new(
		o, "request_headers", headers_json(x->request_headers, x->request_header_count));
	json_object_set_new(o, "request_body", body_json(x->request_body));
	json_object_set_new(
		o, "answer_headers", headers_json(x->answer_headers, x->answer_header_count));
	json_object_set_new(o, "answer_body", body_json(x->answer_body));
	char *text = json_text(o);
	fprintf(l->f, "%s\n", text);
	free(text);
	json_decref(o);
}

bool exchange_log_close(struct exchange_log *l)
{
	if (!l)
		return true;
	const bool good = !ferror(l->f);
	const bool closed = fclose(l->f) == 0;
	free(l);
	return good && closed;
}
