/*
 * mail.c - one message over one SMTP connection of its own, by curl on a thread of its own.
 *
 *	starting -> resolving -> waiting -> running -> ended
 *
 * curl 7.88 waits for the answer to the end of a message, and to QUIT, by blocking, on the multi
 * interface too (its KNOWN_BUGS). So each message has a thread, at most MAIL_THREADS at once; the
 * name is resolved on the loop before. A call that is cancelled or late ends at once; its thread,
 * whose socket is shut down, ends on its own and is collected.
 * A recipient who is refused does not keep the others from their mail: the answer's detail says
 * so. curl shows every line that goes (on_trace()) and comes (on_reply()), which is how that is
 * known.
 */
#include "net/mail.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "net/curl_fault.h"
#include "net/mail_text.h"
#include "net/resolver.h"

#define MAIL_THREADS 8

struct mailer {
	struct loop *loop;
	struct resolver *resolver;
	struct mail_call *calls; /* newest first */
	unsigned running;        /* threads */
	bool drained;            /* none */
	bool freeing;
};

/* What the thread works with. The loop reads it when the thread has ended, `reply` before too. */
struct job {
	struct mailer *mailer;
	struct mail_call *call; /* NULL: nobody waits any more. The loop's */
	pthread_t thread;
	CURL *easy;
	struct curl_slist *to, *resolve;
	struct buf text;
	size_t sent;
	CURLcode code;
	int status, bad, open_errno; /* last reply code; last of 400 or more */
	unsigned recipients, refused;
	bool asks_recipient; /* the last command was RCPT */
	bool later;          /* a 4xx came */
	char curl_error[CURL_ERROR_SIZE];
	atomic_bool stop;
	pthread_mutex_t lock; /* guards what follows */
	int fd;               /* -1: none */
	char reply[160];      /* the server's last line, or the one that refused a recipient */
};

enum mail_state { MAIL_STARTING, MAIL_RESOLVING, MAIL_WAITING, MAIL_RUNNING, MAIL_ENDED };

struct mail_call {
	struct mailer *mailer;
	struct mail_call *next, **link;
	enum mail_state state;
	struct timer timer; /* start, deadline, delivery: one at a time */
	int64_t end_ns, budget_ns;
	void (*done)(void *arg, const struct mail_answer *a);
	void *arg;
	struct job *job; /* NULL: its thread runs for nobody, or it never had one */
	struct resolve_call *lookup;
	char *host;
	unsigned port;
	struct mail_answer answer;
};

static void on_timer(struct timer *t);

/* --- the end -----------------------------------------------------------------------------------
 */

static void end_call(struct mail_call *c)
{
	c->state = MAIL_ENDED;
	if (!c->lookup)
		timer_start(c->mailer->loop, &c->timer, 0, on_timer, c);
}

static void end_with(struct mail_call *c, enum fault fault, const char *fmt, ...) like_printf(3, 4);

static void end_with(struct mail_call *c, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	c->answer.fault = fault;
	va_start(ap, fmt);
	vsnprintf(c->answer.detail, sizeof(c->answer.detail), fmt, ap);
	va_end(ap);
	end_call(c);
}

static void job_free(struct job *j)
{
	curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->to);
	curl_slist_free_all(j->resolve);
	buf_fini(&j->text);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* The call goes on without its job. A thread that runs is woken by the end of its socket. */
static void leave_job(struct mail_call *c)
{
	struct job *j = c->job;

	c->job = NULL;
	if (j && c->state != MAIL_RUNNING) {
		job_free(j);
	} else if (j) {
		j->call = NULL;
		atomic_store(&j->stop, true);
		pthread_mutex_lock(&j->lock);
		if (j->fd >= 0)
			shutdown(j->fd, SHUT_RDWR);
		pthread_mutex_unlock(&j->lock);
	}
}

