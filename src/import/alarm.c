#include "import/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "import/probe.h"
#include "net/url.h"

#define ADDRESSES_MAX 50 /* of one alarm */

void import_alarm_add(struct import *in, json_t *alarm)
{
	json_t *list = json_object_get(in->config, "alarms");
	if (!list) {
		list = json_array();
		json_object_set_new(in->config, "alarms", list);
	}
	json_array_append_new(list, alarm);
}

bool import_is_bare(const char *url)
{
	struct url u;
	return url_parse(slice_of(url), &u, NULL) && u.host.n && !u.query.n && !strchr(url, '@') &&
	       !strstr(url, "hooks") && !strstr(url, "discord") && !import_is_secret(url) &&
	       (slice_is(u.scheme, "http") || slice_is(u.scheme, "https"));
}

bool import_is_address(const char *text)
{
	static const char domain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const char *at = strchr(text, '@');
	if (!at || at == text || at - text > 64 || strlen(text) > 254 || !at[1] ||
		at[1 + strspn(at + 1, domain)])
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("<>(),;:\\\"[]", *p))
			return false;
	return true;
}

/* The address of `"Uptime Kuma" <kuma@example.org>` (RFC 5322, 3.4), or what stands there. */
static struct slice mailbox(struct slice text)
{
	text = slice_trim(text);
	const char *open = text.n ? memrchr(text.p, '<', text.n) : NULL;
	if (!open || text.p[text.n - 1] != '>')
		return text;
	return slice_from(open + 1, (size_t)(text.p + text.n - 1 - (open + 1)));
}

/* Up to the next comma that no quotes are around. False: there is nothing more. */
static bool next_mailbox(struct slice *rest, struct slice *ret)
{
	bool quoted = false;
	size_t n = 0;
	if (!rest->n)
		return false;
	for (; n < rest->n && (quoted || rest->p[n] != ','); n++)
		if (rest->p[n] == '"')
			quoted = !quoted;
	*ret = mailbox(slice_from(rest->p, n));
	*rest = slice_from(rest->p + n, rest->n - n);
	if (rest->n)
		*rest = slice_from(rest->p + 1, rest->n - 1);
	return true;
}

json_t *import_addresses(const char *text)
{
	json_t *list = json_array();
	struct slice rest = slice_of(text), part;
	bool good = true;
	while (next_mailbox(&rest, &part)) {
		char *address = slice_dup(part);
		if (*address)
			json_array_append_new(list, json_string(address));
		good = good && (!*address || import_is_address(address));
		free(address);
	}
	if (good && json_array_size(list) > 0 && json_array_size(list) <= ADDRESSES_MAX)
		return list;
	json_decref(list);
	return NULL;
}

json_t *import_mail_server(const char *host, int64_t port, bool implicit, const char *from)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const size_t n = strlen(host);
	if (!n || n > 253 || strspn(host, letters) != n || port < 1 || port > 65535)
		return NULL;
	char *address = slice_dup(mailbox(slice_of(from)));
	json_t *server = NULL;
	if (import_is_address(address))
		server =
			json_pack("{s:o, s:s, s:s}", "host", json_sprintf("%s:%d", host, (int)port),
				"from", address, "tls", implicit ? "implicit" : "starttls");
	free(address);
	return server;
}
