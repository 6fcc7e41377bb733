/*
 * config_value.c - what the texts of glasshouse.yaml may be; see config_reader.h.
 *
 * Refusals say what would be right. A text that could be a secret is never repeated in one.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/config_reader.h"
#include "net/url.h"

static void wrong(struct config_reader *r, const struct config_place *at, const char *fmt,
	va_list ap) like_printf(3, 0);

static void wrong(
	struct config_reader *r, const struct config_place *at, const char *fmt, va_list ap)
{
	char text[ERROR_TEXT];
	vsnprintf(text, sizeof(text), fmt, ap);
	error_list_at(r->errors, at->file, at->line, at->col, "%s", text);
}

void config_wrong_at(struct config_reader *r, const struct config_place *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	wrong(r, at, fmt, ap);
	va_end(ap);
}

struct config_place config_place(const struct config_reader *r, const struct yaml *y)
{
	return (struct config_place){.file = r->file, .line = y->line, .col = y->col};
}

void config_wrong(struct config_reader *r, const struct yaml *y, const char *fmt, ...)
{
	const struct config_place at = config_place(r, y);
	va_list ap;
	va_start(ap, fmt);
	wrong(r, &at, fmt, ap);
	va_end(ap);
}

const struct yaml *config_text(const struct yaml *map, const char *key)
{
	const struct yaml *y = yaml_get(map, key);
	return y && y->kind == YAML_SCALAR && !yaml_is_null(y) ? y : NULL;
}

void config_texts_append(char ***into, char ***more)
{
	size_t n = 0, m = 0;
	while (*into && (*into)[n])
		n++;
	while (*more && (*more)[m])
		m++;
	char **all = mem_resize(*into, n + m + 1, sizeof(*all));
	for (size_t i = 0; i < m; i++)
		all[n + i] = (*more)[i];
	all[n + m] = NULL;
	*into = all;
	free(*more);
	*more = NULL;
}

char *config_path(const struct config *c, const char *path)
{
	const char *slash = c->file ? strrchr(c->file, '/') : NULL;
	if (path[0] == '/' || !slash)
		return mem_strdup(path);
	return mem_printf("%.*s/%s", (int)(slash - c->file), c->file, path);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '.' || c == '_' || c == '-'))
			return false;
	}
	return s.n > 0;
}

bool config_check_name(struct config_reader *r, const struct yaml *y, const char *what)
{
	if (is_word(y->text) && y->text.n <= CONFIG_NAME_MAX)
		return true;
	config_wrong(r, y, "%s: \"%.80s\" must be 1 to %d letters, digits or . _ -", what,
		y->text.p, CONFIG_NAME_MAX);
	return false;
}

bool config_check_line(struct config_reader *r, const struct yaml *y, const char *what)
{
	bool good = y->text.n > 0 && y->text.n <= CONFIG_LINE_MAX;
	for (size_t i = 0; i < y->text.n; i++)
		good = good && (unsigned char)y->text.p[i] >= 0x20 && y->text.p[i] != 0x7f;
	if (!good)
		config_wrong(r, y, "%s must be one line of 1 to %d bytes", what, CONFIG_LINE_MAX);
	return good;
}

/* --- addresses -------------------------------------------------------------------------------- */

bool config_check_url(struct config_reader *r, const struct yaml *y, const char *what)
{
	struct error err = {0};
	struct url u;
	if (!url_parse(y->text, &u, &err)) {
		config_wrong(r, y, "%s: %s", what, err.msg);
		return false;
	}
	if (slice_is_nocase(u.scheme, "http") || slice_is_nocase(u.scheme, "https"))
		return true;
	config_wrong(r, y, "%s: \"%.200s\" must begin with http:// or https://", what, y->text.p);
	return false;
}

/* "127.0.0.1:80", "[::1]:80" into a numeric host and port; as http_server.h takes them. */
static bool split_listen(struct slice text, char *host, size_t size, int *ret_family)
{
	size_t colon = text.n;
	int64_t port;
	unsigned char address[sizeof(struct in6_addr)];
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (!colon || !units_parse_int(slice_sub(text, colon, text.n), &port) || port < 0 ||
		port > 65535)
		return false;
	struct slice h = slice_sub(text, 0, colon - 1);
	const bool v6 = h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']';
	if (v6)
		h = slice_sub(h, 1, h.n - 2);
	if (!h.n || h.n >= size)
		return false;
	memcpy(host, h.p, h.n);
	host[h.n] = 0;
	*ret_family = v6 ? AF_INET6 : AF_INET;
	return inet_pton(*ret_family, host, address) == 1;
}

