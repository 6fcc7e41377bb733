/*
 * cloud_exchange.c - what observers see of each exchange: everything but the secrets.
 *
 * Three nets: headers and fields with secret names are masked whole, known secret values are masked
 * wherever they stand, and bodies that are not JSON go through the same mask as text.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "net/url.h"
#include "openstack/session.h"

#define SHOWN_MAX (1u << 20)

/* Ids and our own names are replaced, so that calls of one sort are counted together. */
static bool is_id(struct slice s)
{
	size_t hex = 0;
	if (slice_starts(s, "gh-") || slice_starts(s, "AUTH_"))
		return true;
	if (slice_starts(s, "req-")) /* of instance actions */
		s = slice_sub(s, 4, s.n);
	for (size_t i = 0; i < s.n; i++)
		hex += isxdigit((unsigned char)s.p[i]) || s.p[i] == '-';
	return hex == s.n && s.n >= 32;
}

/* "AUTH_" and the project's id, in the endpoints of object stores. */
static bool is_account(struct slice s)
{
	const size_t at = slice_find(s, '_');
	return at < s.n && is_id(slice_sub(s, at + 1, s.n));
}

static void write_call(struct buf *out, const char *method, const char *url)
{
	struct url u;
	buf_printf(out, "%s ", method);
	if (!url_parse(slice_of(url), &u, NULL)) {
		buf_add_str(out, url);
		return;
	}
	struct slice rest = u.path, part;
	bool version_seen = false, first = false;
	struct buf path = BUF(BUF_LINE);
	while (slice_next(&rest, '/', &part)) {
		const bool version =
			part.n >= 2 && part.p[0] == 'v' && isdigit((unsigned char)part.p[1]);
		if (!part.n)
			continue;
		if (version &&
			!version_seen) { /* what stands before it is the service's own root */
			version_seen = first = true;
			buf_clear(&path);
			continue;
		}
		const bool project = first && (is_id(part) || is_account(part));
		first = false;
		if (project)
			continue; /* in endpoints of volumes and objects */
		buf_printf(&path, "/%.*s", is_id(part) ? 4 : (int)part.n,
			is_id(part) ? "{id}" : part.p);
	}
	buf_add_str(out, path.n ? buf_str(&path) : "/");
	buf_fini(&path);
}

static void write_body(struct buf *out, struct slice body)
{
	json_t *j = body.n && body.n <= SHOWN_MAX ? json_parse(body, SHOWN_MAX, NULL) : NULL;
	if (j) {
		json_t *clean = json_scrubbed(j);
		json_write(out, clean);
		json_decref(clean);
		json_decref(j);
	} else if (body.n > SHOWN_MAX || !utf8_valid(body)) {
		if (body.n)
			buf_printf(out, "(%zu bytes)", body.n);
	} else {
		secret_scrub(out, body);
	}
}

static struct http_header *masked(const struct http_header *h, size_t n, struct buf *store)
{
	struct http_header *out = mem_new_array(n, sizeof(*out));
	size_t *at = mem_new_array(n, sizeof(*at));
	for (size_t i = 0; i < n; i++) {
		at[i] = store->n;
		if (secret_name(slice_of(h[i].name)))
			buf_add_str(store, "***");
		else
			secret_scrub(store, slice_of(h[i].value));
		buf_add_char(store, 0);
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (struct http_header){h[i].name, store->p + at[i]};
	free(at);
	return out;
}

static size_t sent_headers(const struct cloud *c, const struct cloud_call *k, struct http_header *h)
{
	size_t n = 0;
	if (!k) {
		h[n++] = (struct http_header){"X-Openstack-Request-Id", c->auth_request_id};
		return n;
	}
	h[n++] = (struct http_header){"X-Auth-Token", "***"};
	h[n++] = (struct http_header){"X-Openstack-Request-Id", k->request_id};
	if (k->microversion)
		h[n++] = (struct http_header){"OpenStack-API-Version", k->microversion};
	for (size_t i = 0; i < k->header_count && n < 40; i++)
		h[n++] = k->headers[i];
	return n;
}

/* The most that any observer asked for. */
static enum cloud_detail detail_asked(const struct cloud *c)
{
	enum cloud_detail most = CLOUD_FIGURES;
	VEC_EACH (&c->observers, struct observer, o) {
		if (o->detail > most)
			most = o->detail;
	}
	return most;
}

struct shown { /* what an exchange shows beyond its figures */
	struct buf request, answer, sent_store, received_store;
	struct http_header *sent, *received;
	size_t sent_count, received_count;
};

static void show(struct shown *s, const struct cloud *c, const struct cloud_call *k,
	const struct http_answer *a)
{
	const enum cloud_detail detail = detail_asked(c);
	struct http_header sent[48] = {0};
	const struct http_header *received = NULL;
	if (detail >= CLOUD_HEADERS) {
		s->sent_count = sent_headers(c, k, sent);
		s->received_count = http_answer_headers(a, &received);
		s->sent = masked(sent, s->sent_count, &s->sent_store);
		s->received = masked(received, s->received_count, &s->received_store);
	}
	if (detail >= CLOUD_BODIES) {
		write_body(&s->request, slice_of(k ? k->body_text : NULL));
		write_body(&s->answer, k && k->sink ? slice_of(NULL) : a->body);
	}
}

static void shown_fini(struct shown *s)
{
	free(s->sent);
	free(s->received);
	buf_fini(&s->request);
	buf_fini(&s->answer);
	buf_fini(&s->sent_store);
	buf_fini(&s->received_store);
}

void exchange_tell(struct cloud *c, const struct cloud_call *k, const struct http_answer *a,
	enum fault fault, const char *detail)
{
	if (!c->observers.n)
		return;
	struct shown s = {
		.request = BUF(SHOWN_MAX * 2),
		.answer = BUF(SHOWN_MAX * 2),
		.sent_store = BUF(BUF_PAGE),
		.received_store = BUF(BUF_PAGE),
	};
	struct buf call = BUF(BUF_LINE);
	show(&s, c, k, a);
	write_call(&call, k ? k->method : "POST", k ? k->url : c->auth_url);
	const char *id = http_answer_header(a, "x-openstack-request-id");
	const bool wanted = k && k->absent_is_good && a->status == 404;
	const struct cloud_exchange x = {.service = k ? k->service : "identity",
		.method = k ? k->method : "POST",
		.url = k ? k->url : c->auth_url,
		.microversion = k ? k->microversion : NULL,
		.call = buf_str(&call),
		.request_id = k ? k->request_id : c->auth_request_id,
		.service_request_id = id ? id : "",
		.at_unix_us = k ? k->at_unix_us : c->auth_at_unix_us,
		.status = a->status,
		.fault = wanted ? FAULT_NONE : fault,
		.detail = wanted ? "" : detail,
		.attempt = k ? k->tries : 1,
		.phases = a->phases,
		.purpose = k ? k->purpose : NULL,
		.request_body = buf_slice(&s.request),
		.answer_body = buf_slice(&s.answer),
		.request_headers = s.sent,
		.request_header_count = s.sent_count,
		.answer_headers = s.received,
		.answer_header_count = s.received_count};
	VEC_EACH (&c->observers, struct observer, o) {
		o->cb(o->arg, &x);
	}
	shown_fini(&s);
	buf_fini(&call);
}