static void deliver(struct mail_call *c)
{
	timer_cancel(&c->timer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	loop_release(c->mailer->loop);
	c->done(c->arg, &c->answer);
	free(c->host);
	free(c);
}

void mail_cancel(struct mail_call *c)
{
	leave_job(c);
	if (c->lookup)
		resolve_cancel(c->lookup);
	end_with(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
}

/* --- what the server says ----------------------------------------------------------------------
 */

/* The code that starts the line: 0 when there is none. */
static int code_of(struct slice line)
{
	int code = 0;

	if (line.n < 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		code = code * 10 + line.p[i] - '0';
	}
	return code;
}

/* Printable ASCII of it: a server's text goes to people. */
static void keep_reply(struct job *j, struct slice line)
{
	size_t n = 0;

	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < line.n && n + 1 < sizeof(j->reply); i++)
		if (line.p[i] >= ' ' && line.p[i] < 0x7f)
			j->reply[n++] = line.p[i];
	j->reply[n] = '\0';
	pthread_mutex_unlock(&j->lock);
}

static size_t on_reply(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;
	const struct slice line = slice_trim(slice_from(p, n * size));
	const int code = code_of(line);

	/* A line "250-..." has more behind it. */
	if (code == 0 || (line.n > 3 && line.p[3] == '-'))
		return n * size;
	j->status = code;
	j->later = j->later || code / 100 == 4;
	if (code >= 400 ? !j->refused : !j->bad)
		keep_reply(j, line);
	if (code >= 400)
		j->bad = code;
	if (j->asks_recipient && code >= 400)
		j->refused++;
	return n * size;
}

/* Of all that curl shows only the verb is looked at: there are passwords in it. */
static int on_trace(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
	struct job *j = arg;

	if (type == CURLINFO_HEADER_OUT)
		j->asks_recipient = slice_starts(slice_from(p, n), "RCPT ");
	return 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;
	const struct slice rest = slice_sub(buf_slice(&j->text), j->sent, n * size);

	if (rest.n)
		memcpy(p, rest.p, rest.n);
	j->sent += rest.n;
	return rest.n;
}

static int on_progress(
	void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	return atomic_load(&((struct job *)arg)->stop);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct job *j = arg;
	const int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	if (fd < 0)
		j->open_errno = errno;
	pthread_mutex_lock(&j->lock);
	j->fd = fd;
	pthread_mutex_unlock(&j->lock);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct job *j = arg;

	pthread_mutex_lock(&j->lock);
	if (j->fd == fd)
		j->fd = -1;
	pthread_mutex_unlock(&j->lock);
	return close(fd);
}

/* --- how it went -------------------------------------------------------------------------------
 */

static enum fault fault_of_connect(
	const struct mail_call *c, const struct job *j, char *detail, size_t size)
{
	long sys = j->open_errno;

	if (!sys)
		curl_easy_getinfo(j->easy, CURLINFO_OS_ERRNO, &sys);
	snprintf(detail, size, "cannot connect to %s port %u: %s", c->host, c->port,
		sys ? strerror((int)sys) : "no address could be reached");
	return curl_fault_of_connect(sys);
}

static void conclude(struct mail_call *c, const struct job *j)
{
	struct mail_answer *a = &c->answer;
	char *detail = a->detail;
	const size_t size = sizeof(a->detail);

	a->status = j->status;
	if (j->code == CURLE_OK) {
		if (j->refused)
			snprintf(detail, size, "%u of %u recipients refused: %s", j->refused,
				j->recipients, j->reply);
		return;
	}
	if (j->bad)
		a->status = j->bad; /* curl may have said QUIT since */
	a->permanent = a->status / 100 == 5 && !j->later;
	if (j->code == CURLE_COULDNT_CONNECT) {
		a->fault = fault_of_connect(c, j, detail, size);
	} else if (j->code == CURLE_USE_SSL_FAILED) {
		a->fault = FAULT_TLS;
		snprintf(detail, size, "%s port %u offers no STARTTLS", c->host, c->port);
	} else if (a->status >= 400) {
		a->fault = j->code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
			   : a->permanent                ? FAULT_HTTP_4XX
							 : FAULT_HTTP_503;
		snprintf(detail, size, "%s port %u says: %s", c->host, c->port, j->reply);
	} else {
		a->fault = j->code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
							 : curl_fault_of_code(j->easy, j->code);
		snprintf(detail, size, "%s",
			j->curl_error[0] ? j->curl_error : curl_easy_strerror(j->code));
	}
}

/* --- on its way --------------------------------------------------------------------------------
 */

static void start_waiting(struct mailer *m);

static void on_thread_ended(void *arg)
{
	struct job *j = arg;
	struct mailer *m = j->mailer;

	pthread_join(j->thread, NULL);
	loop_release(m->loop);
	if (j->call) {
		conclude(j->call, j);
		j->call->job = NULL;
		end_call(j->call);
	}
	job_free(j);
	m->drained = --m->running == 0;
	start_waiting(m);
}

static void *run_thread(void *arg)
{
	struct job *j = arg;

	j->code = curl_easy_perform(j->easy);
	loop_post(j->mailer->loop, on_thread_ended, j);
	return NULL;
}

static void run(struct mail_call *c)
{
	struct mailer *m = c->mailer;
	struct job *j = c->job;

	j->call = c;
	curl_easy_setopt(j->easy, CURLOPT_RESOLVE, j->resolve);
	if (pthread_create(&j->thread, NULL, run_thread, j) != 0) {
		leave_job(c);
		end_with(c, FAULT_LOCAL, "cannot start a thread");
		return;
	}
	c->state = MAIL_RUNNING;
	loop_hold(m->loop);
	m->running++;
	m->drained = false;
}

/* The one that waits longest: the list begins with the newest. */
static void start_waiting(struct mailer *m)
{
	struct mail_call *oldest = NULL;

	for (struct mail_call *c = m->calls; c; c = c->next)
		if (c->state == MAIL_WAITING)
			oldest = c;
	if (oldest && m->running < MAIL_THREADS)
		run(oldest);
}

static void arm(struct mail_call *c)
{
	const int64_t left = c->end_ns - loop_now_ns(c->mailer->loop);

	timer_start(c->mailer->loop, &c->timer, left > 0 ? left : 0, on_timer, c);
}

static struct curl_slist *list_add(struct curl_slist *list, char *owned)
{
	struct curl_slist *longer = curl_slist_append(list, owned);

	if (!longer)
		mem_panic("out of memory");
	free(owned);
	return longer;
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct mail_call *c = arg;
	char *addresses;

	c->lookup = NULL;
	if (c->state == MAIL_ENDED) {
		end_call(c); /* cancelled meanwhile */
		return;
	}
	if (r->fault) {
		end_with(c, r->fault, "cannot resolve %.100s: %s", c->host, r->detail);
		return;
	}
	addresses = resolved_text(r);
	c->job->resolve =
		list_add(c->job->resolve, mem_printf("%s:%u:%s", c->host, c->port, addresses));
	free(addresses);
	c->state = MAIL_WAITING;
	arm(c);
	start_waiting(c->mailer);
}

static void start(struct mail_call *c)
{
	const int64_t left = c->end_ns - loop_now_ns(c->mailer->loop);

	c->state = MAIL_RESOLVING; /* the resolver keeps the deadline */
	c->lookup = resolve(c->mailer->resolver, c->host, c->port, AF_UNSPEC, left > 0 ? left : 1,
		on_resolved, c);
}

static void end_late(struct mail_call *c)
{
	char within[UNITS_TEXT], reply[sizeof(c->job->reply)];

	pthread_mutex_lock(&c->job->lock);
	memcpy(reply, c->job->reply, sizeof(reply));
	pthread_mutex_unlock(&c->job->lock);
	leave_job(c);
	end_with(c, FAULT_TIMEOUT, "%s port %u did not take the message within %s%s%s", c->host,
		c->port, units_time_text(c->budget_ns, within), reply[0] ? "; it last said: " : "",
		reply);
}

static void on_timer(struct timer *t)
{
	struct mail_call *c = t->arg;

	switch (c->state) {
	case MAIL_STARTING: start(c); break;
	case MAIL_RESOLVING: break; /* the resolver keeps the deadline */
	case MAIL_WAITING:
		leave_job(c);
		end_with(c, FAULT_DEADLINE, "%d other messages are under way", MAIL_THREADS);
		break;
	case MAIL_RUNNING: end_late(c); break;
	case MAIL_ENDED: deliver(c); break;
	}
}

/* --- a message as options of curl --------------------------------------------------------------
 */

static bool read_host(struct mail_call *c, const struct mail_server *s, struct error *err)
{
	struct slice all = slice_of(s->host), host, port = {0};
	const size_t bracket = slice_find(all, ']');
	int64_t n = s->tls == MAIL_IMPLICIT ? 465 : s->tls == MAIL_STARTTLS ? 587 : 25;
	size_t colon;

	if (slice_starts(all, "[") && bracket < all.n) {
		host = slice_sub(all, 1, bracket - 1);
		all = slice_sub(all, bracket + 1, all.n);
		colon = 0;
	} else {
		colon = slice_find(all, ':');
		host = slice_sub(all, 0, colon);
	}
	if (colon < all.n)
		port = slice_sub(all, colon + 1, all.n);
	if (host.n == 0 || slice_find(host, '/') < host.n || slice_find(host, '@') < host.n ||
		slice_find(host, ' ') < host.n ||
		(port.n && (!units_parse_int(port, &n) || n < 1 || n > 65535))) {
		error_set(err, ERROR_INPUT,
			"\"%.100s\" is no mail server like mail.example.org:587",
			s->host ? s->host : "");
		return false;
	}
	c->host = slice_dup(host);
	c->port = (unsigned)n;
	return true;
}

static void set_tls(CURL *easy, const struct mail_server *s)
{
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
		s->tls == MAIL_PLAIN ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file);
	if (!s->user)
		return;
	curl_easy_setopt(easy, CURLOPT_USERNAME, s->user);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, s->password ? secret_reveal(s->password) : "");
}