bool config_check_listen(struct config_reader *r, const struct yaml *y, const char *what)
{
	char host[INET6_ADDRSTRLEN];
	int family;
	if (split_listen(y->text, host, sizeof(host), &family))
		return true;
	config_wrong(r, y,
		"%s: \"%.80s\" is no address to listen on; write 127.0.0.1:8090, [::1]:8090 or none",
		what, y->text.p);
	return false;
}

bool config_is_loopback(const char *address)
{
	char host[INET6_ADDRSTRLEN];
	int family;
	struct in_addr v4;
	if (!split_listen(slice_of(address), host, sizeof(host), &family))
		return false;
	if (family == AF_INET6)
		return !strcmp(host, "::1");
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool good_host(struct slice h)
{
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN];
	if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') {
		h = slice_sub(h, 1, h.n - 2);
		if (h.n >= sizeof(text))
			return false;
		memcpy(text, h.p, h.n);
		text[h.n] = 0;
		return inet_pton(AF_INET6, text, &v6) == 1;
	}
	return is_word(h) && h.n <= 253;
}

/* HOST, HOST:PORT; *ret_port 0: none was written. */
static bool split_host(struct slice text, unsigned *ret_port)
{
	size_t colon = text.n;
	int64_t port = 0;
	for (size_t i = text.n; i > 0 && text.p[i - 1] != ']'; i--)
		if (text.p[i - 1] == ':')
			colon = i - 1;
	if (colon < text.n && (!units_parse_int(slice_sub(text, colon + 1, text.n), &port) ||
				      port < 1 || port > 65535))
		return false;
	*ret_port = (unsigned)port;
	return good_host(slice_sub(text, 0, colon));
}

bool config_check_host(
	struct config_reader *r, const struct yaml *y, const char *what, unsigned *ret_port)
{
	if (split_host(y->text, ret_port))
		return true;
	config_wrong(r, y, "%s: \"%.80s\" is no host; write mail.example.org:587", what, y->text.p);
	return false;
}

bool config_check_witness(struct config_reader *r, const struct yaml *y)
{
	unsigned port = 0;
	const struct slice t = y->kind == YAML_SCALAR ? y->text : slice_of("");
	if (slice_starts(t, "http://") || slice_starts(t, "https://"))
		return config_check_url(r, y, "witnesses");
	if (slice_starts(t, "tcp://") && split_host(slice_sub(t, 6, t.n), &port) && port)
		return true;
	if (slice_starts(t, "icmp://") && split_host(slice_sub(t, 7, t.n), &port) && !port)
		return true;
	config_wrong(r, y,
		"witnesses: \"%.80s\" must be tcp://HOST:PORT, icmp://HOST or an http(s) address",
		y->kind == YAML_SCALAR ? y->text.p : yaml_kind_name(y));
	return false;
}

/* An address of mail as far as it may go into a header (RFC 5321 sections 4.1.2, 4.5.3.1). */
bool config_check_mailbox(struct config_reader *r, const struct yaml *y, const char *what)
{
	const struct slice t = y->kind == YAML_SCALAR ? y->text : slice_of("");
	const size_t at = slice_find(t, '@');
	bool good =
		at > 0 && at <= 64 && t.n <= 254 && at < t.n && is_word(slice_sub(t, at + 1, t.n));
	for (size_t i = 0; i < at; i++)
		good = good && (unsigned char)t.p[i] > 0x20 && (unsigned char)t.p[i] < 0x7f &&
		       !strchr("()<>[]:;,\\\"", t.p[i]);
	if (!good)
		config_wrong(r, y, "%s: \"%.80s\" is no mail address; write ops@example.org", what,
			y->kind == YAML_SCALAR ? y->text.p : yaml_kind_name(y));
	return good;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static bool is_variable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '.' || s.p[i] == '-')
			return false;
	return is_word(s) && !(s.p[0] >= '0' && s.p[0] <= '9');
}

void config_read_secret(
	struct config_reader *r, const struct yaml *y, const char *what, struct config_secret *into)
{
	const struct slice t = y->kind == YAML_SCALAR ? y->text : slice_of("");
	const bool file = slice_starts(t, "file:") && t.n > 5 && t.n < 4096;
	const bool env = slice_starts(t, "env:") && is_variable(slice_sub(t, 4, t.n));
	if (!file && !env) {
		config_wrong(r, y,
			"%s: secrets do not stand here: put it into a file of mode 0600 and write"
			" file:PATH, or into the environment and write env:NAME",
			what);
		return;
	}
	free(into->from);
	into->from = slice_dup(t);
	into->file = r->file;
	into->line = y->line;
	into->col = y->col;
}
