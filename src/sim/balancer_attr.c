/*
 * balancer_attr.c - octavia's checking of bodies, in the words of its framework (wsme).
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/ip.h"
#include "sim/python.h"

#define TEXT_MAX 255

struct check {
	struct call *c;
	const struct balancer_resource *r;
	bool create;
};

static bool wrong(struct call *c, const char *name, const json_t *v, const char *why)
{
	char *text = python_str_text(v);
	call_fail(c, 400, NULL, "Invalid input for field/attribute %s. Value: '%s'. %s", name, text,
		why);
	free(text);
	return false;
}

/* What the framework cannot even convert is told of the whole body. */
static bool unreadable(const struct check *k, const json_t *v, const char *what)
{
	char *body = python_repr_text(k->c->body), *text = python_str_text(v);
	call_fail(k->c, 400, NULL,
		"Invalid input for field/attribute %s. Value: '%s'. Value %s: %s", k->r->argument,
		body, what, text);
	free(body);
	free(text);
	return false;
}

/* --- types -------------------------------------------------------------------------------------
 */

static bool check_bool(
	const struct check *k, const struct balancer_attr *a, const json_t *v, json_t *out)
{
	static const char *const yes[] = {"1", "t", "true", "on", "y", "yes"};
	static const char *const no[] = {"0", "f", "false", "off", "n", "no"};
	const char *text = json_string_value(v);
	int known = json_is_boolean(v) ? json_is_true(v) : -1;

	if (json_is_integer(v) && (json_integer_value(v) == 0 || json_integer_value(v) == 1))
		known = (int)json_integer_value(v);
	for (size_t i = 0; text && i < array_len(yes); i++) {
		if (!strcasecmp(text, yes[i]))
			known = 1;
		if (!strcasecmp(text, no[i]))
			known = 0;
	}
	if (known < 0)
		return unreadable(k, v, "not an unambiguous boolean");
	json_object_set_new(out, a->name, json_boolean(known));
	return true;
}

static bool check_text(struct call *c, const char *name, const json_t *v, size_t max)
{
	char why[64];

	if (!json_is_string(v))
		return wrong(c, name, v, "Value should be string");
	snprintf(why, sizeof(why), "Value should have a maximum character requirement of %zu", max);
	return utf8_length(slice_of(json_string_value(v))) <= max || wrong(c, name, v, why);
}

static bool check_int(
	const struct check *k, const struct balancer_attr *a, const json_t *v, json_t *out)
{
	const char *text = json_string_value(v);
	char *end, why[64];
	long long n = text ? strtoll(text, &end, 10) : json_integer_value(v);

	if (!json_is_integer(v) && (!text || !*text || *end))
		return unreadable(k, v, "is not an integer");
	if (n < a->min) {
		snprintf(why, sizeof(why), "Value should be greater or equal to %lld",
			(long long)a->min);
		return wrong(k->c, a->name, v, why);
	}
	if (a->max && n > a->max) {
		snprintf(why, sizeof(why), "Value should be lower or equal to %lld",
			(long long)a->max);
		return wrong(k->c, a->name, v, why);
	}
	json_object_set_new(out, a->name, json_integer(n));
	return true;
}

