#include "import/probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "net/url.h"
#include "observe/probe/probe.h"
#include "text/yaml_write.h"

#define LINE_MAX_       80 /* of a component in a table of endpoints, the least there is */
#define NAME_LENGTH_MAX 58 /* with a number behind it, no longer than a name of ours may be */

/* --- names ------------------------------------------------------------------------------------ */

char *import_name(const char *text)
{
	struct buf name = BUF(BUF_LINE);
	for (const char *p = text; *p && name.n < NAME_LENGTH_MAX; p++) {
		const bool good = isalnum((unsigned char)*p) || strchr("_.", *p);
		if (good)
			buf_add_char(&name, *p);
		else if (name.n && name.p[name.n - 1] != '-')
			buf_add_char(&name, '-');
	}
	while (name.n && name.p[name.n - 1] == '-')
		buf_cut(&name, name.n - 1);
	return name.n ? buf_take(&name) : mem_strdup("probe");
}

char *import_own_name(struct import *in, const char *wanted)
{
	char *base = import_name(wanted), *name = mem_strdup(base);
	for (unsigned i = 2; map_get(&in->names, name); i++) {
		free(name);
		name = mem_printf("%s-%u", base, i);
	}
	map_put(&in->names, name, in);
	free(base);
	return name;
}

bool import_is_name(const char *text)
{
	char *name = import_name(text);
	const bool same = !strcmp(name, text);
	free(name);
	return same;
}

bool import_is_line(const char *text)
{
	const size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return n > 0 && n <= LINE_MAX_;
}

/* --- the item --------------------------------------------------------------------------------- */

struct import_probe import_probe_new(struct import *in, const char *kind, const char *wanted)
{
	char *name = import_own_name(in, wanted);
	struct import_probe p = {
		.in = in, .json = json_object(), .map = json_object(), .kind = kind};
	p.first = in->report->notes.n;
	json_object_set_new(p.json, "name", json_string(name));
	json_object_set_new(p.json, kind, p.map);
	p.name = json_string_value(json_object_get(p.json, "name"));
	free(name);
	return p;
}

struct import_probe import_probe_copy(
	struct import *in, const struct import_probe *from, const char *wanted)
{
	struct import_probe p = import_probe_new(in, from->kind, wanted);
	const char *key;
	json_t *value;
	json_object_foreach (from->json, key, value) {
		if (!strcmp(key, from->kind))
			json_object_update_new(p.map, json_deep_copy(value));
		else if (strcmp(key, "name") != 0)
			json_object_set_new(p.json, key, json_deep_copy(value));
	}
	return p;
}

/* What is a map of one key, the target, is written as the target alone. */
static void shorten(struct import_probe *p)
{
	static const char *const targets[] = {"url", "to", "name", "run"};
	for (size_t i = 0; i < array_len(targets); i++) {
		json_t *target = json_object_get(p->map, targets[i]);
		if (!json_is_string(target) || json_object_size(p->map) != 1 ||
			(!strcmp(targets[i], "name") && strcmp(p->kind, "dns") != 0))
			continue;
		json_object_set(p->json, p->kind, target);
		p->map = NULL;
		return;
	}
}

/* An attempt is over when the next run begins. */
static void fit_timeout(struct import_probe *p)
{
	const char *every = json_string_value(json_object_get(p->json, "every")),
		   *timeout = json_string_value(json_object_get(p->json, "timeout"));
	int64_t every_ns = 30 * NS_PER_S, timeout_ns = 10 * NS_PER_S;
	if (every && !units_parse_time(slice_of(every), &every_ns))
		return;
	if (timeout && !units_parse_time(slice_of(timeout), &timeout_ns))
		return;
	if (timeout_ns > every_ns)
		import_set_time(p, "timeout", every_ns);
}

/* Whether the reader of configurations takes it. */
static bool is_good(const struct import_probe *p, struct error *err)
{
	struct buf text = BUF(BUF_PAGE);
	struct error_list errors = {0};
	yaml_write(&text, p->json);
	struct yaml_file *f = yaml_parse(buf_slice(&text), p->name, &errors);
	struct probe_config *c = f && yaml_documents(f)
					 ? probe_config_read(yaml_root(f, 0), p->name, &errors)
					 : NULL;
	if (errors.n)
		*err = errors.p[0];
	const bool good = c != NULL && !errors.n;
	probe_config_free(c);
	yaml_free(f);
	error_list_fini(&errors);
	buf_fini(&text);
	return good;
}

