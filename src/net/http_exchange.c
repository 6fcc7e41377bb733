/*
 * http_exchange.c - a request from its line to its end; see http_server.h.
 *
 * A handler that answers later leaves the connection suspended; the reply resumes it, libmicrohttpd
 * calls the access handler again, and only there a response may be queued. An exchange is used
 * again for another request when it is over: most requests cost no memory of ours.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "net/http_serving.h"
#include "net/url.h"

#define SPARES 256

static void exchange_free(struct http_exchange *x)
{
	struct http_server *s = x->server;
	http_response_unref(x->response);
	VEC_EACH (&x->arguments, struct argument, a) {
		free(a->name);
		free(a->value);
	}
	vec_fini(&x->arguments);
	buf_fini(&x->body);
	free(x->query_copy);
	if (s->spares >= SPARES) {
		free(x);
		return;
	}
	x->next_spare = s->spare;
	s->spare = x;
	s->spares++;
}

static struct http_exchange *exchange_new(struct http_server *s)
{
	struct http_exchange *x = s->spare;
	if (!x)
		return mem_new(struct http_exchange);
	s->spare = x->next_spare;
	s->spares--;
	*x = (struct http_exchange){0};
	return x;
}

void http_free_spares(struct http_server *s)
{
	for (struct http_exchange *x = s->spare, *next; x; x = next) {
		next = x->next_spare;
		free(x);
	}
	s->spare = NULL;
	s->spares = 0;
}

/* The request line, before anything is unescaped. Its result is the first con_cls. The query is
 * copied: libmicrohttpd cuts it into pieces where it stands. */
void *http_on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_server *s = arg;
	struct http_exchange *x = exchange_new(s);
	const char *question = strchr(uri, '?');
	x->server = s;
	x->mhd = mhd;
	x->query_copy = question && question[1] ? mem_strdup(question + 1) : NULL;
	x->query = x->query_copy ? x->query_copy : "";
	x->body.max = s->o.body_max;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	x->connection = info ? info->socket_context : NULL;
	http_enter(x->connection, PHASE_HEADERS);
	return x;
}

static enum MHD_Result queue(struct http_exchange *x)
{
	if (x->dropped || !x->response)
		return MHD_NO; /* closes the connection */
	http_enter(x->connection, PHASE_SEND);
	return MHD_queue_response(x->mhd, (unsigned)x->status, http_response_mhd(x->response));
}

static void refuse_body(struct http_exchange *x)
{
	char text[100];
	snprintf(text, sizeof(text), "the body is over the limit of %u bytes\n", x->body.max);
	http_reply(x, 413, x->server->o.headers, x->server->o.header_count, slice_of(text));
}

static enum MHD_Result begin(struct http_exchange *x, const char *url, const char *method)
{
	const struct http_server_options *o = &x->server->o;
	const char *length = http_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t n = 0;
	x->begun = true;
	x->method = method;
	x->path = url; /* stays where it is until the request is over */
	http_enter(x->connection, PHASE_BODY);
	x->streams = o->stream && o->stream(o->arg, x);
	if (!x->streams && length && units_parse_int(slice_of(length), &n) &&
		n > (int64_t)x->body.max) {
		x->handled = true;
		refuse_body(x);
		return queue(x);
	}
	return MHD_YES;
}

static void take_piece(struct http_exchange *x, const char *p, size_t n)
{
	const struct http_server_options *o = &x->server->o;
	if (x->answered)
		return;
	if (x->streams) {
		if (o->piece)
			o->piece(o->arg, x, p, n);
	} else if (!x->too_large && !buf_add(&x->body, p, n)) {
		x->too_large = true;
	}
}

static enum MHD_Result handle(struct http_exchange *x)
{
	const struct http_server_options *o = &x->server->o;
	x->handled = true;
	http_enter(x->connection, PHASE_ANSWER);
	if (x->answered) /* dropped while its body came */
		return queue(x);
	if (x->too_large)
		refuse_body(x);
	else if (x->server->closing)
		http_drop(x);
	else
		o->handle(o->arg, x);
	if (x->answered)
		return queue(x);
	x->suspended = true;
	x->kept_at = x->server->kept.n;
	vec_push(&x->server->kept, x);
	MHD_suspend_connection(x->mhd);
	return MHD_YES;
}

