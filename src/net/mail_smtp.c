/*
 * mail_smtp.c - a message as options of curl, and what the server says to it.
 *
 * A recipient who is refused does not keep the others from their mail: the answer's detail says
 * so. curl shows every line that goes (on_trace()) and comes (on_reply()), which is how that is
 * known. All callbacks run on the message's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "net/curl_fault.h"
#include "net/mail_inside.h"
#include "net/mail_text.h"

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
static void keep_reply(struct mail_job *j, struct slice line)
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
	struct mail_job *j = arg;
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
	struct mail_job *j = arg;

	if (type == CURLINFO_HEADER_OUT)
		j->asks_recipient = slice_starts(slice_from(p, n), "RCPT ");
	return 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct mail_job *j = arg;
	const struct slice rest = slice_sub(buf_slice(&j->text), j->sent, n * size);

	if (rest.n)
		memcpy(p, rest.p, rest.n);
	j->sent += rest.n;
	return rest.n;
}

static int on_progress(
	void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	return atomic_load(&((struct mail_job *)arg)->stop);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct mail_job *j = arg;
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
	struct mail_job *j = arg;

	pthread_mutex_lock(&j->lock);
	if (j->fd == fd)
		j->fd = -1;
	pthread_mutex_unlock(&j->lock);
	return close(fd);
}

/* --- how it went -------------------------------------------------------------------------------
 */

static enum fault fault_of_connect(const struct mail_job *j, char *detail, size_t size)
{
	long sys = j->open_errno;

	if (!sys)
		curl_easy_getinfo(j->easy, CURLINFO_OS_ERRNO, &sys);
	snprintf(detail, size, "cannot connect to %s port %u: %s", j->host, j->port,
		sys ? strerror((int)sys) : "no address could be reached");
	return curl_fault_of_connect(sys);
}

void mail_job_conclude(const struct mail_job *j, struct mail_answer *a)
{
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
		a->fault = fault_of_connect(j, detail, size);
	} else if (j->code == CURLE_USE_SSL_FAILED) {
		a->fault = FAULT_TLS;
		snprintf(detail, size, "%s port %u offers no STARTTLS", j->host, j->port);
	} else if (a->status >= 400) {
		a->fault = j->code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
			   : a->permanent                ? FAULT_HTTP_4XX
							 : FAULT_HTTP_503;
		snprintf(detail, size, "%s port %u says: %s", j->host, j->port, j->reply);
	} else {
		a->fault = j->code == CURLE_LOGIN_DENIED ? FAULT_HTTP_401
							 : curl_fault_of_code(j->easy, j->code);
		snprintf(detail, size, "%s",
			j->curl_error[0] ? j->curl_error : curl_easy_strerror(j->code));
	}
}

static struct curl_slist *list_add(struct curl_slist *list, char *owned)
{
	struct curl_slist *longer = curl_slist_append(list, owned);

	if (!longer)
		mem_panic("out of memory");
	free(owned);
	return longer;
}

/* --- a message as options of curl --------------------------------------------------------------
 */

static bool read_host(struct mail_job *j, const struct mail_server *s, struct error *err)
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
	j->host = slice_dup(host);
	j->port = (unsigned)n;
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
	struct mail_job *j, const struct mail_server *s, const struct mail_message *m)
{
	const bool literal = strchr(j->host, ':') != NULL;
	char *url = mem_printf("%s://%s%s%s:%u/", s->tls == MAIL_IMPLICIT ? "smtps" : "smtp",
		literal ? "[" : "", j->host, literal ? "]" : "", j->port);
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

static void set_callbacks(struct mail_job *j)
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
static void set_transfer(struct mail_job *j)
{
	const int64_t ms = j->budget_ns / NS_PER_MS + 1000;
	const long most = ms > INT32_MAX ? INT32_MAX : (long)ms;
	CURL *e = j->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, most);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, most);
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, most / 1000 + 1);
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
}

bool mail_job_prepare(struct mail_job *j, const struct mail_server *s, const struct mail_message *m,
	struct error *err)
{

	if (s->user && !mail_keeps_password(s)) {
		error_set(err, ERROR_CONFIG, "a password is not sent without TLS");
		return false;
	}
	if (!mail_text_write(&j->text, s->from, m, err) || !read_host(j, s, err))
		return false;
	j->easy = curl_easy_init();
	if (!j->easy)
		mem_panic("out of memory");
	set_envelope(j, s, m);
	set_tls(j->easy, s);
	set_callbacks(j);
	set_transfer(j);
	return true;
}

void mail_job_addresses(struct mail_job *j, const struct resolved *r)
{
	char *addresses = resolved_text(r);

	j->resolve = list_add(j->resolve, mem_printf("%s:%u:%s", j->host, j->port, addresses));
	curl_easy_setopt(j->easy, CURLOPT_RESOLVE, j->resolve);
	free(addresses);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct mail_job *mail_job_new(struct mailer *m, int64_t budget_ns)
{
	struct mail_job *j = mem_new(struct mail_job);

	j->mailer = m;
	j->budget_ns = budget_ns;
	j->fd = -1;
	pthread_mutex_init(&j->lock, NULL);
	buf_init(&j->text, 4 * MAIL_TEXT_MAX);
	return j;
}

void mail_job_free(struct mail_job *j)
{
	curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->to);
	curl_slist_free_all(j->resolve);
	buf_fini(&j->text);
	pthread_mutex_destroy(&j->lock);
	free(j->host);
	free(j);
}

void mail_job_perform(struct mail_job *j)
{
	j->code = curl_easy_perform(j->easy);
}

/* A thread that waits is woken by the end of its socket. */
void mail_job_stop(struct mail_job *j)
{
	atomic_store(&j->stop, true);
	pthread_mutex_lock(&j->lock);
	if (j->fd >= 0)
		shutdown(j->fd, SHUT_RDWR);
	pthread_mutex_unlock(&j->lock);
}

void mail_job_reply(struct mail_job *j, char *ret_text)
{
	pthread_mutex_lock(&j->lock);
	memcpy(ret_text, j->reply, sizeof(j->reply));
	pthread_mutex_unlock(&j->lock);
}
