/*
 * running_declare.c - events that are written over HTTP: the JSON of /api/ops/v1/events read, held
 * to what there is, written, and answered with the event or with what is wrong.
 */

#include <string.h>

#include "base/json.h"
#include "cli/running.h"

struct declaring { /* one under way */
	struct running *running;
	struct web_answer *answer;
	bool opens;
};

struct declared { /* what a body says; borrows from it */
	const json_t *body;
	enum event_kind kind;
	int phase;                                    /* -1: nothing */
	int64_t at_ms, starts_ms, until_ms, revision; /* -1: nothing */
	int update;                                   /* 0: none is corrected */
	bool has_components;
	VEC(struct event_impact) impacts;
	struct error err;
};

/* --- answers ---------------------------------------------------------------------------------- */

static void answer_text(struct web_answer *answer, int status, const char *type, json_t *body)
{
	char *text = json_text(body);
	web_answer(answer, 200,
		json_pack("{s:i, s:s, s:s}", "status", status, "type", type, "text", text));
	free(text);
	json_decref(body);
}

static void refuse(struct web_answer *answer, int status, const char *title, const char *why)
{
	answer_text(answer, status, "application/problem+json",
		json_pack("{s:s, s:i, s:s}", "title", title, "status", status, "detail", why));
}

static void refuse_error(struct web_answer *answer, const struct error *err)
{
	switch (err->kind) {
	case ERROR_CONFLICT: refuse(answer, 409, "Conflict", err->msg); break;
	case ERROR_INPUT:
	case ERROR_LIMIT: refuse(answer, 422, "Unprocessable Content", err->msg); break;
	case ERROR_NONE:
	case ERROR_CONFIG:
	case ERROR_SYSTEM:
	case ERROR_CLOUD:
	case ERROR_STORE:
	case ERROR_CANCELLED: refuse(answer, 503, "Service Unavailable", err->msg); break;
	}
}

static void on_written(void *arg, const char *id, const struct error *err)
{
	struct declaring *d = arg;
	struct running *r = d->running;
	struct error unread = {0};
	json_t *e = err ? NULL : event_json(r->session.facts, id, AUDIENCE_OPERATORS, &unread);
	if (e)
		answer_text(d->answer, d->opens ? 201 : 200, "application/json", e);
	else
		refuse_error(d->answer, err ? err : &unread);
	free(d);
}

static struct declaring *declare(struct running *r, struct web_answer *answer, bool opens)
{
	struct declaring *d = mem_new(struct declaring);
	*d = (struct declaring){r, answer, opens};
	return d;
}

/* --- fields ----------------------------------------------------------------------------------- */

static const char *const open_fields[] = {"kind", "title", "text", "phase", "starts", "until",
	"components", "draft", "id", "key", "evidence", "by", "machine"};
static const char *const change_fields[] = {"text", "title", "phase", "at", "starts", "until",
	"components", "publish", "evidence", "revision", "update", "by", "machine"};

static bool known_fields(struct declared *d, const char *const *fields, size_t n)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)(uintptr_t)d->body, key, value) {
		bool known = false;
		for (size_t i = 0; i < n; i++)
			known |= !strcmp(key, fields[i]);
		if (known)
			continue;
		const char *near = slice_nearest(slice_of(key), fields, n);
		error_set(&d->err, ERROR_INPUT, "there is no field \"%.60s\"%s%s%s", key,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		return false;
	}
	return true;
}

/* NULL: not there, or null. False: of another type, said. */
static bool text_field(struct declared *d, const char *key, const char **ret)
{
	const json_t *v = json_object_get(d->body, key);
	*ret = json_string_value(v);
	if (!v || json_is_null(v) || (*ret && strlen(*ret) == json_string_length(v)))
		return true;
	error_set(&d->err, ERROR_INPUT, "%s is a text", key);
	return false;
}

static bool flag_field(struct declared *d, const char *key, bool *ret)
{
	const json_t *v = json_object_get(d->body, key);
	*ret = json_is_true(v);
	if (!v || json_is_boolean(v))
		return true;
	error_set(&d->err, ERROR_INPUT, "%s is true or false", key);
	return false;
}

