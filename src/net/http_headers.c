/*
 * http_headers.c - see http_headers.h.
 */
#include "net/http_headers.h"

#include <string.h>
#include <strings.h>

void http_headers_init(struct http_headers *h)
{
	*h = (struct http_headers){0};
	buf_init(&h->text, HTTP_HEADER_BYTES_MAX);
}

void http_headers_clear(struct http_headers *h)
{
	buf_clear(&h->text);
	h->at.n = 0;
	h->view.n = 0;
}

void http_headers_fini(struct http_headers *h)
{
	buf_fini(&h->text);
	vec_fini(&h->at);
	vec_fini(&h->view);
}

bool http_headers_add(struct http_headers *h, struct slice line)
{
	const size_t colon = slice_find(line, ':'), at = h->text.n;

	if (colon == 0 || colon == line.n)
		return true;
	buf_add(&h->text, line.p, colon);
	buf_add_char(&h->text, '\0');
	buf_add_slice(&h->text, slice_trim(slice_sub(line, colon + 1, line.n)));
	buf_add_char(&h->text, '\0');
	vec_push(&h->at, at);
	return !h->text.over && h->at.n <= HTTP_HEADERS_MAX;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	VEC_EACH (&h->at, size_t, at) {
		const char *one = h->text.p + *at;

		if (strcasecmp(one, name) == 0)
			return one + strlen(one) + 1;
	}
	return NULL;
}

size_t http_headers_all(struct http_headers *h, const struct http_header **ret)
{
	if (h->view.n != h->at.n) {
		h->view.n = 0;
		VEC_EACH (&h->at, size_t, at) {
			const char *name = h->text.p + *at;

			vec_push(&h->view, ((struct http_header){name, name + strlen(name) + 1}));
		}
	}
	*ret = h->view.p;
	return h->view.n;
}
