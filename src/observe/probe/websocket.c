/*
 * websocket.c - kind websocket: the handshake, then a message or, when none is awaited, a ping.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "net/url.h"
#include "net/websocket.h"
#include "observe/probe/headers.h"
#include "observe/probe/talk.h"
#include "text/regex.h"

#define PING_DATA SLICE("glasshouse")

struct websocket_spec {
	struct talk_spec talk; /* first; `to` is not read */
	char *url, *send, *expect, *subprotocol;
	const struct yaml *headers; /* while it is read */
	/* made of them */
	bool tls;
	char *path, *authority;
	struct headers list;
	struct regex *re;
};

static const struct key keys[] = {
	{"url", KEY_TEXT, offsetof(struct websocket_spec, url), .required = true, .max = 2048},
	{"headers", KEY_MAP, offsetof(struct websocket_spec, headers)},
	{"send", KEY_TEXT, offsetof(struct websocket_spec, send), .max = WEBSOCKET_MESSAGE_MAX},
	{"expect", KEY_TEXT, offsetof(struct websocket_spec, expect), .max = REGEX_PATTERN},
	{"subprotocol", KEY_TEXT, offsetof(struct websocket_spec, subprotocol), .max = 100},
	{"ca", KEY_TEXT, TALK_AT(struct websocket_spec, ca), .max = TALK_PATH_MAX},
	{"verify", KEY_BOOL, TALK_AT(struct websocket_spec, verify)},
};