/* RFC 3339, or milliseconds; null is 0: not known. */
static bool time_field(struct declared *d, const char *key, int64_t *ret_ms)
{
	const json_t *v = json_object_get(d->body, key);
	const char *text = json_string_value(v);
	int64_t us;
	if (!v)
		return true;
	if (json_is_null(v))
		*ret_ms = 0;
	else if (json_is_integer(v) && json_integer_value(v) >= 0)
		*ret_ms = json_integer_value(v);
	else if (text && clock_parse_rfc3339(text, &us) && us > 0)
		*ret_ms = us / 1000;
	else
		error_set(&d->err, ERROR_INPUT,
			"%s is a time: \"2026-12-01T21:00:00Z\", or milliseconds since 1970", key);
	return !d->err.kind;
}

static bool number_field(struct declared *d, const char *key, int64_t most, int64_t *ret)
{
	const json_t *v = json_object_get(d->body, key);
	if (!v)
		return true;
	*ret = json_integer_value(v);
	if (json_is_integer(v) && *ret > 0 && *ret <= most)
		return true;
	error_set(&d->err, ERROR_INPUT, "%s is a number from 1 to %lld", key, (long long)most);
	return false;
}

static bool phase_field(struct declared *d)
{
	const char *name;
	enum event_phase p;
	if (!text_field(d, "phase", &name))
		return false;
	if (name && !event_phase_parse(name, &p)) {
		error_set(&d->err, ERROR_INPUT, "there is no phase \"%.60s\"", name);
		return false;
	}
	d->phase = name ? (int)p : -1;
	return true;
}

/* --- components ------------------------------------------------------------------------------- */

static bool is_component(const struct running *r, const char *id)
{
	const size_t n = judge_component_count(r->judge);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(judge_component_at(r->judge, i)->id, id))
			return true;
	return !n; /* nothing is watched: any will do */
}

