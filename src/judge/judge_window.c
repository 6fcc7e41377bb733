/*
 * judge_window.c - declared work: within which window a component lies, and when that changes.
 *
 * The windows that are given reach into the past and the future; nothing is kept of them but what
 * the verdicts' rows and the seconds of the days say.
 */

#include <string.h>

#include "judge/judge_inside.h"

static void windows_fini(struct judge *j)
{
	VEC_EACH (&j->windows, struct window, w) {
		free(w->component);
		free(w->event);
		free(w->probe);
	}
	vec_fini(&j->windows);
}

void judge_windows(struct judge *j, const struct judge_window *w, size_t n)
{
	const int64_t now_ms = judge_now_ms(j);
	/* what has passed was not within the new ones */
	VEC_EACH (&j->components, struct judged *, c)
		days_count(*c, now_ms);
	windows_fini(j);
	for (size_t i = 0; i < n; i++)
		if (w[i].from_ms < w[i].to_ms)
			vec_push(&j->windows,
				((struct window){mem_strdup(w[i].component),
					mem_strdup(w[i].event ? w[i].event : ""),
					mem_strdup(w[i].probe), w[i].from_ms, w[i].to_ms}));
	VEC_EACH (&j->components, struct judged *, c)
		judge_again(*c);
}

void windows_end(struct judge *j)
{
	windows_fini(j);
}

static bool is_its(const struct window *w, const struct judged *c)
{
	return w->component ? !strcmp(w->component, c->id) : !w->probe;
}

static bool lasts(const struct window *w, int64_t at_ms)
{
	return w->from_ms <= at_ms && at_ms < w->to_ms;
}

const char *window_at(const struct judged *c, int64_t at_ms)
{
	const char *event = NULL;
	VEC_EACH (&c->judge->windows, struct window, w) {
		if (!lasts(w, at_ms) || !is_its(w, c))
			continue;
		if (*w->event) /* one that customers were told of says it better */
			return w->event;
		event = w->event;
	}
	return event;
}

int64_t window_next_ms(const struct judged *c, int64_t after_ms)
{
	int64_t next = INT64_MAX;
	VEC_EACH (&c->judge->windows, struct window, w) {
		if (!is_its(w, c))
			continue;
		if (w->from_ms > after_ms && w->from_ms < next)
			next = w->from_ms;
		if (w->to_ms > after_ms && w->to_ms < next)
			next = w->to_ms;
	}
	return next;
}

static bool is_of(const struct window *w, const char *probe, int64_t at_ms)
{
	return w->probe && !strcmp(w->probe, probe) && lasts(w, at_ms);
}

void judge_worked_on(const struct judge *j,
	void (*cb)(void *arg, const char *probe, const char *event), void *arg)
{
	const int64_t now_ms = judge_now_ms(j);
	for (size_t i = 0; i < j->windows.n; i++) {
		const struct window *w = &j->windows.p[i];
		const char *event = w->event;
		bool told = !w->probe || !lasts(w, now_ms);
		for (size_t k = 0; k < i && !told; k++)
			told = is_of(&j->windows.p[k], w->probe, now_ms);
		for (size_t k = i + 1; k < j->windows.n && !told && !*event; k++)
			if (is_of(&j->windows.p[k], w->probe, now_ms))
				event = j->windows.p[k].event;
		if (!told)
			cb(arg, w->probe, event);
	}
}