static void set_envelope(
	struct mail_call *c, const struct mail_server *s, const struct mail_message *m)
{
	const bool literal = strchr(c->host, ':') != NULL;
	struct job *j = c->job;
	char *url = mem_printf("%s://%s%s%s:%u/", s->tls == MAIL_IMPLICIT ? "smtps" : "smtp",
		literal ? "[" : "", c->host, literal ? "]" : "", c->port);
	char *from = mem_printf("<%s>", s->from);

	for (; m->to[j->recipients]; j->recipients++)
		j->to = list_add(j->to, mem_printf("<%s>", m->to[j->recipients]));
	curl_easy_setopt(j->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(j->easy, CURLOPT_URL, url);
	curl_easy_setopt(j->easy, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(j->easy, CURLOPT_MAIL_RCPT, j->to);
	curl_easy_setopt(j->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	free(from);
	free(url);
}

static void set_callbacks(struct job *j)
{
	CURL *e = j->easy;

	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, j->curl_error);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, j);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, j);
	curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_trace);
	curl_easy_setopt(e, CURLOPT_DEBUGDATA, j);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, j);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, j);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, j);
}

/* Our timer keeps the deadline; curl's, a little later, is for a thread that was left. */
static void set_transfer(struct mail_call *c)
{
	const int64_t ms = c->budget_ns / NS_PER_MS + 1000;
	const long most = ms > INT32_MAX ? INT32_MAX : (long)ms;
	CURL *e = c->job->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, most);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, most);
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, most / 1000 + 1);
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
}

