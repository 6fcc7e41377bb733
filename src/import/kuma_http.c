/* kuma_http.c - monitors of Uptime Kuma that ask by HTTP: http, keyword, json-query. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "import/condition.h"
#include "import/kuma_inside.h"

#define CERTIFICATE_WARN "[CERTIFICATE_EXPIRATION] > 504h" /* 21 days, the first notice there */

/* --- the request ------------------------------------------------------------------------------ */

static void take_headers(struct kuma *k, struct import_probe *p, const struct import_node *n)
{
	json_t *headers = kuma_json(n), *value;
	const char *name;
	if (!json_is_object(headers)) {
		if (import_text(n))
			import_tell(
				k->in, n, IMPORT_DROPPED, "expected headers as an object of JSON");
		json_decref(headers);
		return;
	}
	json_object_foreach (headers, name, value) {
		char *text = json_is_string(value) ? mem_strdup(json_string_value(value))
						   : json_dumps(value, JSON_ENCODE_ANY);
		import_carry_header(p, n, name, text, NULL);
		free(text);
	}
	if (!json_object_size(headers))
		import_tell(k->in, n, IMPORT_NEEDLESS, "there is none");
	json_decref(headers);
}

/* Bodies were sent with a type that goes by their encoding; NULL: none that is known. */
static const char *type_of(const char *encoding)
{
	static const char *const types[][2] = {{"json", "application/json"},
		{"xml", "text/xml; charset=utf-8"}, {"form", "application/x-www-form-urlencoded"}};
	for (size_t i = 0; i < array_len(types); i++)
		if (!strcmp(types[i][0], encoding))
			return types[i][1];
	return NULL;
}

static void take_type(struct kuma *k, struct import_probe *p, const struct import_node *encoding)
{
	const char *type = type_of(import_text(encoding) ? import_text(encoding) : "json");
	json_t *headers = json_object_get(p->map, "headers");
	if (!type || (headers && json_object_get(headers, "Content-Type"))) {
		import_tell(k->in, encoding, IMPORT_DROPPED,
			type ? "there is a header Content-Type" : "expected json, xml or form");
		return;
	}
	if (!headers) {
		headers = json_object();
		json_object_set_new(p->map, "headers", headers);
	}
	json_object_set_new(headers, "Content-Type", json_string(type));
	import_tell(
		k->in, encoding, IMPORT_CARRIED, "probe %s: http.headers: Content-Type", p->name);
}

static void take_body(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node body = import_get(item, "body"),
				 encoding = import_get(item, "httpBodyEncoding");
	const char *text = import_text(&body);
	if (text && *text && !import_is_secret(text)) {
		import_carry(p, &body, "http.body", json_string(text));
		take_type(k, p, &encoding);
		return;
	}
	const bool sent = text && *text;
	import_tell(k->in, &body, sent ? IMPORT_DROPPED : IMPORT_NEEDLESS,
		sent ? "it may hold a secret, which a configuration must not: write it in yourself"
		     : "there is none");
	import_tell(k->in, &encoding, IMPORT_NEEDLESS, "nothing is sent");
}

static void take_user(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node method = import_get(item, "authMethod"),
				 user = import_get(item, "basic_auth_user"),
				 password = import_get(item, "basic_auth_pass");
	const char *word = import_text(&method), *name = import_text(&user);
	const bool basic = !word || !*word || !strcmp(word, "basic");
	import_tell(k->in, &method, basic ? IMPORT_CARRIED : IMPORT_DROPPED,
		basic ? "a user makes it basic" : "there is log-in with user and password alone");
	if (basic && name && *name) {
		import_carry(p, &user, "http.user", json_string(name));
		if (import_text(&password))
			import_carry_secret(p, &password, "http.password", "password");
		return;
	}
	import_tell(k->in, &user, IMPORT_NEEDLESS, "there is no log-in with it");
	import_tell(k->in, &password, IMPORT_NEEDLESS, "there is no log-in with it");
}

static void take_proxy(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node id = import_get(item, "proxyId");
	const char *wanted = import_text(&id);
	for (size_t i = 0; wanted && i < import_size(k->proxies); i++) {
		const struct import_node proxy = import_item(k->proxies, i),
					 its = import_get(&proxy, "id"),
					 scheme = import_get(&proxy, "protocol"),
					 host = import_get(&proxy, "host"),
					 port = import_get(&proxy, "port"),
					 auth = import_get(&proxy, "auth");
		if (!import_text(&its) || strcmp(import_text(&its), wanted) != 0)
			continue;
		if (import_flag(&auth) || !import_text(&scheme) || !import_text(&host) ||
			!import_text(&port))
			break;
		import_carry(p, &id, "http.proxy",
			json_sprintf("%s://%s:%s", import_text(&scheme), import_text(&host),
				import_text(&port)));
		return;
	}
	if (wanted)
		import_tell(k->in, &id, IMPORT_DROPPED,
			"there is no such proxy, or it needs a password");
	else
		import_tell(k->in, &id, IMPORT_NEEDLESS, "there is none");
}

/* --- the answer ------------------------------------------------------------------------------- */

static bool range_of(const char *text, struct condition_range *ret)
{
	char *end;
	ret->from = ret->to = strtol(text, &end, 10);
	if (end != text && *end == '-' && isdigit((unsigned char)end[1]))
		ret->to = strtol(end + 1, &end, 10);
	return end != text && !*end && ret->from >= 100 && ret->to <= 999 && ret->from <= ret->to;
}

