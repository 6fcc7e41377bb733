/*
 * mail.c - kinds smtp and imap: the greeting of a mail server, what it can, and TLS with it.
 */

#include <stdio.h>
#include <string.h>

#include "observe/probe/dialogue.h"

struct mail_spec {
	struct talk_spec talk; /* first */
	bool starttls, tls;
	char *hello; /* who we say we are */
	char *ehlo;  /* made of it, with the line's end */
};

#define MAIL_KEYS                                                                                  \
	TALK_TO(struct mail_spec), TALK_TLS(struct mail_spec),                                     \
		{"starttls", KEY_BOOL, offsetof(struct mail_spec, starttls)},                      \
	{                                                                                          \
		"tls", KEY_BOOL, offsetof(struct mail_spec, tls)                                   \
	}

static const struct key smtp_keys[] = {
	MAIL_KEYS,
	{"hello", KEY_TEXT, offsetof(struct mail_spec, hello), .max = 255},
};
static const struct key imap_keys[] = {
	MAIL_KEYS,
};

static void defaults(void *into)
{
	struct mail_spec *s = into;

	s->talk.verify = true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_both(struct mail_spec *s, const struct yaml *at, struct probe_reader *r,
	unsigned plain, unsigned in_tls, struct buf *out)
{
	const bool target = talk_read_target(&s->talk, at, r, s->tls ? in_tls : plain, out);

	if (s->tls && s->starttls) {
		probe_wrong(r, at, "either tls (from the start) or starttls");
		return false;
	}
	return talk_read_tls(&s->talk, at, r, NULL) && target;
}

static bool finish_smtp(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct mail_spec *s = spec;
	const char *hello = s->hello ? s->hello : "glasshouse.invalid";

	for (const char *c = hello; *c; c++)
		if (*c <= ' ' || *c > '~') {
			probe_wrong(r, talk_at(at, "hello"),
				"hello is a host name or an address in brackets");
			return false;
		}
	s->ehlo = mem_printf("EHLO %s\r\n", hello);
	return read_both(s, at, r, 25, 465, out);
}

static bool finish_imap(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	return read_both(spec, at, r, 143, 993, out);
}

static void fini(void *spec)
{
	struct mail_spec *s = spec;

	free(s->ehlo);
	talk_fini(&s->talk);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct asking {
	struct dialogue dialogue; /* first */
	struct buf banner, capabilities;
};

static void add_step(struct dialogue *d, const char *what, struct slice send, reply_reader *read)
{
	d->steps[d->n++] = (struct dialogue_step){.what = what, .send = send, .read = read};
}

static bool starts_tls_next(const struct dialogue *d)
{
	return d->at + 1 < d->n && d->steps[d->at + 1].then_tls;
}

/* The first answer is the greeting; of those to EHLO and CAPABILITY the last one counts, in TLS. */
static bool keep(
	struct asking *k, void (*read)(struct slice reply, struct buf *out), char *detail, size_t n)
{
	struct dialogue *d = &k->dialogue;

	if (d->at == 0) {
		buf_add_slice(&k->banner, d->reply.text);
		return true;
	}
	if (d->steps[d->at].then_tls)
		return true;
	buf_clear(&k->capabilities);
	read(d->reply.text, &k->capabilities);
	if (!starts_tls_next(d) || reply_can(buf_slice(&k->capabilities), "STARTTLS"))
		return true;
	snprintf(detail, n, "the server does not offer STARTTLS, but %.120s",
		buf_str(&k->capabilities));
	return false;
}

static bool heard_smtp(struct dialogue *d, char *detail, size_t n)
{
	return keep((struct asking *)d, reply_smtp_capabilities, detail, n);
}

static bool heard_imap(struct dialogue *d, char *detail, size_t n)
{
	return keep((struct asking *)d, reply_imap_capabilities, detail, n);
}

/* Whoever leaves says so; nobody waits for the answer. */
static void over_smtp(struct dialogue *d)
{
	stream_send(d->talk.stream, "QUIT\r\n", 6);
	stream_finish(d->talk.stream);
	talk_end(&d->talk, FAULT_NONE, NULL);
}

static void over_imap(struct dialogue *d)
{
	stream_send(d->talk.stream, REPLY_IMAP_TAG "LOGOUT\r\n", strlen(REPLY_IMAP_TAG) + 8);
	stream_finish(d->talk.stream);
	talk_end(&d->talk, FAULT_NONE, NULL);
}

static struct dialogue *begin(void)
{
	struct asking *k = mem_new(struct asking);

	buf_init(&k->banner, REPLY_MAX);
	buf_init(&k->capabilities, REPLY_MAX);
	return &k->dialogue;
}

static void start_smtp(struct attempt *a)
{
	const struct mail_spec *s = a->spec;
	const struct slice ehlo = slice_of(s->ehlo);
	struct dialogue *d = begin();

	d->heard = heard_smtp;
	d->over = over_smtp;
	add_step(d, "the greeting", (struct slice){0}, reply_smtp);
	add_step(d, "the answer to EHLO", ehlo, reply_smtp);
	if (s->starttls) {
		add_step(d, "the answer to STARTTLS", SLICE("STARTTLS\r\n"), reply_smtp);
		d->steps[d->n - 1].then_tls = true;
		add_step(d, "the answer to EHLO in TLS", ehlo, reply_smtp);
	}
	dialogue_begin(d, a, &s->talk, s->tls);
}

static void start_imap(struct attempt *a)
{
	const struct mail_spec *s = a->spec;
	const struct slice ask = SLICE(REPLY_IMAP_TAG "CAPABILITY\r\n");
	struct dialogue *d = begin();

	d->heard = heard_imap;
	d->over = over_imap;
	add_step(d, "the greeting", (struct slice){0}, reply_imap_greeting);
	add_step(d, "the answer to CAPABILITY", ask, reply_imap);
	if (s->starttls) {
		add_step(d, "the answer to STARTTLS", SLICE(REPLY_IMAP_TAG "STARTTLS\r\n"),
			reply_imap);
		d->steps[d->n - 1].then_tls = true;
		add_step(d, "the answer to CAPABILITY in TLS", ask, reply_imap);
	}
	dialogue_begin(d, a, &s->talk, s->tls);
}

static void release(struct attempt *a)
{
	struct asking *k = a->data;

	talk_stop(&k->dialogue.talk);
	buf_fini(&k->banner);
	buf_fini(&k->capabilities);
	free(k);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const smtp_measurements[] = {
	"STATUS", "BANNER", "CAPABILITIES", "CERTIFICATE_EXPIRATION", NULL};
static const char *const imap_measurements[] = {
	"BANNER", "CAPABILITIES", "CERTIFICATE_EXPIRATION", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct asking *k = a->data;

	if (slice_is(name, "STATUS") && a->status)
		*ret = value_int(a->status);
	else if (slice_is(name, "BANNER") && k->banner.n)
		*ret = talk_text(buf_slice(&k->banner));
	else if (slice_is(name, "CAPABILITIES") && k->capabilities.n)
		*ret = value_text(buf_slice(&k->capabilities));
	else
		return talk_measure(&k->dialogue.talk, name, ret);
	return true;
}

const struct probe_kind probe_kind_smtp = {
	.name = "smtp",
	.help = "a mail server's greeting, what it can, and STARTTLS",
	.keys = smtp_keys,
	.key_count = array_len(smtp_keys),
	.size = sizeof(struct mail_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish_smtp,
	.fini = fini,
	.measurements = smtp_measurements,
	.start = start_smtp,
	.cancel = talk_cancel,
	.measure = measure,
	.release = release,
};

const struct probe_kind probe_kind_imap = {
	.name = "imap",
	.help = "the greeting of a mailbox server, what it can, and STARTTLS",
	.keys = imap_keys,
	.key_count = array_len(imap_keys),
	.size = sizeof(struct mail_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish_imap,
	.fini = fini,
	.measurements = imap_measurements,
	.start = start_imap,
	.cancel = talk_cancel,
	.measure = measure,
	.release = release,
};
