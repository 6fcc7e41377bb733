/*
 * guest_tool.c - see guest_tool.h.
 *
 * `command -v X && exec X …; command -v Y && exec Y …` takes the first tool that is there, and its
 * status. The order is that of how much they tell: curl says everything, bash why it could not
 * connect, the netcats nearly nothing. All but curl and wget get the request itself on standard
 * input, as HTTP/1.0, so that no answer comes in chunks and the service closes the connection.
 */

#include "observe/scenario/guest_tool.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "net/url.h"

#define IF_THERE(tool) "command -v " tool " >/dev/null 2>&1 && exec "
#define NO_TOOL        127 /* what sh says of a command it does not find */

bool guest_tool_plain_host(const char *s)
{
	return *s && *s != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") ==
		       strlen(s);
}

/* As one word of sh, whatever is in it. */
static void add_word(struct buf *b, struct slice s)
{
	buf_add_char(b, '\'');
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			buf_add_str(b, "'\\''");
		else
			buf_add_char(b, s.p[i]);
	buf_add_char(b, '\'');
}

/* --- tcp -------------------------------------------------------------------------------------- */

void guest_tool_tcp(struct buf *command, const char *host, unsigned port)
{
	buf_printf(command, IF_THERE("bash") "bash -c ': </dev/tcp/%s/%u'; ", host, port);
	/* The nc of small busyboxes knows no -z, but -e. */
	buf_printf(command, "nc -z -w 5 %s %u || nc -w 5 %s %u -e true", host, port, host, port);
}

