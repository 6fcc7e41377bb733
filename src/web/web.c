/*
 * web.c - the house's side of the doors: keeps the serving half running, hands it what is
 * published, and questions to whom they are for; see web.h.
 *
 * Documents become bytes on a thread of their own: a large one would stop the loop. A question
 * belongs to one life of the serving half; what is answered after its end is dropped.
 */

#include "web/web.h"

#include <assert.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "net/http_server.h"
#include "store/worker.h"
#include "web/page.h"
#include "web/web_inside.h"

#define CONNECTIONS   10000
#define DESCRIPTORS   512 /* for everything else */
#define ANSWERS_MAX   2048
#define ARGUMENTS_MAX (64u << 10)
#define PAUSE_MIN_NS  (100 * NS_PER_MS)
#define PAUSE_MAX_NS  (30 * NS_PER_S)
#define STEADY_NS     (60 * NS_PER_S) /* who ran so long is started again at once */

enum { SITES = AUDIENCE_PUBLIC + 1 };

struct web_answer {
	struct web_answer *next, *prev;
	struct web *web; /* NULL: its house is closed */
	unsigned life;   /* of the serving half that asked */
	uint32_t id;
};

struct web {
	struct loop *loop;
	struct web_options o;
	struct web_house house;
	int public_fds[SERVE_THREADS_MAX], intake_fds[SERVE_THREADS_MAX];
	bool need_token, has_token;
	bool has_pages; /* page_init() was for us: the serving half is threads */
	uint8_t token[SHA256_BYTES];
	struct child child;
	struct door *door; /* NULL: between two lives */
	unsigned life;
	bool serving;
	json_t *isolation;
	int64_t started_ns, pause_ns;
	struct timer restart;
	struct worker *worker;
	struct buf sites[SITES]; /* the newest of each audience; empty: none yet */
	struct web_answer *answers;
	unsigned answer_count;
};

/* --- to the serving half -------------------------------------------------------------------------
 */

static void send_setup(struct web *w)
{
	char *hex = w->has_token ? hex_encode(w->token, sizeof(w->token)) : NULL;
	json_t *setup = json_pack("{s:b, s:s?}", "need_token", w->need_token, "intake_token", hex);
	char *text = json_text(setup);
	door_send(w->door, &(struct door_frame){.kind = DOOR_SETUP, .body = slice_of(text)});
	free(text);
	free(hex);
	json_decref(setup);
}

static void send_site(struct web *w, enum audience audience)
{
	if (w->door && w->sites[audience].n)
		door_send(w->door, &(struct door_frame){.kind = DOOR_SITE,
					   .audience = audience,
					   .body = buf_slice(&w->sites[audience])});
}

void web_set_token(struct web *w, const struct secret *token)
{
	w->has_token = w->need_token = true;
	digest_sha256(secret_reveal(token), secret_length(token), w->token);
	if (w->door)
		send_setup(w);
}

/* --- documents become bytes ----------------------------------------------------------------------
 */

struct writing {
	struct worker_job job; /* first */
	struct web *web;
	json_t *document;
	struct buf bytes;
	enum audience audience;    /* of a site, when there is no answer */
	struct web_answer *answer; /* or NULL */
	int status;
};

static void on_write(struct worker_job *j, unsigned thread)
{
	struct writing *w = (struct writing *)j;
	json_write(&w->bytes, w->document);
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
		send_site(w, d->audience);
	}
	buf_fini(&d->bytes);
	free(d);
}

static void write_document(
	struct web *w, json_t *document, enum audience audience, struct web_answer *answer)
{
	struct writing *d = mem_new(struct writing);
	d->web = w;
	d->document = document;
	d->audience = audience;
	d->answer = answer;
	buf_init(&d->bytes, DOOR_BODY_MAX);
	d->job.work = on_write;
	d->job.done = on_wrote;
	worker_submit(w->worker, &d->job);
}

