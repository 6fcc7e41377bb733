/*
 * dialogue.c - see dialogue.h.
 */

#include "observe/probe/dialogue.h"

#include <stdio.h>

static void next(struct dialogue *d);

static void on_open(void *arg, enum fault fault)
{
	struct dialogue *d = arg;

	if (fault != FAULT_NONE)
		talk_end_broken(&d->talk, fault, NULL);
	else
		next(d);
}

static void after_good(struct dialogue *d)
{
	char detail[160] = "";
	const bool then_tls = d->steps[d->at].then_tls;

	if (d->heard && !d->heard(d, detail, sizeof(detail))) {
		talk_end(&d->talk, FAULT_EXPECTATION, "%s", detail);
		return;
	}
	stream_take(d->talk.stream, d->reply.n);
	d->at++;
	if (then_tls)
		stream_start_tls(d->talk.stream, on_open, d);
	else
		next(d);
}

static void on_reply(void *arg, enum fault fault)
{
	struct dialogue *d = arg;
	const char *what = d->steps[d->at].what;
	const struct slice got = stream_got(d->talk.stream);
	char quoted[TALK_QUOTED];

	d->talk.attempt->status = d->reply.code;
	if (fault != FAULT_NONE && got.n)
		talk_end(&d->talk, fault, "%s: %s; it began %s", what,
			stream_detail(d->talk.stream), talk_quoted(got, quoted));
	else if (fault != FAULT_NONE)
		talk_end_broken(&d->talk, fault, what);
	else if (d->state == REPLY_GOOD)
		after_good(d);
	else if (d->state == REPLY_BAD)
		talk_end(&d->talk, d->reply.code / 100 == 4 ? FAULT_HTTP_503 : FAULT_EXPECTATION,
			"%s: the server refuses: %s", what, talk_quoted(d->reply.text, quoted));
	else
		talk_end(&d->talk, FAULT_PROTOCOL, "%s is not what the protocol allows: %s", what,
			talk_quoted(got, quoted));
}

static bool is_whole(void *arg, struct slice got)
{
	struct dialogue *d = arg;

	d->state = d->steps[d->at].read(got, &d->reply);
	return d->state != REPLY_MORE;
}

static void next(struct dialogue *d)
{
	if (d->at == d->n) {
		d->over(d);
		return;
	}
	const struct dialogue_step *s = &d->steps[d->at];
	stream_send(d->talk.stream, s->send.p, s->send.n);
	stream_wait(d->talk.stream, REPLY_MAX, is_whole, on_reply, d);
}

void dialogue_begin(struct dialogue *d, struct attempt *a, const struct talk_spec *s, bool tls)
{
	talk_open(&d->talk, a, s, tls, on_open, d);
}