void import_probe_abandon(struct import_probe *p)
{
	for (size_t i = p->first; i < p->in->report->notes.n; i++) {
		struct import_note *note = &p->in->report->notes.p[i];
		if (note->fate != IMPORT_CARRIED && note->fate != IMPORT_CHANGED)
			continue;
		note->fate = IMPORT_DROPPED;
		mem_replace(&note->text, "there is no probe for it to be of");
	}
	json_decref(p->json);
}

static void refuse(struct import_probe *p, const struct import_node *n, const char *why)
{
	if (n)
		import_tell(p->in, n, IMPORT_DROPPED, "the probe would be refused: %s", why);
	else
		import_note(p->in->report, IMPORT_DROPPED, 0, 0, p->name,
			"the probe would be refused: %s", why);
	import_probe_abandon(p);
}

bool import_probe_add(struct import_probe *p, const struct import_node *n)
{
	struct error err = {0};
	json_t *list = json_object_get(p->in->config, "probes");
	if (!list) {
		list = json_array();
		json_object_set_new(p->in->config, "probes", list);
	}
	fit_timeout(p);
	shorten(p);
	if (!is_good(p, &err)) {
		refuse(p, n, err.msg);
		return false;
	}
	json_array_append_new(list, p->json);
	return true;
}

/* --- its keys --------------------------------------------------------------------------------- */

void import_set(struct import_probe *p, const char *key, json_t *value)
{
	const size_t kind = strlen(p->kind);
	if (!strncmp(key, p->kind, kind) && key[kind] == '.')
		json_object_set_new(p->map, key + kind + 1, value);
	else
		json_object_set_new(p->json, key, value);
}

void import_carry(
	struct import_probe *p, const struct import_node *n, const char *key, json_t *value)
{
	import_set(p, key, value);
	import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s", p->name, key);
}

void import_change(struct import_probe *p, const struct import_node *n, const char *key,
	json_t *value, const char *why)
{
	import_set(p, key, value);
	import_tell(p->in, n, IMPORT_CHANGED, "probe %s: %s: %s", p->name, key, why);
}

void import_expect(struct import_probe *p, const char *condition)
{
	json_t *list = json_object_get(p->json, "expect");
	if (!list) {
		list = json_array();
		json_object_set_new(p->json, "expect", list);
	}
	json_array_append_new(list, json_string(condition));
}

void import_carry_text(struct import_probe *p, const struct import_node *n, const char *key)
{
	const char *text = import_text(n);
	if (text)
		import_carry(p, n, key, json_string(text));
	else
		import_tell(p->in, n, IMPORT_DROPPED, "expected a text");
}

void import_carry_flag(struct import_probe *p, const struct import_node *n, const char *key)
{
	if (n->y)
		import_carry(p, n, key, json_boolean(import_flag(n)));
}

void import_carry_flag_not(struct import_probe *p, const struct import_node *n, const char *key)
{
	if (n->y)
		import_carry(p, n, key, json_boolean(!import_flag(n)));
}

void import_set_time(struct import_probe *p, const char *key, int64_t ns)
{
	char text[UNITS_TEXT];
	import_set(p, key, json_string(units_time_whole(ns, text)));
}

static void carry_time(struct import_probe *p, const struct import_node *n, const char *key,
	int64_t ns, int64_t min, int64_t max)
{
	const int64_t is = ns < min ? min : ns > max ? max : ns;
	char text[UNITS_TEXT];
	import_set_time(p, key, is);
	units_time_whole(is, text);
	if (is == ns)
		import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s: %s", p->name, key, text);
	else
		import_tell(p->in, n, IMPORT_CHANGED, "probe %s: %s: %s is the %s here", p->name,
			key, text, ns < min ? "least" : "most");
}

void import_carry_every(struct import_probe *p, const struct import_node *n, int64_t ns)
{
	carry_time(p, n, "every", ns, IMPORT_EVERY_MIN_S * NS_PER_S, IMPORT_EVERY_MAX_S * NS_PER_S);
}

/* Never longer than the rate that was set before. */
void import_carry_timeout(struct import_probe *p, const struct import_node *n, int64_t ns)
{
	int64_t every = 30 * NS_PER_S;
	const char *text = json_string_value(json_object_get(p->json, "every"));
	if (text && !units_parse_time(slice_of(text), &every))
		every = 30 * NS_PER_S;
	const int64_t max = every < 3600 * NS_PER_S ? every : 3600 * NS_PER_S;
	carry_time(p, n, "timeout", ns, 100 * NS_PER_MS, max);
}

/* --- secrets ---------------------------------------------------------------------------------- */

