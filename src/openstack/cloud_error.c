/*
 * cloud_error.c - see cloud_error.h. The forms are told apart by their keys, not by the service,
 * since proxies answer for everybody.
 */

#include "openstack/cloud_error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Bytes of the whole UTF-8 character that p begins with; 0 if it is none. */
static size_t character(const char *p)
{
	for (size_t n = 1; n <= 4 && p[n - 1]; n++)
		if (utf8_valid(slice_from(p, n)))
			return n;
	return 0;
}

/* One line of whole characters; control characters go, since a terminal would obey them. */
static void set(char *to, size_t size, const char *from)
{
	size_t used = 0;
	bool space = false;
	while (from && *from) {
		const unsigned char c = (unsigned char)*from;
		const size_t n = character(from);
		if (isspace(c)) {
			space = used > 0;
		} else if (c >= 0x20 && c != 0x7f) {
			if (used + space + (n ? n : 1) >= size)
				break;
			if (space)
				to[used++] = ' ';
			space = false;
			memcpy(to + used, n ? from : "?", n ? n : 1);
			used += n ? n : 1;
		}
		from += n ? n : 1;
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

static void read_html(struct slice in, struct cloud_error *e);

/* webob's page as JSON, for whoever accepts that (glance, unknown paths elsewhere): the message is
 * still HTML. */
static bool read_webob(const json_t *j, struct cloud_error *e)
{
	const char *code = json_str(j, "code"), *message = json_str(j, "message");
	if (!code || !message || !json_str(j, "title"))
		return false;
	take(e, code, NULL);
	read_html(slice_of(message), e);
	return true;
}

static bool read_flat(const json_t *j, struct cloud_error *e)
{
	const json_t *error = json_object_get(j, "error"), *errors = json_object_get(j, "errors");
	const json_t *first = json_array_get(errors, 0);
	if (json_str(j, "faultstring")) /* octavia */
		take(e, json_str(j, "faultcode"), json_str(j, "faultstring"));
	else if (json_str(j, "explanation")) /* heat */
		take(e, json_str(error, "type") ? json_str(error, "type") : json_str(j, "title"),
			json_str(error, "message") ? json_str(error, "message")
						   : json_str(j, "explanation"));
	else if (json_is_array(errors)) /* placement, after the API guidelines */
		take(e, json_str(first, "title"), json_str(first, "detail"));
	else if (json_str(j, "message") && json_str(j, "type")) /* designate */
		take(e, json_str(j, "type"), json_str(j, "message"));
	else if (json_str(j, "type") && json_is_object(errors)) /* designate, of a wrong field */
		take(e, json_str(j, "type"),
			json_str(json_array_get(json_object_get(errors, "errors"), 0), "message"));
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

/* wsme's (aodh, ironic): octavia's form one level deeper, or as text. */
static bool read_wsme(const json_t *j, struct cloud_error *e)
{
	const json_t *inner = json_object_get(j, "error_message");
	const char *text = json_string_value(inner);
	json_t *parsed = text ? json_parse(slice_of(text), BUF_LINE, NULL) : NULL;
	if (!inner)
		return false;
	if (!read_flat(parsed ? parsed : inner, e))
		take(e, NULL, text);
	json_decref(parsed);
	return true;
}

/* --- HTML ----------------------------------------------------------------------------------------
 */

#define HTML_TEXT 2048

static size_t find_nocase(struct slice in, size_t from, const char *what)
{
	const size_t n = strlen(what);
	for (size_t i = from; i + n <= in.n; i++)
		if (!strncasecmp(in.p + i, what, n))
			return i;
	return in.n;
}

static void add_code_point(struct buf *out, unsigned long c)
{
	char utf8[5] = {0};
	if (c < 0x80)
		utf8[0] = (char)c;
	else if (c < 0x800)
		utf8[0] = (char)(0xc0 | c >> 6), utf8[1] = (char)(0x80 | (c & 63));
	else if (c < 0x10000)
		utf8[0] = (char)(0xe0 | c >> 12), utf8[1] = (char)(0x80 | (c >> 6 & 63)),
		utf8[2] = (char)(0x80 | (c & 63));
	else if (c < 0x110000)
		utf8[0] = (char)(0xf0 | c >> 18), utf8[1] = (char)(0x80 | (c >> 12 & 63)),
		utf8[2] = (char)(0x80 | (c >> 6 & 63)), utf8[3] = (char)(0x80 | (c & 63));
	buf_add_str(out, utf8);
}

/* Writes the character of an entity such as &#x27;; returns its length, 0 if it is none. */
static size_t add_entity(struct buf *out, struct slice at)
{
	static const struct {
		const char *name, *text;
	} named[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""},
		{"&apos;", "'"}, {"&nbsp;", " "}};
	const size_t n = slice_find(slice_sub(at, 0, 12), ';') + 1;
	char digits[12];
	for (size_t i = 0; i < array_len(named); i++)
		if (slice_starts(at, named[i].name)) {
			buf_add_str(out, named[i].text);
			return n;
		}
	if (!slice_starts(at, "&#") || n < 4 || n > sizeof(digits) || n > at.n)
		return 0;
	const bool hex = at.p[2] == 'x' || at.p[2] == 'X';
	const size_t count = n - 3 - hex;
	memcpy(digits, at.p + 2 + hex, count);
	digits[count] = 0;
	if (!count || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != count)
		return 0;
	add_code_point(out, strtoul(digits, NULL, hex ? 16 : 10));
	return n;
}

struct html {
	struct buf body, title;
	bool in_head, in_title;
};

static bool is_tag(struct slice at, const char *tag)
{
	const size_t n = strlen(tag);
	return at.n > n && !strncasecmp(at.p, tag, n) && !isalnum((unsigned char)at.p[n]);
}

/* Passes a tag or comment at i; returns where it goes on. */
static size_t pass_tag(struct html *h, struct slice in, size_t i)
{
	const struct slice at = slice_sub(in, i, in.n);
	if (slice_starts(at, "<!--"))
		return find_nocase(in, i + 4, "-->") + 3;
	if (is_tag(at, "<style"))
		i = find_nocase(in, i, "</style");
	else if (is_tag(at, "<script"))
		i = find_nocase(in, i, "</script");
	else if (is_tag(at, "<title"))
		h->in_title = true;
	else if (is_tag(at, "</title"))
		h->in_title = false;
	else if (is_tag(at, "<head"))
		h->in_head = true;
	else if (is_tag(at, "</head") || is_tag(at, "<body"))
		h->in_head = h->in_title = false;
	buf_add_char(h->in_title ? &h->title : &h->body, ' ');
	return find_nocase(in, i, ">") + 1;
}

/* The text of the body, without tags, styles, scripts and comments; the title if there is none. */
static void read_html(struct slice in, struct cloud_error *e)
{
	struct html h = {.body = BUF(HTML_TEXT), .title = BUF(HTML_TEXT)};
	for (size_t i = 0; i < in.n && !h.body.over;) {
		struct buf *out = h.in_title ? &h.title : &h.body;
		if (in.p[i] == '<') {
			i = pass_tag(&h, in, i);
			continue;
		}
		const bool shown = h.in_title || !h.in_head;
		const size_t entity =
			shown && in.p[i] == '&' ? add_entity(out, slice_sub(in, i, in.n)) : 0;
		if (shown && !entity)
			buf_add_char(out, in.p[i]);
		i += entity ? entity : 1;
	}
	take(e, "HTML", buf_str(&h.body));
	take(e, NULL, buf_str(&h.title));
	buf_fini(&h.body);
	buf_fini(&h.title);
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static void sharpen(int status, struct cloud_error *e)
{
	static const char *const quota[] = {"quota", "Quota", "Maximum number of ",
		/* keystone's credentials */ "already exceeded for user"};
	/* heat's limits of stacks in a project and resources in a stack; the first is a 400 */
	static const char *const limits[] = {"RequestLimitExceeded", "StackResourceLimitExceeded"};
	static const char *const capacity[] = {"No valid host", "NoValidHost"};
	for (size_t i = 0; i < array_len(quota); i++)
		if ((status == 403 || status == 409 || status == 413) &&
			(strstr(e->message, quota[i]) || strstr(e->type, quota[i])))
			e->fault = FAULT_QUOTA;
	for (size_t i = 0; i < array_len(limits); i++)
		if (!strcmp(e->type, limits[i]))
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
		if (!read_neutron(json, ret) && !read_wsme(json, ret) && !read_webob(json, ret) &&
			!read_flat(json, ret))
			read_wrapped(json, ret);
	} else if (body.n) {
		const struct slice text = slice_trim(body);
		if (text.n && text.p[0] == '<')
			read_html(text, ret);
		else {
			char *copy = slice_dup(slice_sub(text, 0, HTML_TEXT));
			take(ret, NULL, copy);
			free(copy);
		}
	}
	sharpen(status, ret);
}
