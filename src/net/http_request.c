/*
 * http_request.c - a request as options of a curl handle, and its body while it is sent.
 *
 * A create must never be sent twice unseen. curl sends a request again by itself when a kept
 * connection breaks before the first byte of the answer (Curl_retry_request()), bodies included. It
 * asks our on_ready() each time before it sends, so the second asking for anything but a safe
 * method ends the call as a lost connection. And since servers close idle connections after a few
 * seconds (Apache: 5), such a request takes no connection that idled longer than UNSAFE_IDLE_S.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "net/http_call.h"
#include "net/tls_inside.h"
#include "net/url.h"

#define UNSAFE_IDLE_S   4L
#define IDLE_S          110L  /* below the common 120 s of proxies */
#define LIFETIME_S      1800L /* so that a host that moved is found again */
#define CA_CACHE_S      600L
#define FRESH_BUFFER    2048L
#define PROXY_PORT      1080 /* curl's default */
#define HEADER_LINE_MAX (64u << 10)

static bool refuse(struct http_call *call, const char *fmt, ...) like_printf(2, 3);

static bool refuse(struct http_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	call->answer.fault = FAULT_LOCAL;
	vsnprintf(call->answer.detail, sizeof(call->answer.detail), fmt, ap);
	va_end(ap);
	return false;
}

/* --- while it is sent --------------------------------------------------------------------------
 */

/* Asked now, while curl still holds the connection. */
static void note_certificate(struct http_call *call)
{
	struct curl_tlssessioninfo *tls = NULL;

	if (curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls ||
		tls->backend != CURLSSLBACKEND_OPENSSL || !tls->internals)
		return;
	if (!call->facts)
		call->facts = mem_new(struct tls_facts);
	if (SSL_get_verify_result(tls->internals) != X509_V_OK)
		call->facts->fault = FAULT_TLS; /* its chain was not verified */
	tls_facts_read(call->facts, tls->internals);
}

static int on_ready(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct http_call *call = arg;

	call->readied++;
	http_call_connected(call);
	if (call->wants_certificate)
		note_certificate(call);
	snprintf(call->answer.address, sizeof(call->answer.address), "%s", peer);
	if (call->state == HTTP_ENDED)
		return CURL_PREREQFUNC_ABORT;
	if (call->readied > 1 && !call->safe) {
		http_call_stop(call, FAULT_CONNECTION_LOST,
			"the kept connection broke without an answer; the request was not sent "
			"again");
		return CURL_PREREQFUNC_ABORT;
	}
	http_call_ready(call);
	return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t got;

	n *= size;
	if (call->state == HTTP_ENDED)
		return CURL_READFUNC_ABORT;
	if ((int64_t)n > call->source_left)
		n = (size_t)call->source_left;
	if (n == 0)
		return 0;
	got = call->source(call->stream_arg, p, n);
	assert(got <= n);
	if (got == 0) {
		http_call_stop(call, FAULT_LOCAL, "the request's body ended %lld bytes early",
			(long long)call->source_left);
		return CURL_READFUNC_ABORT;
	}
	call->source_left -= (int64_t)got;
	if (call->source_left == 0)
		call->uploaded_ns = (int64_t)uv_hrtime();
	return got;
}

/* --- headers -----------------------------------------------------------------------------------
 */

/* RFC 9110 section 5.6.2 */
static bool is_token(const char *s)
{
	static const char chars[] =
		"!#$%&'*+-.^_`|~0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return s && s[0] && s[strspn(s, chars)] == '\0';
}

static void add_line(struct http_call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->sent_headers, line);

	if (!longer)
		mem_panic("out of memory");
	call->sent_headers = longer;
}

static bool add_headers(struct http_call *call, const struct http_request *r)
{
	struct buf line = BUF(HEADER_LINE_MAX);
	bool good = true, typed = false;

	for (size_t i = 0; i < r->header_count && good; i++) {
		const struct http_header *h = &r->headers[i];

		buf_clear(&line);
		/* "Name;" is how curl is told to send an empty header. */
		if (h->value[0])
			buf_printf(&line, "%s: %s", h->name, h->value);
		else
			buf_printf(&line, "%s;", h->name);
		if (!is_token(h->name) || strpbrk(h->value, "\r\n"))
			good = refuse(call, "header \"%.64s\" cannot be sent", h->name);
		else if (line.over)
			good = refuse(call, "header \"%.64s\" is too long", h->name);
		else
			add_line(call, buf_str(&line));
		typed = typed || strcasecmp(h->name, "Content-Type") == 0;
	}
	buf_fini(&line);
	add_line(call, "Expect:"); /* waiting for a 100 costs a second where it is ignored */
	if (!typed)
		add_line(call, "Content-Type:"); /* else curl claims a form */
	return good;
}