enum MHD_Result http_on_access(void *arg, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_n,
	void **con_cls)
{
	struct http_exchange *x = *con_cls;
	if (!x->begun)
		return begin(x, url, method);
	if (*upload_n) {
		take_piece(x, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	return x->handled ? queue(x) : handle(x);
}

void http_on_completed(
	void *arg, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct http_exchange *x = *con_cls;
	if (!x)
		return;
	*con_cls = NULL;
	if ((x->handled || x->streams) && !x->answered && x->server->o.gone)
		x->server->o.gone(x->server->o.arg, x);
	http_enter(x->connection, PHASE_IDLE);
	exchange_free(x);
}

/* --- the answer ----------------------------------------------------------------------------------
 */

bool http_is_kept(const struct http_server *s, const struct http_exchange *x)
{
	return x->kept_at < s->kept.n && s->kept.p[x->kept_at] == x;
}

static void resume(struct http_exchange *x)
{
	struct http_server *s = x->server;
	x->suspended = false;
	struct http_exchange *last = vec_pop(&s->kept);
	if (last != x) {
		s->kept.p[x->kept_at] = last;
		last->kept_at = x->kept_at;
	}
	MHD_resume_connection(x->mhd);
	http_run_soon(s);
}

void http_answer_with(struct http_exchange *x, int status, struct http_response *response)
{
	assert(!x->answered);
	x->status = status;
	x->response = response;
	x->answered = true;
	if (x->suspended)
		resume(x);
}

/* --- the request, read ---------------------------------------------------------------------------
 */

const char *http_method(const struct http_exchange *x)
{
	return x->method;
}

const char *http_path(const struct http_exchange *x)
{
	return x->path;
}

const char *http_query(const struct http_exchange *x)
{
	return x->query;
}

const char *http_header(const struct http_exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

struct slice http_body(const struct http_exchange *x)
{
	return buf_slice(&x->body);
}

const char *http_peer(const struct http_exchange *x)
{
	struct connection *c = x->connection;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!c || !info || !info->client_addr)
		return "";
	const struct sockaddr *a = info->client_addr;
	if (!c->peer[0] && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, c->peer,
			sizeof(c->peer));
	else if (!c->peer[0] && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, c->peer,
			sizeof(c->peer));
	return c->peer;
}

void *http_exchange_data(const struct http_exchange *x)
{
	return x->data;
}

void http_exchange_set_data(struct http_exchange *x, void *data)
{
	x->data = data;
}

static void read_arguments(struct http_exchange *x)
{
	struct slice rest = slice_of(x->query), part;
	if (x->arguments_read)
		return;
	x->arguments_read = true;
	while (rest.n && slice_next(&rest, '&', &part)) {
		const size_t eq = slice_find(part, '=');
		struct argument a = {0};
		if (!part.n)
			continue;
		if (!url_decode(slice_sub(part, 0, eq), true, &a.name))
			continue;
		if (!url_decode(slice_sub(part, eq + 1, part.n), true, &a.value)) {
			free(a.name);
			continue;
		}
		vec_push(&x->arguments, a);
	}
}

struct header_visit {
	void (*cb)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result visit_header(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct header_visit *v = arg;

	v->cb(v->arg, name, value ? value : "");
	return MHD_YES;
}

void http_headers(struct http_exchange *x,
	void (*cb)(void *arg, const char *name, const char *value), void *arg)
{
	struct header_visit v = {cb, arg};

	MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, visit_header, &v);
}

const char *http_argument(struct http_exchange *x, const char *name)
{
	read_arguments(x);
	VEC_EACH (&x->arguments, struct argument, a) {
		if (!strcmp(a->name, name))
			return a->value;
	}
	return NULL;
}

void http_arguments(struct http_exchange *x,
	void (*cb)(void *arg, const char *name, const char *value), void *arg)
{
	read_arguments(x);
	VEC_EACH (&x->arguments, struct argument, a) {
		cb(arg, a->name, a->value);
	}
}