void web_publish(struct web *w, enum audience audience, json_t *site)
{
	write_document(w, site, audience, NULL);
}

void web_answer(struct web_answer *a, int status, json_t *document)
{
	if (a->web && status == 200 && document) {
		write_document(a->web, document, AUDIENCE_OPERATORS, a);
		return;
	}
	send_answer(a, status == 200 ? 500 : status, SLICE(""));
	json_decref(document);
}

/* --- from the serving half -----------------------------------------------------------------------
 */

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
		json_decref(w->isolation);
		w->isolation = json_incref(details);
		log_event(LOG_INFO, what, "pid", "%d", w->child.pid, NULL);
	}
	if (why && why[0])
		log_event(LOG_WARN, "web_trouble", "said", "%s", what, "why", "%s", why, NULL);
	free(what);
	json_decref(details);
}

static void on_frame(void *arg, const struct door_frame *f)
{
	struct web *w = arg;
	if (f->kind == DOOR_QUERY || f->kind == DOOR_COMMAND)
		take_question(w, f);
	else if (f->kind == DOOR_SAY)
		take_word(w, f);
}

/* --- its lives -----------------------------------------------------------------------------------
 */

static bool start(struct web *w, struct error *err);

static void on_restart(struct timer *t)
{
	struct web *w = t->arg;
	struct error err = {0};
	if (start(w, &err))
		return;
	log_event(LOG_ERROR, "web_not_started", "why", "%s", err.msg, NULL);
	w->pause_ns = w->pause_ns * 2 < PAUSE_MAX_NS ? w->pause_ns * 2 : PAUSE_MAX_NS;
	timer_start(w->loop, &w->restart, w->pause_ns, on_restart, w);
}

static void on_ended(void *arg, const struct error *err)
{
	struct web *w = arg;
	const bool steady = loop_now_ns(w->loop) - w->started_ns >= STEADY_NS;
	door_free(w->door);
	w->door = NULL;
	child_end(&w->child);
	w->serving = false;
	w->pause_ns = steady || !w->pause_ns ? PAUSE_MIN_NS : w->pause_ns * 2;
	if (w->pause_ns > PAUSE_MAX_NS)
		w->pause_ns = PAUSE_MAX_NS;
	log_event(LOG_ERROR, "web_ended", "why", "%s", err->msg, "again_in_ms", "%lld",
		(long long)(w->pause_ns / NS_PER_MS), NULL);
	timer_start(w->loop, &w->restart, w->pause_ns, on_restart, w);
}

static bool start(struct web *w, struct error *err)
{
	const struct serve_options o = {
		.public_fds = w->o.public_address ? w->public_fds : NULL,
		.intake_fds = w->o.intake_address ? w->intake_fds : NULL,
		.threads = w->o.threads,
		.connections = w->o.connections,
		.isolate = w->o.isolate,
	};
	const int fd = child_start(&w->child, &o, err);
	if (fd < 0)
		return false;
	w->door = door_new(w->loop, fd,
		&(struct door_options){.frame = on_frame, .ended = on_ended, .arg = w}, err);
	if (!w->door) {
		child_end(&w->child);
		return false;
	}
	w->life++;
	w->started_ns = loop_now_ns(w->loop);
	send_setup(w);
	for (int a = 0; a < SITES; a++)
		send_site(w, (enum audience)a);
	return true;
}

/* --- opening -------------------------------------------------------------------------------------
 */

/* Sockets that share an address would share it with another program's too, so whether it is free
 * is asked with one that does not. */
static bool open_listeners(const char *address, int *fds, unsigned n, struct error *err)
{
	if (!address)
		return true;
	const int first = http_listen(address, false, err);
	if (first < 0)
		return false;
	if (n == 1) {
		fds[0] = first;
		return true;
	}
	char *exact = mem_printf("%.*s:%u", (int)(strrchr(address, ':') - address), address,
		http_listener_port(first));
	close(first);
	bool good = true;
	for (unsigned i = 0; i < n && good; i++) {
		fds[i] = http_listen(exact, true, err);
		good = fds[i] >= 0;
	}
	free(exact);
	return good;
}