static bool check_words(struct call *c, const char *name, const char *words, const json_t *v)
{
	struct slice rest = slice_of(words), word;
	struct buf why = BUF(BUF_LINE);
	char *text = python_str_text(v);
	bool known = false;

	buf_add_str(&why, "Value should be one of: ");
	for (bool first = true; slice_next(&rest, ' ', &word); first = false) {
		known = known || slice_is(word, text);
		buf_printf(&why, "%s%.*s", first ? "" : ", ", SLICE_ARG(word));
	}
	known = known || wrong(c, name, v, buf_str(&why));
	free(text);
	buf_fini(&why);
	return known;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(
		json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static bool check_tags(
	const struct check *k, const struct balancer_attr *a, const json_t *v, json_t *out)
{
	VEC(json_t *) sorted = {0};
	json_t *tag, *list = json_array();
	size_t i;
	bool good = true;

	if (!json_is_array(v)) {
		json_decref(list);
		return unreadable(k, v, "not a valid list");
	}
	json_array_foreach (v, i, tag) {
		good = good && check_text(k->c, a->name, tag, TEXT_MAX);
		vec_push(&sorted, tag);
	}
	if (good && sorted.n)
		qsort(sorted.p, sorted.n, sizeof(*sorted.p), compare_texts);
	for (i = 0; good && i < sorted.n; i++)
		if (!i || compare_texts(&sorted.p[i - 1], &sorted.p[i]))
			json_array_append(list, sorted.p[i]);
	vec_fini(&sorted);
	json_object_set_new(out, a->name, list);
	return good;
}

static bool check_cidrs(struct call *c, const struct balancer_attr *a, const json_t *v, json_t *out)
{
	json_t *item, *list = json_array();
	char text[IP_TEXT];
	struct prefix p;
	size_t i;
	bool good = json_is_array(v);

	json_array_foreach (v, i, item) {
		good = good && json_is_string(item) &&
		       prefix_parse(json_string_value(item), &p, NULL);
		if (good)
			json_array_append_new(list, json_string(prefix_text(p, text)));
	}
	if (good)
		json_object_set(out, a->name, json_array_size(list) ? list : json_null());
	json_decref(list);
	return good || wrong(c, a->name, v, "Value should be IPv4 or IPv6 CIDR format");
}

static bool check_headers(struct call *c, const struct balancer_attr *a, const json_t *v)
{
	const char *key;
	json_t *value;

	if (!json_is_object(v))
		return wrong(c, a->name, v, "Value should be a dictionary");
	json_object_foreach ((json_t *)v, key, value)
		if (!check_text(c, a->name, value, TEXT_MAX))
			return false;
	return true;
}

static bool check_persistence(
	struct call *c, const struct balancer_attr *a, const json_t *v, json_t *out)
{
	static const char *const keys[] = {
		"type", "cookie_name", "persistence_timeout", "persistence_granularity"};
	const char *type = json_str(v, "type"), *cookie = json_str(v, "cookie_name");
	json_t *all = json_object();

	if (!json_is_object(v) || !json_object_get(v, "type")) {
		json_decref(all);
		return wrong(c, "type", json_null(), "Mandatory field missing.");
	}
	for (size_t i = 0; i < array_len(keys); i++) {
		json_t *had = json_object_get(v, keys[i]);
		json_object_set(all, keys[i], had ? had : json_null());
	}
	json_object_set_new(out, a->name, all);
	if (!check_words(c, "type", "APP_COOKIE HTTP_COOKIE SOURCE_IP", json_object_get(v, "type")))
		return false;
	if (!strcmp(type, "APP_COOKIE") && !cookie)
		return balancer_invalid(c,
			"Field \"cookie_name\" must be specified when using the \"APP_COOKIE\" "
			"session persistence type.");
	if (strcmp(type, "APP_COOKIE") && cookie)
		return balancer_invalid(c,
			"Field \"cookie_name\" can only be specified with session persistence of "
			"type \"APP_COOKIE\".");
	return true;
}

static bool check_url(struct call *c, const struct balancer_attr *a, const json_t *v)
{
	const char *text = json_string_value(v);
	const char *host = text ? strstr(text, "://") : NULL;

	return (host && host > text && host[3]) ||
	       wrong(c, a->name, v, "Value must be a valid URL string");
}

static bool check_path(struct call *c, const struct balancer_attr *a, const json_t *v)
{
	const char *text = json_string_value(v);

	return (text && *text == '/' && !strpbrk(text, " \t\r\n#")) ||
	       wrong(c, a->name, v, "Value must be a valid URL Path string");
}

/* Three digits at *p; moves over them. */
static bool a_code(const char **p)
{
	for (int i = 0; i < 3; i++)
		if (!isdigit((unsigned char)*(*p)++))
			return false;
	return true;
}

static bool are_codes(const char *p)
{
	if (!p || !a_code(&p))
		return false;
	if (*p == '-')
		return p++, a_code(&p) && !*p;
	while (*p) {
		p += strspn(p, " ");
		if (*p++ != ',')
			return false;
		p += strspn(p, " ");
		if (!a_code(&p))
			return false;
	}
	return true;
}

static bool check_codes(struct call *c, const struct balancer_attr *a, const json_t *v)
{
	const char *text = json_string_value(v);

	return (text && strlen(text) >= 3 && are_codes(text)) ||
	       wrong(c, a->name, v,
		       "Value should match the pattern "
		       "^(\\d{3}(\\s*,\\s*\\d{3})*)$|^(\\d{3}-\\d{3})$");
}

static bool check_ip(struct call *c, const struct balancer_attr *a, const json_t *v)
{
	struct ip ip;

	return (json_is_string(v) && ip_parse(json_string_value(v), &ip)) ||
	       wrong(c, a->name, v, "Value should be IPv4 or IPv6 format");
}

/* Puts the value into `out`, converted where octavia converts. */
static bool check_value(
	const struct check *k, const struct balancer_attr *a, json_t *v, json_t *out)
{
	struct call *c = k->c;

	json_object_set(out, a->name, v);
	if (json_is_null(v))
		return true;
	switch (a->type) {
	case BALANCER_TEXT: return check_text(c, a->name, v, a->max ? (size_t)a->max : TEXT_MAX);
	case BALANCER_BOOL: return check_bool(k, a, v, out);
	case BALANCER_INT: return check_int(k, a, v, out);
	case BALANCER_UUID:
		return python_is_uuid(v) || wrong(c, a->name, v, "Value should be UUID format");
	case BALANCER_REAL:
	case BALANCER_WORDS: return check_words(c, a->name, a->words, v);
	case BALANCER_TAGS: return check_tags(k, a, v, out);
	case BALANCER_IP: return check_ip(c, a, v);
	case BALANCER_CIDRS: return check_cidrs(c, a, v, out);
	case BALANCER_HEADERS: return check_headers(c, a, v);
	case BALANCER_PERSISTENCE: return check_persistence(c, a, v, out);
	case BALANCER_URL: return check_url(c, a, v);
	case BALANCER_URL_PATH: return check_path(c, a, v);
	case BALANCER_CODES: return check_codes(c, a, v);
	case BALANCER_LIST: return json_is_array(v) || unreadable(k, v, "not a valid list");
	case BALANCER_MAP: return json_is_object(v) || unreadable(k, v, "not a valid object");
	}
	return true;
}

/* --- the body ----------------------------------------------------------------------------------
 */

static bool takes(const struct check *k, const struct balancer_attr *a)
{
	return a->flags & (k->create ? BALANCER_POST : BALANCER_PUT);
}

static bool all_known(const struct check *k, const json_t *in, const char *path)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)in, key, value) {
		bool known = false;
		for (size_t i = 0; i < k->r->n; i++)
			known = known ||
				(!strcmp(k->r->attrs[i].name, key) && takes(k, &k->r->attrs[i]));
		if (!known) {
			call_fail(k->c, 400, NULL, "Unknown attribute for argument %s: %s", path,
				key);
			return false;
		}
	}
	return true;
}

