/*
 * http_headers.h - the headers of an answer as they came, within a limit. Thread: one at a time.
 */
#ifndef NET_HTTP_HEADERS_H
#define NET_HTTP_HEADERS_H

#include "base/buf.h"
#include "base/vec.h"
#include "net/http_client.h"

#define HTTP_HEADERS_MAX      1000
#define HTTP_HEADER_BYTES_MAX (256u << 10)

struct http_headers {
	struct buf text; /* "name\0value\0" each */
	VEC(size_t) at;
	VEC(struct http_header) view;
};

void http_headers_init(struct http_headers *h);
void http_headers_clear(struct http_headers *h);
void http_headers_fini(struct http_headers *h);
/* One line without its end; what has no name is left out. False: over the limit. */
bool http_headers_add(struct http_headers *h, struct slice line);
/* Case-insensitive; the first of that name; NULL if absent. Borrowed. */
const char *http_headers_get(const struct http_headers *h, const char *name);
/* All, in order. Borrowed until the next is added. */
size_t http_headers_all(struct http_headers *h, const struct http_header **ret);

#endif
