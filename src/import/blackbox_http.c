/* blackbox_http.c - the options of the http prober of blackbox_exporter. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "import/blackbox_inside.h"
#include "import/condition.h"

/* --- conditions ------------------------------------------------------------------------------- */

static void statuses(struct import_probe *p, const struct import_node *list)
{
	VEC(struct condition_range) ranges = {0};
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		int64_t status;
		if (!import_whole(&n, &status) || status < 100 || status > 999)
			continue;
		vec_push(&ranges, ((struct condition_range){status, status}));
		import_tell(p->in, &n, IMPORT_CARRIED, "probe %s: expect", p->name);
	}
	if (list->y && !import_size(list))
		import_tell(p->in, list, IMPORT_NEEDLESS, "2xx is good");
	if (!ranges.n)
		vec_push(&ranges, ((struct condition_range){200, 299}));
	char *condition = condition_status(ranges.p, ranges.n);
	import_expect(p, condition);
	free(condition);
	vec_fini(&ranges);
}

/* Takes condition; whether it is in. */
static bool expect(struct import_probe *p, const struct import_node *n, char *condition)
{
	struct error err = {0};
	const bool good = condition && condition_check("http", condition, &err);
	if (good) {
		import_expect(p, condition);
		import_tell(p->in, n, IMPORT_CARRIED, "probe %s: expect", p->name);
	} else {
		import_tell(p->in, n, IMPORT_DROPPED, "such a pattern cannot stand in a condition");
	}
	free(condition);
	return good;
}

static void patterns(
	struct import_probe *p, const struct import_node *options, const char *key, bool matches)
{
	const struct import_node list = import_get(options, key);
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node n = import_item(&list, i);
		if (import_text(&n))
			expect(p, &n, condition_matches("[BODY]", import_text(&n), matches));
	}
}

static char *header_of(const char *name)
{
	char *of = mem_printf("[HEADER].%s", name);
	for (char *c = of + strlen("[HEADER]."); *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return of;
}

static void header(struct import_probe *p, const struct import_node *rule, bool matches)
{
	const struct import_node name = import_get(rule, "header"),
				 pattern = import_get(rule, "regexp"),
				 missing = import_get(rule, "allow_missing");
	if (!import_text(&name) || !import_text(&pattern))
		return;
	char *of = header_of(import_text(&name));
	if (expect(p, &pattern, condition_matches(of, import_text(&pattern), matches))) {
		import_tell(p->in, &name, IMPORT_CARRIED, "probe %s: expect", p->name);
		if (!matches && !import_flag(&missing)) {
			char *there = mem_printf("%s != null", of);
			import_expect(p, there);
			free(there);
		}
		if (matches && import_flag(&missing))
			import_tell(
				p->in, &missing, IMPORT_DROPPED, "a header that is missing fails");
		else
			import_tell(p->in, &missing, IMPORT_CARRIED, "probe %s: expect", p->name);
	}
	free(of);
}

static void headers_match(
	struct import_probe *p, const struct import_node *options, const char *key, bool matches)
{
	const struct import_node list = import_get(options, key);
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node rule = import_item(&list, i);
		header(p, &rule, matches);
	}
}

static void versions(struct import_probe *p, const struct import_node *list)
{
	bool one = false, two = false;
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		const char *text = import_text(&n);
		one |= text && !strncmp(text, "HTTP/1", 6);
		two |= text && !strncmp(text, "HTTP/2", 6);
	}
	if (one != two)
		import_carry(p, list, "http.version", json_string(one ? "1.1" : "2"));
	else
		import_tell(p->in, list, IMPORT_NEEDLESS, "any version is the default");
}

/* --- who asks --------------------------------------------------------------------------------- */

/* A file that holds the secret already. */
static void from_file(struct import_probe *p, const struct import_node *n, const char *key)
{
	if (import_text(n))
		import_carry(p, n, key, json_sprintf("file:%s", import_text(n)));
}