/* What a null means: the default for a change, nothing for a new object. */
static void complete(const struct check *k, const struct balancer_attr *a, json_t *out)
{
	const json_t *v = json_object_get(out, a->name);

	if ((v && !json_is_null(v)) || (!v && !k->create))
		return;
	json_object_set_new(out, a->name,
		a->otherwise ? json_loads(a->otherwise, JSON_DECODE_ANY, NULL) : json_null());
}

static json_t *check_all(const struct check *k, const json_t *in, const char *path)
{
	json_t *out = json_object();
	bool good = all_known(k, in, path);

	for (size_t i = 0; good && i < k->r->n; i++) {
		const struct balancer_attr *a = &k->r->attrs[i];
		json_t *v = json_object_get(in, a->name);

		if (!takes(k, a))
			continue;
		if (k->create && a->flags & BALANCER_REQUIRED && (!v || json_is_null(v)))
			good = wrong(k->c, a->name, json_null(), "Mandatory field missing.");
		else if (v)
			good = check_value(k, a, v, out);
		if (good)
			complete(k, a, out);
	}
	if (good)
		return out;
	json_decref(out);
	return NULL;
}

json_t *balancer_body(struct call *c, const struct balancer_resource *r, bool create)
{
	const struct check k = {c, r, create};
	json_t *in = json_object_get(c->body, r->name);
	char path[64];
	const char *key;
	json_t *value;

	if (!c->body) {
		call_fail(c, 400, NULL, "Missing argument: \"%s\"", r->argument);
		return NULL;
	}
	json_object_foreach (c->body, key, value)
		if (strcmp(key, r->name)) {
			call_fail(c, 400, NULL, "Unknown attribute for argument %s: %s",
				r->argument, key);
			return NULL;
		}
	if (!in) { /* the real one trips over its own code, and says so */
		call_fail(c, 500, NULL, "'UnsetType' object has no attribute 'project_id'");
		return NULL;
	}
	if (!json_is_object(in)) {
		unreadable(&k, in, "not a valid object");
		return NULL;
	}
	snprintf(path, sizeof(path), "%s.%s", r->argument, r->name);
	return check_all(&k, in, path);
}

json_t *balancer_inner(
	struct call *c, const struct balancer_resource *r, const json_t *body, const char *path)
{
	const struct check k = {c, r, true};

	return check_all(&k, body, path);
}
