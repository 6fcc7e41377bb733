#include "sim/route.h"

#include <string.h>

#include "base/mem.h"

static const struct service *const services[] = {
	&identity_service,
	&network_service,
	&compute_service,
	&volume_service,
	&image_service,
	&dns_service,
	&objectstore_service,
	&keymanager_service,
	&balancer_service,
	&stack_service,
	&control_service,
};

const struct service *route_service(const char *path, const char **ret_rest)
{
	for (size_t i = 0; i < array_len(services); i++) {
		size_t n = strlen(services[i]->prefix);

		if (!strncmp(path, services[i]->prefix, n) && (!path[n] || path[n] == '/')) {
			*ret_rest = path + n;
			return services[i];
		}
	}
	return NULL;
}

bool route_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*text && *pattern == *text) {
			pattern++;
			text++;
		} else if (!*text) {
			return !*pattern;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
}

/* Decodes %XX into new text. */
static char *decode(const char *p, size_t n)
{
	char *out = mem_alloc(n + 1), *o = out;

	for (size_t i = 0; i < n; i++) {
		int hi, lo;
		const char *hex = "0123456789abcdef";
		const char *a = i + 2 < n + 0 ? strchr(hex, p[i + 1] | 0x20) : NULL;
		const char *b = i + 2 < n + 0 ? strchr(hex, p[i + 2] | 0x20) : NULL;

		if (p[i] == '%' && a && b && *a && *b) {
			hi = (int)(a - hex);
			lo = (int)(b - hex);
			*o++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			*o++ = p[i];
		}
	}
	*o = 0;
	return out;
}

/* Whether the row's path fits; what stands for {} is put into params. */
static bool fits(const char *row, const char *path, char **params)
{
	size_t n = 0;

	while (*row) {
		if (!strcmp(row, "{*}")) {
			if (!*path)
				return false;
			free(params[n]);
			params[n] = decode(path, strlen(path));
			return true;
		}
		if (row[0] == '{' && row[1] == '}') {
			size_t len = strcspn(path, "/");

			if (len == 0)
				return false;
			free(params[n]);
			params[n++] = decode(path, len);
			row += 2;
			path += len;
		} else if (*row++ != *path++) {
			return false;
		}
	}
	/* one slash too many at the end is taken by all services */
	return !*path || (path[0] == '/' && !path[1]);
}

void route_find(struct call *c)
{
	for (size_t i = 0; i < c->service->n; i++) {
		const struct route *r = &c->service->routes[i];

		if (!fits(r->path, c->path, c->params))
			continue;
		c->known_path = true;
		if (strcmp(r->method, c->method) &&
			!(!strcmp(c->method, "HEAD") && !strcmp(r->method, "GET")))
			continue;
		c->route = r;
		return;
	}
	for (size_t i = 0; i < ROUTE_PARAMS; i++) {
		free(c->params[i]);
		c->params[i] = NULL;
	}
}
