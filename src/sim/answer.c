/*
 * answer.c - how a handler asks about its call and gives the answer. See call.h.
 */

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/call.h"
#include "sim/route.h"
#include "sim/state.h"

const char *call_query(const struct call *c, const char *name)
{
	VEC_EACH (&c->arguments, struct pair, p)
		if (!strcmp(p->name, name))
			return p->value;
	return NULL;
}

const char *call_sent(const struct call *c, const char *name)
{
	VEC_EACH (&c->sent, struct pair, p)
		if (!strcmp(p->name, name))
			return p->value;
	return NULL;
}

json_t *call_wrapped(struct call *c, const char *wrapper)
{
	json_t *inner = json_object_get(c->body, wrapper);

	if (json_is_object(inner))
		return inner;
	call_fail(c, 400, "HTTPBadRequest", "Unable to find '%s' in request body", wrapper);
	return NULL;
}

bool call_answered(const struct call *c)
{
	return c->status != 0;
}

/* A second answer replaces the first: that is how faults distort one. */
static void clear(struct call *c)
{
	json_decref(c->answer);
	c->answer = NULL;
	buf_clear(&c->text);
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
}

void call_json(struct call *c, int status, json_t *takes)
{
	assert(takes);
	clear(c);
	c->status = status;
	c->answer = takes;
	c->type = "application/json";
}

void call_empty(struct call *c, int status)
{
	clear(c);
	c->status = status;
	c->type = NULL;
}

void call_bytes(struct call *c, int status, const char *type, const void *p, size_t n)
{
	clear(c);
	c->status = status;
	c->type = type;
	buf_add(&c->text, p, n);
}

void call_text(struct call *c, int status, const char *type, const char *text)
{
	call_bytes(c, status, type, text, strlen(text));
}

void call_file(struct call *c, int status, int fd, int64_t from, int64_t n)
{
	clear(c);
	c->status = status;
	c->type = "application/octet-stream";
	c->file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	c->file_from = from;
	c->file_n = n;
	if (c->file < 0) /* out of descriptors: as the service would fail */
		call_fail(c, 503, NULL, "The image's data cannot be read.");
}

void call_header(struct call *c, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vec_push(&c->headers, ((struct answer_header){mem_strdup(name), mem_vprintf(fmt, ap)}));
	va_end(ap);
}

void call_fail(struct call *c, int status, const char *type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	if (c->service->fail) {
		c->service->fail(c, status, message);
	} else if (c->service->webob_errors) {
		call_fail_webob(c, status, message, "");
	} else {
		call_json(c, status, c->service->error(c, status, type, message));
	}
	free(message);
}

const char *call_url(const struct call *c)
{
	return c->sim->url;
}

const char *call_status_title(int status)
{
	switch (status) {
	case 202: return "Accepted";
	case 300: return "Multiple Choices";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 412: return "Precondition Failed";
	case 413: return "Request Entity Too Large";
	case 415: return "Unsupported Media Type";
	case 416: return "Request Range Not Satisfiable";
	case 422: return "Unprocessable Entity";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	default: return "Error";
	}
}