static void basic_auth(struct import_probe *p, const struct import_node *auth)
{
	static const struct import_answer keys[] = {
		{"username_file", IMPORT_DROPPED, "a user is written: `user`"},
		{"username_ref", IMPORT_DROPPED, "a user is written: `user`"},
		{"password_ref", IMPORT_DROPPED, "say `password`"}};
	const struct import_node user = import_get(auth, "username"),
				 password = import_get(auth, "password"),
				 file = import_get(auth, "password_file");
	if (user.y)
		import_carry_text(p, &user, "http.user");
	if (import_text(&password))
		import_carry_secret(p, &password, "http.password", "password");
	from_file(p, &file, "http.password");
	import_answer(p->in, auth, keys, array_len(keys));
}

static void set_header(struct import_probe *p, const char *name, const char *value)
{
	json_t *headers = json_object_get(p->map, "headers");
	if (!headers) {
		headers = json_object();
		json_object_set_new(p->map, "headers", headers);
	}
	json_object_set_new(headers, name, json_string(value));
}

/* The last of several counts there, too. */
static void take_values(struct import_probe *p, const struct import_node *header, const char *kind,
	const char *name)
{
	const struct import_node list = import_get(header, kind);
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node n = import_item(&list, i);
		const char *text = import_text(&n);
		char *reference = !strcmp(kind, "files") && text ? mem_printf("file:%s", text)
								 : import_secret(p->name, name);
		if (text && !strcmp(kind, "values") && !import_is_secret(name)) {
			set_header(p, name, text);
			import_tell(p->in, &n, IMPORT_CARRIED, "probe %s: %s.headers: %s", p->name,
				p->kind, name);
		} else if (text) {
			set_header(p, name, reference);
			import_tell(p->in, &n, IMPORT_CHANGED,
				"probe %s: %s.headers: %s: a secret: %s (chmod 600)", p->name,
				p->kind, name, reference + strlen("file:"));
		}
		free(reference);
	}
}

void blackbox_headers(struct import_probe *p, const struct import_node *headers)
{
	static const char *const kinds[] = {"values", "secrets", "files"};
	for (size_t i = 0; i < import_size(headers); i++) {
		const struct import_node h = import_item(headers, i);
		if (h.key && import_text(&h))
			import_carry_header(p, &h, h.key->text.p, import_text(&h), NULL);
		for (size_t k = 0; h.key && k < array_len(kinds); k++)
			take_values(p, &h, kinds[k], h.key->text.p);
	}
}

/* A token is part of a header, so the secret is all of its value. */
static void bearer(struct import_probe *p, const struct import_node *n, const char *scheme)
{
	if (!import_text(n))
		return;
	char *reference = import_secret(p->name, "Authorization");
	set_header(p, "Authorization", reference);
	import_tell(p->in, n, IMPORT_CHANGED,
		"probe %s: http.headers: Authorization: a secret: put \"%s\" and the token into %s (chmod "
		"600)",
		p->name, scheme, reference + strlen("file:"));
	free(reference);
}

void blackbox_authorization(struct import_probe *p, const struct import_node *options)
{
	static const struct import_answer keys[] = {
		{"credentials_ref", IMPORT_DROPPED, "write the header"}};
	const struct import_node of = import_get(options, "authorization"),
				 type = import_get(&of, "type"),
				 credentials = import_get(&of, "credentials"),
				 file = import_get(&of, "credentials_file"),
				 token = import_get(options, "bearer_token"),
				 token_file = import_get(options, "bearer_token_file");
	const char *scheme = import_text(&type) ? import_text(&type) : "Bearer";
	bearer(p, &credentials, scheme);
	bearer(p, &file, scheme);
	bearer(p, &token, "Bearer");
	bearer(p, &token_file, "Bearer");
	import_tell(p->in, &type, IMPORT_CHANGED, "it stands in the file with the token");
	import_answer(p->in, &of, keys, array_len(keys));
}

/* --- all of it -------------------------------------------------------------------------------- */

