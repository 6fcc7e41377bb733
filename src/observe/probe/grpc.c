/*
 * grpc.c - kind grpc: asks grpc.health.v1.Health/Check whether a service serves (HTTP/2 by nghttp2,
 * over a stream).
 */

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "net/grpc_message.h"
#include "observe/probe/talk.h"

#define BODY_MAX  (16u << 10)
#define INPUT_MAX (256u << 10) /* HTTP/2 of an answer, whatever its frames bring */
#define STREAMS   100          /* that the server may open: none comes, since nothing is pushed */

struct grpc_spec {
	struct talk_spec talk; /* first */
	char *service, *authority;
	bool tls;
};

static const struct key keys[] = {
	TALK_TO(struct grpc_spec),
	TALK_TLS(struct grpc_spec),
	{"service", KEY_TEXT, offsetof(struct grpc_spec, service), .max = 1000},
	{"authority", KEY_TEXT, offsetof(struct grpc_spec, authority), .max = 300},
	{"tls", KEY_BOOL, offsetof(struct grpc_spec, tls)},
};

static void defaults(void *into)
{
	struct grpc_spec *s = into;

	s->talk.verify = true;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct grpc_spec *s = spec;
	bool good = talk_read_target(&s->talk, at, r, s->tls ? 443 : 0, out);

	for (const char *c = s->authority ? s->authority : ""; *c; c++)
		if (*c <= ' ' || *c > '~') {
			probe_wrong(r, talk_at(at, "authority"), "authority is HOST or HOST:PORT");
			good = false;
			break;
		}
	if (s->service && *s->service)
		buf_printf(out, " %s", s->service);
	if (good && !s->authority)
		s->authority = mem_printf(strchr(s->talk.host, ':') ? "[%s]:%u" : "%s:%u",
			s->talk.host, s->talk.port);
	return talk_read_tls(&s->talk, at, r, "h2") && good;
}

static void fini(void *spec)
{
	struct grpc_spec *s = spec;

	talk_fini(&s->talk);
}

/* --- HTTP/2 ------------------------------------------------------------------------------------
 */

struct asking {
	struct talk talk; /* first */
	nghttp2_session *h2;
	struct buf request, body;
	size_t sent;           /* of the request */
	size_t got;            /* all that came */
	int http_status, code; /* code: gRPC's; -1: none came */
	char message[160];
	bool heard;  /* anything from the server */
	bool closed; /* the stream has its end */
	uint32_t reset;
	enum grpc_serving serving;
	bool has_serving;
};

static ssize_t on_send(nghttp2_session *h2, const uint8_t *p, size_t n, int flags, void *arg)
{
	struct asking *k = arg;

	return stream_send(k->talk.stream, p, n) ? (ssize_t)n : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t on_read(nghttp2_session *h2, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
	nghttp2_data_source *source, void *arg)
{
	struct asking *k = arg;
	const struct slice part = slice_sub(buf_slice(&k->request), k->sent, n);

	memcpy(p, part.p, part.n);
	k->sent += part.n;
	if (k->sent == k->request.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)part.n;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct asking *k = arg;
	const struct slice key = slice_from((const char *)name, name_n);
	const struct slice text = slice_from((const char *)value, value_n);
	struct buf out = BUF(sizeof(k->message) - 1);
	int64_t n;

	if (slice_is(key, ":status") && units_parse_int(text, &n))
		k->http_status = (int)n;
	else if (slice_is(key, "grpc-status") && units_parse_int(text, &n) && n >= 0 && n < 1000)
		k->code = (int)n;
	else if (slice_is(key, "grpc-message")) {
		grpc_message_text(slice_sub(text, 0, sizeof(k->message) - 1), &out);
		snprintf(k->message, sizeof(k->message), "%s", buf_str(&out));
	}
	buf_fini(&out);
	return 0;
}

static int on_data(
	nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	struct asking *k = arg;

	return buf_add(&k->body, p, n) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error, void *arg)
{
	struct asking *k = arg;

	k->closed = true;
	k->reset = error;
	return 0;
}

static void make_session(struct asking *k)
{
	nghttp2_session_callbacks *c;

	if (nghttp2_session_callbacks_new(&c) != 0)
		mem_panic("no memory for HTTP/2");
	nghttp2_session_callbacks_set_send_callback(c, on_send);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	if (nghttp2_session_client_new(&k->h2, c, k) != 0)
		mem_panic("no memory for HTTP/2");
	nghttp2_session_callbacks_del(c);
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
		.value = (uint8_t *)(uintptr_t)value,
		.namelen = strlen(name),
		.valuelen = strlen(value)};
}

static void submit(struct asking *k)
{
	const struct attempt *a = k->talk.attempt;
	const struct grpc_spec *s = a->spec;
	char left[32];
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS}};
	const nghttp2_data_provider body = {.read_callback = on_read};

	snprintf(left, sizeof(left), "%lldm",
		(long long)((a->deadline_ns - attempt_age_ns(a)) / NS_PER_MS + 1));
	const nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", s->tls ? "https" : "http"),
		header(":path", GRPC_HEALTH_PATH),
		header(":authority", s->authority),
		header("content-type", "application/grpc"),
		header("te", "trailers"),
		header("user-agent", "glasshouse/" GLASSHOUSE_VERSION),
		header("grpc-timeout", left),
	};
	grpc_health_request(&k->request, slice_of(s->service));
	nghttp2_submit_settings(k->h2, NGHTTP2_FLAG_NONE, settings, array_len(settings));
	nghttp2_submit_request(k->h2, NULL, headers, array_len(headers), &body, NULL);
}

/* --- the end -----------------------------------------------------------------------------------
 */