/* As many descriptors as the connections need; as many connections as there can be descriptors. */
static void fit_descriptors(struct web_options *o)
{
	const unsigned listeners = (o->public_address != NULL) + (o->intake_address != NULL);
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	const rlim_t wanted = (rlim_t)o->connections * listeners + DESCRIPTORS;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < wanted && listeners)
		o->connections = limit.rlim_cur > 2 * DESCRIPTORS
					 ? (unsigned)((limit.rlim_cur - DESCRIPTORS) / listeners)
					 : DESCRIPTORS / listeners;
}

static bool set_options(struct web *w, const struct web_options *options, struct error *err)
{
	w->o = *options;
	w->o.threads = w->o.threads ? w->o.threads : 1;
	if (w->o.threads > SERVE_THREADS_MAX)
		w->o.threads = SERVE_THREADS_MAX;
	w->o.connections = w->o.connections ? w->o.connections : CONNECTIONS;
	w->need_token = options->intake_token || options->intake_has_token;
	if (options->intake_token) {
		w->has_token = true;
		digest_sha256(secret_reveal(options->intake_token),
			secret_length(options->intake_token), w->token);
	}
	if (options->intake_address && !w->need_token &&
		!http_address_is_loopback(options->intake_address)) {
		error_set(err, ERROR_CONFIG,
			"the intake on %s can be reached by others: give it a token",
			options->intake_address);
		return false;
	}
	fit_descriptors(&w->o);
	return true;
}

struct web *web_new(struct loop *l, const struct web_options *options,
	const struct web_house *house, struct error *err)
{
	struct web *w = mem_new(struct web);
	w->loop = l;
	w->house = *house;
	for (int i = 0; i < SERVE_THREADS_MAX; i++)
		w->public_fds[i] = w->intake_fds[i] = -1;
	if (set_options(w, options, err) &&
		open_listeners(w->o.public_address, w->public_fds, w->o.threads, err) &&
		open_listeners(w->o.intake_address, w->intake_fds, w->o.threads, err)) {
		w->worker = worker_new(l, 1, err);
		w->has_pages = !w->o.isolate && page_init(err);
		if (w->worker && (w->o.isolate || w->has_pages) && start(w, err))
			return w;
	}
	web_free(w);
	return NULL;
}

void web_free(struct web *w)
{
	if (!w)
		return;
	timer_cancel(&w->restart);
	door_free(w->door);
	w->door = NULL;
	child_end(&w->child);
	if (w->worker)
		worker_settle(w->worker);
	worker_free(w->worker);
	while (w->answers) { /* whoever answers still finds something to answer */
		struct web_answer *a = w->answers;
		w->answers = a->next;
		a->web = NULL;
	}
	for (int i = 0; i < SERVE_THREADS_MAX; i++) {
		if (w->public_fds[i] >= 0)
			close(w->public_fds[i]);
		if (w->intake_fds[i] >= 0)
			close(w->intake_fds[i]);
	}
	for (int a = 0; a < SITES; a++)
		buf_fini(&w->sites[a]);
	json_decref(w->isolation);
	if (w->has_pages)
		page_fini();
	free(w);
}

unsigned web_public_port(const struct web *w)
{
	return w->public_fds[0] >= 0 ? http_listener_port(w->public_fds[0]) : 0;
}

unsigned web_intake_port(const struct web *w)
{
	return w->intake_fds[0] >= 0 ? http_listener_port(w->intake_fds[0]) : 0;
}

struct web_state web_state(const struct web *w)
{
	return (struct web_state){.pid = w->child.pid,
		.starts = w->life,
		.serving = w->serving,
		.isolation = w->isolation};
}
