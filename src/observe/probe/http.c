/*
 * http.c - kind http: a request on a fresh connection, its redirects followed one by one.
 *
 * Each redirect is an exchange of its own within the same deadline; their phases add up. What is
 * secret (user, headers that stand elsewhere) goes to the first host alone.
 *
 * An exchange goes over a stream of ours where that can do it; proxies are curl's.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "net/http_fresh.h"
#include "net/url.h"
#include "observe/probe/headers.h"
#include "observe/probe/talk.h"

#define REDIRECTS_MAX 10
#define BODY_MAX      (1 << 20)

struct http_spec {
	char *url, *method, *body, *proxy, *cert, *key, *ca, *host, *user; /* method: method_of() */
	const struct yaml *headers, *password;                             /* while it is read */
	int64_t redirects, max;
	int version; /* of the words */
	bool verify;
	/* made of them */
	struct headers list;
	struct secret *secret;
	char *peer; /* "HOST:PORT" to connect to */
	struct http_tls *tls;
};

/* In a cell of its own: an attempt has the specification as a constant. */
struct http_tls {
	struct tls_context *now; /* made anew when its files have changed; NULL: no need yet */
	struct {
		unsigned line, col;
	} at[]; /* of its files, by enum tls_file; there when it has some */
};

static const char *const file_keys[] = {
	[TLS_FILE_CA] = "ca", [TLS_FILE_CERT] = "cert", [TLS_FILE_KEY] = "key"};

static const char *const version_words[] = {"any", "1.1", "2", NULL};
static const int versions[] = {0, 11, 20};

#define HTTP(name, type, field) name, type, offsetof(struct http_spec, field)
static const struct key keys[] = {
	{HTTP("url", KEY_TEXT, url), .required = true, .max = 2048},
	{HTTP("method", KEY_TEXT, method), .max = 32},
	{HTTP("headers", KEY_MAP, headers)},
	{HTTP("body", KEY_TEXT, body), .max = 64 << 10},
	{HTTP("redirects", KEY_INT, redirects), .max = REDIRECTS_MAX},
	{HTTP("version", KEY_WORD, version), .words = version_words},
	{HTTP("proxy", KEY_TEXT, proxy), .max = 2048},
	{HTTP("cert", KEY_TEXT, cert), .max = 2048},
	{HTTP("key", KEY_TEXT, key), .max = 2048},
	{HTTP("ca", KEY_TEXT, ca), .max = 2048},
	{HTTP("verify", KEY_BOOL, verify)},
	{HTTP("host", KEY_TEXT, host), .max = 300},
	{HTTP("user", KEY_TEXT, user), .max = 200},
	{HTTP("password", KEY_NODE, password)},
	{HTTP("max", KEY_SIZE, max), .min = 1, .max = 64 << 20},
};
#undef HTTP

