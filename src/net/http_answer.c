/*
 * http_answer.c - what came back of a request, and what went wrong if not all of it did.
 *
 * Faults are observations: each of curl's errors becomes the fault that names who must act, with a
 * sentence for people beside it. Time always goes to the phase in which the call ended, so that the
 * phases of a failed call add up as well.
 */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "net/curl_fault.h"
#include "net/http_call.h"
#include "net/url.h"

/* --- headers and body as they come -------------------------------------------------------------
 */

/* "HTTP/1.1 200 OK": answers 1xx come before the real one, whose headers replace theirs. */
static void take_status(struct http_call *call, struct slice line)
{
	size_t space = slice_find(line, ' ');
	int status = 0;

	for (size_t i = space + 1; i < line.n && i < space + 4; i++)
		status = line.p[i] >= '0' && line.p[i] <= '9' ? status * 10 + line.p[i] - '0' : 0;
	http_headers_clear(&call->headers);
	call->answer.status = status;
}

static void take_header(struct http_call *call, struct slice line)
{
	if (!http_headers_add(&call->headers, line))
		http_call_stop(call, FAULT_PROTOCOL, "the answer's headers are over the limit");
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	struct slice line = slice_trim(slice_from(p, n * size));

	if (slice_starts(line, "HTTP/"))
		take_status(call, line);
	else
		take_header(call, line);
	return call->stop || call->state == HTTP_ENDED ? 0 : n * size;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	n *= size;
	call->answer.body_size += (int64_t)n;
	if (call->sink && call->answer.status / 100 == 2) {
		if (!call->sink(call->stream_arg, p, n))
			http_call_stop(call, FAULT_LOCAL,
				"the reader of the answer stopped after %lld bytes",
				(long long)call->answer.body_size);
	} else if (!buf_add(&call->body, p, n)) {
		char text[UNITS_TEXT];

		http_call_stop(call, FAULT_BODY_TOO_LARGE, "the answer is larger than %s",
			units_size_text((int64_t)call->body.max, text));
	}
	return call->stop || call->state == HTTP_ENDED ? CURL_WRITEFUNC_ERROR : n;
}

void http_call_receive(struct http_call *call)
{
	http_headers_init(&call->headers);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
}

size_t http_answer_headers(const struct http_answer *a, const struct http_header **ret)
{
	return http_headers_all(a->headers, ret);
}

const char *http_answer_header(const struct http_answer *a, const char *name)
{
	return http_headers_get(a->headers, name);
}

static void tell_date(
	const struct http_client *c, const char *host, const struct http_answer *a, int64_t took_us)
{
	const char *date = http_answer_header(a, "Date"), *age = http_answer_header(a, "Age");
	int64_t at_us, age_s = 0;

	if (!date || !clock_parse_http_date(date, &at_us) ||
		(age && (!units_parse_int(slice_of(age), &age_s) || age_s < 0 || age_s > 1 << 30)))
		return;
	const int64_t now_us = clock_unix_us(loop_clock(c->loop));
	c->dated(c->dated_arg, host, now_us - took_us, now_us, at_us + age_s * 1000000);
}

void http_call_date(struct http_call *call)
{
	const int64_t took_ns = (int64_t)uv_hrtime() - call->began_ns;

	if (call->client->dated)
		tell_date(call->client, call->host_name, &call->answer, took_ns / NS_PER_US);
}

void http_client_heard(struct http_client *c, const char *url, const struct http_answer *a)
{
	struct url u;
	char *host;

	if (!c->dated || !url_parse(slice_of(url), &u, NULL))
		return;
	host = slice_dup(u.host);
	tell_date(c, host, a, a->phases.total_ns / NS_PER_US);
	free(host);
}

/* --- phases ------------------------------------------------------------------------------------
 */

static int64_t info_ns(struct http_call *call, CURLINFO what)
{
	curl_off_t us = 0;

	curl_easy_getinfo(call->easy, what, &us);
	return (int64_t)us * NS_PER_US;
}

/* curl 7.88 tells the time of the connection only when the handshake is done too. */
static void measure_unfinished(struct http_call *call, int64_t now)
{
	struct phases *p = &call->answer.phases;

	if (call->tls && call->stood_ns)
		p->tls_ns = now - call->stood_ns;
	p->connect_ns = now - call->began_ns - p->resolve_ns - p->tls_ns;
}

/* curl's times count from its own start of the request; only their differences are used. A time of
 * 0 means that point was not reached. */
