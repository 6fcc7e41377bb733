/*
 * alarm_note.c - which alarm is told what, and what it believes afterwards.
 *
 * An alarm hears of the states in its `on`. What it was told of and is not over stands in `told`:
 * only that makes a recovery news. Alertmanager holds alerts, not messages, so there every change
 * of what was told ends an alert, wanted or not.
 * What a root explains is told below it, in the same message, or not at all; what lies within
 * declared work only where it is wanted. What goes on for another cause is no news. An event that
 * is proposed for closing is told whatever is in `on`: nobody else closes it.
 */
#include <string.h>

#include "base/secret.h"
#include "tell/alarm_inside.h"

void note_free(struct note *n)
{
	if (!n)
		return;
	json_decref(n->body);
	free(n->change);
	free(n->subject);
	free(n->opened);
	free(n);
}

bool note_is_end(const struct note *n)
{
	return json_object_get(alarm_note_fact(n->body), "lasted_s") != NULL;
}

void told_free(struct told *t)
{
	if (!t)
		return;
	json_decref(t->body);
	free(t->change);
	free(t);
}

struct told *told_get(const struct channel *c, const char *subject)
{
	return map_get(&c->told, subject);
}

/* --- facts as JSON -----------------------------------------------------------------------------
 */

static void set_text(json_t *o, const char *key, const char *text)
{
	char *clean = secret_scrubbed(text ? text : "");
	json_t *value = json_string(clean);

	json_object_set_new(o, key, value ? value : json_string(""));
	free(clean);
}

/* What explains it stands there where something does. */
static void set_optional(json_t *o, const char *key, const char *text)
{
	if (text)
		set_text(o, key, text);
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	json_object_set_new(o, key, json_string(clock_rfc3339(ms * 1000, text)));
}

static void set_lasted(json_t *o, int64_t from_ms, int64_t to_ms)
{
	json_object_set_new(
		o, "lasted_s", json_integer(to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0));
}

static json_t *change_json(const struct alarms *a, const struct judge_change *change)
{
	const char *url = a->site.url;
	json_t *o = json_object();

	set_text(o, "component", change->component);
	set_text(o, "name", change->name ? change->name : change->component);
	set_text(o, "from", health_name(change->first ? HEALTH_UNKNOWN : change->was));
	set_text(o, "to", health_name(change->health));
	set_time(o, "since", change->since_ms);
	set_text(o, "reason", change->text);
	set_optional(o, "root", change->root);
	set_optional(o, "root_name", change->root_name);
	set_optional(o, "maintenance", change->maintenance);
	set_optional(o, "dissent", change->dissent);
	if (change->flapping)
		json_object_set_new(o, "flapping", json_true());
	if (url[0]) {
		const char *slash = slice_ends(slice_of(url), "/") ? "" : "/";
		const char *event = a->event ? a->event(a->event_arg, change->component) : NULL;
		char *link = mem_printf("%s%sevidence/%lld", url, slash, (long long)change->id);
		set_text(o, "evidence_url", link);
		free(link);
		link = event ? mem_printf("%s%sevents/%s", url, slash, event) : NULL;
		if (link)
			set_text(o, "event_url", link);
		free(link);
	} else {
		json_object_set_new(o, "evidence_url", json_null());
	}
	return o;
}