static void defaults(void *into)
{
	struct websocket_spec *s = into;

	s->talk.verify = true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* What the handshake itself makes. */
#define OURS                                                                                       \
	"host upgrade connection content-length sec-websocket-key sec-websocket-version "          \
	"sec-websocket-protocol sec-websocket-extensions sec-websocket-accept"

static bool read_url(struct websocket_spec *s, const struct yaml *at, struct probe_reader *r)
{
	struct error err = {0};
	struct url u;

	if (!url_parse(slice_of(s->url), &u, &err)) {
		probe_wrong(r, talk_at(at, "url"), "%.300s", err.msg);
		return false;
	}
	s->tls = slice_is_nocase(u.scheme, "wss");
	if (!s->tls && !slice_is_nocase(u.scheme, "ws")) {
		probe_wrong(r, talk_at(at, "url"), "\"%.200s\" must begin with ws:// or wss://",
			s->url);
		return false;
	}
	if (!probe_check_ascii(r, talk_at(at, "url"), u.host))
		return false;
	s->talk.host = slice_dup(u.host);
	s->talk.port = u.port ? u.port : s->tls ? 443 : 80;
	s->path = mem_printf("%.*s%s%.*s", SLICE_ARG(u.path.n ? u.path : SLICE("/")),
		u.query.n ? "?" : "", SLICE_ARG(u.query));
	const bool v6 = slice_find(u.host, ':') < u.host.n;
	const bool usual = s->talk.port == (s->tls ? 443u : 80u);
	char port[8] = "";
	if (!usual)
		snprintf(port, sizeof(port), ":%u", s->talk.port);
	s->authority =
		mem_printf("%s%.*s%s%s", v6 ? "[" : "", SLICE_ARG(u.host), v6 ? "]" : "", port);
	return true;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct websocket_spec *s = spec;
	struct error err = {0};
	bool good = read_url(s, at, r);

	if (s->expect && !(s->re = regex_new(slice_of(s->expect), &err))) {
		probe_wrong(r, talk_at(at, "expect"), "%s", err.msg);
		good = false;
	}
	if (s->subprotocol && !header_is_token(slice_of(s->subprotocol), 100)) {
		probe_wrong(r, talk_at(at, "subprotocol"), "subprotocol is one word");
		good = false;
	}
	good = (!s->headers || headers_read(&s->list, s->headers, r, OURS)) && good;
	buf_add_str(out, s->url);
	return talk_read_tls(&s->talk, at, r, NULL) && good;
}

static void fini(void *spec)
{
	struct websocket_spec *s = spec;

	headers_fini(&s->list);
	free(s->path);
	free(s->authority);
	regex_free(s->re);
	talk_fini(&s->talk);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct asking {
	struct talk talk; /* first */
	char key[WEBSOCKET_KEY];
	struct websocket_answer answer;
	struct websocket_reader reader;
	enum websocket_state state;
	struct buf first; /* message */
	bool has_first;
	char detail[120];
};

static void send_frame(struct asking *k, enum websocket_opcode opcode, struct slice data)
{
	struct buf out = BUF(WEBSOCKET_MESSAGE_MAX + 64);

	websocket_write(&out, opcode, data);
	stream_send(k->talk.stream, out.p, out.n);
	buf_fini(&out);
}

static void end_good(struct asking *k)
{
	send_frame(k, WEBSOCKET_CLOSE, SLICE("\x03\xe8")); /* 1000: normal */
	stream_finish(k->talk.stream);
	talk_end(&k->talk, FAULT_NONE, NULL);
}

static void wait_message(struct asking *k);

/* A close frame is a code and words for people. */
static void end_closed(struct asking *k)
{
	const struct websocket_reader *r = &k->reader;
	const unsigned code = r->control_n >= 2 ? (unsigned)r->control[0] << 8 | r->control[1] : 0;
	const struct slice why =
		r->control_n > 2 ? slice_from((const char *)r->control + 2, r->control_n - 2)
				 : (struct slice){0};
	char quoted[TALK_QUOTED];

	talk_end(&k->talk, FAULT_CONNECTION_LOST, "the server closed the WebSocket: %u %s", code,
		talk_quoted(why, quoted));
}

static void on_message(struct asking *k)
{
	const struct websocket_spec *s = k->talk.attempt->spec;
	const struct slice text = buf_slice(&k->reader.message);

	if (!k->has_first) {
		buf_add_slice(&k->first, text);
		k->has_first = true;
	}
	if (s->re ? regex_find(s->re, text, NULL) == REGEX_FOUND : s->send != NULL)
		end_good(k);
	else
		wait_message(k);
}

static void on_frame(struct asking *k)
{
	const struct websocket_spec *s = k->talk.attempt->spec;
	const struct slice control =
		slice_from((const char *)k->reader.control, k->reader.control_n);

	switch (k->reader.opcode) {
	case WEBSOCKET_CLOSE: end_closed(k); return;
	case WEBSOCKET_PING:
		send_frame(k, WEBSOCKET_PONG, control);
		wait_message(k);
		return;
	case WEBSOCKET_PONG:
		if (!s->send && !s->re && slice_eq(control, PING_DATA))
			end_good(k);
		else
			wait_message(k);
		return;
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
	case WEBSOCKET_CONTINUATION: on_message(k); return;
	}
}

static bool has_frame(void *arg, struct slice got)
{
	struct asking *k = arg;
	size_t n;

	do {
		k->state = websocket_read(&k->reader, got, &n, k->detail, sizeof(k->detail));
		stream_take(k->talk.stream, n);
		got = slice_sub(got, n, got.n);
	} while (k->state == WEBSOCKET_MORE && n > 0);
	return k->state != WEBSOCKET_MORE;
}

static void on_got(void *arg, enum fault fault)
{
	struct asking *k = arg;
	const struct websocket_spec *s = k->talk.attempt->spec;
	char quoted[TALK_QUOTED];

	if (fault != FAULT_NONE && s->re && k->has_first)
		talk_end(&k->talk, FAULT_EXPECTATION, "expected a message %.60s, the first was %s",
			s->expect, talk_quoted(buf_slice(&k->first), quoted));
	else if (fault != FAULT_NONE)
		talk_end_broken(&k->talk, fault,
			s->re || s->send ? "waiting for a message" : "waiting for a pong");
	else if (k->state == WEBSOCKET_BROKEN)
		talk_end(&k->talk, FAULT_PROTOCOL, "%s", k->detail);
	else
		on_frame(k);
}

static void wait_message(struct asking *k)
{
	stream_wait(k->talk.stream, WEBSOCKET_MESSAGE_MAX + 16, has_frame, on_got, k);
}

/* --- the handshake -----------------------------------------------------------------------------
 */

static void agreed(struct asking *k)
{
	const struct websocket_spec *s = k->talk.attempt->spec;
	const struct websocket_answer *a = &k->answer;

	/* Wanting one is no offer that it may pass over. */
	if (s->subprotocol && !slice_is(a->subprotocol, s->subprotocol)) {
		talk_end(&k->talk, FAULT_PROTOCOL, "the server does not speak %s%s%.*s",
			s->subprotocol, a->subprotocol.n ? ", but " : "",
			SLICE_ARG(slice_sub(a->subprotocol, 0, 60)));
		return;
	}
	stream_take(k->talk.stream, a->n);
	if (s->send)
		send_frame(k, WEBSOCKET_TEXT, slice_of(s->send));
	else if (!s->re)
		send_frame(k, WEBSOCKET_PING, PING_DATA);
	wait_message(k);
}

static bool has_answer(void *arg, struct slice got)
{
	struct asking *k = arg;

	k->state = websocket_read_answer(got, k->key, &k->answer);
	return k->state != WEBSOCKET_MORE;
}

static void on_answer(void *arg, enum fault fault)
{
	struct asking *k = arg;
	const struct websocket_answer *a = &k->answer;

	k->talk.attempt->status = a->status;
	if (fault != FAULT_NONE)
		talk_end_broken(&k->talk, fault, "the answer to the handshake");
	else if (k->state == WEBSOCKET_BROKEN)
		talk_end(&k->talk, FAULT_PROTOCOL, "%s", a->detail);
	else if (a->agrees)
		agreed(k);
	else
		talk_end(&k->talk, a->status >= 400 ? fault_of_status(a->status) : FAULT_PROTOCOL,
			"%s", a->detail);
}

static void on_open(void *arg, enum fault fault)
{
	struct asking *k = arg;
	struct buf out = BUF(STREAM_SEND_MAX);

	if (fault != FAULT_NONE) {
		talk_end_broken(&k->talk, fault, NULL);
		return;
	}
	const struct websocket_spec *s = k->talk.attempt->spec;
	buf_printf(&out,
		"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: glasshouse/" GLASSHOUSE_VERSION
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\n",
		s->path, s->authority, k->key);
	if (s->subprotocol)
		buf_printf(&out, "Sec-WebSocket-Protocol: %s\r\n", s->subprotocol);
	for (size_t i = 0; i < s->list.n; i++)
		buf_printf(&out, "%s: %s\r\n", s->list.p[i].name, header_value(&s->list.p[i]));
	buf_add_str(&out, "\r\n");
	stream_send(k->talk.stream, out.p, out.n);
	explicit_bzero(out.p, out.n);
	buf_fini(&out);
	stream_wait(k->talk.stream, WEBSOCKET_HEAD_MAX, has_answer, on_answer, k);
}

static void start(struct attempt *a)
{
	const struct websocket_spec *s = a->spec;
	struct asking *k = mem_new(struct asking);

	websocket_key(k->key);
	buf_init(&k->first, WEBSOCKET_MESSAGE_MAX);
	talk_open(&k->talk, a, &s->talk, s->tls, on_open, k);
}

static void release(struct attempt *a)
{
	struct asking *k = a->data;

	talk_stop(&k->talk);
	websocket_reader_fini(&k->reader);
	buf_fini(&k->first);
	free(k);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"STATUS", "BODY", NULL};

static bool written(const struct attempt *a, struct slice name, struct slice *ret)
{
	const struct asking *k = a->data;

	if (!slice_is(name, "BODY") || !k->has_first)
		return false;
	*ret = buf_slice(&k->first);
	return true;
}

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct asking *k = a->data;

	if (slice_is(name, "STATUS") && a->status) {
		*ret = value_int(a->status);
	} else if (slice_is(name, "BODY") && k->has_first) {
		json_t *j = json_parse_foreign(buf_slice(&k->first), WEBSOCKET_MESSAGE_MAX);
		*ret = j ? value_from_json(j) : talk_text(buf_slice(&k->first));
		json_decref(j);
	} else {
		return false;
	}
	return true;
}

const struct probe_kind probe_kind_websocket = {
	.name = "websocket",
	.help = "a WebSocket: handshake, a message or a ping",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct websocket_spec),
	.shorthand = "url",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.start = start,
	.cancel = talk_cancel,
	.measure = measure,
	.written = written,
	.release = release,
};