static void say_unknown(const struct running *r, const char *id, struct error *err)
{
	VEC(const char *) ids = {0};
	for (size_t i = 0; i < judge_component_count(r->judge); i++)
		vec_push(&ids, judge_component_at(r->judge, i)->id);
	const char *near = slice_nearest(slice_of(id), ids.p, ids.n);
	error_set(err, ERROR_INPUT, "there is no component \"%.80s\"%s%s%s", id,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	vec_fini(&ids);
}

static bool component_fields(const struct running *r, struct declared *d)
{
	const json_t *list = json_object_get(d->body, "components");
	size_t i;
	json_t *c;
	d->has_components = list != NULL;
	if (list && !json_is_array(list))
		error_set(&d->err, ERROR_INPUT,
			"components is a list: [{\"id\": \"compute\", \"impact\": 100}]");
	json_array_foreach (list, i, c) {
		const char *id = json_str(c, "id");
		const int64_t impact = json_int(c, "impact", -1);
		if (!id || impact < 0 || impact > 100)
			error_set(&d->err, ERROR_INPUT,
				"components: each has an id and an impact from 0 to 100");
		else if (!is_component(r, id))
			say_unknown(r, id, &d->err);
		if (d->err.kind)
			break;
		vec_push(&d->impacts, ((struct event_impact){id, (int)impact}));
	}
	return !d->err.kind;
}

/* What both have. */
static bool common_fields(const struct running *r, struct declared *d, struct event_author *by)
{
	*by = (struct event_author){0};
	d->phase = -1;
	d->starts_ms = d->until_ms = -1;
	if (!phase_field(d) || !time_field(d, "starts", &d->starts_ms) ||
		!time_field(d, "until", &d->until_ms) || !text_field(d, "by", &by->by) ||
		!flag_field(d, "machine", &by->machine) || !component_fields(r, d))
		return false;
	if (!by->by)
		by->by = "intake";
	return true;
}

/* An address, even of nothing: NULL would mean that they stay. */
static const struct event_impact *impacts_of(const struct declared *d)
{
	static const struct event_impact none;
	return !d->has_components ? NULL : d->impacts.n ? d->impacts.p : &none;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum event_phase first_phase(const struct declared *d, int64_t now_ms)
{
	const bool ahead = d->starts_ms > now_ms;
	if (d->phase >= 0)
		return (enum event_phase)d->phase;
	if (d->kind == EVENT_INCIDENT)
		return EVENT_INVESTIGATING;
	return ahead                          ? EVENT_PLANNED
	       : d->kind == EVENT_MAINTENANCE ? EVENT_IN_PROGRESS
					      : EVENT_ACTIVE;
}

static bool read_new(
	struct running *r, struct declared *d, struct event_new *n, struct event_author *by)
{
	const char *kind;
	bool draft;
	if (!known_fields(d, open_fields, array_len(open_fields)) ||
		!text_field(d, "kind", &kind) || !text_field(d, "title", &n->title) ||
		!text_field(d, "text", &n->text) || !text_field(d, "id", &n->id) ||
		!text_field(d, "key", &n->key) || !flag_field(d, "draft", &draft) ||
		!common_fields(r, d, by))
		return false;
	if (!event_kind_parse(kind, &d->kind)) {
		error_set(&d->err, ERROR_INPUT, "kind is incident, maintenance or info");
		return false;
	}
	n->kind = d->kind;
	n->audience = draft ? AUDIENCE_OPERATORS : AUDIENCE_PUBLIC;
	n->starts_ms = d->starts_ms > 0 ? d->starts_ms : 0;
	n->until_ms = d->until_ms > 0 ? d->until_ms : 0;
	n->phase = first_phase(d, clock_unix_us(loop_clock(r->loop)) / 1000);
	n->impacts = impacts_of(d);
	n->impact_count = d->impacts.n;
	n->evidence = json_object_get(d->body, "evidence");
	return true;
}

static void take_new(struct running *r, struct declared *d, struct web_answer *answer)
{
	struct event_new n = {0};
	struct event_author by;
	if (read_new(r, d, &n, &by))
		events_open_one(r->events, &n, &by, on_written, declare(r, answer, true));
	else
		refuse_error(answer, &d->err);
}

static bool read_change(
	struct running *r, struct declared *d, struct event_change *c, struct event_author *by)
{
	int64_t update = 0;
	if (!known_fields(d, change_fields, array_len(change_fields)) ||
		!text_field(d, "text", &c->text) || !text_field(d, "title", &c->title) ||
		!flag_field(d, "publish", &c->publish) || !time_field(d, "at", &c->at_ms) ||
		!number_field(d, "revision", INT64_MAX, &c->revision) ||
		!number_field(d, "update", EVENT_UPDATES_MAX, &update) || !common_fields(r, d, by))
		return false;
	d->update = (int)update;
	c->phase = d->phase;
	c->starts_ms = d->starts_ms;
	c->until_ms = d->until_ms;
	c->impacts = impacts_of(d);
	c->impact_count = d->impacts.n;
	c->evidence = json_object_get(d->body, "evidence");
	const bool alone = !c->title && !c->publish && c->phase < 0 && c->starts_ms < 0 &&
			   c->until_ms < 0 && !c->impacts && !c->evidence && !c->at_ms &&
			   !c->revision;
	if (!d->update || (alone && c->text))
		return true;
	error_set(
		&d->err, ERROR_INPUT, "a correction has an update and its text, and nothing else");
	return false;
}

static void take_change(
	struct running *r, const char *id, struct declared *d, struct web_answer *answer)
{
	struct event_change c = {0};
	struct event_author by;
	struct error err = {0};
	json_t *there = event_json(r->session.facts, id, AUDIENCE_OPERATORS, &err);
	json_decref(there);
	if (err.kind)
		refuse_error(answer, &err);
	else if (!there)
		web_answer(answer, 404, NULL);
	else if (!read_change(r, d, &c, &by))
		refuse_error(answer, &d->err);
	else if (d->update)
		events_correct(r->events, id, d->update, c.text, &by, on_written,
			declare(r, answer, false));
	else
		events_change(r->events, id, &c, &by, on_written, declare(r, answer, false));
}

bool running_declared(
	struct running *r, const char *what, const json_t *args, struct web_answer *answer)
{
	struct declared d = {.body = json_object_get(args, "body")};
	const char *id = json_str(args, "id");
	const bool opens = !strcmp(what, "event_open");
	if (!opens && strcmp(what, "event_change") != 0)
		return false;
	if (!json_is_object(d.body) || (!opens && !id))
		web_answer(answer, 400, NULL);
	else if (opens)
		take_new(r, &d, answer);
	else
		take_change(r, id, &d, answer);
	vec_fini(&d.impacts);
	return true;
}
