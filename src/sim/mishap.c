#include "sim/mishap.h"

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/route.h"
#include "sim/state.h"

static const char *const effects[MISHAP_COUNT] = {
	[MISHAP_LATENCY] = "latency",
	[MISHAP_STATUS] = "status",
	[MISHAP_LOST] = "lost",
	[MISHAP_CUT] = "cut",
	[MISHAP_HTML] = "html",
	[MISHAP_JSON] = "json",
	[MISHAP_STUCK] = "stuck",
	[MISHAP_ERROR] = "error",
	[MISHAP_QUOTA] = "quota",
	[MISHAP_EXPIRED] = "expired",
	[MISHAP_HOLE] = "hole",
	[MISHAP_LEAK] = "leak",
};

static const char *const whens[] = {"before", "after", "late"};

#define MISHAPS_MAX 1000

const char *mishap_effect_name(enum mishap_effect e)
{
	return effects[e];
}

void mishap_unref(struct mishap *m)
{
	if (!m || --m->refs > 0)
		return;
	free(m->service);
	free(m->method);
	free(m->path);
	free(m->host);
	free(m->text);
	free(m);
}

void mishaps_clear(struct mishaps *m)
{
	while (m->list.n > 0)
		mishap_unref(vec_pop(&m->list));
}

void mishaps_fini(struct mishaps *m)
{
	mishaps_clear(m);
	vec_fini(&m->list);
}

/* --- reading a rule -------------------------------------------------------------------------- */

static bool wrong(struct error *err, const char *key, const char *expected)
{
	error_set(err, ERROR_INPUT, "fault: %s: expected %s", key, expected);
	return false;
}

static bool read_word(const json_t *v, const char *key, const char *const *words, size_t n,
	int *ret, struct error *err)
{
	if (!v)
		return true;
	for (size_t i = 0; json_is_string(v) && i < n; i++)
		if (!strcmp(json_string_value(v), words[i])) {
			*ret = (int)i;
			return true;
		}
	struct buf b = BUF(256);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "one of ", words[i]);
	wrong(err, key, buf_str(&b));
	buf_fini(&b);
	return false;
}

static bool read_time(const json_t *v, const char *key, int64_t *ret, struct error *err)
{
	return !v || (json_is_string(v) && units_parse_time(slice_of(json_string_value(v)), ret)) ||
	       wrong(err, key, "a time with a unit, like 2s");
}

static bool read_int(const json_t *v, const char *key, int64_t min, int64_t *ret, struct error *err)
{
	if (!v)
		return true;
	if (!json_is_integer(v) || json_integer_value(v) < min)
		return wrong(err, key, "a whole number");
	*ret = json_integer_value(v);
	return true;
}

static bool read_text(const json_t *v, const char *key, char **ret, struct error *err)
{
	if (!v)
		return true;
	if (!json_is_string(v))
		return wrong(err, key, "text");
	mem_replace(ret, json_string_value(v));
	return true;
}

/* 0.25 or "25%" */
static bool read_share(const json_t *v, const char *key, double *ret, struct error *err)
{
	if (!v)
		return true;
	if (json_is_number(v))
		*ret = json_number_value(v);
	else if (!json_is_string(v) || !units_parse_percent(slice_of(json_string_value(v)), ret))
		*ret = -1;
	return (*ret >= 0 && *ret <= 1) || wrong(err, key, "a number from 0 to 1 or like 25%");
}

/* retry_after: "3s", or {date: "3s"} for the other form of RFC 9110 section 10.2.3 */
static bool read_retry(const json_t *v, struct mishap *m, struct error *err)
{
	if (json_is_object(v)) {
		m->retry_date = true;
		v = json_object_get(v, "date");
		if (!v)
			return wrong(err, "retry_after", "a time, or {date: a time}");
	}
	return read_time(v, "retry_after", &m->retry_ns, err);
}

static bool known_keys(const json_t *rule, struct error *err)
{
	static const char *const keys[] = {"service", "method", "path", "host", "effect", "when",
		"nth", "times", "probability", "from", "to", "time", "status", "retry_after",
		"bytes", "text"};
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)rule, key, value) {
		bool known = false;
		for (size_t i = 0; i < array_len(keys); i++)
			known = known || !strcmp(key, keys[i]);
		if (!known) {
			const char *near = slice_nearest(slice_of(key), keys, array_len(keys));
			error_set(err, ERROR_INPUT, "fault: unknown key \"%s\"%s%s%s", key,
				near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
			return false;
		}
	}
	return true;
}

