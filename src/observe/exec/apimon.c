/*
 * apimon.c - see apimon.h.
 */

#include "observe/exec/apimon.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define LINE_MAX_ (64u << 10)

/* Cut between code points. */
static void copy(char *into, size_t size, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	if (n >= size)
		n = size - 1;
	while (n && text[n] && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(into, text ? text : "", n);
	into[n] = '\0';
}

/* In small numbers alone: what else is said cannot be meant. */
static uint64_t number(const json_t *j, const char *key)
{
	const int64_t n = json_int(j, key, 0);
	return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (uint64_t)n;
}

static bool read_metric(const json_t *j, struct apimon *ret, struct error *err)
{
	const char *type = json_str(j, "metric_type"), *zone = json_str(j, "az");
	const json_t *value = json_object_get(j, "value");
	ret->type = APIMON_METRIC;
	ret->value = json_number_value(value);
	if (type && !strcmp(type, "c"))
		ret->metric = INGEST_COUNTER;
	else if (type && !strcmp(type, "ms"))
		ret->metric = INGEST_TIMER;
	else if (type && !strcmp(type, "g"))
		ret->metric = INGEST_GAUGE;
	else {
		error_set(err, ERROR_INPUT, "metric_type is none of c, ms, g");
		return false;
	}
	if (!json_is_number(value) || !isfinite(ret->value) ||
		(ret->metric == INGEST_TIMER && (ret->value < 0 || ret->value > 1e12))) {
		error_set(err, ERROR_INPUT, "value is no number that can be");
		return false;
	}
	copy(ret->suffix, sizeof(ret->suffix), json_str(j, "name_suffix"));
	copy(ret->zone, sizeof(ret->zone), zone);
	return true;
}

static bool read_result(const json_t *j, struct apimon *ret, struct error *err)
{
	const int64_t result = json_int(j, "result", -2);
	if (result < APIMON_UNDEFINED || result > APIMON_FAILED) {
		error_set(err, ERROR_INPUT, "result is none of -1 to 3");
		return false;
	}
	ret->result = (enum apimon_result)result;
	ret->duration_ms = (int64_t)number(j, "duration");
	ret->passed = number(j, "count_passed");
	ret->failed = number(j, "count_failed");
	ret->skipped = number(j, "count_skipped");
	ret->ignored = number(j, "count_ignored");
	const char *text = json_str(j, "anonymized_response");
	copy(ret->action, sizeof(ret->action), json_str(j, "action"));
	copy(ret->text, sizeof(ret->text), text ? text : json_str(j, "raw_response"));
	return true;
}

bool apimon_read(struct slice line, struct apimon *ret, struct error *err)
{
	json_t *j = json_parse(line, LINE_MAX_, err);
	const char *type = j ? json_str(j, "__type") : NULL, *name = j ? json_str(j, "name") : NULL;
	bool good = false;
	*ret = (struct apimon){.result = APIMON_UNDEFINED};
	if (j && (!type || !name || !*name || strlen(name) > APIMON_NAME_MAX)) {
		error_set(err, ERROR_INPUT, "no message with __type and a name");
	} else if (j) {
		copy(ret->name, sizeof(ret->name), name);
		ret->type = !strcmp(type, "ansible_profile_task") ? APIMON_TASK : APIMON_SUMMARY;
		if (!strcmp(type, "metric"))
			good = read_metric(j, ret, err);
		else if (ret->type == APIMON_TASK || !strcmp(type, "ansible_profile_summary"))
			good = read_result(j, ret, err);
		else
			error_set(err, ERROR_INPUT, "__type is none that is known");
	}
	json_decref(j);
	return good;
}

/* As it may stand in a path of Graphite. A zone is one part of it, a name may be several. */
static void add_part(struct buf *out, const char *text, bool whole)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool bad =
			c <= ' ' || c >= 0x7f || strchr(":|@/#;", c) || (!whole && c == '.');
		buf_add_char(out, bad ? '_' : (char)c);
	}
}

void apimon_names(const struct apimon *m, const char *prefix, apimon_named *cb, void *arg)
{
	struct buf name = BUF(2048);
	buf_printf(&name, "%s.", prefix);
	add_part(&name, m->name, true);
	if (*m->zone) {
		buf_add_char(&name, '.');
		add_part(&name, m->zone, false);
	}
	const size_t n = name.n;
	if (m->metric != INGEST_TIMER) {
		cb(arg, m->metric, buf_str(&name), m->value);
	} else {
		buf_add_str(&name, ".attempted");
		cb(arg, INGEST_COUNTER, buf_str(&name), 1);
		buf_cut(&name, n);
		if (*m->suffix) {
			buf_add_char(&name, '.');
			add_part(&name, m->suffix, false);
			cb(arg, INGEST_COUNTER, buf_str(&name), 1);
		}
		cb(arg, INGEST_TIMER, buf_str(&name), m->value);
	}
	buf_fini(&name);
}