static void defaults(void *into)
{
	struct http_spec *s = into;
	s->redirects = REDIRECTS_MAX;
	s->max = BODY_MAX;
	s->verify = true;
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *method_of(const struct http_spec *s)
{
	return s->method ? s->method : s->body ? "POST" : "GET";
}

static bool is_url(struct probe_reader *r, const struct yaml *at, const char *text,
	const char *schemes, struct url *u)
{
	struct error err = {0};
	if (!url_parse(slice_of(text), u, &err)) {
		probe_wrong(r, at, "%.300s", err.msg);
		return false;
	}
	if (slice_in_words(u->scheme, schemes))
		return probe_check_ascii(r, at, u->host);
	probe_wrong(r, at, "\"%.200s\" must begin with %s", text,
		!strcmp(schemes, "http https") ? "http:// or https://" : "http:// or socks5://");
	return false;
}

static void read_host(
	struct probe_reader *r, const struct yaml *at, struct http_spec *s, const struct url *u)
{
	char *host;
	unsigned port;
	if (!probe_read_target(r, yaml_get(at, "host"), s->host, u->port, &host, &port))
		return;
	s->peer = mem_printf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	free(host);
}

static void check_pairs(struct probe_reader *r, const struct yaml *at, const struct http_spec *s)
{
	if (s->key && !s->cert)
		probe_wrong(r, yaml_get(at, "key"), "key without cert");
	if (!s->user != !s->password)
		probe_wrong(r, at, "user and password belong together");
	if (s->proxy && s->host)
		probe_wrong(r, yaml_get(at, "host"),
			"host and proxy do not go together: the proxy connects");
}

static struct http_tls *tls_new(const struct http_spec *s, const struct yaml *at)
{
	const bool files = s->ca || s->cert || s->key;
	const size_t n = files ? array_len(file_keys) : 0;
	struct http_tls *tls = mem_new_array(1, sizeof(*tls) + n * sizeof(tls->at[0]));
	for (size_t i = 0; i < n; i++) {
		const struct yaml *y = talk_at(at, file_keys[i]);
		tls->at[i].line = y->line;
		tls->at[i].col = y->col;
	}
	return tls;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct http_spec *s = spec;
	const struct yaml *url_at = at->kind == YAML_MAP ? yaml_get(at, "url") : at;
	struct url u, proxy;
	const size_t before = r->errors->n + r->errors->dropped;
	s->tls = tls_new(s, at);
	const bool good = is_url(r, url_at, s->url, "http https", &u);
	for (char *p = s->method; p && *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	if (!header_is_token(slice_of(method_of(s)), 32))
		probe_wrong(r, yaml_get(at, "method"), "\"%.32s\" is no method", s->method);
	probe_path(r, &s->ca);
	probe_path(r, &s->cert);
	probe_path(r, &s->key);
	if (s->headers)
		headers_read(&s->list, s->headers, r, "content-length");
	if (s->host && good)
		read_host(r, at, s, &u);
	if (s->proxy)
		is_url(r, yaml_get(at, "proxy"), s->proxy, "http socks5 socks5h", &proxy);
	r->key = "password";
	if (s->password)
		probe_take_secret(r, s->password, true, &s->secret, NULL);
	check_pairs(r, at, s);
	buf_add_str(out, s->url);
	return r->errors->n + r->errors->dropped == before;
}

static void fini(void *spec)
{
	struct http_spec *s = spec;
	headers_fini(&s->list);
	free(s->peer);
	if (s->tls)
		tls_context_unref(s->tls->now);
	free(s->tls);
}

static void wrong_file(const struct http_spec *s, struct probe_reader *r, enum tls_file which,
	const struct error *err)
{
	/* without `key` that is in the file of the certificate */
	if (which == TLS_FILE_KEY && !s->key)
		which = TLS_FILE_CERT;
	const struct yaml at = {.line = s->tls->at[which].line, .col = s->tls->at[which].col};
	probe_wrong(r, &at, "%s", err->msg);
}

static void look_at_files(const void *spec, struct probe_reader *r)
{
	const struct http_spec *s = spec;
	const struct tls_options authorities = {.ca_file = s->ca};
	struct error err = {0};
	enum tls_file which;
	/* a context, since many may name the same file: it is read once */
	struct tls_context *c = s->ca ? tls_context_new(&authorities, &err) : NULL;
	if (s->ca && !c)
		wrong_file(s, r, TLS_FILE_CA, &err);
	tls_context_unref(c);
	if (s->cert && !tls_pair_good(s->cert, s->key, &which, &err))
		wrong_file(s, r, which, &err);
}

static void request(const void *spec, struct buf *out)
{
	const struct http_spec *s = spec;
	buf_printf(out, "%s %s", method_of(s), s->url);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct asking {
	struct attempt *attempt;  /* NULL: nobody wants to know any more */
	struct http_call *call;   /* at most one of both is under way */
	struct http_fresh *fresh; /* until the next exchange, or the end */
	char *url;                /* of a redirect; NULL: the first one */
	unsigned redirects;
	bool plain;   /* as a GET without a body: a redirect said so */
	bool strange; /* at another host than the first */
	struct phases sum;
	const struct http_answer *answer; /* while the attempt ends */
	struct value body;
};

static void ask(struct asking *k);

static void asking_free(struct asking *k)
{
	value_drop(&k->body);
	http_fresh_close(k->fresh);
	free(k->url);
	free(k);
}

static void add_phases(struct phases *sum, const struct phases *p)
{
	sum->resolve_ns += p->resolve_ns;
	sum->connect_ns += p->connect_ns;
	sum->tls_ns += p->tls_ns;
	sum->wait_ns += p->wait_ns;
	sum->body_ns += p->body_ns;
	sum->total_ns += p->total_ns;
}

static bool same_origin(const char *a, const char *b)
{
	struct url x, y;
	return url_parse(slice_of(a), &x, NULL) && url_parse(slice_of(b), &y, NULL) &&
	       x.port == y.port && x.host.n == y.host.n && x.scheme.n == y.scheme.n &&
	       !strncasecmp(x.host.p, y.host.p, x.host.n);
}

static bool is_redirect(const struct http_answer *a)
{
	return a->status == 301 || a->status == 302 || a->status == 303 || a->status == 307 ||
	       a->status == 308;
}

/* Where it sends us, owned; NULL: nowhere. */
static char *redirected(const struct asking *k, const struct http_answer *a)
{
	const struct http_spec *s = k->attempt->spec;
	const char *location = http_answer_header(a, "Location");
	return is_redirect(a) && location && s->redirects
		       ? url_follow(k->url ? k->url : s->url, location)
		       : NULL;
}

/* Takes url. */
static void follow(struct asking *k, const struct http_answer *a, char *url)
{
	const struct http_spec *s = k->attempt->spec;
	const bool head = !strcmp(method_of(s), "HEAD");
	if ((a->status == 303 && !head) || (a->status < 303 && !strcmp(method_of(s), "POST")))
		k->plain = true;
	free(k->url);
	k->url = url;
	k->strange = !same_origin(url, s->url);
	k->redirects++;
	ask(k);
}

static void judge(struct asking *k, const struct http_answer *a)
{
	struct attempt *t = k->attempt;
	const struct http_spec *s = t->spec;
	if (a->fault != FAULT_NONE)
		attempt_end(t, a->fault, "%s", a->detail);
	else if (s->version && versions[s->version] != a->version)
		attempt_end(t, FAULT_PROTOCOL, "answered with HTTP/%s, not HTTP/%s",
			a->version == 20   ? "2"
			: a->version == 10 ? "1.0"
					   : "1.1",
			version_words[s->version]);
	else if (!t->judged && (a->status < 200 || a->status >= 400))
		attempt_end(t, a->status < 200 ? FAULT_PROTOCOL : fault_of_status(a->status),
			"answered %d%s%s", a->status, s->proxy ? " through the proxy " : "",
			s->proxy ? s->proxy : "");
	else if (!t->judged && s->redirects && is_redirect(a)) /* or it had been followed */
		attempt_end(t, FAULT_PROTOCOL, "answered %d without an address of http to go on to",
			a->status);
	else
		attempt_end(t, FAULT_NONE, NULL);
}

/* What answered, wherever it was sent. */
static void take_answer(struct asking *k, const struct http_answer *a)
{
	struct attempt *t = k->attempt;
	const struct http_spec *s = t->spec;
	add_phases(&k->sum, &a->phases);
	char *next = a->fault == FAULT_NONE ? redirected(k, a) : NULL;
	t->phases = k->sum;
	t->status = a->status;
	t->connected = a->sent;
	if (next && k->redirects < s->redirects && attempt_age_ns(t) < t->deadline_ns) {
		follow(k, a, next);
		return;
	}
	snprintf(t->address, sizeof(t->address), "%s", a->address);
	k->answer = a;
	if (next)
		attempt_end(t, FAULT_PROTOCOL, "redirected more than %lld times, at last to %.100s",
			(long long)s->redirects, next);
	else
		judge(k, a);
	free(next);
}

static void on_called(void *arg, const struct http_answer *a)
{
	struct asking *k = arg;
	k->call = NULL;
	if (!k->attempt) {
		asking_free(k);
		return;
	}
	take_answer(k, a);
}

static void on_fresh(void *arg, const struct http_answer *a)
{
	struct asking *k = arg;
	const struct http_spec *s = k->attempt->spec;
	http_client_heard(k->attempt->tools->http, k->url ? k->url : s->url, a);
	take_answer(k, a);
}

/* As its files are now; false: one is no good. */
static bool renew_tls(const struct http_spec *s, bool strange, struct error *err)
{
	const struct tls_options o = {.ca_file = s->ca,
		.cert_file = strange ? NULL : s->cert,
		.key_file = strange ? NULL : s->key,
		.alpn = versions[s->version] == 11 ? "http/1.1" : "h2,http/1.1"};
	struct tls_context *now = tls_context_new(&o, err);
	if (!now)
		return false;
	tls_context_unref(s->tls->now); /* mostly the same one */
	s->tls->now = now;
	return true;
}

static void send_fresh(struct asking *k, const struct http_request *q)
{
	struct attempt *t = k->attempt;
	const struct http_spec *s = t->spec;
	struct error err = {0};
	if (!strncasecmp(q->url, "https:", 6) && !renew_tls(s, k->strange, &err)) {
		attempt_end_soon(t, FAULT_CONFIGURATION, "%.150s", err.msg);
		return;
	}
	k->fresh = http_fresh_send(t->tools->loop, t->tools->resolver, s->tls->now, q, on_fresh, k);
}

static void ask(struct asking *k)
{
	const struct attempt *t = k->attempt;
	const struct http_spec *s = t->spec;
	struct http_header headers[HEADERS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < s->list.n; i++) {
		const struct header *h = &s->list.p[i];
		if (h->secret && k->strange)
			continue;
		headers[n++] = (struct http_header){h->name, header_value(h)};
	}
	const bool with_body = s->body && !k->plain;
	const struct http_request q = {.method = k->plain ? "GET" : method_of(s),
		.url = k->url ? k->url : s->url,
		.headers = headers,
		.header_count = n,
		.body = with_body ? s->body : NULL,
		.body_n = with_body ? strlen(s->body) : 0,
		.deadline_ns = t->deadline_ns - (k->redirects ? attempt_age_ns(t) : 0),
		.answer_max = (size_t)s->max,
		.ca_file = s->ca,
		.cert_file = k->strange ? NULL : s->cert,
		.key_file = k->strange ? NULL : s->key,
		.insecure = !s->verify,
		.connect_to = k->strange ? NULL : s->peer,
		.family = t->family,
		.proxy = s->proxy ? s->proxy : "",
		.version = versions[s->version],
		.user = k->strange ? NULL : s->user,
		.password = s->secret && !k->strange ? secret_reveal(s->secret) : NULL,
		.wants_certificate = t->measured};
	http_fresh_close(k->fresh);
	k->fresh = NULL;
	if (http_fresh_can(&q))
		send_fresh(k, &q);
	else
		k->call = http_send(t->tools->http, &q, on_called, k);
}

static void start(struct attempt *a)
{
	struct asking *k = mem_new(struct asking);
	k->attempt = a;
	a->data = k;
	ask(k);
}

static void cancel(struct attempt *a)
{
	struct asking *k = a->data;
	if (!k->call) {
		http_fresh_close(k->fresh);
		k->fresh = NULL;
		return;
	}
	k->attempt = NULL;
	a->data = NULL;
	http_cancel(k->call); /* its callback frees it */
}

static void release(struct attempt *a)
{
	asking_free(a->data);
}

/* --- what was measured ------------------------------------------------------------------------ */

static const char *const measurements[] = {
	"STATUS", "BODY", "SIZE", "HEADER", "REDIRECTS", "VERSION", TALK_TLS_MEASUREMENTS, NULL};

static struct value body_of(struct asking *k)
{
	const struct http_answer *a = k->answer;
	if (k->body.type == VALUE_NULL) {
		const struct http_spec *s = k->attempt->spec;
		json_t *j = json_parse_foreign(a->body, (size_t)s->max);
		k->body = j ? value_from_json(j) : talk_text(slice_trim(a->body));
		json_decref(j);
	}
	return value_copy(k->body);
}

static bool written(const struct attempt *t, struct slice name, struct slice *ret)
{
	const struct asking *k = t->data;
	if (!k || !k->answer || !slice_is(name, "BODY"))
		return false;
	*ret = k->answer->body;
	return true;
}

static struct value headers_of(const struct http_answer *a)
{
	const struct http_header *h;
	const size_t n = http_answer_headers(a, &h);
	struct value map = value_map_new();
	for (size_t i = 0; i < n; i++) {
		char *name = mem_strdup(h[i].name);
		for (char *p = name; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		if (!value_field(&map, slice_of(name)))
			value_map_put(&map, slice_of(name), value_str(h[i].value));
		free(name);
	}
	return map;
}

static bool measure(const struct attempt *t, struct slice name, struct value *ret)
{
	struct asking *k = t->data;
	const struct http_answer *a = k ? k->answer : NULL;
	if (!a)
		return false;
	if (!a->status) /* a certificate that is no good is known all the same */
		return talk_measure_tls(t, a->tls, name, ret);
	if (slice_is(name, "STATUS"))
		*ret = value_int(a->status);
	else if (slice_is(name, "BODY"))
		*ret = body_of(k);
	else if (slice_is(name, "SIZE"))
		*ret = value_size(a->body_size);
	else if (slice_is(name, "HEADER"))
		*ret = headers_of(a);
	else if (slice_is(name, "REDIRECTS"))
		*ret = value_int(k->redirects);
	else if (slice_is(name, "VERSION"))
		*ret = value_str(a->version == 20 ? "2" : a->version == 10 ? "1.0" : "1.1");
	else
		return talk_measure_tls(t, a->tls, name, ret);
	return ret->type != VALUE_NULL;
}

const struct probe_kind probe_kind_http = {
	.name = "http",
	.help = "an HTTP request: status, body, headers, certificate",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct http_spec),
	.shorthand = "url",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.files = look_at_files,
	.request = request,
	.measurements = measurements,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.written = written,
	.release = release,
};