static void measure(struct http_call *call)
{
	struct phases *p = &call->answer.phases;
	int64_t now = (int64_t)uv_hrtime(), end = info_ns(call, CURLINFO_TOTAL_TIME_T);
	int64_t resolved = info_ns(call, CURLINFO_NAMELOOKUP_TIME_T);
	int64_t connected = info_ns(call, CURLINFO_CONNECT_TIME_T);
	int64_t secured = info_ns(call, CURLINFO_APPCONNECT_TIME_T);
	int64_t ready = info_ns(call, CURLINFO_PRETRANSFER_TIME_T);
	int64_t first = info_ns(call, CURLINFO_STARTTRANSFER_TIME_T);

	p->total_ns = now - call->began_ns;
	if (!call->answer.reused && call->opened && !connected) {
		measure_unfinished(call, now);
	} else if (!call->answer.reused && call->opened) {
		p->connect_ns = connected - resolved;
		if (secured)
			p->tls_ns = secured - connected;
		else if (!call->readied)
			p->tls_ns = end - connected; /* the handshake failed */
	} else {
		p->resolve_ns = 0;
	}
	if (!call->readied || !ready)
		return;
	if (first)
		p->body_ns = end > first ? end - first : 0;
	/* Sending a long body is not waiting: wait begins where it ended. */
	if (call->uploaded_ns)
		p->wait_ns = now - p->body_ns - call->uploaded_ns;
	else
		p->wait_ns = (first ? first : end) - ready;
	if (p->wait_ns < 0)
		p->wait_ns = 0;
}

/* --- faults ------------------------------------------------------------------------------------
 */

static enum fault fault_of_connect(struct http_call *call, char *detail, size_t size)
{
	long sys = call->open_errno;

	if (!sys)
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &sys);
	snprintf(detail, size, "cannot connect to %s port %u%s%s%s: %s", call->host_name,
		call->host_port, call->tried[0] ? " (" : "", call->tried, call->tried[0] ? ")" : "",
		sys ? strerror((int)sys) : "no address could be reached");
	return curl_fault_of_connect(sys);
}

static enum fault fault_of_code(struct http_call *call, CURLcode code, char *detail, size_t size)
{
	snprintf(detail, size, "%s",
		call->curl_error[0] ? call->curl_error : curl_easy_strerror(code));
	if (code == CURLE_COULDNT_CONNECT)
		return fault_of_connect(call, detail, size);
	return curl_fault_of_code(call->easy, code);
}

/* Where the call stood when its time was over. */
static enum fault fault_of_timeout(struct http_call *call, char *detail, size_t size)
{
	char within[UNITS_TEXT];
	bool connecting = call->opened && !call->readied;
	int64_t budget = call->readied ? call->budget_ns : call->connect_budget_ns;
	struct phases *p = &call->answer.phases;

	units_time_text(budget, within);
	if (!call->opened && !call->readied) {
		snprintf(detail, size, "none of our %u connections became free within %s",
			call->client->connections, within);
		return FAULT_DEADLINE;
	}
	if (connecting)
		snprintf(detail, size, "%s to %s port %u%s%s%s not done within %s",
			p->tls_ns ? "TLS handshake" : "connecting", call->host_name,
			call->host_port, call->tried[0] ? " (" : "", call->tried,
			call->tried[0] ? ")" : "", within);
	else if (call->answer.status)
		snprintf(detail, size, "answer not complete within %s (%lld bytes came)", within,
			(long long)call->answer.body_size);
	else
		snprintf(detail, size, "no answer within %s", within);
	return FAULT_TIMEOUT;
}

void http_call_conclude(struct http_call *call, CURLcode code, enum fault fault)
{
	struct http_answer *a = &call->answer;
	long version = 0, connects = 0;

	curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
	a->version = version == CURL_HTTP_VERSION_1_0   ? 10
		     : version == CURL_HTTP_VERSION_1_1 ? 11
		     : version == CURL_HTTP_VERSION_2_0 ? 20
							: 0;
	if (!a->status)
		a->version = 0;
	else
		call->host->multiplexes = a->version == 20;
	a->sent = call->readied > 0;
	a->reused = call->readied > 0 && connects == 0 && !call->opened;
	measure(call);
	if (call->stop) {
		a->fault = call->stop;
		snprintf(a->detail, sizeof(a->detail), "%s", call->stop_detail);
	} else if (fault == FAULT_TIMEOUT || code == CURLE_OPERATION_TIMEDOUT) {
		a->fault = fault_of_timeout(call, a->detail, sizeof(a->detail));
	} else if (fault) {
		a->fault = fault;
		snprintf(a->detail, sizeof(a->detail), "%s", fault_text(fault));
	} else {
		a->fault = fault_of_code(call, code, a->detail, sizeof(a->detail));
	}
	if (!a->fault)
		a->detail[0] = '\0';
}
