/*
 * serve_id.c - what a request is called, so that its sender can find it again in what he and others
 * have written down.
 */

#include <string.h>

#include "base/random.h"
#include "web/serve_inside.h"

#define FIT "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=:@"

const char *request_id(const struct http_exchange *x, char *id)
{
	const char *sent = http_header(x, "X-Request-Id");
	const size_t n = sent ? strlen(sent) : 0;
	if (n && n <= REQUEST_ID_MAX && strspn(sent, FIT) == n)
		memcpy(id, sent, n + 1);
	else
		random_uuid(&random_system, id);
	return id;
}
