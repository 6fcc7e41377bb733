/*
 * tcp.c - kind tcp: a connection, and a talk over it step by step.
 *
 * A step expects (a regular expression in what came since the last match), sends, or starts TLS.
 * What it sends may hold ${1} to ${9}, the groups of the last match.
 */

#include <stdio.h>
#include <string.h>

#include "observe/probe/talk.h"
#include "text/regex.h"

#define STEPS_MAX  50
#define SEND_MAX   (16 << 10)
#define OUTPUT_MAX (64u << 10)

struct step { /* exactly one of them */
	char *pattern;
	struct regex *expect;
	char *send;
	bool starttls;
};

struct tcp_spec {
	struct talk_spec talk; /* first */
	bool tls;
	const struct yaml *list; /* while it is read */
	struct step *steps;
	size_t n;
};

static const struct key keys[] = {
	TALK_TO(struct tcp_spec),
	TALK_TLS(struct tcp_spec),
	{"tls", KEY_BOOL, offsetof(struct tcp_spec, tls)},
	{"talk", KEY_LIST, offsetof(struct tcp_spec, list)},
};

static void defaults(void *into)
{
	struct tcp_spec *s = into;

	s->talk.verify = true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_expect(struct probe_reader *r, const struct yaml *y, struct step *into)
{
	struct error err = {0};

	into->expect = regex_new(y->text, &err);
	if (!into->expect)
		probe_wrong(r, y, "%s", err.msg);
	into->pattern = slice_dup(y->text);
	return into->expect;
}

static bool read_step(struct probe_reader *r, const struct yaml *y, struct step *into)
{
	const bool one = y->kind == YAML_MAP && y->n == 1 && y->items[0]->kind == YAML_SCALAR;
	const struct slice key = one ? y->keys[0]->text : (struct slice){0};

	if (slice_is(key, "expect"))
		return read_expect(r, y->items[0], into);
	if (slice_is(key, "send") && y->items[0]->text.n <= SEND_MAX) {
		into->send = slice_dup(y->items[0]->text);
		return true;
	}
	if (slice_is(key, "starttls") && yaml_bool(y->items[0], &into->starttls) && into->starttls)
		return true;
	probe_wrong(r, y,
		"a step of talk is {expect: REGULAR EXPRESSION}, {send: TEXT} (at most %d bytes) or {starttls: true}",
		SEND_MAX);
	return false;
}

static bool read_talk(struct tcp_spec *s, struct probe_reader *r)
{
	bool good = true, tls = s->tls;

	if (s->list->n > STEPS_MAX) {
		probe_wrong(r, s->list, "talk has at most %d steps", STEPS_MAX);
		return false;
	}
	s->steps = mem_new_array(s->list->n + 1, sizeof(*s->steps));
	for (size_t i = 0; i < s->list->n; i++) {
		struct step *into = &s->steps[s->n++];
		good = read_step(r, s->list->items[i], into) && good;
		if (into->starttls && tls) {
			probe_wrong(r, s->list->items[i], "it is in TLS already");
			good = false;
		}
		tls = tls || into->starttls;
	}
	return good;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct tcp_spec *s = spec;
	const bool target = talk_read_target(&s->talk, at, r, 0, out);
	const bool tls = talk_read_tls(&s->talk, at, r, NULL);

	return (!s->list || read_talk(s, r)) && target && tls;
}

static void fini(void *spec)
{
	struct tcp_spec *s = spec;

	for (size_t i = 0; i < s->n; i++) {
		free(s->steps[i].pattern);
		regex_free(s->steps[i].expect);
		free(s->steps[i].send);
	}
	free(s->steps);
	talk_fini(&s->talk);
}

/* --- talking -----------------------------------------------------------------------------------
 */

struct talking {
	struct talk talk; /* first */
	size_t at;
	struct buf output;
	char *groups[REGEX_GROUPS]; /* of the last match; NULL: none */
	size_t whole_n;             /* bytes up to the end of the match */
	bool endless;
};

static void next(struct talking *k);

/* ${1} to ${9} are groups; everything else is sent as it is. */
static void fill_in(const struct talking *k, const char *send, struct buf *out)
{
	while (*send) {
		const bool group = send[0] == '$' && send[1] == '{' && send[2] >= '1' &&
				   send[2] <= '9' && send[3] == '}';
		if (group && k->groups[send[2] - '0'])
			buf_add_str(out, k->groups[send[2] - '0']);
		if (!group)
			buf_add_char(out, *send);
		send += group ? 4 : 1;
	}
}

static bool matches(void *arg, struct slice got)
{
	struct talking *k = arg;
	const struct tcp_spec *s = k->talk.attempt->spec;
	struct slice groups[REGEX_GROUPS];
	const enum regex_result found = regex_find(s->steps[k->at].expect, got, groups);

	k->endless = found == REGEX_ENDLESS;
	if (found != REGEX_FOUND)
		return k->endless;
	for (size_t i = 0; i < REGEX_GROUPS; i++) {
		free(k->groups[i]);
		k->groups[i] = slice_dup(groups[i]);
	}
	k->whole_n = (size_t)(groups[0].p - got.p) + groups[0].n;
	return true;
}

/* Something came, and it was not what it should be: that says more than how the wait ended. */
static void end_unmatched(struct talking *k, enum fault fault)
{
	const struct tcp_spec *s = k->talk.attempt->spec;
	const struct slice got = stream_got(k->talk.stream);
	const char *pattern = s->steps[k->at].pattern;
	char quoted[TALK_QUOTED];

	buf_add_slice(&k->output, got);
	if (fault == FAULT_NONE)
		talk_end(&k->talk, FAULT_CONFIGURATION,
			"step %zu: the expression %.60s takes too long over what came", k->at + 1,
			pattern);
	else if (got.n && (fault == FAULT_TIMEOUT || fault == FAULT_CONNECTION_LOST))
		talk_end(&k->talk, FAULT_EXPECTATION, "step %zu: expected %.60s, came %s",
			k->at + 1, pattern, talk_quoted(got, quoted));
	else
		talk_end(&k->talk, fault, "step %zu: expected %.60s: %s", k->at + 1, pattern,
			stream_detail(k->talk.stream));
}

static void on_answer(void *arg, enum fault fault)
{
	struct talking *k = arg;

	if (fault != FAULT_NONE || k->endless) {
		end_unmatched(k, fault);
		return;
	}
	buf_add_slice(&k->output, slice_sub(stream_got(k->talk.stream), 0, k->whole_n));
	stream_take(k->talk.stream, k->whole_n);
	k->at++;
	next(k);
}

static void on_tls(void *arg, enum fault fault)
{
	struct talking *k = arg;

	if (fault != FAULT_NONE) {
		talk_end_broken(&k->talk, fault, NULL);
		return;
	}
	k->at++;
	next(k);
}

static void on_open(void *arg, enum fault fault)
{
	struct talking *k = arg;

	if (fault != FAULT_NONE)
		talk_end_broken(&k->talk, fault, NULL);
	else
		next(k);
}

static bool has_all(void *arg, struct slice got)
{
	return true;
}

static void on_sent(void *arg, enum fault fault)
{
	struct talking *k = arg;

	if (fault != FAULT_NONE) {
		talk_end_broken(&k->talk, fault, "sending");
		return;
	}
	buf_add_slice(&k->output, stream_got(k->talk.stream));
	talk_end(&k->talk, FAULT_NONE, NULL);
}

static void next(struct talking *k)
{
	const struct tcp_spec *s = k->talk.attempt->spec;

	for (; k->at < s->n && s->steps[k->at].send; k->at++) {
		struct buf text = BUF(STREAM_SEND_MAX);
		fill_in(k, s->steps[k->at].send, &text);
		stream_send(k->talk.stream, buf_str(&text), text.n);
		buf_fini(&text);
	}
	if (k->at == s->n)
		stream_wait(k->talk.stream, OUTPUT_MAX, has_all, on_sent, k);
	else if (s->steps[k->at].starttls)
		stream_start_tls(k->talk.stream, on_tls, k);
	else
		stream_wait(k->talk.stream, OUTPUT_MAX, matches, on_answer, k);
}

static void start(struct attempt *a)
{
	const struct tcp_spec *s = a->spec;
	struct talking *k = mem_new(struct talking);

	buf_init(&k->output, (size_t)2 * OUTPUT_MAX);
	talk_open(&k->talk, a, &s->talk, s->tls, on_open, k);
}

static void release(struct attempt *a)
{
	struct talking *k = a->data;

	talk_stop(&k->talk);
	for (size_t i = 0; i < REGEX_GROUPS; i++)
		free(k->groups[i]);
	buf_fini(&k->output);
	free(k);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"OUTPUT", "CERTIFICATE_EXPIRATION", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct talking *k = a->data;

	if (!slice_is(name, "OUTPUT"))
		return talk_measure(&k->talk, name, ret);
	if (!a->connected)
		return false;
	*ret = talk_text(buf_slice(&k->output));
	return true;
}

const struct probe_kind probe_kind_tcp = {
	.name = "tcp",
	.help = "a TCP connection, and a talk over it: expect, send, STARTTLS",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct tcp_spec),
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
