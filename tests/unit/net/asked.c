/*
 * asked.c - see asked.h.
 */
#include "asked.h"

void asked_on_done(void *arg, const struct http_answer *a)
{
	struct came *c = arg;
	const struct http_header *all;
	struct buf text = BUF(BUF_PAGE);

	assert_false(c->done);
	c->done = true;
	c->fault = a->fault;
	snprintf(c->detail, sizeof(c->detail), "%s", a->detail);
	c->status = a->status;
	c->version = a->version;
	c->sent = a->sent;
	c->phases = a->phases;
	c->body = slice_dup(a->body);
	c->body_size = a->body_size;
	for (size_t i = 0, n = http_answer_headers(a, &all); i < n; i++)
		/* but for the time: the other one is asked a moment later */
		if (strcasecmp(all[i].name, "date") != 0)
			buf_printf(&text, "%s=%s\n", all[i].name, all[i].value);
	c->headers = buf_take(&text);
	snprintf(c->address, sizeof(c->address), "%s", a->address);
	c->leaf_expiry_s = a->tls && a->tls->shown ? a->tls->leaf_expiry_s : 0;
	http_fresh_close(c->fresh);
}

static void forget(struct came *c)
{
	free(c->body);
	free(c->headers);
	*c = (struct came){0};
}

int asked_set_up(void **state)
{
	struct asked_room *r = mem_new(struct asked_room);

	r->loop = loop_new(NULL, &r->err);
	r->resolver = resolver_new(r->loop, NULL, &r->err);
	r->client = http_client_new(r->loop, &(struct http_client_options){.fresh = true}, &r->err);
	*state = r;
	return r->resolver && r->client ? 0 : -1;
}

int asked_tear_down(void **state)
{
	struct asked_room *r = *state;

	forget(&r->ours);
	forget(&r->curls);
	http_client_free(r->client);
	resolver_free(r->resolver);
	loop_free(r->loop);
	free(r);
	return 0;
}

void ask_fresh(struct asked_room *r, struct http_request q)
{
	const struct tls_options o = {.ca_file = q.ca_file,
		.cert_file = q.cert_file,
		.key_file = q.key_file,
		.alpn = "h2,http/1.1"};
	struct tls_context *tls = tls_context_new(&o, &r->err);

	assert_non_null(tls);
	forget(&r->ours);
	assert_true(http_fresh_can(&q));
	r->ours.fresh = http_fresh_send(r->loop, r->resolver, tls, &q, asked_on_done, &r->ours);
	tls_context_unref(tls);
	assert_true(loop_run_until(r->loop, &r->ours.done));
}

/* Asks both, one after the other. */
void ask_both(struct asked_room *r, struct http_request q)
{
	q.method = q.method ? q.method : "GET";
	q.deadline_ns = q.deadline_ns ? q.deadline_ns : LONG;
	q.answer_max = BODY_LIMIT;
	q.proxy = "";
	q.wants_certificate = true;
	ask_fresh(r, q);
	forget(&r->curls);
	http_send(r->client, &q, asked_on_done, &r->curls);
	assert_true(loop_run_until(r->loop, &r->curls.done));
}

void assert_like(const char *what, const struct came *a, const struct came *b)
{
	if (a->fault != b->fault)
		fail_msg("%s: fault %s (%s), of curl %s (%s)", what, fault_name(a->fault),
			a->detail, fault_name(b->fault), b->detail);
	if (a->status != b->status || a->version != b->version || a->sent != b->sent)
		fail_msg("%s: %d of %d, sent %d; of curl %d of %d, sent %d", what, a->status,
			a->version, a->sent, b->status, b->version, b->sent);
	if (a->fault == FAULT_NONE && strcmp(a->headers, b->headers) != 0)
		fail_msg("%s: headers\n%s, of curl\n%s", what, a->headers, b->headers);
	if (a->fault == FAULT_NONE && strcmp(a->body, b->body) != 0)
		fail_msg("%s: body \"%.200s\", of curl \"%.200s\"", what, a->body, b->body);
	if (a->fault == FAULT_NONE && a->body_size != b->body_size)
		fail_msg("%s: %lld bytes, of curl %lld", what, (long long)a->body_size,
			(long long)b->body_size);
	if (strcmp(a->address, b->address) != 0)
		fail_msg("%s: address %s, of curl %s", what, a->address, b->address);
	if (a->leaf_expiry_s != b->leaf_expiry_s)
		fail_msg("%s: certificates that end at different times", what);
	if ((a->phases.connect_ns > 0) != (b->phases.connect_ns > 0) ||
		(a->phases.tls_ns > 0) != (b->phases.tls_ns > 0) ||
		(a->phases.wait_ns > 0) != (b->phases.wait_ns > 0))
		fail_msg("%s: other phases than of curl", what);
}

/* --- servers ------------------------------------------------------------------------------------
 */

void serve_said(struct peer_connection *c)
{
	const struct said *s = c->peer->arg;

	if (!peer_read(c))
		return;
	peer_write(c, s->text, s->n ? s->n : strlen(s->text));
	if (s->end == RESETS)
		peer_reset(c);
	else if (s->end == KEEPS)
		peer_read(c);
	else if (s->end == HANGS)
		peer_sleep_ms(c, 60000);
}

void ask_said(struct asked_room *r, const struct said *s, int version)
{
	struct peer *p = peer_start(serve_said, (void *)s, NULL);
	char *url = mem_printf("http://127.0.0.1:%u/a?b=c", p->port);

	ask_both(r, (struct http_request){.method = s->method,
			    .url = url,
			    .version = version,
			    .deadline_ns = s->end == HANGS ? SHORT : 0});
	if (!s->differs)
		assert_like(s->name, &r->ours, &r->curls);
	else if (r->ours.fault != s->fault || r->ours.status != s->status)
		fail_msg("%s: %s, %d (%s); of curl %s, %d (%s)", s->name, fault_name(r->ours.fault),
			r->ours.status, r->ours.detail, fault_name(r->curls.fault), r->curls.status,
			r->curls.detail);
	else if (r->ours.fault == r->curls.fault && r->ours.status == r->curls.status)
		fail_msg("%s: does not differ any more", s->name);
	if (r->ours.fault != FAULT_NONE && !*r->ours.detail)
		fail_msg("%s: no detail", s->name);
	free(url);
	peer_stop(p);
}