static const struct import_answer http_keys[] = {
	{"compression", IMPORT_DROPPED,
		"bodies are taken as they come: say a header Accept-Encoding"},
	{"fail_if_body_json_matches_cel", IMPORT_DROPPED, "write it as a condition on [BODY]"},
	{"fail_if_body_json_not_matches_cel", IMPORT_DROPPED, "write it as a condition on [BODY]"},
	{"body_file", IMPORT_DROPPED, "write what is in it as `body`"},
	{"oauth2", IMPORT_DROPPED, "no tokens are fetched: what needs one will refuse"},
	{"no_proxy", IMPORT_DROPPED, "what is to be asked past a proxy is a probe without one"},
	{"proxy_connect_header", IMPORT_DROPPED, "a proxy is asked as it is"},
	{"skip_resolve_phase_with_proxy", IMPORT_NEEDLESS, "a proxy resolves names itself"},
	{"use_proxy_dns", IMPORT_NEEDLESS, "a proxy resolves names itself"},
	{"source_ip_address", IMPORT_DROPPED, "the system chooses the address to ask from"},
};
static const struct import_answer http_switches[] = {
	{"fail_if_ssl", IMPORT_DROPPED, "write the address with http: and `redirects: 0`"},
	{"proxy_from_environment", IMPORT_DROPPED, "say `proxy`"},
	{"enable_http3", IMPORT_DROPPED, "there are HTTP/1.1 and HTTP/2"},
};

static void redirects(struct import_probe *p, const struct import_node *options)
{
	const struct import_node no = import_get(options, "no_follow_redirects"),
				 follow = import_get(options, "follow_redirects");
	const bool none = import_flag(&no) || (follow.y && !import_flag(&follow));
	if (none)
		import_set(p, "http.redirects", json_integer(0));
	import_tell(p->in, &no, none ? IMPORT_CARRIED : IMPORT_NEEDLESS, "probe %s: http.redirects",
		p->name);
	import_tell(p->in, &follow, none ? IMPORT_CARRIED : IMPORT_NEEDLESS,
		"probe %s: http.redirects", p->name);
}

static void request(struct import_probe *p, const struct import_node *options)
{
	const struct import_node method = import_get(options, "method"),
				 body = import_get(options, "body"),
				 headers = import_get(options, "headers"),
				 more = import_get(options, "http_headers"),
				 proxy = import_get(options, "proxy_url"),
				 limit = import_get(options, "body_size_limit");
	const char *text = import_text(&proxy);
	int64_t bytes;
	if (method.y)
		import_carry_text(p, &method, "http.method");
	if (import_text(&body) && import_is_secret(import_text(&body)))
		import_tell(p->in, &body, IMPORT_DROPPED,
			"it may hold a secret, which a configuration must not: write it in yourself");
	else if (import_text(&body))
		import_carry_text(p, &body, "http.body");
	blackbox_headers(p, &headers);
	blackbox_headers(p, &more);
	if (text && strchr(text, '@'))
		import_tell(p->in, &proxy, IMPORT_DROPPED,
			"http goes through a proxy only without a password");
	else if (text)
		import_carry(p, &proxy, "http.proxy", json_string(text));
	if (import_text(&limit) && units_parse_size(slice_of(import_text(&limit)), &bytes))
		import_carry(p, &limit, "http.max", json_string(import_text(&limit)));
}

void blackbox_http(struct import_probe *p, const struct import_node *options)
{
	const struct import_node codes = import_get(options, "valid_status_codes"),
				 valid = import_get(options, "valid_http_versions"),
				 tls = import_get(options, "fail_if_not_ssl"),
				 config = import_get(options, "tls_config"),
				 auth = import_get(options, "basic_auth"),
				 two = import_get(options, "enable_http2");
	blackbox_family(p, options);
	statuses(p, &codes);
	request(p, options);
	redirects(p, options);
	basic_auth(p, &auth);
	blackbox_authorization(p, options);
	patterns(p, options, "fail_if_body_matches_regexp", false);
	patterns(p, options, "fail_if_body_not_matches_regexp", true);
	headers_match(p, options, "fail_if_header_matches", false);
	headers_match(p, options, "fail_if_header_not_matches", true);
	if (import_flag(&tls))
		expect(p, &tls, mem_strdup("[CERTIFICATE_EXPIRATION] != null"));
	else
		import_tell(p->in, &tls, IMPORT_NEEDLESS, "it is the default");
	if (two.y && !import_flag(&two))
		import_carry(p, &two, "http.version", json_string("1.1"));
	else
		import_tell(p->in, &two, IMPORT_NEEDLESS, "it is the default");
	versions(p, &valid);
	blackbox_tls(p, &config);
	import_answer(p->in, options, http_keys, array_len(http_keys));
	blackbox_switches(p, options, http_switches, array_len(http_switches));
}
