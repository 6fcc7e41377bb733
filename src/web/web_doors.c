/*
 * web_doors.c - what goes through the doors, on the house's side: what is published, and questions
 * to whom they are for.
 *
 * Documents become bytes on a thread of their own: a large one would stop the loop. A question
 * belongs to one life of the serving half; what is answered after its end is dropped.
 */

#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "web/web_inside.h"

#define ANSWERS_MAX   2048
#define ARGUMENTS_MAX (256u << 10)      /* alerts; 5 ms of reading */
#define WORDS_NS      (100 * NS_PER_MS) /* between two lines it may have in our log */

/* --- to the serving half -------------------------------------------------------------------------
 */

void web_send_setup(struct web *w)
{
	char *hex = w->has_token ? hex_encode(w->token, sizeof(w->token)) : NULL;
	json_t *setup = json_pack("{s:b, s:s?, s:O?}", "need_token", w->need_token, "intake_token",
		hex, "outposts", w->outposts);
	char *text = json_text(setup);
	door_send(w->door, &(struct door_frame){.kind = DOOR_SETUP, .body = slice_of(text)});
	free(text);
	free(hex);
	json_decref(setup);
}

void web_send_site(struct web *w, enum audience audience)
{
	if (w->door && w->sites[audience].n)
		door_send(w->door, &(struct door_frame){.kind = DOOR_SITE,
					   .audience = audience,
					   .body = buf_slice(&w->sites[audience])});
}

/* --- documents become bytes ----------------------------------------------------------------------
 */

struct writing {
	struct worker_job job; /* first */
	struct web *web;
	json_t *document;
	char *probes; /* a member of it, as text; NULL: none */
	struct buf bytes;
	enum audience audience;    /* of a site, when there is no answer */
	struct web_answer *answer; /* or NULL */
	int status;
};

static void on_write(struct worker_job *j, unsigned thread)
{
	struct writing *w = (struct writing *)j;
	json_write(&w->bytes, w->document);
	if (!w->probes || w->bytes.over)
		return;
	buf_cut(&w->bytes, w->bytes.n - 1); /* its brace */
	buf_printf(&w->bytes, ",\"probes\":%s}", w->probes);
}

static void answer_free(struct web_answer *a)
{
	struct web *w = a->web;
	if (w) {
		if (a->prev)
			a->prev->next = a->next;
		else
			w->answers = a->next;
		if (a->next)
			a->next->prev = a->prev;
		w->answer_count--;
	}
	free(a);
}

/* Ends the question. */
static void send_answer(struct web_answer *a, int status, struct slice body)
{
	struct web *w = a->web;
	if (w && w->door && a->life == w->life)
		door_send(w->door,
			&(struct door_frame){
				.kind = DOOR_ANSWER, .id = a->id, .status = status, .body = body});
	answer_free(a);
}

static void on_wrote(struct worker_job *j)
{
	struct writing *d = (struct writing *)j;
	struct web *w = d->web;
	json_decref(d->document);
	if (d->bytes.over)
		log_event(LOG_ERROR, "web_document_too_large", "limit", "%u", DOOR_BODY_MAX, NULL);
	if (d->answer) {
		if (d->bytes.over)
			send_answer(d->answer, 500, SLICE(""));
		else
			send_answer(d->answer, 200, buf_slice(&d->bytes));
	} else if (!d->bytes.over) {
		buf_fini(&w->sites[d->audience]);
		w->sites[d->audience] = d->bytes;
		d->bytes = (struct buf){0};
		web_send_site(w, d->audience);
	}
	buf_fini(&d->bytes);
	free(d->probes);
	free(d);
}

static struct writing *writing_new(struct web *w, json_t *document)
{
	struct writing *d = mem_new(struct writing);
	d->web = w;
	d->document = document;
	buf_init(&d->bytes, DOOR_BODY_MAX);
	d->job.work = on_write;
	d->job.done = on_wrote;
	return d;
}

void web_publish(struct web *w, enum audience audience, json_t *site, const char *probes)
{
	struct writing *d = writing_new(w, site);
	d->audience = audience;
	d->probes = mem_strdup(probes);
	worker_submit(w->worker, &d->job);
}

void web_answer(struct web_answer *a, int status, json_t *document)
{
	if (a->web && status == 200 && document) {
		struct writing *d = writing_new(a->web, document);
		d->answer = a;
		worker_submit(a->web->worker, &d->job);
		return;
	}
	send_answer(a, status == 200 ? 500 : status, SLICE(""));
	json_decref(document);
}

/* --- from the serving half -----------------------------------------------------------------------
 */

/* --- points and parcels --------------------------------------------------------------------------
 */