static bool prepare(struct mail_call *c, const struct mail_server *s, const struct mail_message *m,
	struct error *err)
{
	struct job *j = c->job;

	if (s->user && s->tls == MAIL_PLAIN) {
		error_set(err, ERROR_CONFIG, "a password is not sent without TLS");
		return false;
	}
	if (!mail_text_write(&j->text, s->from, m, err) || !read_host(c, s, err))
		return false;
	j->easy = curl_easy_init();
	if (!j->easy)
		mem_panic("out of memory");
	set_envelope(c, s, m);
	set_tls(j->easy, s);
	set_callbacks(j);
	set_transfer(c);
	return true;
}

static struct job *job_new(struct mailer *m)
{
	struct job *j = mem_new(struct job);

	j->mailer = m;
	j->fd = -1;
	pthread_mutex_init(&j->lock, NULL);
	buf_init(&j->text, 4 * MAIL_TEXT_MAX);
	return j;
}

struct mail_call *mail_send(struct mailer *m, const struct mail_server *server,
	const struct mail_message *message, void (*done)(void *arg, const struct mail_answer *a),
	void *arg)
{
	struct mail_call *c = mem_new(struct mail_call);
	struct error err = {0};

	assert(!m->freeing && done && message->deadline_ns > 0);
	c->mailer = m;
	c->done = done;
	c->arg = arg;
	c->budget_ns = message->deadline_ns;
	c->end_ns = loop_now_ns(m->loop) + c->budget_ns;
	c->next = m->calls;
	c->link = &m->calls;
	if (c->next)
		c->next->link = &c->next;
	m->calls = c;
	loop_hold(m->loop);
	c->job = job_new(m);
	if (prepare(c, server, message, &err)) {
		timer_start(m->loop, &c->timer, 0, on_timer, c);
	} else {
		leave_job(c);
		c->answer.permanent = true;
		end_with(c, FAULT_LOCAL, "%.250s", err.msg);
	}
	return c;
}

/* --- mailers -----------------------------------------------------------------------------------
 */

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		mem_panic("the mail library cannot start");
}

struct mailer *mailer_new(struct loop *l, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mailer *m = mem_new(struct mailer);

	pthread_once(&once, init_library);
	m->loop = l;
	m->drained = true;
	m->resolver = resolver_new(l, NULL, err);
	if (!m->resolver) {
		free(m);
		return NULL;
	}
	return m;
}

/* Threads end within moments of their sockets: they are waited for. */
void mailer_free(struct mailer *m)
{
	if (!m)
		return;
	m->freeing = true;
	for (struct mail_call *c = m->calls; c; c = c->next)
		if (c->state != MAIL_ENDED)
			mail_cancel(c);
	resolver_free(m->resolver); /* the cancelled lookups end in here */
	while (m->calls)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the list before its end */
		deliver(m->calls);
	while (m->running)
		loop_run_until(m->loop, &m->drained);
	free(m);
}
