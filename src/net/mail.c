/*
 * mail.c - one message over one SMTP connection of its own, by curl.
 *
 *	starting -> resolving -> running -> ended
 *
 * A call has one timer with one purpose at a time: to start, to bound the whole, to deliver. As in
 * the HTTP client every path leads to end_call(), and only deliver() calls back, from the timer.
 * A recipient who is refused does not keep the others from their mail: the answer's detail says
 * so. curl shows every line that goes (on_trace()) and comes (on_reply()), which is how that is
 * known.
 */
#include "net/mail.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "net/curl_loop.h"
#include "net/mail_text.h"
#include "net/resolver.h"

#define CONNECTIONS 8

struct mailer {
	struct loop *loop;
	struct curl_loop *curl;
	struct resolver *resolver;
	struct mail_call *calls;
	bool freeing;
};

enum mail_state { MAIL_STARTING, MAIL_RESOLVING, MAIL_RUNNING, MAIL_ENDED };

struct mail_call {
	struct mailer *mailer;
	struct mail_call *next, **link;
	enum mail_state state;
	struct timer timer;
	int64_t end_ns, budget_ns;
	void (*done)(void *arg, const struct mail_answer *a);
	void *arg;
	CURL *easy;
	bool in_multi;
	struct curl_opening opening;
	struct curl_slist *to, *resolve;
	struct resolve_call *lookup;
	char *host;
	unsigned port;
	struct buf text;
	size_t sent;
	unsigned recipients, refused;
	bool asks_recipient; /* the last command was RCPT */
	bool later;          /* a 4xx came */
	char reply[160];     /* the server's last line, or the one that refused a recipient */
	char curl_error[CURL_ERROR_SIZE];
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

static void detach(struct mail_call *c)
{
	if (c->in_multi)
		curl_loop_remove(c->mailer->curl, c->easy, &c->opening);
	c->in_multi = false;
}

static void deliver(struct mail_call *c)
{
	timer_cancel(&c->timer);
	detach(c);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->to);
	curl_slist_free_all(c->resolve);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	loop_release(c->mailer->loop);
	c->done(c->arg, &c->answer);
	buf_fini(&c->text);
	free(c->host);
	free(c);
}

void mail_cancel(struct mail_call *c)
{
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
static void keep_reply(struct mail_call *c, struct slice line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n && n + 1 < sizeof(c->reply); i++)
		if (line.p[i] >= ' ' && line.p[i] < 0x7f)
			c->reply[n++] = line.p[i];
	c->reply[n] = '\0';
}

static size_t on_reply(char *p, size_t size, size_t n, void *arg)
{
	struct mail_call *c = arg;
	const struct slice line = slice_trim(slice_from(p, n * size));
	const int code = code_of(line);

	/* A line "250-..." has more behind it. */
	if (code == 0 || (line.n > 3 && line.p[3] == '-'))
		return n * size;
	c->answer.status = code;
	c->later = c->later || code / 100 == 4;
	if (!c->refused)
		keep_reply(c, line);
	if (c->asks_recipient && code >= 400 && c->refused++ == 0)
		keep_reply(c, line);
	return n * size;
}

/* Of all that curl shows only the verb is looked at: there are passwords in it. */
static int on_trace(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
	struct mail_call *c = arg;

	if (type == CURLINFO_HEADER_OUT)
		c->asks_recipient = slice_starts(slice_from(p, n), "RCPT ");
	return 0;
}

static void on_answered(struct mail_call *c)
{
	if (c->refused)
		snprintf(c->answer.detail, sizeof(c->answer.detail),
			"%u of %u recipients refused: %s", c->refused, c->recipients, c->reply);
	end_call(c);
}

static enum fault fault_of_connect(struct mail_call *c, char *detail, size_t size)
{
	long sys = c->opening.open_errno;

	if (!sys)
		curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	snprintf(detail, size, "cannot connect to %s port %u: %s", c->host, c->port,
		sys ? strerror((int)sys) : "no address could be reached");
	return curl_fault_of_connect(sys);
}

static void conclude(struct mail_call *c, CURLcode code)
{
	struct mail_answer *a = &c->answer;
	char *detail = a->detail;
	const size_t size = sizeof(a->detail);

	if (code == CURLE_OK) {
		on_answered(c);
		return;
	}
	a->permanent = a->status / 100 == 5 && !c->later;
	if (code == CURLE_COULDNT_CONNECT) {
		a->fault = fault_of_connect(c, detail, size);
	} else if (code == CURLE_USE_SSL_FAILED) {
		a->fault = FAULT_TLS;
		snprintf(detail, size, "%s port %u offers no STARTTLS", c->host, c->port);
	} else if (a->status >= 400) {
		a->fault = code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
			   : a->permanent             ? FAULT_HTTP_4XX
						      : FAULT_HTTP_503;
		snprintf(detail, size, "%s port %u says: %s", c->host, c->port, c->reply);
	} else {
		a->fault = code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
						      : curl_fault_of_code(c->easy, code);
		snprintf(detail, size, "%s",
			c->curl_error[0] ? c->curl_error : curl_easy_strerror(code));
	}
	end_call(c);
}

