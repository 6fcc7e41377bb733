/*
 * serve_guard.c - who may come in at the intake, and what may change something there.
 *
 * Where no token is asked for, only the machine itself is let in, and its browsers are strangers'
 * hands: a name that a stranger points at 127.0.0.1 (DNS rebinding) is refused by the Host header,
 * a form on a stranger's page by Content-Type and Origin. A token is compared by its hash, in
 * constant time; the serving half never has the token itself.
 */

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>

#include "base/json.h"
#include "web/serve_inside.h"

static void read_outposts(struct guard *g, json_t *outposts)
{
	const char *location;
	json_t *hex;
	json_object_foreach (outposts, location, hex) {
		struct guard_outpost *o = &g->outposts[g->outpost_count];
		const char *text = json_string_value(hex);
		size_t n = 0;
		if (g->outpost_count == WEB_OUTPOSTS_MAX || strlen(location) >= sizeof(o->location))
			break;
		snprintf(o->location, sizeof(o->location), "%s", location);
		if (text &&
			sodium_hex2bin(o->token, sizeof(o->token), text, strlen(text), NULL, &n,
				NULL) == 0 &&
			n == sizeof(o->token))
			g->outpost_count++;
	}
}

void guard_read(struct guard *g, struct slice setup)
{
	struct error err;
	json_t *all = json_parse(setup, DOOR_BODY_MAX, &err);
	const char *hex = json_str(all, "intake_token");
	size_t n = 0;
	*g = (struct guard){.open = all != NULL, .need_token = json_flag(all, "need_token")};
	/* without a hash no token fits */
	if (hex &&
		sodium_hex2bin(g->token, sizeof(g->token), hex, strlen(hex), NULL, &n, NULL) != 0)
		g->open = false;
	if (g->need_token && n != sizeof(g->token))
		g->open = false;
	read_outposts(g, json_object_get(all, "outposts"));
	json_decref(all);
}

/* The name of a Host header without its port and the brackets of IPv6. */
static struct slice host_name(const char *host)
{
	struct slice s = slice_of(host);
	const size_t close = slice_find(s, ']');
	if (s.n && s.p[0] == '[')
		return slice_sub(s, 1, close < s.n ? close - 1 : 0);
	return slice_sub(s, 0, slice_find(s, ':'));
}

bool guard_host_is_local(const char *host)
{
	char name[64];
	uint8_t address[16];
	struct slice s = host_name(host);
	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	if (slice_is_nocase(s, "localhost"))
		return true;
	if (s.n > 10 && slice_is_nocase(slice_sub(s, s.n - 10, 10), ".localhost"))
		return true;
	if (s.n >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(s));
	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool hash_fits(const struct guard *g, const char *p, size_t n)
{
	uint8_t hash[SHA256_BYTES];
	digest_sha256(p, n, hash);
	return sodium_memcmp(hash, g->token, sizeof(hash)) == 0;
}

/* All are compared, whichever fits. */
const char *guard_outpost(const struct guard *g, const struct http_exchange *x)
{
	const struct slice all = slice_of(http_header(x, "Authorization"));
	const char *location = NULL;
	uint8_t hash[SHA256_BYTES];
	if (!slice_is_nocase(slice_sub(all, 0, 7), "Bearer "))
		return NULL;
	const struct slice token = slice_trim(slice_sub(all, 7, all.n));
	digest_sha256(token.p, token.n, hash);
	for (unsigned i = 0; i < g->outpost_count; i++)
		if (sodium_memcmp(hash, g->outposts[i].token, sizeof(hash)) == 0)
			location = g->outposts[i].location;
	return location;
}

/* "Basic" with any user name: the token is the password. */
static bool basic_fits(const struct guard *g, struct slice credentials)
{
	void *plain;
	size_t n;
	if (!base64_decode(credentials, &plain, &n))
		return false;
	const char *colon = memchr(plain, ':', n);
	const bool fits = colon && hash_fits(g, colon + 1, n - (size_t)(colon + 1 - (char *)plain));
	sodium_memzero(plain, n);
	free(plain);
	return fits;
}

bool guard_token_fits(const struct guard *g, const char *authorization)
{
	const struct slice all = slice_of(authorization);
	const size_t space = slice_find(all, ' ');
	const struct slice scheme = slice_sub(all, 0, space);
	const struct slice rest = slice_trim(slice_sub(all, space, all.n));
	if (!rest.n)
		return false;
	if (slice_is_nocase(scheme, "Bearer") || slice_is_nocase(scheme, "Token"))
		return hash_fits(g, rest.p, rest.n);
	return slice_is_nocase(scheme, "Basic") && basic_fits(g, rest);
}

int guard_admit(const struct guard *g, const struct http_exchange *x)
{
	const int refused = guard_admit_host(g, x);
	if (refused || !g->need_token)
		return refused;
	return guard_token_fits(g, http_header(x, "Authorization")) ? 0 : 401;
}

int guard_admit_to(const struct guard *g, const struct route *r, const struct http_exchange *x)
{
	const int refused =
		r && (r->own_secret || r->outpost) ? guard_admit_host(g, x) : guard_admit(g, x);
	return !refused && r && r->outpost && !guard_outpost(g, x) ? 401 : refused;
}

bool guard_origin_fits(const char *origin, const char *host)
{
	const struct slice all = slice_of(origin);
	const size_t colon = slice_find(all, ':');
	const struct slice scheme = slice_sub(all, 0, colon);
	if (!host || !host[0] || !(slice_is(scheme, "http") || slice_is(scheme, "https")))
		return false;
	const struct slice rest = slice_sub(all, colon, all.n);
	return slice_starts(rest, "://") && slice_is_nocase(slice_sub(rest, 3, rest.n), host);
}

int guard_admit_host(const struct guard *g, const struct http_exchange *x)
{
	const char *host = http_header(x, "Host");
	if (!g->open)
		return 503;
	return !g->need_token && host && !guard_host_is_local(host) ? 421 : 0;
}

int guard_change(const struct http_exchange *x)
{
	const struct slice t = slice_of(http_header(x, "Content-Type"));
	if (!slice_is_nocase(slice_trim(slice_sub(t, 0, slice_find(t, ';'))), "application/json"))
		return 415;
	return guard_site(x);
}

int guard_site(const struct http_exchange *x)
{
	const char *origin = http_header(x, "Origin"), *site = http_header(x, "Sec-Fetch-Site");
	if (origin && !guard_origin_fits(origin, http_header(x, "Host")))
		return 403;
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return 403;
	return 0;
}