struct decoding {              /* on the worker: a large batch would stop the loop */
	struct worker_job job; /* first */
	struct web *web;
	struct web_answer *answer;
	struct buf bytes;
	char *source;
	struct bad_lines bad;
	struct points *points;
	struct parcel *parcel;
	struct error err;
};

static void on_decode(struct worker_job *j, unsigned thread)
{
	struct decoding *d = (struct decoding *)j;
	d->points = points_decode(buf_slice(&d->bytes), &d->err);
}

static void on_decoded(struct worker_job *j)
{
	struct decoding *d = (struct decoding *)j;
	if (!d->points || !d->web->house.points) {
		web_answer(d->answer, 400, NULL);
		points_free(d->points);
	} else {
		d->web->house.points(d->web->house.arg, d->source, d->points, &d->bad, d->answer);
	}
	buf_fini(&d->bytes);
	free(d->source);
	free(d);
}

static void on_unpack(struct worker_job *j, unsigned thread)
{
	struct decoding *d = (struct decoding *)j;
	d->parcel = parcel_read(buf_slice(&d->bytes), &d->err);
}

static void on_unpacked(struct worker_job *j)
{
	struct decoding *d = (struct decoding *)j;
	if (!d->parcel || !d->web->house.parcel) {
		web_answer(d->answer, 400, NULL);
		parcel_free(d->parcel);
	} else {
		d->web->house.parcel(d->web->house.arg, d->source, d->parcel, d->answer);
	}
	buf_fini(&d->bytes);
	free(d->source);
	free(d);
}

static void take_batch(struct web *w, const struct door_frame *f, struct web_answer *a)
{
	struct decoding *d = mem_new(struct decoding);
	d->web = w;
	d->answer = a;
	d->source = slice_dup(f->kind == DOOR_POINTS ? f->name : f->who);
	d->bad.n = (uint64_t)f->status;
	snprintf(d->bad.first, sizeof(d->bad.first), "%.*s", SLICE_ARG(f->who));
	buf_init(&d->bytes, DOOR_BODY_MAX);
	buf_add_slice(&d->bytes, f->body);
	d->job.work = f->kind == DOOR_POINTS ? on_decode : on_unpack;
	d->job.done = f->kind == DOOR_POINTS ? on_decoded : on_unpacked;
	worker_submit(w->worker, &d->job);
}

static void take_question(struct web *w, const struct door_frame *f)
{
	struct error err;
	struct web_answer *a = mem_new(struct web_answer);
	a->web = w;
	a->life = w->life;
	a->id = f->id;
	a->next = w->answers;
	if (a->next)
		a->next->prev = a;
	w->answers = a;
	w->answer_count++;
	const bool batch = f->kind == DOOR_POINTS || f->kind == DOOR_PARCEL;
	if (batch && w->answer_count <= ANSWERS_MAX) {
		take_batch(w, f, a);
		return;
	}
	json_t *args = json_parse(f->body, ARGUMENTS_MAX, &err);
	char *name = slice_dup(f->name), *who = slice_dup(f->who);
	if (w->answer_count > ANSWERS_MAX)
		send_answer(a, 503, SLICE(""));
	else if (!json_is_object(args))
		send_answer(a, 400, SLICE(""));
	else if (f->kind == DOOR_QUERY)
		w->house.query(w->house.arg, name, args, f->audience, a);
	else
		w->house.command(w->house.arg, name, args, who, a);
	free(name);
	free(who);
	json_decref(args);
}

static void take_word(struct web *w, const struct door_frame *f)
{
	struct error err;
	json_t *details = json_parse(f->body, ARGUMENTS_MAX, &err);
	const char *why = json_str(details, "why");
	char *what = mem_printf("web_%.*s", (int)(f->name.n < 40 ? f->name.n : 40), f->name.p);
	if (slice_is(f->name, "serving")) {
		w->serving = true;
		timer_cancel(&w->late);
		json_decref(w->isolation);
		w->isolation = json_incref(details);
		log_event(LOG_INFO, what, "pid", "%d", w->child.pid, NULL);
	}
	const int64_t now = loop_now_ns(w->loop);
	if (why && why[0] && now >= w->heard_ns + WORDS_NS) {
		w->heard_ns = now;
		log_event(LOG_WARN, "web_trouble", "said", "%s", what, "why", "%s", why, NULL);
	}
	free(what);
	json_decref(details);
}

void web_take_frame(struct web *w, const struct door_frame *f)
{
	if (f->kind == DOOR_QUERY || f->kind == DOOR_COMMAND || f->kind == DOOR_POINTS ||
		f->kind == DOOR_PARCEL)
		take_question(w, f);
	else if (f->kind == DOOR_SAY)
		take_word(w, f);
}