/* --- where to ----------------------------------------------------------------------------------
 */

static bool is_literal(const char *host)
{
	uint8_t address[16];

	return strchr(host, ':') || inet_pton(AF_INET, host, address) == 1;
}

/* Through a proxy it is the proxy we resolve and connect to. */
static bool use_proxy(struct http_call *call, const char *proxy)
{
	struct slice rest = slice_of(proxy);
	size_t scheme = slice_find_text(rest, SLICE("://")), at;
	struct buf text = BUF(BUF_LINE);
	struct url u;
	bool good;

	if (scheme < rest.n)
		rest = slice_sub(rest, scheme + 3, rest.n);
	rest = slice_sub(rest, 0, slice_find(rest, '/'));
	at = slice_find(rest, '@');
	if (at < rest.n)
		rest = slice_sub(rest, at + 1, rest.n);
	buf_printf(&text, "proxy://%.*s", SLICE_ARG(rest));
	good = url_parse(buf_slice(&text), &u, NULL);
	if (good) {
		call->host_name = slice_dup(u.host);
		call->host_port = u.port ? u.port : PROXY_PORT;
		call->needs_lookup = !is_literal(call->host_name);
		call->proxied = true;
		curl_easy_setopt(call->easy, CURLOPT_PROXY, proxy);
	} else {
		refuse(call, "the proxy is not an address");
	}
	buf_fini(&text);
	return good;
}

/* A name is resolved as the URL's would be; of an address the URL's host stays who is spoken of. */
static bool use_peer(struct http_call *call, const char *peer)
{
	struct buf text = BUF(BUF_LINE);
	struct url u;
	char *host;
	bool good;

	buf_printf(&text, "peer://%s", peer);
	good = url_parse(buf_slice(&text), &u, NULL) && u.port;
	if (!good)
		refuse(call, "\"%.200s\" is no address to connect to", peer);
	host = good ? slice_dup(u.host) : NULL;
	call->needs_lookup = host && !is_literal(host);
	if (call->needs_lookup) {
		free(call->host_name);
		call->host_name = host;
		call->host_port = u.port;
		host = NULL;
	}
	free(host);
	buf_fini(&text);
	return good;
}

static bool set_target(struct http_call *call, const struct http_request *r)
{
	struct http_client *c = call->client;
	const char *proxy = NULL;
	struct error err = {0};
	struct url u;
	bool tls;

	if (!url_parse(slice_of(r->url), &u, &err))
		return refuse(call, "%.200s", err.msg);
	tls = slice_is_nocase(u.scheme, "https");
	if (!tls && !slice_is_nocase(u.scheme, "http"))
		return refuse(call, "\"%.200s\" is no http or https address", r->url);
	curl_easy_setopt(call->easy, CURLOPT_URL, r->url);
	proxy = r->proxy ? r->proxy : http_proxy_for(&c->proxies, tls, u.host);
	if (proxy && proxy[0])
		return use_proxy(call, proxy);
	curl_easy_setopt(call->easy, CURLOPT_PROXY, ""); /* not the environment's */
	call->tls = tls;
	call->host_name = url_ascii_host(r->url, &u);
	call->host_port = u.port;
	call->needs_lookup = !is_literal(call->host_name);
	return !r->connect_to || use_peer(call, r->connect_to);
}

static void add_entry(struct curl_slist **list, const char *entry)
{
	struct curl_slist *longer = curl_slist_append(*list, entry);

	if (!longer)
		mem_panic("out of memory");
	*list = longer;
}

static void set_peer(struct http_call *call, const char *peer)
{
	char *entry = mem_printf("::%s", peer); /* whatever host and port the URL has */

	add_entry(&call->connect_to, entry);
	curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
	free(entry);
}