static json_t *unrun_json(const struct wish *w)
{
	json_t *o = json_object();

	set_text(o, "what", w->what);
	if (w->component)
		set_text(o, "component", w->component);
	else
		json_object_set_new(o, "component", json_null());
	json_object_set_new(o, "over", json_boolean(!w->why));
	set_time(o, "since", w->at_ms);
	set_text(o, "reason", w->why ? w->why : "");
	return o;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void write_note(const struct channel *c, struct rows_job *j, const struct note *n)
{
	char *body = json_text(n->body);

	ROWS_ADD(j,
		"INSERT INTO alarm_note(alarm, change, subject, opened, body, queued, heard)"
		" VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(alarm, change) DO NOTHING",
		FACTS_T(c->config.name), FACTS_T(n->change), FACTS_T(n->subject),
		FACTS_T(n->opened), FACTS_T(body), FACTS_I(n->queued_ms), FACTS_I(n->heard));
	free(body);
}

static void write_told(
	const struct channel *c, struct rows_job *j, const char *subject, const struct told *t)
{
	char *body = json_text(t->body);

	ROWS_ADD(j,
		"INSERT INTO alarm_told(alarm, subject, change, began, sent, heard, body)"
		" VALUES(?, ?, ?, ?, 0, 0, ?) ON CONFLICT(alarm, subject) DO UPDATE SET"
		" change = excluded.change, sent = 0, body = excluded.body",
		FACTS_T(c->config.name), FACTS_T(subject), FACTS_T(t->change), FACTS_I(t->began_ms),
		FACTS_T(body));
	free(body);
}

static void forget_told(struct channel *c, struct rows_job *j, const char *subject)
{
	ROWS_ADD(j, "DELETE FROM alarm_told WHERE alarm = ? AND subject = ?",
		FACTS_T(c->config.name), FACTS_T(subject));
	told_free(map_remove(&c->told, subject));
}

/* --- what is told ------------------------------------------------------------------------------
 */

static bool cares_for(const struct channel *c, const char *component)
{
	const char *const *list = c->config.components;

	if (!list || !component)
		return true;
	for (; *list; list++)
		if (!strcmp(*list, component))
			return true;
	return false;
}

/* `fact` is taken. begins: there is more to come, so the note is remembered as told. */
static struct note *note_new(struct channel *c, struct rows_job *j, char *change, char *subject,
	const char *key, json_t *fact, int64_t began_ms, bool begins)
{
	struct note *n = mem_new(struct note);
	struct told *t = told_get(c, subject);

	n->change = change;
	n->subject = subject;
	n->opened = t ? mem_strdup(t->change) : NULL;
	n->heard = t && t->heard;
	n->queued_ms = alarm_now_ms(c->alarms);
	n->body = json_object();
	json_object_set_new(n->body, key, fact);
	if (t)
		json_object_set_new(n->body, "ends", json_deep_copy(alarm_note_fact(t->body)));
	write_note(c, j, n);
	if (!begins) {
		forget_told(c, j, subject);
		return n;
	}
	if (!t) {
		t = mem_new(struct told);
		t->began_ms = began_ms;
		map_put(&c->told, subject, t);
	}
	json_decref(t->body);
	t->body = json_object();
	json_object_set(t->body, key, fact);
	mem_replace(&t->change, change);
	t->sent = false;
	write_told(c, j, subject, t);
	return n;
}

/* Whether a change of something that is not operational is news for it. */
static bool wants_state(const struct channel *c, const struct judge_change *change)
{
	if (change->first && change->health == HEALTH_UNKNOWN && change->rule &&
		!strcmp(change->rule, "never"))
		return false; /* nothing was looked at yet */
	return change->health != HEALTH_OPERATIONAL && c->config.on & 1u << change->health;
}

/* The root it was told of and that is not over, or NULL. */
static const struct told *told_root(const struct channel *c, const struct judge_change *change)
{
	const struct told *root = NULL;
	char *subject;

	if (!change->root || change->health == HEALTH_OPERATIONAL)
		return NULL;
	subject = mem_printf("health:%s", change->root);
	root = told_get(c, subject);
	free(subject);
	return root;
}

/* Nothing that an operator would do anything about: t, what it was told of it, may be NULL. */
static bool is_no_news(
	const struct channel *c, const struct told *t, const struct judge_change *change)
{
	const struct told *root = told_root(c, change);
	const json_t *was = t ? alarm_note_fact(t->body) : NULL;

	if (change->health == HEALTH_OPERATIONAL)
		return false;
	if (change->maintenance && !c->config.maintenance)
		return true;
	if (root && (root->sent || (t && t->sent) || c->config.kind == ALARM_ALERTMANAGER))
		return true;
	return was && !root && json_flag(was, "flapping") == change->flapping &&
	       !strcmp(json_str(was, "to"), health_name(change->health));
}

struct note *note_health(struct channel *c, struct rows_job *j, const struct judge_change *change)
{
	char *subject, *id;
	const struct told *t;
	bool wants, over = change->health == HEALTH_OPERATIONAL;
	json_t *fact;

	if (c->config.kind == ALARM_DEADMAN || !cares_for(c, change->component))
		return NULL;
	subject = mem_printf("health:%s", change->component);
	t = told_get(c, subject);
	wants = wants_state(c, change);
	if (is_no_news(c, t, change)) {
		free(subject);
		return NULL;
	}
	if (t && !wants && c->config.kind == ALARM_ALERTMANAGER) {
		wants = over = true;
	} else if (t && over) {
		wants = (c->config.on & ALARM_ON_RECOVERY) != 0;
		if (!wants)
			forget_told(c, j, subject);
	}
	if (!wants) {
		free(subject);
		return NULL;
	}
	fact = change_json(c->alarms, change);
	if (t && over)
		set_lasted(fact, t->began_ms, change->since_ms);
	id = mem_printf("verdict:%lld", (long long)change->id);
	/* that what follows is over goes without saying when the root is */
	return note_new(c, j, id, subject, "change", fact, change->since_ms,
		!over && !told_root(c, change));
}

/* The alarm that is in trouble does not hear that it is. */
static bool is_itself(const struct channel *c, const char *what)
{
	return slice_starts(slice_of(what), "alarm ") && !strcmp(what + 6, c->config.name);
}

struct note *note_unrun(struct channel *c, struct rows_job *j, const struct wish *w)
{
	char *subject, *id, uuid[UUID_TEXT];
	const struct told *t;
	json_t *fact;

	if (c->config.kind == ALARM_DEADMAN || is_itself(c, w->what) || !cares_for(c, w->component))
		return NULL;
	subject = mem_printf("could_not_run:%s", w->what);
	t = told_get(c, subject);
	if (!w->why == !t) { /* over, but never told; or told already */
		free(subject);
		return NULL;
	}
	fact = unrun_json(w);
	if (t)
		set_lasted(fact, w->since_ms, w->at_ms);
	id = mem_printf("could_not_run:%s", random_uuid(&random_system, uuid));
	return note_new(c, j, id, subject, "could_not_run", fact, w->at_ms, w->why != NULL);
}

static json_t *object_json(const struct journal_object *o, bool over)
{
	char *what = mem_printf("%s %s of %s in %s", o->kind,
		o->cloud_id ? o->cloud_id
		: o->name   ? o->name
			    : "",
		o->scenario, o->cloud);
	json_t *fact = json_object();

	set_text(fact, "what", what);
	set_text(fact, "cloud", o->cloud);
	set_text(fact, "kind", o->kind);
	set_text(fact, "id", o->cloud_id);
	set_text(fact, "run", o->run);
	json_object_set_new(fact, "over", json_boolean(over));
	set_time(fact, "since", (over ? o->changed_unix_us : o->admin_unix_us) / 1000);
	set_text(fact, "reason", o->note);
	set_text(fact, "fix", over ? NULL : o->fix);
	free(what);
	return fact;
}

struct note *note_object(
	struct channel *c, struct rows_job *j, const struct journal_object *o, int64_t seq)
{
	const bool over = o->fate != OBJECT_NEEDS_ADMIN;
	char *subject, *id;
	const struct told *t;
	json_t *fact;

	if (c->config.kind == ALARM_DEADMAN)
		return NULL;
	subject = mem_printf("object:%lld", (long long)o->id);
	t = told_get(c, subject);
	if (over == !t) { /* over, but never told; or told already */
		free(subject);
		return NULL;
	}
	fact = object_json(o, over);
	if (t)
		set_lasted(fact, t->began_ms, o->changed_unix_us / 1000);
	id = mem_printf("object:%lld:%lld", (long long)o->id, (long long)seq);
	return note_new(c, j, id, subject, "needs_admin", fact, o->admin_unix_us / 1000, !over);
}

/* --- events ------------------------------------------------------------------------------------
 */

/* One that opened itself and that nobody took over waits in monitoring for a human to close it. */
static bool is_proposed(const json_t *event)
{
	return json_flag(event, "machine") && !json_flag(event, "taken_over") &&
	       !strcmp(json_str(event, "kind"), "incident") &&
	       !strcmp(json_str(event, "phase"), "monitoring");
}

static bool cares_for_event(const struct channel *c, const json_t *event)
{
	const json_t *component;
	size_t i;

	json_array_foreach (json_object_get(event, "touched"), i, component)
		if (cares_for(c, json_string_value(component)))
			return true;
	return !c->config.components;
}

static json_t *event_fact(const struct alarms *a, const json_t *event, bool over)
{
	const char *id = json_str(event, "id"), *url = a->site.url;
	json_t *fact = json_object();

	set_text(fact, "what", json_str(event, "title"));
	set_text(fact, "event", id);
	json_object_set_new(fact, "over", json_boolean(over));
	set_time(fact, "since", json_int(event, "phase_ms", alarm_now_ms(a)));
	set_text(fact, "reason",
		over ? "" : "all its components are operational again, and it closes by hand only");
	if (url[0]) {
		char *link = mem_printf(
			"%s%sevents/%s", url, slice_ends(slice_of(url), "/") ? "" : "/", id);
		set_text(fact, "event_url", link);
		free(link);
	}
	return fact;
}

/* That it no longer is comes of a human, or is told as the trouble that came back: only who holds
 * alerts must know of it. */
struct note *note_event(struct channel *c, struct rows_job *j, const json_t *event, int64_t seq)
{
	const bool over = !is_proposed(event);
	char *subject, *id;

	if (c->config.kind == ALARM_DEADMAN || (!over && !cares_for_event(c, event)))
		return NULL;
	subject = mem_printf("may_close:%s", json_str(event, "id"));
	if (over == !told_get(c, subject)) { /* over, but never told; or told already */
		free(subject);
		return NULL;
	}
	if (over && c->config.kind != ALARM_ALERTMANAGER) {
		forget_told(c, j, subject);
		free(subject);
		return NULL;
	}
	json_t *fact = event_fact(c->alarms, event, over);
	if (over)
		set_lasted(fact, told_get(c, subject)->began_ms, alarm_now_ms(c->alarms));
	id = mem_printf("may_close:%s:%lld", json_str(event, "id"), (long long)seq);
	return note_new(c, j, id, subject, "may_close", fact, alarm_now_ms(c->alarms), !over);
}
