/*
 * metrics_otlp.c - the tally sent by OTLP or as remote write, again and again, a round in pieces.
 *
 * What is sent is cumulative: a round that fails costs nothing but its time, and what is sent after
 * a pause is what is true then. Which answers are tried again soon is OTLP's own list (429, 502,
 * 503, 504, or none at all, with Retry-After), of remote write 429 and all 5xx; any other ends the
 * round.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "tell/metrics_inside.h"

static void send_piece(struct sender *s);

static void end_round(struct sender *s)
{
	s->family = s->at = 0;
	if (!s->draining) {
		otlp_begin(s);
	} else if (s->last) {
		sender_over(s);
	} else {
		s->last = true;
		send_piece(s);
	}
}

static void on_due(struct timer *t)
{
	struct sender *s = t->arg;
	s->family = s->at = 0;
	send_piece(s);
}

static void on_retry(struct timer *t)
{
	send_piece(t->arg);
}

/* {"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "…"}}: it is not sent again. What
 * is rejected 0 is a warning. */
static void otlp_taken(struct sender *s, const struct http_answer *a, size_t points)
{
	json_t *j = a->body.n ? json_parse(a->body, 64u << 10, NULL) : NULL;
	const json_t *partial = json_object_get(j, "partialSuccess");
	const json_t *n = json_object_get(partial, "rejectedDataPoints");
	const char *text = json_string_value(n), *why = json_str(partial, "errorMessage");
	int64_t rejected = json_integer_value(n);
	if (text && !units_parse_int(slice_of(text), &rejected))
		rejected = 0;
	if (rejected < 0)
		rejected = 0;
	if (rejected > (int64_t)points)
		rejected = (int64_t)points;
	s->lost += (uint64_t)rejected;
	s->sent += points - (uint64_t)rejected;
	if (rejected || (why && *why)) {
		char *said = mem_printf("the receiver rejected %lld of %zu points%s%.200s",
			(long long)rejected, points, why && *why ? ": " : "", why ? why : "");
		char *clean = secret_scrubbed(said);
		sender_note_trouble(s, clean);
		free(clean);
		free(said);
	} else {
		sender_note_trouble(s, NULL);
	}
	json_decref(j);
}

static bool is_retryable(const struct sender *s, const struct http_answer *a)
{
	if (s->config.kind == METRICS_REMOTE_WRITE && a->status / 100 == 5)
		return true;
	return a->fault || a->status == 429 || a->status == 502 || a->status == 503 ||
	       a->status == 504;
}

static void on_answer(void *arg, const struct http_answer *a)
{
	const size_t points = ((struct sending *)arg)->points;
	struct sender *s = sending_end(arg);
	if (!s)
		return;
	if (!a->fault && a->status / 100 == 2) {
		if (s->config.kind == METRICS_OTLP) {
			otlp_taken(s, a, points);
		} else {
			s->sent += points;
			sender_note_trouble(s, NULL);
		}
		s->tries = 0;
		s->last_ok_ms = metrics_now_us(s->metrics) / 1000;
		send_piece(s);
		return;
	}
	char *why = metrics_answer_text(a);
	sender_note_trouble(s, why);
	free(why);
	s->failures++;
	if (!is_retryable(s, a) || s->draining) {
		s->lost += s->last ? points : 0;
		end_round(s);
		return;
	}
	/* The whole round anew: what it said is older by then. */
	s->tries++;
	s->family = s->at = 0;
	timer_start(s->metrics->loop, &s->retry, sender_backoff_ns(s, a), on_retry, s);
}

static void send_piece(struct sender *s)
{
	size_t points, n;
	char *body = (s->config.kind == METRICS_OTLP ? otlp_body : remote_body)(
		s->metrics, &s->family, &s->at, &points, &n);
	if (!points) {
		free(body);
		end_round(s);
		return;
	}
	sender_post(s, s->config.url, body, n, points, on_answer);
}

void otlp_begin(struct sender *s)
{
	timer_start(s->metrics->loop, &s->due, s->config.every_ns, on_due, s);
}

/* One last round, in which everything is that is known now; after the one under way. */
void otlp_drain(struct sender *s)
{
	timer_cancel(&s->due);
	timer_cancel(&s->retry);
	if (s->sending)
		return;
	s->last = true;
	timer_start(s->metrics->loop, &s->due, 0, on_due, s);
}
