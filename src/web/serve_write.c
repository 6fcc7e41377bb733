/*
 * serve_write.c - requests of foreign programs that write in, see faces/writes.h.
 *
 * Their bodies may be larger than those of others, so they are gathered only for who may come in,
 * within a bound for all that are under way on this thread.
 */

#include <string.h>

#include "base/json.h"
#include "web/serve_thread.h"

#define UNDER_WAY_MAX (64u << 20) /* bytes of bodies */

/* --- bodies ----------------------------------------------------------------------------------- */

static bool may_write(const struct entrance *e, const struct route *r, struct http_exchange *x)
{
	return guard_admit_to(&e->serving->guard, r, x) == 0 && guard_site(x) == 0;
}

bool write_stream(void *arg, struct http_exchange *x)
{
	struct entrance *e = arg;
	struct route_match m;
	if (e->seat != SEAT_OPERATORS)
		return false;
	route_match_path(http_method(x), http_path(x), e->on, &m);
	if (!m.route || !m.route->write || m.route->body_max <= REQUEST_BODY_MAX ||
		!may_write(e, m.route, x))
		return false;
	struct ask *a = ask_new(e, x, &m);
	a->gathering = true;
	buf_init(&a->sent, m.route->body_max);
	return true;
}

void write_piece(void *arg, struct http_exchange *x, const void *p, size_t n)
{
	struct ask *a = http_exchange_data(x);
	struct serving *s = a ? a->serving : NULL;
	if (!a) /* it closes */
		return;
	if (a->busy || s->under_way + n > UNDER_WAY_MAX) {
		a->busy = true;
		return;
	}
	if (buf_add(&a->sent, p, n)) {
		a->under_way += n;
		s->under_way += n;
	}
}

void write_drop(struct http_exchange *x)
{
	struct ask *a = http_exchange_data(x);
	if (a && a->gathering)
		ask_free(a);
	http_exchange_set_data(x, NULL);
}

/* --- answers ---------------------------------------------------------------------------------- */

struct cache_doc *write_doc(
	const struct route *r, const char *id, int status, const char *why, const json_t *document)
{
	struct buf text = BUF(BUF_LINE);
	const char *type = "application/json";
	if (document)
		json_write(&text, document);
	else
		write_say(r->write->form, status, why, &text, &type);
	struct cache_doc *d = cache_doc_new(&(struct cache_recipe){.status = status,
		.type = text.n ? type : NULL,
		.keep = KEEP_NOT,
		.plain = true,
		.retry_s = status == 429 ? 5 : 0,
		.influx = r->face == FACE_INFLUX,
		.id = id,
		.body = buf_slice(&text)});
	buf_fini(&text);
	return d;
}

static void reply(struct http_exchange *x, const struct route *r, int status, const char *why)
{
	char id[REQUEST_ID_MAX + 1];
	struct cache_doc *d = write_doc(r, request_id(x, id), status, why, NULL);
	cache_doc_reply(d, x);
	cache_doc_unref(d);
}

/* --- requests --------------------------------------------------------------------------------- */

static void read_request(struct ask *a, struct http_exchange *x, struct slice body)
{
	struct write_out *out = mem_new(struct write_out);
	const char *location = a->route->outpost ? guard_outpost(&a->serving->guard, x) : NULL;
	const struct write_in in = {.x = x, .word = a->word, .location = location, .body = body};
	buf_init(&out->body, DOOR_BODY_MAX);
	a->route->write->read(&in, out);
	if (out->body.over && !out->status) {
		out->status = 413;
		snprintf(out->why, sizeof(out->why), "this is more than can be taken at once");
	}
	a->out = out;
}

void write_handle(struct entrance *e, struct http_exchange *x, const struct route_match *m)
{
	struct ask *a = http_exchange_data(x);
	const int refused = guard_site(x);
	if (!a && refused) {
		reply(x, m->route, refused, "it comes from another site's page");
		return;
	}
	if (!a)
		a = ask_new(e, x, m);
	a->gathering = false;
	if (a->busy || a->sent.over) {
		reply(x, m->route, a->busy ? 429 : 413,
			a->busy ? "too much is under way: send it again later"
				: "the body is over the limit of 8 MiB: send less at once");
		ask_free(a);
		return;
	}
	read_request(a, x, a->sent.max ? buf_slice(&a->sent) : http_body(x));
	buf_fini(&a->sent);
	if (a->out->status) {
		reply(x, m->route, a->out->status, a->out->why);
		ask_free(a);
	} else {
		hub_ask(e->serving->o.hub, a);
	}
}