/* The request's own addresses come before what we know and before asking. */
static void set_addresses(struct http_call *call, const struct http_request *r)
{
	size_t n = strlen(call->host_key);

	if (r->connect_to)
		set_peer(call, r->connect_to);
	for (size_t i = 0; r->resolve && r->resolve[i]; i++) {
		const char *entry = r->resolve[i];
		const char *host = entry[0] == '+' ? entry + 1 : entry;

		add_entry(&call->resolve, entry);
		if ((strncasecmp(host, call->host_key, n) == 0 && host[n] == ':') || host[0] == '*')
			call->needs_lookup = false;
	}
}

/* --- what and how ------------------------------------------------------------------------------
 */

static void set_body(struct http_call *call, const struct http_request *r)
{
	CURL *e = call->easy;
	bool has_body = r->body_n > 0 || strcmp(r->method, "POST") == 0 ||
			strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;

	if (r->source) {
		call->source = r->source;
		call->source_left = r->source_n;
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source_n);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e, CURLOPT_READDATA, call);
	} else if (has_body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body_n ? r->body : "");
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_n);
	} else if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
}

static long version_of(const struct http_request *r)
{
	bool tls = strncasecmp(r->url, "https:", 6) == 0;

	if (r->version == 11)
		return CURL_HTTP_VERSION_1_1;
	if (r->version == 20 && !tls)
		return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	return CURL_HTTP_VERSION_2TLS;
}

static void set_tls(CURL *e, const struct http_request *r)
{
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, r->insecure ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, r->insecure ? 0L : 2L);
	/* Reading the system's authorities takes 10 ms; curl keeps them parsed only without the
	 * directory, which holds the same. */
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
	if (r->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, r->ca_file);
	if (r->cert_file) {
		curl_easy_setopt(e, CURLOPT_SSLCERT, r->cert_file);
		/* or who has an encrypted key is asked for it at the terminal, and all waits */
		curl_easy_setopt(e, CURLOPT_KEYPASSWD, "");
	}
	if (r->key_file)
		curl_easy_setopt(e, CURLOPT_SSLKEY, r->key_file);
}

static void set_connection(struct http_call *call, const struct http_request *r)
{
	CURL *e = call->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, version_of(r));
	if (r->family)
		curl_easy_setopt(e, CURLOPT_IPRESOLVE,
			(long)(r->family == AF_INET ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6));
	if (r->user) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(e, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, r->password ? r->password : "");
	}
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, call->safe ? IDLE_S : UNSAFE_IDLE_S);
	curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, LIFETIME_S);
	if (call->client->fresh) {
		/* Answers of probes are short, and thousands may hang at once. In HTTP/2 without TLS
		 * curl 7.88 at times leaves lying what it has read of a frame that is longer. */
		if (version_of(r) != CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
			curl_easy_setopt(e, CURLOPT_BUFFERSIZE, FRESH_BUFFER);
		curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
		curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	}
	curl_easy_setopt(e, CURLOPT_USERAGENT, call->client->user_agent);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->curl_error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, call);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, call);
}

bool http_call_prepare(struct http_call *call, const struct http_request *r)
{
	struct http_client *c = call->client;

	call->easy = c->spare.n ? vec_pop(&c->spare) : curl_easy_init();
	if (!call->easy)
		mem_panic("out of memory");
	if (!is_token(r->method))
		return refuse(call, "\"%.32s\" is no method", r->method ? r->method : "");
	if (r->body_n > 0 && !r->body)
		return refuse(call, "the body is missing");
	call->safe = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0 ||
		     strcmp(r->method, "OPTIONS") == 0;
	call->family = r->family;
	call->wants_certificate = r->wants_certificate;
	call->sink = r->sink;
	call->stream_arg = r->stream_arg;
	buf_init(&call->body, r->answer_max ? r->answer_max : BUF_ANSWER);
	set_connection(call, r);
	set_tls(call->easy, r);
	http_call_sockets(call);
	http_call_receive(call);
	if (!set_target(call, r) || !add_headers(call, r))
		return false;
	call->host_key = mem_printf("%s:%u", call->host_name, call->host_port);
	call->host = http_host_get(c, call->host_key);
	set_addresses(call, r);
	set_body(call, r);
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->sent_headers);
	return true;
}