bool import_is_secret(const char *name)
{
	static const char *const parts[] = {"pass", "secret", "token", "auth", "cookie", "key",
		"credential", "signature", "pwd", "session"};
	for (size_t i = 0; i < array_len(parts); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

char *import_secret(const char *owner, const char *what)
{
	char *all = mem_printf("%s-%s", owner, what);
	char *name = import_name(all);
	char *reference = mem_printf("file:secrets/%s", name);
	free(name);
	free(all);
	return reference;
}

void import_carry_secret(
	struct import_probe *p, const struct import_node *n, const char *key, const char *what)
{
	char *reference = import_secret(p->name, what);
	import_set(p, key, json_string(reference));
	import_tell(p->in, n, IMPORT_CHANGED,
		"probe %s: %s: a secret: put what stands here into %s (chmod 600)", p->name, key,
		reference + strlen("file:"));
	free(reference);
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

void import_carry_header(struct import_probe *p, const struct import_node *n, const char *name,
	const char *value, const char *variable)
{
	char *reference = variable                 ? mem_printf("env:%s", variable)
			  : import_is_secret(name) ? import_secret(p->name, name)
						   : NULL;
	set_header(p, name, reference ? reference : value);
	if (reference && !variable)
		import_tell(p->in, n, IMPORT_CHANGED,
			"probe %s: %s.headers: %s: a secret: put what stands here into %s (chmod 600)",
			p->name, p->kind, name, reference + strlen("file:"));
	else
		import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s.headers: %s", p->name, p->kind,
			name);
	free(reference);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* The query with the values of secret names left out; whether there were any. */
static bool add_query(struct buf *out, struct slice query)
{
	bool hidden = false;
	struct slice part;
	for (char sep = '?'; slice_next(&query, '&', &part); sep = '&') {
		const size_t n = slice_find(part, '=');
		char *name = slice_dup(slice_sub(part, 0, n));
		buf_add_char(out, sep);
		if (n < part.n && import_is_secret(name)) {
			buf_printf(out, "%s=", name);
			hidden = true;
		} else {
			buf_add_slice(out, part);
		}
		free(name);
	}
	return hidden;
}

static void carry_user(struct import_probe *p, struct slice user)
{
	const size_t n = slice_find(user, ':');
	char *plain = NULL, *reference = import_secret(p->name, "password");
	if (url_decode(slice_sub(user, 0, n), false, &plain))
		json_object_set_new(p->map, "user", json_string(plain));
	free(plain);
	if (n < user.n)
		json_object_set_new(p->map, "password", json_string(reference));
	free(reference);
}

bool import_carry_url(
	struct import_probe *p, const struct import_node *n, const char *key, const char *url)
{
	struct slice all = slice_of(url);
	all = slice_sub(all, 0, slice_find(all, '#'));
	const size_t scheme = slice_find_text(all, SLICE("://"));
	struct slice rest = slice_sub(all, scheme + 3, all.n), user = {0};
	const size_t path = strcspn(rest.p, "/?#");
	const struct slice authority = slice_sub(rest, 0, path);
	size_t at = authority.n;
	while (at > 0 && authority.p[at - 1] != '@')
		at--;
	if (at) {
		user = slice_sub(authority, 0, at - 1);
		rest = slice_sub(rest, at, rest.n);
	}
	const size_t query = slice_find(rest, '?');
	struct buf out = BUF(BUF_LINE);
	buf_add_slice(&out, slice_sub(all, 0, scheme + 3));
	buf_add_slice(&out, slice_sub(rest, 0, query));
	const bool hidden =
		query < rest.n && add_query(&out, slice_sub(rest, query + 1, rest.n - query - 1));
	struct url parsed;
	const bool good =
		scheme < all.n && url_parse(buf_slice(&out), &parsed, NULL) && parsed.host.n > 0;
	if (good)
		import_set(p, key, json_string(buf_str(&out)));
	if (good && user.n)
		carry_user(p, user);
	if (!good)
		import_tell(p->in, n, IMPORT_DROPPED, "it is no address that can be asked");
	else if (strchr(url, '#') && !hidden && !user.n)
		import_tell(p->in, n, IMPORT_CHANGED,
			"probe %s: %s: without what follows #, which is never sent", p->name, key);
	else if (hidden)
		import_tell(p->in, n, IMPORT_CHANGED,
			"probe %s: %s: without the secret in its query, which nobody should read here",
			p->name, key);
	else if (user.n)
		import_tell(p->in, n, IMPORT_CHANGED,
			"probe %s: %s: the password goes into secrets/%s-password (chmod 600)",
			p->name, key, p->name);
	else
		import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s", p->name, key);
	buf_fini(&out);
	return good;
}