static void take_statuses(struct kuma *k, struct import_probe *p, const struct import_node *list)
{
	VEC(struct condition_range) ranges = {0};
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		struct condition_range r;
		if (!import_text(&n) || !range_of(import_text(&n), &r)) {
			import_tell(k->in, &n, IMPORT_DROPPED, "expected a status or \"200-299\"");
			continue;
		}
		vec_push(&ranges, r);
		import_tell(k->in, &n, IMPORT_CARRIED, "probe %s: expect", p->name);
	}
	if (ranges.n) {
		char *condition = condition_status(ranges.p, ranges.n);
		import_expect(p, condition);
		free(condition);
	}
	vec_fini(&ranges);
}

static void take_keyword(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node keyword = import_get(item, "keyword"),
				 invert = import_get(item, "invertKeyword");
	const char *text = import_text(&keyword);
	char *condition =
		text && *text ? condition_contains("[BODY]", text, !import_flag(&invert)) : NULL;
	struct error err = {0};
	if (condition && condition_check("http", condition, &err)) {
		import_expect(p, condition);
		import_tell(k->in, &keyword, IMPORT_CARRIED, "probe %s: expect", p->name);
		import_tell(k->in, &invert, IMPORT_CARRIED, "probe %s: expect", p->name);
	} else {
		import_tell(
			k->in, &keyword, IMPORT_DROPPED, "such a text cannot stand in a condition");
	}
	free(condition);
}

/* The plain ways of JSONata: names with dots and numbers in brackets, "$" in front or not. */
static const char *plain_path(const char *path)
{
	path += *path == '$';
	path += *path == '.';
	for (const char *p = path; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-[]", *p))
			return NULL;
	return path;
}

/* Owned; without the value where it goes by a name of secrets. NULL: it cannot be said. */
static char *json_condition(const char *path, const char *op, const char *value, bool *ret_secret)
{
	const char *plain = path ? plain_path(path) : NULL;
	static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">=", "contains"};
	bool known = false;
	*ret_secret = false;
	for (size_t i = 0; i < array_len(ops); i++)
		known |= !strcmp(op, ops[i]);
	if (!plain || !value || !known || strpbrk(value, "\"\\\n"))
		return NULL;
	char *of = mem_printf("[BODY]%s%s", *plain && *plain != '[' ? "." : "", plain);
	char *condition = !strcmp(op, "contains") ? condition_contains(of, value, true)
						  : mem_printf("%s %s %s", of, op, value);
	free(of);
	*ret_secret = condition && condition_holds_secret(condition);
	if (!*ret_secret)
		return condition;
	char *without = condition_without_secret(condition);
	free(condition);
	return without;
}

static void take_json(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node path = import_get(item, "jsonPath"),
				 op = import_get(item, "jsonPathOperator"),
				 value = import_get(item, "expectedValue");
	bool secret;
	char *condition = json_condition(import_text(&path),
		import_text(&op) ? import_text(&op) : "==", import_text(&value), &secret);
	struct error err = {0};
	const bool good = condition && condition_check("http", condition, &err);
	const enum import_fate fate = !good    ? IMPORT_DROPPED
				      : secret ? IMPORT_CHANGED
					       : IMPORT_CARRIED;
	const char *text =
		secret ? "a condition cannot refer to a secret: at most that there is one "
			 "is expected"
		: good ? "expect"
		       : "only plain paths such as data.items[0].id can be asked";
	if (good)
		import_expect(p, condition);
	import_tell(k->in, &path, fate, "probe %s: %s", p->name, text);
	import_tell(k->in, &op, fate, "probe %s: %s", p->name, text);
	import_tell(k->in, &value, fate, "probe %s: %s", p->name, text);
	free(condition);
}

static void take_certificate(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node notice = import_get(item, "expiryNotification"),
				 url = import_get(item, "url");
	const bool tls = import_text(&url) && !strncasecmp(import_text(&url), "https:", 6);
	if (import_flag(&notice) && tls)
		import_change(p, &notice, "warn", json_pack("[s]", CERTIFICATE_WARN),
			"a warning from 21 days before on");
	else
		import_tell(k->in, &notice, IMPORT_NEEDLESS, "there is nothing to warn of");
}

void kuma_http(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node type = import_get(item, "type"),
				 method = import_get(item, "method"),
				 headers = import_get(item, "headers"),
				 redirects = import_get(item, "maxredirects"),
				 tls = import_get(item, "ignoreTls"),
				 statuses = import_get(item, "accepted_statuscodes");
	int64_t n;
	if (method.y)
		import_carry_text(p, &method, "http.method");
	take_headers(k, p, &headers);
	take_body(k, p, item);
	take_user(k, p, item);
	take_proxy(k, p, item);
	import_carry_flag_not(p, &tls, "http.verify");
	if (import_whole(&redirects, &n) && n > 10)
		import_change(p, &redirects, "http.redirects", json_integer(10), "10 is the most");
	else if (import_whole(&redirects, &n) && n >= 0)
		import_carry(p, &redirects, "http.redirects", json_integer(n));
	take_statuses(k, p, &statuses);
	if (!strcmp(import_text(&type), "keyword"))
		take_keyword(k, p, item);
	if (!strcmp(import_text(&type), "json-query"))
		take_json(k, p, item);
	take_certificate(k, p, item);
}
