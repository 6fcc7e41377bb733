/*
 * url.c - addresses as RFC 3986 writes them, as far as http(s) services and catalogs use them.
 *
 * Strict on what goes out (no white space, no control characters, no credentials), because these
 * addresses end up in requests, in evidence and in plans.
 */
#include "net/url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/units.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_unreserved(char c) /* RFC 3986 section 2.3 */
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* --- parsing -----------------------------------------------------------------------------------
 */

static unsigned default_port(struct slice scheme)
{
	if (slice_is_nocase(scheme, "http"))
		return 80;
	if (slice_is_nocase(scheme, "https"))
		return 443;
	return 0;
}

static bool refuse(struct error *err, struct slice text, const char *why)
{
	int shown = text.n > 200 ? 200 : (int)text.n;

	error_set(err, ERROR_INPUT, "\"%.*s\" is not an address: %s", shown, text.p, why);
	return false;
}

static bool parse_scheme(struct slice text, size_t end, struct url *u)
{
	u->scheme = slice_sub(text, 0, end);
	if (end == 0 || end == text.n || !is_alpha(text.p[0]))
		return false;
	for (size_t i = 0; i < end; i++) {
		char c = text.p[i];

		if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static bool good_host(struct slice host, bool ipv6)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		/* A zone ("fe80::1%25eth0", RFC 6874) may follow an IPv6 address. */
		if (ipv6 ? !(is_unreserved(c) || c == ':' || c == '%')
			 : !(is_unreserved(c) || (c & 0x80) || strchr("!$&'()*+,;=%", c)))
			return false;
	}
	return host.n > 0;
}

static bool parse_authority(struct slice text, struct slice a, struct url *u, struct error *err)
{
	struct slice port = {0};
	bool ipv6 = slice_starts(a, "[");
	size_t end;

	if (slice_find(a, '@') < a.n)
		return refuse(err, slice_of("…@…"), "it contains a user name or password");
	if (ipv6) {
		end = slice_find(a, ']');
		if (end == a.n)
			return refuse(err, text, "the ']' after the IPv6 address is missing");
		u->host = slice_sub(a, 1, end - 1);
		port = slice_sub(a, end + 1, a.n);
		if (port.n && port.p[0] != ':')
			return refuse(err, text, "only a port may follow the ']'");
	} else {
		end = slice_find(a, ':');
		u->host = slice_sub(a, 0, end);
		port = slice_sub(a, end, a.n);
	}
	if (!good_host(u->host, ipv6))
		return refuse(err, text, u->host.n ? "the host is not a name" : "there is no host");
	if (port.n > 1) {
		int64_t n;

		port = slice_sub(port, 1, port.n);
		if (!is_digit(port.p[0]) || !units_parse_int(port, &n) || n < 1 || n > 65535)
			return refuse(err, text, "the port is not a number from 1 to 65535");
		u->port = (unsigned)n;
	}
	return true;
}

bool url_parse(struct slice text, struct url *ret, struct error *err)
{
	struct url u = {0};
	struct slice rest;
	size_t end;

	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f || text.p[i] == '\\')
			return refuse(err, text,
				"it contains white space, a backslash or a control character");
	if (!parse_scheme(text, slice_find(text, ':'), &u))
		return refuse(err, text, "it should begin with https:// or http://");
	rest = slice_sub(text, u.scheme.n + 1, text.n);
	if (!slice_starts(rest, "//"))
		return refuse(err, text, "\"//\" should follow the scheme");
	rest = slice_sub(rest, 2, rest.n);
	rest = slice_sub(rest, 0, slice_find(rest, '#')); /* a fragment is never sent */
	end = slice_find(rest, '?');
	if (end < rest.n)
		u.query = slice_sub(rest, end + 1, rest.n);
	rest = slice_sub(rest, 0, end);
	end = slice_find(rest, '/');
	u.path = slice_sub(rest, end, rest.n);
	u.port = default_port(u.scheme);
	if (!parse_authority(text, slice_sub(rest, 0, end), &u, err))
		return false;
	*ret = u;
	return true;
}

char *url_ascii_host(const char *url, const struct url *u)
{
	CURLU *c;
	char *curls = NULL, *own;

	for (size_t i = 0; i < u->host.n; i++)
		if (u->host.p[i] == '%' || (u->host.p[i] & 0x80))
			goto convert;
	return slice_dup(u->host);
convert:
	c = curl_url();
	if (!c || curl_url_set(c, CURLUPART_URL, url, 0) ||
		curl_url_get(c, CURLUPART_HOST, &curls, CURLU_PUNYCODE))
		curls = NULL;
	own = curls ? mem_strdup(curls) : slice_dup(u->host);
	curl_free(curls);
	curl_url_cleanup(c);
	return own;
}

/* --- escapes -----------------------------------------------------------------------------------
 */

void url_encode(struct buf *out, struct slice s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (is_unreserved(s.p[i]))
			buf_add_char(out, s.p[i]);
		else
			buf_add(out, escaped, sizeof(escaped));
	}
}

bool url_decode(struct slice s, bool form, char **ret)
{
	char *text = mem_alloc(s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
			int low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;

			/* %00 would end the text early for everyone who reads it. */
			if (high < 0 || low < 0 || (high | low) == 0) {
				free(text);
				return false;
			}
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		text[n++] = c;
	}
	text[n] = '\0';
	*ret = text;
	return true;
}

/* --- building ----------------------------------------------------------------------------------
 */

void url_add_query(struct buf *url, const char *name, struct slice value)
{
	struct slice now = buf_slice(url);

	if (slice_find(now, '?') == now.n)
		buf_add_char(url, '?');
	else if (!slice_ends(now, "?") && !slice_ends(now, "&"))
		buf_add_char(url, '&');
	url_encode(url, slice_of(name));
	buf_add_char(url, '=');
	url_encode(url, value);
}

void url_join(struct buf *out, struct slice base, struct slice path)
{
	if (path.n == 0) {
		buf_add_slice(out, base);
		return;
	}
	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	while (path.n && path.p[0] == '/')
		path = slice_sub(path, 1, path.n);
	buf_add_slice(out, base);
	buf_add_char(out, '/');
	buf_add_slice(out, path);
}

char *url_follow(const char *base, const char *reference)
{
	CURLU *u = curl_url();
	char *curls = NULL, *own = NULL;

	if (u && !curl_url_set(u, CURLUPART_URL, base, 0) &&
		!curl_url_set(u, CURLUPART_URL, reference, CURLU_URLENCODE) &&
		!curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) &&
		!curl_url_get(u, CURLUPART_URL, &curls, 0) &&
		(strncasecmp(curls, "http://", 7) == 0 || strncasecmp(curls, "https://", 8) == 0))
		own = mem_strdup(curls);
	curl_free(curls);
	curl_url_cleanup(u);
	return own;
}
