/*
 * graphite.c - Graphite's HTTP interface: what a request asks for, read in the serving half. What
 * the parameters mean is the house's to say (house_graphite.c), which alone knows the time.
 *
 * Parameters come in the query, in a form (POST) or as a JSON object (POST); those of the body
 * count besides those of the query.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "net/url.h"
#include "web/faces/faces.h"

#define PARAMETERS_MAX 500

/* Those that may come several times; "x[]" is "x". Others: the last one counts. */
static bool is_list(const char *name)
{
	return !strcmp(name, "series") || !strcmp(name, "target") || !strcmp(name, "query") ||
	       !strcmp(name, "expr");
}

static void add(json_t *args, const char *name, const char *value)
{
	if (!is_list(name)) {
		json_object_set_new(args, name, json_string(value));
		return;
	}
	json_t *list = json_object_get(args, name);
	if (!list) {
		list = json_array();
		json_object_set_new(args, name, list);
	}
	json_array_append_new(list, json_string(value));
}

static bool bad(struct error *err, const char *text)
{
	error_set(err, ERROR_INPUT, "%s", text);
	return false;
}

static bool read_pair(json_t *args, struct slice pair, struct error *err)
{
	const size_t at = slice_find(pair, '=');
	struct slice name = slice_sub(pair, 0, at);
	char *key = NULL, *value = NULL;
	bool good = url_decode(name, true, &key) &&
		    url_decode(slice_sub(pair, at + 1, pair.n), true, &value) &&
		    utf8_valid(slice_of(key)) && utf8_valid(slice_of(value));
	if (!good) {
		bad(err, "a parameter is no text in UTF-8, percent-encoded");
	} else {
		const size_t n = strlen(key);
		if (n > 2 && strcmp(key + n - 2, "[]") == 0)
			key[n - 2] = '\0';
		add(args, key, value);
	}
	free(key);
	free(value);
	return good;
}

static bool read_pairs(json_t *args, struct slice text, struct error *err)
{
	struct slice pair;
	size_t n = 0;
	while (text.n && slice_next(&text, '&', &pair)) {
		if (pair.n && !read_pair(args, pair, err))
			return false;
		if (++n > PARAMETERS_MAX)
			return bad(err, "a request has at most 500 parameters");
	}
	return true;
}

/* Numbers and truths become the texts they are as parameters. */
static bool add_value(json_t *args, const char *key, const json_t *value, struct error *err)
{
	char text[40];
	if (json_is_string(value)) {
		add(args, key, json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		add(args, key, text);
	} else if (json_is_real(value)) {
		snprintf(text, sizeof(text), "%.17g", json_real_value(value));
		add(args, key, text);
	} else if (json_is_boolean(value)) {
		add(args, key, json_is_true(value) ? "true" : "false");
	} else if (!json_is_null(value)) {
		return bad(
			err, "the values of the JSON object are texts, numbers or lists of texts");
	}
	return true;
}

static bool read_json(json_t *args, struct slice body, struct error *err)
{
	json_t *all = json_parse(body, FACE_BODY_MAX, err);
	const char *key;
	json_t *value, *item;
	size_t i;
	bool good = json_is_object(all) || (all && bad(err, "the body is no JSON object"));
	json_object_foreach (all, key, value) {
		if (!json_is_array(value))
			good = good && add_value(args, key, value, err);
		else
			json_array_foreach (value, i, item)
				good = good && add_value(args, key, item, err);
	}
	json_decref(all);
	return good;
}

json_t *graphite_arguments(const struct face_request *r, struct error *err)
{
	json_t *args = json_object();
	struct slice type = slice_of(r->type ? r->type : "");
	type = slice_trim(slice_sub(type, 0, slice_find(type, ';')));
	bool good = read_pairs(args, slice_of(r->query), err);
	if (good && r->body.n) {
		if (slice_is_nocase(type, "application/json"))
			good = read_json(args, r->body, err);
		else if (slice_is_nocase(type, "application/x-www-form-urlencoded"))
			good = read_pairs(args, r->body, err);
		else
			good = bad(err,
				"the body must be a form (application/x-www-form-urlencoded)"
				" or JSON (application/json)");
	}
	if (good)
		return args;
	json_decref(args);
	return NULL;
}
