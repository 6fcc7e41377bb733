/*
 * tls.c - kind tls: what a server shows of itself in the handshake, at once or after STARTTLS.
 *
 * By TLS 1.3 a server that wants a certificate of ours refuses it only after the handshake: then it
 * is asked to end the connection, and what it says before that counts.
 */

#include <string.h>

#include "observe/probe/dialogue.h"

struct tls_spec {
	struct talk_spec talk; /* first */
	int starttls;          /* of the words; -1: none */
	int minimum;           /* the same */
};

static const char *const protocol_words[] = {
	"smtp", "imap", "pop3", "ftp", "ldap", "postgres", NULL};
static const unsigned ports[] = {25, 143, 110, 21, 389, 5432};
static const char *const version_words[] = {"1.0", "1.1", "1.2", "1.3", NULL};

#define TLS_PORT 443
#define END_NS   (2 * NS_PER_S)

static const struct key keys[] = {
	TALK_TO(struct tls_spec),
	TALK_TLS(struct tls_spec),
	{"cert", KEY_TEXT, TALK_AT(struct tls_spec, cert), .max = TALK_PATH_MAX},
	{"key", KEY_TEXT, TALK_AT(struct tls_spec, key), .max = TALK_PATH_MAX},
	{"starttls", KEY_WORD, offsetof(struct tls_spec, starttls), .words = protocol_words},
	{"minimum", KEY_WORD, offsetof(struct tls_spec, minimum), .words = version_words},
};

static void defaults(void *into)
{
	struct tls_spec *s = into;

	s->talk.verify = true;
	s->starttls = s->minimum = -1;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct tls_spec *s = spec;
	const bool target = talk_read_target(
		&s->talk, at, r, s->starttls < 0 ? TLS_PORT : ports[s->starttls], out);

	if (s->minimum >= 0)
		s->talk.minimum = mem_strdup(version_words[s->minimum]);
	return talk_read_tls(&s->talk, at, r, NULL) && target;
}

static void fini(void *spec)
{
	struct tls_spec *s = spec;

	free(s->talk.minimum);
	talk_fini(&s->talk);
}

/* --- STARTTLS ----------------------------------------------------------------------------------
 */

#define LDAP_START                                                                                 \
	"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"                                                     \
	"1.3.6.1.4.1.1466.20037"
#define POSTGRES_START "\0\0\0\10\4\322\26\57" /* length 8, code 80877103 */

static const struct dialogue_step smtp[] = {
	{"the greeting", {0}, reply_smtp, false},
	{"the answer to EHLO", SLICE("EHLO glasshouse.invalid\r\n"), reply_smtp, false},
	{"the answer to STARTTLS", SLICE("STARTTLS\r\n"), reply_smtp, true},
};
static const struct dialogue_step imap[] = {
	{"the greeting", {0}, reply_imap_greeting, false},
	{"the answer to STARTTLS", SLICE(REPLY_IMAP_TAG "STARTTLS\r\n"), reply_imap, true},
};
static const struct dialogue_step pop3[] = {
	{"the greeting", {0}, reply_pop3, false},
	{"the answer to STLS", SLICE("STLS\r\n"), reply_pop3, true},
};
static const struct dialogue_step ftp[] = {
	{"the greeting", {0}, reply_smtp, false},
	{"the answer to AUTH TLS", SLICE("AUTH TLS\r\n"), reply_smtp, true},
};
static const struct dialogue_step ldap[] = {
	{"the answer to StartTLS", SLICE(LDAP_START), reply_ldap, true},
};
static const struct dialogue_step postgres[] = {
	{"the answer to SSLRequest", SLICE(POSTGRES_START), reply_postgres, true},
};

static const struct {
	const struct dialogue_step *steps;
	size_t n;
} protocols[] = {
	{smtp, array_len(smtp)},
	{imap, array_len(imap)},
	{pop3, array_len(pop3)},
	{ftp, array_len(ftp)},
	{ldap, array_len(ldap)},
	{postgres, array_len(postgres)},
};

/* --- asking ------------------------------------------------------------------------------------
 */

struct shaking {
	struct dialogue dialogue; /* first */
	struct timer timer;
};

static bool never(void *arg, struct slice got)
{
	return false;
}

static void on_ended(void *arg, enum fault fault)
{
	struct shaking *k = arg;
	struct talk *t = &k->dialogue.talk;

	timer_cancel(&k->timer);
	if (fault == FAULT_TLS)
		talk_end_broken(t, fault, "after the handshake");
	else
		talk_end(t, FAULT_NONE, NULL);
}

/* It neither ended nor objected. */
static void on_late(struct timer *timer)
{
	struct shaking *k = timer->arg;

	talk_end(&k->dialogue.talk, FAULT_NONE, NULL);
}

static void over(struct dialogue *d)
{
	struct shaking *k = (struct shaking *)d;
	struct stream *s = d->talk.stream;

	if (!stream_tls_asked(s)) {
		talk_end(&d->talk, FAULT_NONE, NULL);
		return;
	}
	stream_finish(s);
	timer_start(d->talk.attempt->tools->loop, &k->timer, END_NS, on_late, k);
	stream_wait(s, REPLY_MAX, never, on_ended, k);
}

static void start(struct attempt *a)
{
	const struct tls_spec *s = a->spec;
	struct shaking *k = mem_new(struct shaking);
	struct dialogue *d = &k->dialogue;

	d->over = over;
	if (s->starttls >= 0) {
		d->n = protocols[s->starttls].n;
		memcpy(d->steps, protocols[s->starttls].steps, d->n * sizeof(*d->steps));
	}
	dialogue_begin(d, a, &s->talk, s->starttls < 0);
}

static void cancel(struct attempt *a)
{
	struct shaking *k = a->data;

	timer_cancel(&k->timer);
	talk_stop(&k->dialogue.talk);
}

static void release(struct attempt *a)
{
	cancel(a);
	free(a->data);
}

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	return talk_measure(a->data, name, ret);
}

static const char *const measurements[] = {TALK_TLS_MEASUREMENTS, NULL};

const struct probe_kind probe_kind_tls = {
	.name = "tls",
	.help = "a TLS handshake: certificate, chain, version; also after STARTTLS",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct tls_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.release = release,
};