static void harvest(void *arg)
{
	struct mailer *m = arg;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(m->curl->multi, &left))) {
		const CURLcode code = msg->data.result;
		CURL *easy = msg->easy_handle;
		struct mail_call *c;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &c);
		if (c->state == MAIL_RUNNING)
			conclude(c, code);
		detach(c);
	}
}

/* --- on its way --------------------------------------------------------------------------------
 */

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct mail_call *c = arg;
	const struct slice rest = slice_sub(buf_slice(&c->text), c->sent, n * size);

	if (c->state != MAIL_RUNNING)
		return CURL_READFUNC_ABORT;
	if (rest.n)
		memcpy(p, rest.p, rest.n);
	c->sent += rest.n;
	return rest.n;
}

static void run(struct mail_call *c)
{
	CURLMcode code;

	c->state = MAIL_RUNNING;
	curl_easy_setopt(c->easy, CURLOPT_RESOLVE, c->resolve);
	code = curl_multi_add_handle(c->mailer->curl->multi, c->easy);
	c->in_multi = code == CURLM_OK;
	if (!c->in_multi)
		end_with(c, FAULT_LOCAL, "%s", curl_multi_strerror(code));
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
	c->resolve = list_add(c->resolve, mem_printf("%s:%u:%s", c->host, c->port, addresses));
	free(addresses);
	arm(c);
	run(c);
}

static void start(struct mail_call *c)
{
	const int64_t left = c->end_ns - loop_now_ns(c->mailer->loop);

	c->state = MAIL_RESOLVING; /* the resolver keeps the deadline */
	c->lookup = resolve(c->mailer->resolver, c->host, c->port, AF_UNSPEC, left > 0 ? left : 1,
		on_resolved, c);
}

static void on_timer(struct timer *t)
{
	struct mail_call *c = t->arg;
	char within[UNITS_TEXT];

	switch (c->state) {
	case MAIL_STARTING: start(c); break;
	case MAIL_RESOLVING: break;
	case MAIL_RUNNING:
		detach(c);
		end_with(c, FAULT_TIMEOUT, "%s port %u did not take the message within %s%s%s",
			c->host, c->port, units_time_text(c->budget_ns, within),
			c->reply[0] ? "; it last said: " : "", c->reply);
		break;
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
	char *url = mem_printf("%s://%s%s%s:%u/", s->tls == MAIL_IMPLICIT ? "smtps" : "smtp",
		literal ? "[" : "", c->host, literal ? "]" : "", c->port);
	char *from = mem_printf("<%s>", s->from);

	for (; m->to[c->recipients]; c->recipients++)
		c->to = list_add(c->to, mem_printf("<%s>", m->to[c->recipients]));
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, c->to);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	free(from);
	free(url);
}

static void set_transfer(struct mail_call *c)
{
	CURL *e = c->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->curl_error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(c->budget_ns / NS_PER_MS > INT32_MAX ? INT32_MAX
							    : c->budget_ns / NS_PER_MS + 1));
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, c);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_trace);
	curl_easy_setopt(e, CURLOPT_DEBUGDATA, c);
	curl_opening_init(&c->opening, c->mailer->curl, e);
}

static bool prepare(struct mail_call *c, const struct mail_server *s, const struct mail_message *m,
	struct error *err)
{
	buf_init(&c->text, 4 * MAIL_TEXT_MAX);
	if (s->user && s->tls == MAIL_PLAIN) {
		error_set(err, ERROR_CONFIG, "a password is not sent without TLS");
		return false;
	}
	if (!mail_text_write(&c->text, s->from, m, err) || !read_host(c, s, err))
		return false;
	c->easy = curl_easy_init();
	if (!c->easy)
		mem_panic("out of memory");
	set_envelope(c, s, m);
	set_tls(c->easy, s);
	set_transfer(c);
	return true;
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
	if (prepare(c, server, message, &err)) {
		timer_start(m->loop, &c->timer, 0, on_timer, c);
	} else {
		c->answer.permanent = true;
		end_with(c, FAULT_LOCAL, "%.250s", err.msg);
	}
	return c;
}

/* --- mailers -----------------------------------------------------------------------------------
 */

struct mailer *mailer_new(struct loop *l, struct error *err)
{
	struct mailer *m = mem_new(struct mailer);

	m->loop = l;
	m->resolver = resolver_new(l, NULL, err);
	m->curl = m->resolver ? curl_loop_new(l, CONNECTIONS, harvest, m, err) : NULL;
	if (!m->curl) {
		resolver_free(m->resolver);
		free(m);
		return NULL;
	}
	return m;
}

void mailer_free(struct mailer *m)
{
	if (!m)
		return;
	assert(!m->curl->in_curl);
	m->freeing = true;
	for (struct mail_call *c = m->calls; c; c = c->next)
		if (c->state != MAIL_ENDED)
			mail_cancel(c);
	resolver_free(m->resolver); /* the cancelled lookups end in here */
	while (m->calls)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the list before its end */
		deliver(m->calls);
	curl_loop_free(m->curl);
	free(m);
}
