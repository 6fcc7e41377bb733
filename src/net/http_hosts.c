/*
 * http_hosts.c - what is known of the hosts a client talks to, and the proxy in between.
 *
 * Resolving is ours (c-ares), so that it is timed exactly and never blocks: curl's own resolver
 * thread must be waited for when a request is cancelled. A client that keeps connections asks again
 * after a minute, but not while a kept connection will take the request anyway: a name server's
 * trouble must not show in calls that need no name.
 */
#include <stdio.h>
#include <string.h>

#include "net/http_call.h"

#define GOOD_NS   (60 * NS_PER_S)
#define HOSTS_MAX 1024 /* more are kept only while they are in use */

/* --- hosts -------------------------------------------------------------------------------------
 */

static void host_free(struct http_host *h)
{
	free(h->addresses);
	free(h);
}

static void forget_unused(struct http_client *c)
{
	MAP_EACH (&c->hosts, e) {
		struct http_host *h = e->value;

		if (h->open == 0 && h->calls == 0) {
			map_remove(&c->hosts, e->key);
			host_free(h);
		}
	}
}

struct http_host *http_host_get(struct http_client *c, const char *key)
{
	struct http_host *h = map_get(&c->hosts, key);

	if (!h) {
		if (c->hosts.n >= HOSTS_MAX)
			forget_unused(c);
		h = mem_new(struct http_host);
		map_put(&c->hosts, key, h);
	}
	h->calls++;
	return h;
}

bool http_host_known(const struct http_client *c, const struct http_host *h)
{
	if (c->fresh || !h->addresses)
		return false;
	if (h->open > h->active || (h->multiplexes && h->open > 0))
		return true; /* a kept connection is free */
	return (int64_t)uv_hrtime() < h->good_until_ns;
}

void http_host_learn(struct http_host *h, const struct resolved *r)
{
	free(h->addresses);
	h->addresses = resolved_text(r);
	h->good_until_ns = (int64_t)uv_hrtime() + GOOD_NS;
}

void http_hosts_fini(struct http_client *c)
{
	MAP_EACH (&c->hosts, e)
		host_free(e->value);
	map_fini(&c->hosts);
}

/* --- proxies -----------------------------------------------------------------------------------
 */

static char *from_environment(const char *lower, const char *upper)
{
	const char *s = getenv(lower);

	if (!s && upper)
		s = getenv(upper);
	return s && s[0] ? mem_strdup(s) : NULL;
}

/* HTTP_PROXY in capitals is not read: a CGI program gets it from a request's Proxy header. */
void http_proxies_read(struct http_proxies *p)
{
	p->http = from_environment("http_proxy", NULL);
	p->https = from_environment("https_proxy", "HTTPS_PROXY");
	if (!p->http)
		p->http = from_environment("all_proxy", "ALL_PROXY");
	if (!p->https)
		p->https = from_environment("all_proxy", "ALL_PROXY");
	p->no_proxy = from_environment("no_proxy", "NO_PROXY");
}

void http_proxies_fini(struct http_proxies *p)
{
	free(p->http);
	free(p->https);
	free(p->no_proxy);
}

/* "192.0.2.0/24", "2001:db8::/32" */
static bool in_network(struct slice host, struct slice network)
{
	size_t at = slice_find(network, '/');
	uint8_t a[16], b[16];
	char text[2][INET6_ADDRSTRLEN];
	int family, bits = 0;

	if (at == network.n || at >= sizeof(text[1]) || host.n >= sizeof(text[0]))
		return false;
	snprintf(text[0], sizeof(text[0]), "%.*s", SLICE_ARG(host));
	snprintf(text[1], sizeof(text[1]), "%.*s", (int)at, network.p);
	for (size_t i = at + 1; i < network.n; i++) {
		if (network.p[i] < '0' || network.p[i] > '9' || bits > 128)
			return false;
		bits = bits * 10 + (network.p[i] - '0');
	}
	family = strchr(text[0], ':') ? AF_INET6 : AF_INET;
	if (bits > (family == AF_INET ? 32 : 128) || inet_pton(family, text[0], a) != 1 ||
		inet_pton(family, text[1], b) != 1)
		return false;
	if (memcmp(a, b, (size_t)bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

/* "example.org" and ".example.org" both mean the host itself and everything below it. */
static bool below(struct slice host, struct slice domain)
{
	struct slice end;

	if (slice_starts(domain, "."))
		domain = slice_sub(domain, 1, domain.n);
	if (domain.n == 0 || host.n < domain.n)
		return false;
	end = slice_sub(host, host.n - domain.n, domain.n);
	if (strncasecmp(end.p, domain.p, domain.n) != 0)
		return false;
	return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

static bool excepted(const char *no_proxy, struct slice host)
{
	const char *p = no_proxy;

	for (;;) {
		size_t n;
		struct slice item;

		p += strspn(p, ", \t");
		n = strcspn(p, ", \t");
		if (n == 0)
			return false;
		item = slice_from(p, n);
		p += n;
		if (slice_is(item, "*") || below(host, item) || in_network(host, item))
			return true;
	}
}

const char *http_proxy_for(const struct http_proxies *p, bool tls, struct slice host)
{
	const char *proxy = tls ? p->https : p->http;

	return proxy && !(p->no_proxy && excepted(p->no_proxy, host)) ? proxy : NULL;
}
