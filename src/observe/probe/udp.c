/*
 * udp.c - kind udp: a datagram, and what comes back; or that the network does not object to it.
 */

#include <stdio.h>
#include <string.h>

#include "net/udp.h"
#include "observe/probe/talk.h"
#include "text/regex.h"

#define SEND_MAX   65507 /* IPv4's; what is longer cannot be sent at all */
#define SILENCE_NS NS_PER_S

struct udp_spec {
	char *to, *send, *send_hex, *expect;
	/* made of them */
	char *host;
	unsigned port;
	char *bytes;
	size_t n;
	struct regex *re;
};

#define UDP(name, type, field) name, type, offsetof(struct udp_spec, field)
static const struct key keys[] = {
	{UDP("to", KEY_TEXT, to), .required = true, .max = 300},
	{UDP("send", KEY_TEXT, send), .max = SEND_MAX},
	{UDP("send_hex", KEY_TEXT, send_hex), .max = 3 * SEND_MAX},
	{UDP("expect", KEY_TEXT, expect), .max = REGEX_PATTERN},
};
#undef UDP

/* --- reading -----------------------------------------------------------------------------------
 */

static int digit_of(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "01 02ff": pairs, with spaces between as one likes. */
static bool read_hex(struct udp_spec *s)
{
	s->bytes = mem_alloc(strlen(s->send_hex) / 2 + 1);
	for (const char *p = s->send_hex; *p;) {
		if (*p == ' ' || *p == '\n') {
			p++;
			continue;
		}
		if (digit_of(p[0]) < 0 || digit_of(p[1]) < 0)
			return false;
		s->bytes[s->n++] = (char)(digit_of(p[0]) << 4 | digit_of(p[1]));
		p += 2;
	}
	return s->n <= SEND_MAX;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct udp_spec *s = spec;
	struct error err = {0};
	bool good = probe_read_target(r, talk_at(at, "to"), s->to, 0, &s->host, &s->port);

	if (good)
		buf_printf(out, strchr(s->host, ':') ? "[%s]:%u" : "%s:%u", s->host, s->port);
	if (s->send && s->send_hex) {
		probe_wrong(r, talk_at(at, "send_hex"), "either send or send_hex");
		good = false;
	} else if (s->send_hex && !read_hex(s)) {
		probe_wrong(r, talk_at(at, "send_hex"),
			"send_hex is pairs of hexadecimal digits, at most %d bytes", SEND_MAX);
		good = false;
	} else if (!s->send_hex) {
		s->bytes = mem_strdup(s->send ? s->send : "");
		s->n = strlen(s->bytes);
	}
	if (s->expect && !(s->re = regex_new(slice_of(s->expect), &err))) {
		probe_wrong(r, talk_at(at, "expect"), "%s", err.msg);
		good = false;
	}
	return good;
}

static void fini(void *spec)
{
	struct udp_spec *s = spec;

	free(s->host);
	free(s->bytes);
	regex_free(s->re);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct asking {
	struct attempt *attempt; /* NULL: nobody wants to know any more */
	struct udp_call *call;
	struct buf output; /* the last datagram */
	bool answered;
};

static void asking_free(struct asking *k)
{
	buf_fini(&k->output);
	free(k);
}

static bool enough(void *arg, struct slice datagram)
{
	struct asking *k = arg;
	const struct udp_spec *s = k->attempt ? k->attempt->spec : NULL;

	buf_clear(&k->output);
	buf_add_slice(&k->output, datagram);
	k->answered = true;
	return !s || !s->re || regex_find(s->re, datagram, NULL) == REGEX_FOUND;
}

static void on_done(void *arg, const struct udp_result *r)
{
	struct asking *k = arg;
	struct attempt *a = k->attempt;
	char quoted[TALK_QUOTED];

	if (!a) {
		asking_free(k);
		return;
	}
	const struct udp_spec *s = a->spec;
	a->phases = r->phases;
	a->connected = k->answered;
	memcpy(a->address, r->address, sizeof(a->address));
	if (k->answered && (r->fault == FAULT_TIMEOUT || r->fault == FAULT_BODY_TOO_LARGE))
		attempt_end(a, FAULT_EXPECTATION, "expected %.60s, came %s", s->expect,
			talk_quoted(buf_slice(&k->output), quoted));
	else if (r->fault != FAULT_NONE)
		attempt_end(a, r->fault, "%s", r->detail);
	else
		attempt_end(a, FAULT_NONE, NULL);
}

static void start(struct attempt *a)
{
	const struct udp_spec *s = a->spec;
	struct asking *k = mem_new(struct asking);
	const struct udp_question q = {.host = s->host,
		.port = s->port,
		.family = a->family,
		.send = slice_from(s->bytes, s->n),
		.deadline_ns = a->deadline_ns,
		.enough = enough,
		.silence_ns = s->re                          ? 0
			      : a->deadline_ns <= SILENCE_NS ? a->deadline_ns / 2
							     : SILENCE_NS};

	k->attempt = a;
	buf_init(&k->output, (size_t)1 << 16);
	a->data = k;
	k->call = udp_ask(a->tools->loop, a->tools->resolver, &q, on_done, k);
}

static void cancel(struct attempt *a)
{
	struct asking *k = a->data;

	k->attempt = NULL;
	a->data = NULL;
	udp_cancel(k->call); /* its callback frees it */
}

static void release(struct attempt *a)
{
	asking_free(a->data);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"OUTPUT", "SIZE", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct asking *k = a->data;

	if (!k || !k->answered)
		return false;
	if (slice_is(name, "OUTPUT"))
		*ret = talk_text(buf_slice(&k->output));
	else if (slice_is(name, "SIZE"))
		*ret = value_size((int64_t)k->output.n);
	else
		return false;
	return true;
}

const struct probe_kind probe_kind_udp = {
	.name = "udp",
	.help = "a datagram, and the answer to it",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct udp_spec),
	.shorthand = "to",
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.release = release,
};
