/*
 * alarm_deadman.c - a sign of life to a service that raises the alarm when it stays away.
 *
 * It goes out only while we observe and store, so that it never says more than is true. One that
 * fails is tried again soon, not only when the next is due.
 */
#include "tell/alarm_inside.h"

#define AGAIN_NS (10 * NS_PER_S)

static void on_beat(struct timer *t)
{
	alarm_deadman_beat(t->arg);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct channel *c = delivery_end(arg);
	bool permanent;
	int64_t wait_ms, next_ns;
	char *trouble;

	if (!c)
		return;
	trouble = alarm_answer_trouble(c->alarms, answer, &permanent, &wait_ms);
	next_ns = c->config.every_ns;
	if (trouble) {
		c->failed++;
		if (next_ns > AGAIN_NS)
			next_ns = AGAIN_NS;
	} else {
		c->sent++;
		c->last_ok_ms = alarm_now_ms(c->alarms);
	}
	channel_note_trouble(c, trouble);
	free(trouble);
	if (c->alarms->alive)
		timer_start(c->alarms->loop, &c->repeat, next_ns, on_beat, c);
}

void alarm_deadman_beat(struct channel *c)
{
	if (!c->alarms->alive) {
		timer_cancel(&c->repeat);
		return;
	}
	if (c->attempt || timer_running(&c->repeat))
		return; /* the next is on its way */
	alarm_post(c, c->config.url, NULL, NULL, true, on_answer);
}