/* --- http ------------------------------------------------------------------------------------- */

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr("!#$%&'*+-.^_`|~", s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_one_line(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (iscntrl((unsigned char)s.p[i]) && s.p[i] != '\t')
			return false;
	return true;
}

static bool is_sendable(const struct http_request *q, struct url *url, struct error *err)
{
	if (!url_parse(slice_of(q->url), url, err))
		return false;
	char *host = slice_dup(url->host);
	const bool plain = guest_tool_plain_host(host);
	free(host);
	if (!plain || (!slice_is(url->scheme, "http") && !slice_is(url->scheme, "https"))) {
		error_set(err, ERROR_INPUT, "`url` is no http or https address: %.100s", q->url);
		return false;
	}
	if (!is_token(slice_of(q->method))) {
		error_set(err, ERROR_INPUT, "\"%.40s\" is no method", q->method);
		return false;
	}
	for (size_t i = 0; i < q->header_count; i++)
		if (!is_token(slice_of(q->headers[i].name)) ||
			!is_one_line(slice_of(q->headers[i].value))) {
			error_set(err, ERROR_INPUT, "\"%.60s\" is no header", q->headers[i].name);
			return false;
		}
	return true;
}

static void write_request(struct buf *b, const struct http_request *q, const struct url *url)
{
	const bool v6 = slice_find(url->host, ':') < url->host.n;
	buf_printf(b, "%s ", q->method);
	if (!url->path.n)
		buf_add_char(b, '/');
	buf_add_slice(b, url->path);
	if (url->query.n) {
		buf_add_char(b, '?');
		buf_add_slice(b, url->query);
	}
	buf_add_str(b, v6 ? " HTTP/1.0\r\nHost: [" : " HTTP/1.0\r\nHost: ");
	buf_add_slice(b, url->host);
	buf_printf(b, "%s:%u\r\nConnection: close\r\n", v6 ? "]" : "", url->port);
	for (size_t i = 0; i < q->header_count; i++)
		buf_printf(b, "%s: %s\r\n", q->headers[i].name, q->headers[i].value);
	if (q->body_n)
		buf_printf(b, "Content-Length: %zu\r\n", q->body_n);
	buf_add_str(b, "\r\n");
	buf_add(b, q->body, q->body_n);
}

static void add_curl(struct buf *b, const struct http_request *q, int64_t seconds)
{
	const bool head = !strcmp(q->method, "HEAD");
	buf_printf(b, IF_THERE("curl") "curl -sSi --noproxy '*' -m %" PRId64 " %s ", seconds,
		head ? "-I" : "-X");
	if (!head)
		add_word(b, slice_of(q->method));
	for (size_t i = 0; i < q->header_count; i++) {
		char *line = mem_printf("%s: %s", q->headers[i].name, q->headers[i].value);
		buf_add_str(b, " -H ");
		add_word(b, slice_of(line));
		free(line);
	}
	if (q->body_n) {
		buf_add_str(b, " --data-raw ");
		add_word(b, slice_from(q->body, q->body_n));
	}
	buf_add_str(b, " -- ");
	add_word(b, slice_of(q->url));
	buf_add_str(b, "; ");
}

/* GNU wget; that of busybox knows neither methods nor what an error's body is. */
static void add_wget(struct buf *b, const struct http_request *q, int64_t seconds)
{
	buf_printf(b,
		"exec wget -q -S -O - --no-proxy --tries=1 --max-redirect=0 -T %" PRId64
		" --content-on-error --method=",
		seconds);
	add_word(b, slice_of(q->method));
	for (size_t i = 0; i < q->header_count; i++) {
		char *line = mem_printf("%s: %s", q->headers[i].name, q->headers[i].value);
		buf_add_str(b, " --header=");
		add_word(b, slice_of(line));
		free(line);
	}
	if (q->body_n) {
		buf_add_str(b, " --body-data=");
		add_word(b, slice_from(q->body, q->body_n));
	}
	buf_add_str(b, " -- ");
	add_word(b, slice_of(q->url));
}

bool guest_tool_http(
	const struct http_request *q, struct buf *command, struct buf *input, struct error *err)
{
	const int64_t seconds = (q->deadline_ns + NS_PER_S - 1) / NS_PER_S;
	struct url url;
	if (!is_sendable(q, &url, err))
		return false;
	add_curl(command, q, seconds);
	if (slice_is(url.scheme, "http")) {
		char *host = slice_dup(url.host);
		buf_printf(command,
			IF_THERE("bash") "bash -c "
			"'exec 3<>/dev/tcp/%s/%u || exit; cat >&3; exec cat <&3'; "
			IF_THERE("nc") "nc -w %" PRId64 " %s %u; ",
			host, url.port, seconds, host, url.port);
		free(host);
		write_request(input, q, &url);
	}
	add_wget(command, q, seconds);
	if (!command->over && !input->over)
		return true;
	error_set(err, ERROR_LIMIT, "the request is too large to be sent by a guest");
	return false;
}

/* --- what comes back -------------------------------------------------------------------------- */

/* "HTTP/1.1 200 OK", which wget indents; 0: it is none. */
static int status_of(struct slice line)
{
	line = slice_trim(line);
	if (!slice_starts(line, "HTTP/"))
		return 0;
	const struct slice code = slice_sub(line, slice_find(line, ' ') + 1, 3);
	int status = 0;
	for (size_t i = 0; i < code.n; i++)
		status = isdigit((unsigned char)code.p[i]) ? status * 10 + code.p[i] - '0' : 1000;
	return code.n == 3 && status < 1000 ? status : 0;
}

/* Cuts one head off; answers 1xx stand before the real one. */
static bool take_head(struct slice *rest, int *ret_status)
{
	struct slice line;
	if (!slice_next(rest, '\n', &line) || !status_of(line))
		return false;
	*ret_status = status_of(line);
	while (slice_next(rest, '\n', &line))
		if (!slice_trim(line).n)
			return true;
	return true;
}

bool guest_tool_http_answer(
	struct slice output, struct slice errors, int *ret_status, struct slice *ret_body)
{
	struct slice rest = output, line;
	bool found = false;
	while ((!found || *ret_status < 200) && take_head(&rest, ret_status))
		found = true;
	*ret_body = rest;
	if (found)
		return true;
	/* wget: the heads stand among the errors, the last one is that of the body */
	while (slice_next(&errors, '\n', &line))
		if (status_of(line)) {
			*ret_status = status_of(line);
			found = true;
		}
	*ret_body = output;
	return found;
}

enum fault guest_tool_fault(int exit_status, struct slice errors, enum fault otherwise)
{
	static const struct {
		const char *words;
		enum fault fault;
	} known[] = {
		{"efused", FAULT_REFUSED},
		{"imed out", FAULT_TIMEOUT},
		{"curl: (28)", FAULT_TIMEOUT},
		{"nreachable", FAULT_UNREACHABLE},
		{"No route", FAULT_UNREACHABLE},
		{"resol", FAULT_RESOLVE},
		{"bad address", FAULT_RESOLVE},
		{"not known", FAULT_RESOLVE},
		{"host lookup failed", FAULT_RESOLVE},
		{"certificate", FAULT_TLS},
		{"SSL", FAULT_TLS},
		{"curl: (7)", FAULT_REFUSED},
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (slice_find_text(errors, slice_of(known[i].words)) < errors.n)
			return known[i].fault;
	return exit_status == NO_TOOL ? FAULT_EXIT_STATUS : otherwise;
}