static bool read_rule(struct mishap *m, const json_t *r, struct error *err)
{
	int effect = -1, when = -1;
	int64_t status = 0;

	if (!json_is_object(r))
		return wrong(err, "rule", "a map");
	if (!known_keys(r, err) ||
		!read_word(json_object_get(r, "effect"), "effect", effects, MISHAP_COUNT, &effect,
			err) ||
		!read_word(
			json_object_get(r, "when"), "when", whens, array_len(whens), &when, err) ||
		!read_text(json_object_get(r, "service"), "service", &m->service, err) ||
		!read_text(json_object_get(r, "method"), "method", &m->method, err) ||
		!read_text(json_object_get(r, "path"), "path", &m->path, err) ||
		!read_text(json_object_get(r, "host"), "host", &m->host, err) ||
		!read_text(json_object_get(r, "text"), "text", &m->text, err) ||
		!read_int(json_object_get(r, "nth"), "nth", 1, &m->nth, err) ||
		!read_int(json_object_get(r, "times"), "times", 1, &m->times, err) ||
		!read_int(json_object_get(r, "bytes"), "bytes", 0, &m->bytes, err) ||
		!read_int(json_object_get(r, "status"), "status", 200, &status, err) ||
		!read_share(
			json_object_get(r, "probability"), "probability", &m->probability, err) ||
		!read_time(json_object_get(r, "from"), "from", &m->from_ns, err) ||
		!read_time(json_object_get(r, "to"), "to", &m->to_ns, err) ||
		!read_time(json_object_get(r, "time"), "time", &m->time_ns, err) ||
		!read_retry(json_object_get(r, "retry_after"), m, err))
		return false;
	if (effect < 0)
		return wrong(err, "effect", "a word");
	m->effect = (enum mishap_effect)effect;
	if (when >= 0)
		m->when = (enum mishap_when)when;
	else
		m->when = m->effect == MISHAP_LOST || m->effect == MISHAP_CUT ||
					  m->effect == MISHAP_JSON
				  ? MISHAP_AFTER
				  : MISHAP_BEFORE;
	m->status = status ? (int)status : m->effect == MISHAP_HTML ? 502 : 500;
	if (m->effect == MISHAP_STATUS && !status)
		return wrong(err, "status", "an HTTP status");
	if (m->effect == MISHAP_LATENCY && m->time_ns <= 0)
		return wrong(err, "time", "a time");
	if (m->effect == MISHAP_HOLE && !m->text)
		return wrong(err, "text", "the service type that is missing");
	return true;
}

bool mishaps_add(struct mishaps *m, const json_t *rules, struct error *err)
{
	size_t before = m->list.n, n = json_is_array(rules) ? json_array_size(rules) : 1;

	if (before + n > MISHAPS_MAX) {
		error_set(err, ERROR_LIMIT, "more than %d faults", MISHAPS_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct mishap *one = mem_new(struct mishap);

		one->refs = 1;
		one->id = ++m->next_id;
		one->probability = 1;
		one->retry_ns = -1;
		one->bytes = -1;
		vec_push(&m->list, one);
		if (read_rule(one, json_is_array(rules) ? json_array_get(rules, i) : rules, err))
			continue;
		while (m->list.n > before)
			mishap_unref(vec_pop(&m->list));
		return false;
	}
	return true;
}

json_t *mishaps_json(const struct mishaps *m)
{
	json_t *list = json_array();

	VEC_EACH (&m->list, struct mishap *, p) {
		const struct mishap *f = *p;
		json_t *o = json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:I}", "id",
			(int)f->id, "effect", effects[f->effect], "when", whens[f->when], "service",
			f->service, "method", f->method, "path", f->path, "host", f->host, "seen",
			(json_int_t)f->seen, "fired", (json_int_t)f->fired);
		json_array_append_new(list, o);
	}
	return list;
}

/* --- striking -------------------------------------------------------------------------------- */

/* What hosts are asked to build is named by rules with a host alone: it is no request of a client.
 */
static bool names_host(const struct mishap *m, const struct call *c)
{
	return m->host ? c->host && route_glob(m->host, c->host) : c->service != &build_service;
}

static bool names(const struct mishap *m, const struct call *c)
{
	return names_host(m, c) && (!m->service || route_glob(m->service, c->service->name)) &&
	       (!m->method || route_glob(m->method, c->method)) &&
	       (!m->path || route_glob(m->path, c->path));
}

static bool strikes(struct sim *s, struct mishap *m, const struct call *c)
{
	int64_t since = loop_now_ns(s->loop) - s->started_ns;

	if (!names(m, c) || since < m->from_ns || (m->to_ns && since >= m->to_ns))
		return false;
	m->seen++;
	if ((m->nth && m->seen != (uint64_t)m->nth) || (m->times && m->fired >= (uint64_t)m->times))
		return false;
	if (m->probability < 1) {
		char name[32];
		snprintf(name, sizeof(name), "fault %u", m->id);
		if (draw_unit(&s->draw, name) >= m->probability)
			return false;
	}
	m->fired++;
	return true;
}

void mishaps_strike(struct sim *s, struct call *c)
{
	if (c->service == &control_service)
		return;
	VEC_EACH (&s->mishaps.list, struct mishap *, p) {
		if (!strikes(s, *p, c))
			continue;
		(*p)->refs++;
		vec_push(&c->hits, *p);
	}
}
