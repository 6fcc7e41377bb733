/*
 * web.c - opens the listeners and keeps the serving half running, whatever becomes of it; see
 * web.h.
 */

#include "web/web.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "net/http_server.h"
#include "web/page.h"
#include "web/web_inside.h"

#define CONNECTIONS  10000
#define DESCRIPTORS  512 /* for everything else */
#define PAUSE_MIN_NS (100 * NS_PER_MS)
#define PAUSE_MAX_NS (30 * NS_PER_S)
#define STEADY_NS    (60 * NS_PER_S) /* who ran so long is started again at once */
#define BUSY_NS      (2 * NS_PER_S)  /* an address that is taken may be free by then */
#define BUSY_TRIES   100
#define SERVING_NS   (10 * NS_PER_S) /* from its start until it says that it serves */

static void on_frame(void *arg, const struct door_frame *f)
{
	web_take_frame(arg, f);
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
	timer_cancel(&w->late);
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

static void on_late(struct timer *t)
{
	struct error err = {0};
	error_set(&err, ERROR_SYSTEM, "it did not begin to serve");
	on_ended(t->arg, &err);
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
	timer_start(w->loop, &w->late, SERVING_NS, on_late, w);
	web_send_setup(w);
	for (int a = 0; a < SITES; a++)
		web_send_site(w, (enum audience)a);
	return true;
}

void web_set_token(struct web *w, const struct secret *token)
{
	w->has_token = w->need_token = true;
	digest_sha256(secret_reveal(token), secret_length(token), w->token);
	if (w->door)
		web_send_setup(w);
}

void web_set_outposts(struct web *w, const struct web_outpost *outposts, size_t n)
{
	json_decref(w->outposts);
	w->outposts = json_object();
	for (size_t i = 0; i < n && i < WEB_OUTPOSTS_MAX; i++) {
		uint8_t hash[SHA256_BYTES];
		const struct secret *t = outposts[i].token;
		digest_sha256(secret_reveal(t), secret_length(t), hash);
		char *hex = hex_encode(hash, sizeof(hash));
		json_object_set_new(w->outposts, outposts[i].location, json_string(hex));
		free(hex);
	}
	if (w->door)
		web_send_setup(w);
}

/* --- opening -------------------------------------------------------------------------------------
 */

/* Of a house that was killed the child that served for it ends a moment later, and holds the
 * address until then. There is no loop yet that could be kept waiting. */
static int listen_patiently(const char *address, struct error *err)
{
	const struct timespec pause = {.tv_nsec = BUSY_NS / BUSY_TRIES};
	for (unsigned i = 1;; i++) {
		struct error why = {0};
		const int fd = http_listen(address, false, &why);
		if (fd >= 0)
			return fd;
		if (why.sys != EADDRINUSE || i == BUSY_TRIES) {
			*err = why;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

/* Sockets that share an address would share it with another program's too, so whether it is free
 * is asked with one that does not. */
static bool open_listeners(const char *address, int *fds, unsigned n, struct error *err)
{
	if (!address)
		return true;
	const int first = listen_patiently(address, err);
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
	timer_cancel(&w->late);
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
	json_decref(w->outposts);
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
