/*
 * cloud_error.c - see cloud_error.h. The forms are told apart by their keys, not by the service,
 * since proxies answer for everybody.
 */

#include "openstack/cloud_error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void set(char *to, size_t n, const char *from)
{
	size_t used = 0;
	bool space = false;
	for (; from && *from && used + 2 < n; from++) {
		if (isspace((unsigned char)*from)) {
			space = used > 0;
			continue;
		}
		if (space)
			to[used++] = ' ';
		space = false;
		to[used++] = *from;
	}
	to[used] = 0;
}

static void take(struct cloud_error *e, const char *type, const char *message)
{
	if (type && !e->type[0])
		set(e->type, sizeof(e->type), type);
	if (message && !e->message[0])
		set(e->message, sizeof(e->message), message);
}

/* NeutronError may be a map or only a text. */
static bool read_neutron(const json_t *j, struct cloud_error *e)
{
	const json_t *inner = json_object_get(j, "NeutronError");
	if (!inner)
		return false;
	take(e, json_str(inner, "type"),
		json_is_string(inner) ? json_string_value(inner) : json_str(inner, "message"));
	return true;
}

static bool read_flat(const json_t *j, struct cloud_error *e)
{
	const json_t *error = json_object_get(j, "error");
	if (json_str(j, "faultstring")) /* octavia */
		take(e, json_str(j, "faultcode"), json_str(j, "faultstring"));
	else if (json_str(j, "explanation")) /* heat */
		take(e, json_str(error, "type"),
			json_str(error, "message") ? json_str(error, "message")
						   : json_str(j, "explanation"));
	else if (json_str(j, "message") && json_str(j, "type")) /* designate */
		take(e, json_str(j, "type"), json_str(j, "message"));
	else if (json_str(j, "description") && json_str(j, "title")) /* barbican */
		take(e, json_str(j, "title"), json_str(j, "description"));
	else if (json_is_object(error)) /* keystone */
		take(e, json_str(error, "title"), json_str(error, "message"));
	else if (json_str(j, "message")) /* placement's and others' plain form */
		take(e, json_str(j, "code"), json_str(j, "message"));
	else
		return false;
	return true;
}

/* nova and cinder: {<any>: {code, message}} */
static bool read_wrapped(const json_t *j, struct cloud_error *e)
{
	const char *key;
	json_t *inner;
	json_object_foreach ((json_t *)j, key, inner) {
		if (json_str(inner, "message")) {
			take(e, key, json_str(inner, "message"));
			return true;
		}
	}
	return false;
}

/* HTML: the title if there is one, else the text without tags, head and styles. */
static void read_html(struct slice body, struct cloud_error *e)
{
	char text[600];
	size_t n = 0;
	bool tag = false;
	for (size_t i = 0; i < body.n && n + 1 < sizeof(text); i++) {
		const struct slice rest = slice_sub(body, i, body.n);
		if (rest.n > 7 &&
			(!strncasecmp(rest.p, "<style", 6) || !strncasecmp(rest.p, "<script", 7))) {
			const size_t end = slice_find_text(rest, SLICE("</"));
			i += end;
			tag = true;
			continue;
		}
		if (body.p[i] == '<')
			tag = true;
		else if (body.p[i] == '>' && tag) {
			tag = false;
			text[n++] = ' ';
		} else if (!tag)
			text[n++] = body.p[i];
	}
	text[n] = 0;
	take(e, "HTML", text);
}

static void sharpen(int status, struct cloud_error *e)
{
	static const char *const quota[] = {"quota", "Quota", "OverQuota"};
	static const char *const capacity[] = {"No valid host", "NoValidHost"};
	for (size_t i = 0; i < array_len(quota); i++)
		if ((status == 403 || status == 409 || status == 413) &&
			(strstr(e->message, quota[i]) || strstr(e->type, quota[i])))
			e->fault = FAULT_QUOTA;
	for (size_t i = 0; i < array_len(capacity); i++)
		if (strstr(e->message, capacity[i]))
			e->fault = FAULT_NO_CAPACITY;
}

void cloud_error_read(int status, const json_t *json, struct slice body, struct cloud_error *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->fault = fault_of_status(status);
	if (json_is_object(json)) {
		if (!read_neutron(json, ret) && !read_flat(json, ret))
			read_wrapped(json, ret);
	} else if (body.n) {
		const struct slice text = slice_trim(body);
		if (text.n && text.p[0] == '<')
			read_html(text, ret);
		else {
			char *copy = slice_dup(slice_sub(text, 0, sizeof(ret->message) - 1));
			take(ret, NULL, copy);
			free(copy);
		}
	}
	sharpen(status, ret);
}
