/*
 * house_ask.c - questions: begun on the loop, read by the readers of series and then on the house's
 * thread, ended on the loop. Each is answered exactly once, within 9 s.
 */

#include <string.h>

#include "web/house_inside.h"

static const struct house_question *const questions[] = {&component_question,
	&availability_question, &scenario_question, &run_question, &ledger_question,
	&hosts_question, &calls_question, &evidence_question, &metrics_question, &health_question,
	&graphite_render_question, &graphite_find_question, &graphite_expand_question,
	&graphite_index_question, &graphite_tags_question, &graphite_values_question,
	&graphite_series_question, &graphite_functions_question, &graphite_check_question,
	&explore_question, &event_question, &events_question, &history_question,
	&flags_health_question, &flags_root_question, &flags_info_question, &rules_question};

static void answer(struct house_asked *a, int status)
{
	house_answer *cb = a->answer;
	json_t *doc = status == 200 ? a->doc : NULL;
	if (!cb)
		return;
	a->answer = NULL;
	timer_cancel(&a->deadline);
	if (doc)
		a->doc = NULL;
	cb(a->arg, status, doc);
}

static void forget(struct house_asked *a)
{
	struct house *h = a->house;
	for (struct house_asked **p = h ? &h->asks : NULL; p && *p; p = &(*p)->next)
		if (*p == a) {
			*p = a->next;
			h->ask_count--;
			break;
		}
}

static void asked_free(struct house_asked *a)
{
	forget(a);
	timer_cancel(&a->deadline);
	trends_free(a);
	json_decref(a->args);
	json_decref(a->doc);
	json_decref(a->read);
	json_decref(a->trend_docs);
	if (a->own && a->own_fini)
		a->own_fini(a->own);
	free(a->own);
	free(a);
}

/* Parts that are still under way end it later. */
static void end(struct house_asked *a)
{
	if (a->house && a->answer)
		answer(a, a->err.kind ? 503 : a->question->end(a));
	else
		answer(a, 503);
	asked_free(a);
}

static void read_work(struct worker_job *job, unsigned thread)
{
	struct house_asked *a = (struct house_asked *)job;
	a->trend_docs = json_array();
	VEC_EACH (&a->trends, struct house_trend *, t)
		json_array_append_new(a->trend_docs, trend_json(*t));
	if (!a->question->read(a) && !a->err.kind)
		error_set(&a->err, ERROR_STORE, "it could not be read");
}

static void read_done(struct worker_job *job)
{
	end((struct house_asked *)job);
}

/* The worker comes last: it makes documents of what was read, which is too long for the loop. */
void asked_part_done(struct house_asked *a)
{
	if (--a->parts_due > 0)
		return;
	if (a->house && a->answer && a->question->read)
		worker_submit(a->house->worker, &a->job);
	else
		end(a);
}

static void on_deadline(struct timer *t)
{
	answer(t->arg, 503); /* its parts end it */
}

static const struct house_question *question_named(const char *what)
{
	for (size_t i = 0; i < array_len(questions); i++)
		if (!strcmp(questions[i]->name, what))
			return questions[i];
	return NULL;
}

static struct house_asked *asked_new(
	struct house *h, const struct house_question *q, const json_t *args, enum audience audience)
{
	struct house_asked *a = mem_new(struct house_asked);
	a->house = h;
	a->facts = h->facts;
	a->question = q;
	a->args = args ? json_deep_copy(args) : json_object();
	a->operators = audience == AUDIENCE_OPERATORS;
	a->now_ms = house_now_ms(h);
	trend_begin(a);
	a->job.work = read_work;
	a->job.done = read_done;
	a->next = h->asks;
	h->asks = a;
	h->ask_count++;
	return a;
}

void house_ask(struct house *h, const char *what, const json_t *args, enum audience audience,
	house_answer *cb, void *arg)
{
	const struct house_question *q = question_named(what);
	const bool may = q && (!q->operators_only || audience == AUDIENCE_OPERATORS);
	if (!may || h->ask_count >= HOUSE_ASKS) {
		cb(arg, may ? 503 : 404, NULL);
		return;
	}
	struct house_asked *a = asked_new(h, q, args, audience);
	a->answer = cb;
	a->arg = arg;
	a->parts_due = 1; /* ours, until all is begun */
	const int status = q->begin(a);
	if (status)
		answer(a, status);
	else
		timer_start(h->loop, &a->deadline, HOUSE_ANSWER_NS, on_deadline, a);
	asked_part_done(a);
}

/* Their parts end them: readings when the worker settles, series when they are read or closed. */
void asks_end(struct house *h)
{
	while (h->asks) {
		struct house_asked *a = h->asks;
		forget(a);
		a->house = NULL;
		answer(a, 503);
		if (a->figures) {
			figures_cancel(a->figures);
		} else if (timer_running(&a->turn)) {
			timer_cancel(&a->turn);
			asked_part_done(a);
		}
	}
}