static enum fault fault_of_code(int code)
{
	switch (code) {
	case 4: return FAULT_TIMEOUT;
	case 7: return FAULT_HTTP_403;
	case 8: return FAULT_HTTP_429;
	case 14: return FAULT_HTTP_503;
	case 16: return FAULT_HTTP_401;
	default: return FAULT_EXPECTATION;
	}
}

static void judge(struct asking *k)
{
	struct attempt *a = k->talk.attempt;
	char detail[120] = "";

	if (k->code < 0 && k->http_status && k->http_status != 200) {
		talk_end(&k->talk,
			k->http_status >= 400 ? fault_of_status(k->http_status) : FAULT_PROTOCOL,
			"answered HTTP %d, and no gRPC", k->http_status);
		return;
	}
	if (k->code < 0) {
		talk_end(&k->talk, FAULT_PROTOCOL, "the answer ended without a status of gRPC%s%s",
			k->reset ? ": " : "", k->reset ? nghttp2_http2_strerror(k->reset) : "");
		return;
	}
	a->status = k->code;
	k->has_serving = k->code == 0 &&
			 grpc_health_read(buf_slice(&k->body), &k->serving, detail, sizeof(detail));
	if (k->code == 0 && !k->has_serving)
		talk_end(&k->talk, FAULT_PROTOCOL, "%s", detail);
	else if (a->judged)
		talk_end(&k->talk, FAULT_NONE, NULL);
	else if (k->code != 0)
		talk_end(&k->talk, fault_of_code(k->code), "the server says %s: %s",
			grpc_code_name(k->code), k->message);
	else if (k->serving != GRPC_SERVING)
		talk_end(&k->talk, FAULT_HTTP_503, "the server says %s",
			grpc_serving_name(k->serving));
	else
		talk_end(&k->talk, FAULT_NONE, NULL);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static void go_on(struct asking *k);

static bool has_any(void *arg, struct slice got)
{
	return got.n > 0;
}

static void on_got(void *arg, enum fault fault)
{
	struct asking *k = arg;
	const struct slice got = stream_got(k->talk.stream);

	if (fault != FAULT_NONE) {
		talk_end_broken(&k->talk, fault, "waiting for the answer");
		return;
	}
	char quoted[TALK_QUOTED];
	if (!k->heard && slice_starts(got, "HTTP/1.")) { /* which looks like a very long frame */
		talk_end(&k->talk, FAULT_PROTOCOL, "what answers does not speak HTTP/2; came %s",
			talk_quoted(got, quoted));
		return;
	}
	k->heard = true;
	k->got += got.n;
	const ssize_t n = nghttp2_session_mem_recv(k->h2, (const uint8_t *)got.p, got.n);
	if (n == NGHTTP2_ERR_CALLBACK_FAILURE)
		talk_end(&k->talk, FAULT_BODY_TOO_LARGE, "the answer is longer than %u bytes",
			BODY_MAX);
	else if (n < 0)
		talk_end(&k->talk, FAULT_PROTOCOL,
			"what answers does not speak HTTP/2: %s; came %s", nghttp2_strerror((int)n),
			talk_quoted(got, quoted));
	else if (!k->closed && k->got > INPUT_MAX)
		talk_end(&k->talk, FAULT_PROTOCOL,
			"the server sends frame after frame that brings nothing of an answer");
	else {
		stream_take(k->talk.stream, (size_t)n);
		go_on(k);
	}
}

static void go_on(struct asking *k)
{
	if (k->closed) {
		judge(k);
		return;
	}
	if (nghttp2_session_send(k->h2) != 0 ||
		(!nghttp2_session_want_read(k->h2) && !nghttp2_session_want_write(k->h2))) {
		talk_end(&k->talk, FAULT_PROTOCOL, "the server ended HTTP/2 before it answered");
		return;
	}
	stream_wait(k->talk.stream, INPUT_MAX, has_any, on_got, k);
}

static void on_open(void *arg, enum fault fault)
{
	struct asking *k = arg;

	if (fault != FAULT_NONE) {
		talk_end_broken(&k->talk, fault, NULL);
		return;
	}
	const struct tls_facts *f = stream_tls(k->talk.stream);
	if (f && strcmp(f->alpn, "h2") != 0) {
		talk_end(&k->talk, FAULT_PROTOCOL, "the server does not agree to HTTP/2 (ALPN h2)");
		return;
	}
	submit(k);
	go_on(k);
}

static void start(struct attempt *a)
{
	const struct grpc_spec *s = a->spec;
	struct asking *k = mem_new(struct asking);

	k->code = -1;
	buf_init(&k->request, BUF_LINE);
	buf_init(&k->body, BODY_MAX);
	make_session(k);
	talk_open(&k->talk, a, &s->talk, s->tls, on_open, k);
}

static void release(struct attempt *a)
{
	struct asking *k = a->data;

	nghttp2_session_del(k->h2);
	talk_stop(&k->talk);
	buf_fini(&k->request);
	buf_fini(&k->body);
	free(k);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"STATUS", "SERVING", TALK_TLS_MEASUREMENTS, NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct asking *k = a->data;

	if (slice_is(name, "STATUS") && k->code >= 0)
		*ret = value_int(k->code);
	else if (slice_is(name, "SERVING") && k->has_serving)
		*ret = value_str(grpc_serving_name(k->serving));
	else
		return talk_measure(&k->talk, name, ret);
	return true;
}

const struct probe_kind probe_kind_grpc = {
	.name = "grpc",
	.help = "gRPC's own question whether a service serves",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct grpc_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.start = start,
	.cancel = talk_cancel,
	.measure = measure,
	.release = release,
};
