/*
 * alarm_send.c - one alarm's queue: folding, messages, attempts, giving up.
 *
 * There is at most one message under way. It is made, and so marked as being sent, in one
 * transaction; only then the first attempt begins. The mark that it was taken is durable before
 * the next message is made, or a crash could repeat trouble behind its own end.
 */
#include <string.h>

#include "tell/alarm_inside.h"

#define BACKOFF_MAX_MS (5 * 60 * 1000LL)
#define FORGET_MS      (30 * ALARM_KEEP_MS)

/* --- attempts ----------------------------------------------------------------------------------
 */

struct attempt *attempt_new(struct channel *c, char *body, bool repeats)
{
	struct attempt *t = mem_new(struct attempt);

	t->channel = c;
	t->body = body;
	t->repeats = repeats;
	c->attempt = t;
	return t;
}

struct channel *delivery_end(struct attempt *t)
{
	struct channel *c = t->channel;

	if (c)
		c->attempt = NULL;
	free(t->body);
	free(t);
	return c;
}

static void attempt_abandon(struct attempt *t)
{
	t->channel = NULL;
	if (t->http)
		http_cancel(t->http);
	if (t->mail)
		mail_cancel(t->mail);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void message_free(struct message *m)
{
	if (!m)
		return;
	VEC_EACH (&m->notes, struct note *, n)
		note_free(*n);
	vec_fini(&m->notes);
	free(m);
}

static void on_durable(void *arg)
{
	struct channel *c = arg;

	c->writing = false;
	channel_step(c);
}

static void submit(struct channel *c, struct rows_job *j)
{
	c->writing = true;
	rows_submit(c->alarms->rows, j, on_durable, c);
}

/* The first after quiet goes alone and at once; what came while the fold was open goes together. */
static size_t how_many(const struct channel *c)
{
	size_t n = c->queue.n < ALARM_NOTES_MAX ? c->queue.n : ALARM_NOTES_MAX;

	return c->config.fold_ns && c->queue.p[0]->queued_ms >= c->fold_until_ms ? 1 : n;
}

static void mark_notes(const struct channel *c, struct rows_job *j)
{
	VEC_EACH (&c->message->notes, struct note *, n) {
		struct told *t = told_get(c, (*n)->subject);

		ROWS_ADD(j, "UPDATE alarm_note SET message = ? WHERE alarm = ? AND change = ?",
			FACTS_T(c->message->id), FACTS_T(c->config.name), FACTS_T((*n)->change));
		if (!t || strcmp(t->change, (*n)->change) != 0)
			continue;
		t->sent = true;
		ROWS_ADD(j, "UPDATE alarm_told SET sent = 1 WHERE alarm = ? AND subject = ?",
			FACTS_T(c->config.name), FACTS_T((*n)->subject));
	}
}

static void write_fold(const struct channel *c, struct rows_job *j)
{
	ROWS_ADD(j, "UPDATE alarm SET fold_until = ? WHERE name = ?", FACTS_I(c->fold_until_ms),
		FACTS_T(c->config.name));
}

static void make_message(struct channel *c)
{
	const size_t n = how_many(c);
	const int64_t now = alarm_now_ms(c->alarms);
	struct rows_job *j = rows_job_new();
	struct message *m = mem_new(struct message);

	random_uuid(&random_system, m->id);
	m->made_ms = m->next_ms = now;
	for (size_t i = 0; i < n; i++)
		vec_push(&m->notes, c->queue.p[i]);
	c->queue.n -= n;
	memmove(c->queue.p, c->queue.p + n, c->queue.n * sizeof(*c->queue.p));
	c->message = m;
	ROWS_ADD(j,
		"INSERT INTO alarm_message(id, alarm, state, made, tries, next)"
		" VALUES(?, ?, 'sending', ?, 0, ?)",
		FACTS_T(m->id), FACTS_T(c->config.name), FACTS_I(now), FACTS_I(now));
	mark_notes(c, j);
	if (n == 1 || c->queue.n == 0) { /* what is over the limit follows at once */
		c->fold_until_ms = now + c->config.fold_ns / NS_PER_MS;
		write_fold(c, j);
	}
	submit(c, j);
}

static void send_message(struct channel *c)
{
	switch (c->config.kind) {
	case ALARM_WEBHOOK: alarm_send_webhook(c); break;
	case ALARM_ALERTMANAGER: alarm_send_alertmanager(c); break;
	case ALARM_MAIL: alarm_send_mail(c); break;
	case ALARM_DEADMAN: break;
	}
}

/* --- what is due -------------------------------------------------------------------------------
 */

static void on_timer(struct timer *t)
{
	channel_step(t->arg);
}

/* A wall clock that was set back must not hold up an alarm: no wait is longer than `most`. */
static bool wait_until(struct channel *c, int64_t at_ms, int64_t most_ms)
{
	int64_t left = at_ms - alarm_now_ms(c->alarms);

	if (left <= 0)
		return false;
	timer_start(c->alarms->loop, &c->timer, (left < most_ms ? left : most_ms) * NS_PER_MS,
		on_timer, c);
	return true;
}

void channel_step(struct channel *c)
{
	if (c->attempt || c->writing || c->config.kind == ALARM_DEADMAN)
		return;
	timer_cancel(&c->timer);
	if (c->message) {
		if (!wait_until(c, c->message->next_ms, ALARM_KEEP_MS))
			send_message(c);
		return;
	}
	if (c->queue.n == 0) {
		if (c->config.kind == ALARM_ALERTMANAGER)
			alarm_alertmanager_repeat(c);
		return;
	}
	if (c->fold_until_ms - alarm_now_ms(c->alarms) > c->config.fold_ns / NS_PER_MS)
		c->fold_until_ms = alarm_now_ms(c->alarms);
	if (!wait_until(c, c->fold_until_ms, c->config.fold_ns / NS_PER_MS))
		make_message(c);
}

/* --- how it went -------------------------------------------------------------------------------
 */

void channel_note_trouble(struct channel *c, const char *why)
{
	mem_replace(&c->trouble, why);
}

static char *own_name(const struct channel *c)
{
	return mem_printf("alarm %s", c->config.name);
}

/* The next note about the subject that waits; the queue's n when there is none. */
static size_t next_about(const struct channel *c, const char *subject)
{
	size_t i = 0;

	while (i < c->queue.n && strcmp(c->queue.p[i]->subject, subject) != 0)
		i++;
	return i;
}

static void mark_heard(struct channel *c, struct rows_job *j)
{
	VEC_EACH (&c->message->notes, struct note *, n) {
		const size_t i = next_about(c, (*n)->subject);
		struct told *t = told_get(c, (*n)->subject);

		if (note_is_end(*n))
			continue;
		if (i < c->queue.n) {
			c->queue.p[i]->heard = true;
			ROWS_ADD(j,
				"UPDATE alarm_note SET heard = 1 WHERE alarm = ? AND change = ?",
				FACTS_T(c->config.name), FACTS_T(c->queue.p[i]->change));
		}
		if (t && (i == c->queue.n || !note_is_end(c->queue.p[i]))) {
			t->heard = true;
			ROWS_ADD(j,
				"UPDATE alarm_told SET heard = 1 WHERE alarm = ? AND subject = ?",
				FACTS_T(c->config.name), FACTS_T((*n)->subject));
		}
	}
}

void channel_took(struct channel *c)
{
	const int64_t now = alarm_now_ms(c->alarms);
	struct rows_job *j = rows_job_new();
	char *name = own_name(c);

	c->sent++;
	c->last_ok_ms = now;
	if (c->fold_until_ms < now && c->config.fold_ns) {
		c->fold_until_ms = now; /* what came meanwhile goes together */
		write_fold(c, j);
	}
	mark_heard(c, j);
	ROWS_ADD(j, "UPDATE alarm_message SET state = 'taken', ended = ? WHERE id = ?",
		FACTS_I(now), FACTS_T(c->message->id));
	ROWS_ADD(j,
		"DELETE FROM alarm_note WHERE message IN"
		" (SELECT id FROM alarm_message WHERE alarm = ? AND ended < ?)",
		FACTS_T(c->config.name), FACTS_I(now - FORGET_MS));
	ROWS_ADD(j, "DELETE FROM alarm_message WHERE alarm = ? AND ended < ?",
		FACTS_T(c->config.name), FACTS_I(now - FORGET_MS));
	message_free(c->message);
	c->message = NULL;
	submit(c, j);
	alarm_could_not_run(c->alarms, name, NULL, NULL);
	free(name);
}

/* Trouble of which nothing was ever taken is not told, so its end is no news. */
static void forget_untold(struct channel *c, struct rows_job *j)
{
	VEC_EACH (&c->message->notes, struct note *, n) {
		const size_t i = next_about(c, (*n)->subject);
		const struct told *t = told_get(c, (*n)->subject);

		if ((*n)->heard || note_is_end(*n))
			continue;
		if (i < c->queue.n && note_is_end(c->queue.p[i])) {
			ROWS_ADD(j, "DELETE FROM alarm_note WHERE alarm = ? AND change = ?",
				FACTS_T(c->config.name), FACTS_T(c->queue.p[i]->change));
			note_free(c->queue.p[i]);
			vec_remove(&c->queue, i);
		} else if (t && !strcmp(t->change, (*n)->change)) {
			ROWS_ADD(j, "DELETE FROM alarm_told WHERE alarm = ? AND subject = ?",
				FACTS_T(c->config.name), FACTS_T((*n)->subject));
			told_free(map_remove(&c->told, (*n)->subject));
		}
	}
}

static void give_up(struct channel *c, const char *why)
{
	struct rows_job *j = rows_job_new();
	char *name = own_name(c), *text;

	text = mem_printf("gave up telling %zu change%s: %s", c->message->notes.n,
		c->message->notes.n == 1 ? "" : "s", why);
	channel_note_trouble(c, text);
	ROWS_ADD(j, "UPDATE alarm_message SET state = 'given up', ended = ?, why = ? WHERE id = ?",
		FACTS_I(alarm_now_ms(c->alarms)), FACTS_T(text), FACTS_T(c->message->id));
	if (c->config.kind != ALARM_ALERTMANAGER) /* there alerts are repeated anyway */
		forget_untold(c, j);
	message_free(c->message);
	c->message = NULL;
	submit(c, j);
	alarm_could_not_run(c->alarms, name, NULL, text);
	free(text);
	free(name);
}

static int64_t backoff_ms(unsigned tries)
{
	const int64_t ms = tries > 9 ? BACKOFF_MAX_MS : 1000LL << (tries - 1);

	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void channel_failed(struct channel *c, const char *why, bool permanent, int64_t wait_ms)
{
	struct message *m = c->message;
	const int64_t now = alarm_now_ms(c->alarms);
	const int64_t end = m->notes.n ? m->notes.p[0]->queued_ms + ALARM_KEEP_MS : now;
	struct rows_job *j;

	c->failed++;
	channel_note_trouble(c, why);
	if (permanent || now >= end) {
		give_up(c, why);
		return;
	}
	m->tries++;
	m->next_ms = now + backoff_ms(m->tries);
	if (m->next_ms < now + wait_ms)
		m->next_ms = now + wait_ms;
	if (m->next_ms > end)
		m->next_ms = end;
	j = rows_job_new();
	ROWS_ADD(j, "UPDATE alarm_message SET tries = ?, next = ? WHERE id = ?", FACTS_I(m->tries),
		FACTS_I(m->next_ms), FACTS_T(m->id));
	rows_submit(c->alarms->rows, j, NULL, NULL);
	channel_step(c);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct channel *channel_new(struct alarms *a, const struct alarm *config)
{
	struct channel *c = mem_new(struct channel);

	c->alarms = a;
	alarm_config_copy(&c->config, config);
	return c;
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	timer_cancel(&c->timer);
	timer_cancel(&c->repeat);
	rows_forget(c->alarms->rows, c);
	if (c->attempt)
		attempt_abandon(c->attempt);
	message_free(c->message);
	VEC_EACH (&c->queue, struct note *, n)
		note_free(*n);
	vec_fini(&c->queue);
	MAP_EACH (&c->told, e)
		told_free(e->value);
	map_fini(&c->told);
	alarm_config_fini(&c->config);
	free(c->trouble);
	free(c);
}
