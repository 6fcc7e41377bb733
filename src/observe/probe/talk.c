/*
 * talk.c - see talk.h.
 */

#include "observe/probe/talk.h"

#include <stdio.h>
#include <string.h>

/* --- reading -----------------------------------------------------------------------------------
 */

const struct yaml *talk_at(const struct yaml *at, const char *key)
{
	const struct yaml *y = yaml_get(at, key);

	return y ? y : at;
}

bool talk_read_target(struct talk_spec *s, const struct yaml *at, struct probe_reader *r,
	unsigned port, struct buf *out)
{
	if (!probe_read_target(r, talk_at(at, "to"), s->to, port, &s->host, &s->port))
		return false;
	buf_printf(out, strchr(s->host, ':') ? "[%s]:%u" : "%s:%u", s->host, s->port);
	return true;
}

/* As the files are now; false: one is no good. */
static bool renew_tls(const struct talk_spec *s, struct error *err)
{
	const struct tls_options o = {.ca_file = s->ca,
		.cert_file = s->cert,
		.key_file = s->key,
		.minimum = s->minimum,
		.alpn = s->alpn};
	struct tls_context *now = tls_context_new(&o, err);

	if (!now)
		return false;
	tls_context_unref(*s->tls); /* mostly the same one */
	*s->tls = now;
	return true;
}

/* Where the first stands that is no good. */
static const struct yaml *wrong_file(const struct talk_spec *s, const struct yaml *at)
{
	enum tls_file which;
	struct error err = {0};
	struct tls_context *c = tls_context_new(&(struct tls_options){.ca_file = s->ca}, &err);

	if (!c)
		return talk_at(at, "ca");
	tls_context_unref(c);
	if (!s->cert || tls_pair_good(s->cert, s->key, &which, &err))
		return at;
	return talk_at(at, which == TLS_FILE_KEY && s->key ? "key" : "cert");
}

bool talk_read_tls(
	struct talk_spec *s, const struct yaml *at, struct probe_reader *r, const char *alpn)
{
	struct error err = {0};

	probe_path(r, &s->ca);
	probe_path(r, &s->cert);
	probe_path(r, &s->key);
	s->alpn = alpn;
	s->tls = mem_new(struct tls_context *);
	if (s->key && !s->cert) {
		probe_wrong(r, talk_at(at, "key"), "key without cert");
		return false;
	}
	if (s->name && !probe_check_ascii(r, talk_at(at, "name"), slice_of(s->name)))
		return false;
	if (renew_tls(s, &err))
		return true;
	probe_wrong(r, wrong_file(s, at), "%s", err.msg);
	return false;
}

void talk_fini(struct talk_spec *s)
{
	free(s->host);
	if (s->tls)
		tls_context_unref(*s->tls);
	free(s->tls);
}

/* --- an attempt --------------------------------------------------------------------------------
 */

void talk_open(struct talk *t, struct attempt *a, const struct talk_spec *s, bool tls_at_once,
	stream_done *done, void *arg)
{
	struct error err = {0};

	t->attempt = a;
	a->data = t;
	if (!renew_tls(s, &err)) {
		attempt_end_soon(a, FAULT_CONFIGURATION, "%.150s", err.msg);
		return;
	}
	const struct stream_options o = {.host = s->host,
		.port = s->port,
		.family = a->family,
		.deadline_ns = a->deadline_ns,
		.tls = *s->tls,
		.tls_at_once = tls_at_once,
		.tls_name = s->name,
		.trusting = !s->verify};
	t->stream = stream_open(a->tools->loop, a->tools->resolver, &o, done, arg);
}

void talk_end(struct talk *t, enum fault fault, const char *fmt, ...)
{
	struct attempt *a = t->attempt;
	char detail[sizeof(a->detail)] = "";
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(detail, sizeof(detail), fmt, ap);
		va_end(ap);
	}
	a->phases = stream_phases(t->stream);
	a->connected = stream_connected(t->stream);
	snprintf(a->address, sizeof(a->address), "%s", stream_address(t->stream));
	if (*detail)
		attempt_end(a, fault, "%s", detail);
	else
		attempt_end(a, fault, NULL);
}

void talk_end_broken(struct talk *t, enum fault fault, const char *what)
{
	talk_end(t, fault, "%s%s%s", what ? what : "", what ? ": " : "", stream_detail(t->stream));
}

void talk_stop(struct talk *t)
{
	stream_close(t->stream);
	t->stream = NULL;
}

void talk_cancel(struct attempt *a)
{
	talk_stop(a->data);
}

const char *talk_quoted(struct slice s, char text[TALK_QUOTED])
{
	size_t n = 0;
	const bool utf8 = utf8_valid(s);

	text[n++] = '"';
	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		if (n + 9 > TALK_QUOTED && (c & 0xc0) != 0x80) {
			n += (size_t)snprintf(text + n, TALK_QUOTED - n, "...");
			break;
		}
		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if (c == '\n')
			n += (size_t)snprintf(text + n, TALK_QUOTED - n, "\\n");
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
			n += (size_t)snprintf(text + n, TALK_QUOTED - n, "\\x%02x", c);
		else
			text[n++] = (char)c;
	}
	text[n++] = '"';
	text[n] = 0;
	return text;
}

struct value talk_text(struct slice s)
{
	if (utf8_valid(s) && slice_find(s, 0) == s.n)
		return value_text(s);
	struct buf out = BUF(BUF_ANSWER);
	while (s.n) {
		const size_t n = s.p[0] ? utf8_character(s) : 0;
		buf_add_slice(&out, n ? slice_sub(s, 0, n) : SLICE("\xef\xbf\xbd"));
		s = slice_sub(s, n ? n : 1, s.n);
	}
	const struct value v = value_text(buf_slice(&out));
	buf_fini(&out);
	return v;
}

/* --- what was measured -------------------------------------------------------------------------
 */

static struct value left_of(const struct attempt *a, int64_t expiry_s)
{
	const int64_t now_us = clock_unix_us(loop_clock(a->tools->loop));

	return value_time(expiry_s * NS_PER_S - now_us * NS_PER_US);
}

static struct value names_of(const struct tls_facts *f)
{
	struct value list = value_list_new();

	for (size_t i = 0; i < f->names_n; i++)
		value_list_add(&list, value_str(f->names[i]));
	return list;
}

bool talk_measure_tls(
	const struct attempt *a, const struct tls_facts *f, struct slice name, struct value *ret)
{
	if (!f || !f->shown)
		return false;
	if (slice_is(name, "CERTIFICATE_EXPIRATION"))
		*ret = left_of(a, f->leaf_expiry_s);
	else if (slice_is(name, "CHAIN_EXPIRATION"))
		*ret = left_of(a, f->chain_expiry_s);
	else if (slice_is(name, "TLS_VERSION"))
		*ret = value_str(!strcmp(f->version, "TLSv1")                 ? "1.0"
				 : slice_starts(slice_of(f->version), "TLSv") ? f->version + 4
									      : f->version);
	else if (slice_is(name, "CIPHER"))
		*ret = value_str(f->cipher);
	else if (slice_is(name, "ISSUER"))
		*ret = value_str(f->issuer);
	else if (slice_is(name, "SUBJECT"))
		*ret = value_str(f->subject);
	else if (slice_is(name, "FINGERPRINT"))
		*ret = value_str(f->fingerprint);
	else if (slice_is(name, "NAMES"))
		*ret = names_of(f);
	else
		return false;
	return true;
}

bool talk_measure(const struct talk *t, struct slice name, struct value *ret)
{
	return t && t->stream && talk_measure_tls(t->attempt, stream_tls(t->stream), name, ret);
}
