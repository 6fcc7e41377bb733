/*
 * event_write.c - writes to events, each within one transaction: the row as it is now, an update
 * and its first revision, the components it touches, and a row of the change feed.
 */

#include <string.h>

#include "base/clock.h"
#include "tell/event_inside.h"

struct step { /* what one write adds to the history; NULL, -1: stays */
	int64_t at_ms, now_ms;
	const char *text, *title;
	int64_t starts_ms, until_ms;
	const json_t *components;
	const struct event_author *by;
};

/* --- rows ------------------------------------------------------------------------------------- */

static bool store_row(struct facts_tx *tx, const struct event_row *r, struct error *err)
{
	char *components = json_text(r->components), *touched = json_text(r->touched);
	char *evidence = json_text(r->evidence);
	const struct facts_value v[] = {FACTS_T(r->id), FACTS_T(r->title), FACTS_T(r->key),
		FACTS_T(r->by), FACTS_I(r->kind), FACTS_I(r->phase), FACTS_I(r->audience),
		FACTS_I(r->machine), FACTS_I(r->taken), FACTS_I(r->phase_ms), FACTS_I(r->starts_ms),
		FACTS_I(r->until_ms), FACTS_I(r->ended_ms), FACTS_I(r->created_ms),
		FACTS_I(r->changed_ms), FACTS_I(r->revision), FACTS_I(r->updates),
		FACTS_I(r->bytes), FACTS_I(r->worst), FACTS_T(components), FACTS_T(touched),
		FACTS_T(evidence)};
	const bool good = facts_run(tx,
		"INSERT INTO event(" EVENT_COLUMNS
		")"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT(id) DO UPDATE SET title = excluded.title, phase = excluded.phase,"
		" audience = excluded.audience, taken = excluded.taken,"
		" phase_ms = excluded.phase_ms, starts_ms = excluded.starts_ms,"
		" until_ms = excluded.until_ms, ended_ms = excluded.ended_ms,"
		" changed_ms = excluded.changed_ms, revision = excluded.revision,"
		" updates = excluded.updates, bytes = excluded.bytes, worst = excluded.worst,"
		" components = excluded.components, touched = excluded.touched,"
		" evidence = excluded.evidence",
		v, array_len(v), err);
	free(components);
	free(touched);
	free(evidence);
	return good && facts_change(tx, "event", r->id, r->revision, r->audience, err);
}

static bool touch(struct facts_tx *tx, struct event_row *r, struct error *err)
{
	size_t i;
	json_t *c;
	json_array_foreach (r->components, i, c) {
		const char *id = json_str(c, "id");
		const struct facts_value v[] = {FACTS_T(id), FACTS_T(r->id)};
		if (!facts_run(tx,
			    "INSERT INTO event_component(component, event) VALUES(?, ?)"
			    " ON CONFLICT(component, event) DO NOTHING",
			    v, array_len(v), err))
			return false;
		if (!json_has_text(r->touched, slice_of(id)))
			json_array_append_new(r->touched, json_string(id));
	}
	return true;
}

static bool store_revision(struct facts_tx *tx, struct event_row *r, int64_t n, int64_t revision,
	const char *text, const struct event_author *by, int64_t now_ms, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(r->id), FACTS_I(n), FACTS_I(revision),
		FACTS_I(now_ms), FACTS_T(by->by), FACTS_T(text)};
	r->bytes += (int64_t)strlen(text);
	if (r->bytes > EVENT_TEXTS_MAX) {
		error_set(err, ERROR_LIMIT,
			"the texts of %s would be over %u KiB together; open another event", r->id,
			EVENT_TEXTS_MAX >> 10);
		return false;
	}
	return facts_run(tx,
		"INSERT INTO event_revision(event, n, revision, at_ms, author, text)"
		" VALUES(?, ?, ?, ?, ?, ?)",
		v, array_len(v), err);
}

static bool store_update(
	struct facts_tx *tx, struct event_row *r, const struct step *s, struct error *err)
{
	static const struct facts_value none = {.type = FACTS_NULL};
	char *components = s->components ? json_text(s->components) : NULL;
	if (++r->updates > EVENT_UPDATES_MAX) {
		error_set(err, ERROR_LIMIT, "%s has %d updates already; open another event", r->id,
			EVENT_UPDATES_MAX);
		free(components);
		return false;
	}
	const struct facts_value v[] = {FACTS_T(r->id), FACTS_I(r->updates), FACTS_I(s->at_ms),
		FACTS_I(r->phase), FACTS_I(s->by->machine), FACTS_T(s->by->by), FACTS_T(components),
		FACTS_T(s->title), s->starts_ms < 0 ? none : FACTS_I(s->starts_ms),
		s->until_ms < 0 ? none : FACTS_I(s->until_ms)};
	const bool good = facts_run(tx,
		"INSERT INTO event_update(event, n, at_ms, phase, machine, author, components,"
		" title, starts_ms, until_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v, array_len(v), err);
	free(components);
	return good &&
	       store_revision(tx, r, r->updates, 1, s->text ? s->text : "", s->by, s->now_ms, err);
}

static json_t *impacts_json(const struct event_impact *p, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:i}", "id", p[i].component, "impact", p[i].impact));
	return list;
}

static void set_components(struct event_row *r, const struct event_impact *p, size_t n)
{
	json_decref(r->components);
	r->components = impacts_json(p, n);
	const int now = event_impact_now(r->components);
	r->worst = now > r->worst ? now : r->worst;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool on_id(void *arg, const struct facts_row *row)
{
	snprintf(arg, EVENT_ID_MAX + 1, "%s", facts_text(row, 0));
	return false;
}

/* One with that key which stands in the way of another; ret_id "": there is none. */
static bool find_key(struct facts_tx *tx, const char *key, char *ret_id, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(key), FACTS_I(EVENT_MAINTENANCE)};
	ret_id[0] = 0;
	return !key || !key[0] ||
	       facts_read(tx,
		       "SELECT id FROM event WHERE key = ? AND (ended_ms = 0 OR kind = ?)"
		       " ORDER BY created_ms DESC LIMIT 1",
		       v, array_len(v), on_id, ret_id, err);
}

static bool is_taken(struct facts_tx *tx, const char *id, bool *ret, struct error *err)
{
	char found[EVENT_ID_MAX + 1] = "";
	const struct facts_value v = FACTS_T(id);
	const bool good =
		facts_read(tx, "SELECT id FROM event WHERE id = ?", &v, 1, on_id, found, err);
	*ret = found[0] != 0;
	return good;
}

static bool choose_id(struct facts_tx *tx, const struct event_new *n, int64_t starts_ms, char *ret,
	struct error *err)
{
	bool taken = false;
	char made[EVENT_ID_MAX + 1];
	if (n->id) {
		if (!event_check_id(n->id, err) || !is_taken(tx, n->id, &taken, err))
			return false;
		if (taken)
			error_set(err, ERROR_CONFLICT, "there is an event %s already", n->id);
		snprintf(ret, EVENT_ID_MAX + 1, "%s", n->id);
		return !taken;
	}
	event_make_id(starts_ms, n->title, n->kind, made);
	snprintf(ret, EVENT_ID_MAX + 1, "%s", made);
	for (unsigned i = 2; is_taken(tx, ret, &taken, err); i++) {
		if (!taken)
			return true;
		snprintf(ret, EVENT_ID_MAX + 1, "%.*s-%u", EVENT_ID_MAX - 11, made, i);
	}
	return false;
}

static bool check_phase(enum event_kind k, enum event_phase p, struct error *err)
{
	if (event_phase_fits(k, p))
		return true;
	error_set(err, ERROR_INPUT, "%s %s is never %s: it is %s",
		k == EVENT_MAINTENANCE ? "a" : "an", event_kind_name(k), event_phase_name(p),
		event_phases_of(k));
	return false;
}

static bool check_new(
	const struct event_new *n, const struct event_author *by, int64_t now_ms, struct error *err)
{
	const bool ahead = n->starts_ms > now_ms;
	if (!event_check_author(by, err) || !event_check_title(n->title, err) ||
		!event_check_text(n->text, err) || !check_phase(n->kind, n->phase, err) ||
		!event_check_impacts(n->impacts, n->impact_count, err) ||
		!event_check_evidence(n->evidence, err) ||
		!event_check_times(n->kind, n->starts_ms ? n->starts_ms : now_ms, n->until_ms, err))
		return false;
	if (event_phase_over(n->phase))
		error_set(err, ERROR_INPUT, "an event does not begin as %s: open it, then end it",
			event_phase_name(n->phase));
	else if (ahead && n->kind == EVENT_INCIDENT)
		error_set(err, ERROR_INPUT, "an incident cannot begin ahead of now");
	else if (ahead && n->phase != EVENT_PLANNED)
		error_set(err, ERROR_INPUT, "it begins ahead of now, so it is planned, not %s yet",
			event_phase_name(n->phase));
	else if (n->key && strlen(n->key) > EVENT_KEY_MAX)
		error_set(err, ERROR_LIMIT, "a key is longer than %d bytes", EVENT_KEY_MAX);
	else
		return true;
	return false;
}

bool event_tx_open(struct facts_tx *tx, const struct event_new *n, const struct event_author *by,
	int64_t now_ms, char *ret_id, struct error *err)
{
	const int64_t starts_ms = n->starts_ms ? n->starts_ms : now_ms;
	if (!check_new(n, by, now_ms, err) || !find_key(tx, n->key, ret_id, err))
		return false;
	if (ret_id[0])
		return true;
	if (!choose_id(tx, n, starts_ms, ret_id, err))
		return false;
	struct event_row r = {
		.id = mem_strdup(ret_id),
		.title = mem_strdup(n->title),
		.key = mem_strdup(n->key ? n->key : ""),
		.by = mem_strdup(by->by),
		.kind = n->kind,
		.phase = n->phase,
		.audience = n->audience,
		.machine = by->machine,
		/* work that is told of afterwards was there from its begin */
		.phase_ms = n->kind != EVENT_INCIDENT && starts_ms < now_ms ? starts_ms : now_ms,
		.starts_ms = starts_ms,
		.until_ms = n->until_ms,
		.created_ms = now_ms,
		.changed_ms = now_ms,
		.revision = 1,
		.touched = json_array(),
		.evidence = n->evidence ? json_deep_copy(n->evidence) : json_array(),
	};
	set_components(&r, n->impacts, n->impact_count);
	const struct step first = {.at_ms = r.phase_ms,
		.now_ms = now_ms,
		.text = n->text,
		.starts_ms = -1,
		.until_ms = -1,
		.components = r.components,
		.by = by};
	const bool good =
		store_update(tx, &r, &first, err) && touch(tx, &r, err) && store_row(tx, &r, err);
	event_row_fini(&r);
	return good;
}

/* --- changing --------------------------------------------------------------------------------- */

static bool load(struct facts_tx *tx, const char *id, struct event_row *r, struct error *err)
{
	if (!event_row_load(tx, id, r, err))
		return false;
	if (!r->id)
		error_set(err, ERROR_INPUT, "there is no event %.*s", EVENT_ID_MAX, id);
	return r->id != NULL;
}

/* The clock moves what is planned, whoever planned it; all else of a human's is his. */
static bool may_change(const struct event_row *r, const struct event_change *c,
	const struct event_author *by, struct error *err)
{
	const bool clock = r->kind != EVENT_INCIDENT && c->phase >= 0 && !c->text && !c->title &&
			   !c->impacts && !c->evidence && !c->publish && c->starts_ms < 0 &&
			   c->until_ms < 0;
	if (!by->machine || clock || (r->machine && !r->taken))
		return true;
	error_set(err, ERROR_CONFLICT, "%s is in the hands of people: machines do not change it",
		r->id);
	return false;
}

static bool check_revision(const struct event_row *r, int64_t revision, struct error *err)
{
	if (!revision || revision == r->revision)
		return true;
	error_set(err, ERROR_CONFLICT,
		"%s is at revision %lld by now, not %lld: look at it, then change it again", r->id,
		(long long)r->revision, (long long)revision);
	return false;
}

/* What is planned goes forward only; an incident may go anywhere. */
static bool check_step(const struct event_row *r, enum event_phase to, int64_t at_ms,
	int64_t starts_ms, struct error *err)
{
	char text[CLOCK_TEXT];
	if (!check_phase(r->kind, to, err))
		return false;
	if (to == r->phase)
		return true;
	if (r->kind != EVENT_INCIDENT && event_phase_over(r->phase))
		error_set(err, ERROR_INPUT, "%s is %s and stays so: plan another", r->id,
			event_phase_name(r->phase));
	else if (r->kind != EVENT_INCIDENT && to == EVENT_PLANNED)
		error_set(err, ERROR_INPUT, "%s is %s and cannot be planned again", r->id,
			event_phase_name(r->phase));
	else if (at_ms < r->phase_ms)
		error_set(err, ERROR_INPUT, "%s is %s since %s: no phase begins before that", r->id,
			event_phase_name(r->phase), clock_rfc3339(r->phase_ms * 1000, text));
	else if (event_phase_over(to) && to != EVENT_CANCELLED && at_ms < starts_ms)
		error_set(err, ERROR_INPUT, "%s began at %s: it cannot be %s before that%s", r->id,
			clock_rfc3339(starts_ms * 1000, text), event_phase_name(to),
			r->kind == EVENT_INCIDENT ? "" : "; it can be cancelled");
	else
		return true;
	return false;
}

static bool check_change(const struct event_row *r, const struct event_change *c, int64_t at_ms,
	int64_t now_ms, struct error *err)
{
	const int64_t starts_ms = c->starts_ms < 0 ? r->starts_ms : c->starts_ms;
	const int64_t until_ms = c->until_ms < 0 ? r->until_ms : c->until_ms;
	const bool moved = c->starts_ms >= 0 || c->until_ms >= 0;
	if ((c->text && !event_check_text(c->text, err)) ||
		(c->title && !event_check_title(c->title, err)) ||
		(c->impacts && !event_check_impacts(c->impacts, c->impact_count, err)) ||
		!event_check_evidence(c->evidence, err) ||
		(moved && !event_check_times(r->kind, starts_ms, until_ms, err)))
		return false;
	if (at_ms > now_ms)
		error_set(err, ERROR_INPUT, "it says what was so later than now");
	else if (at_ms <= 0)
		error_set(err, ERROR_INPUT, "it says what was so before 1970");
	else if (c->starts_ms > now_ms && r->phase != EVENT_PLANNED)
		error_set(err, ERROR_INPUT, "%s is %s: its begin cannot lie ahead of now", r->id,
			event_phase_name(r->phase));
	else
		return c->phase < 0 ||
		       (c->phase < EVENT_PHASES &&
			       check_step(r, (enum event_phase)c->phase, at_ms, starts_ms, err));
	return false;
}

/* Work that is begun early began then. */
static bool begins_early(const struct event_row *r, enum event_phase to, int64_t at_ms)
{
	return (to == EVENT_IN_PROGRESS || to == EVENT_ACTIVE) && at_ms < r->starts_ms;
}

static void set_phase(struct event_row *r, enum event_phase to, int64_t at_ms)
{
	r->phase = to;
	r->phase_ms = at_ms;
	r->ended_ms = event_phase_over(to) ? at_ms : 0;
}

static void add_evidence(struct event_row *r, const json_t *more)
{
	size_t i, k;
	json_t *id, *known;
	json_array_foreach (more, i, id) {
		bool is_new = true;
		json_array_foreach (r->evidence, k, known)
			is_new &= !json_equal(known, id);
		if (is_new && json_array_size(r->evidence) < EVENT_EVIDENCE_MAX)
			json_array_append(r->evidence, id);
	}
}

/* Puts c into r and what of it is new into s; false: nothing. */
static bool apply(struct event_row *r, const struct event_change *c, struct step *s)
{
	bool news = c->text && c->text[0];
	if (c->title && strcmp(c->title, r->title) != 0) {
		mem_replace(&r->title, c->title);
		s->title = r->title;
		news = true;
	}
	if (c->starts_ms >= 0 && c->starts_ms != r->starts_ms)
		s->starts_ms = r->starts_ms = c->starts_ms;
	if (c->until_ms >= 0 && c->until_ms != r->until_ms)
		s->until_ms = r->until_ms = c->until_ms;
	if (c->phase >= 0 && c->phase != (int)r->phase) {
		if (begins_early(r, (enum event_phase)c->phase, s->at_ms))
			s->starts_ms = r->starts_ms = s->at_ms;
		set_phase(r, (enum event_phase)c->phase, s->at_ms);
		news = true;
	}
	if (c->impacts) {
		json_t *before = json_incref(r->components);
		set_components(r, c->impacts, c->impact_count);
		if (!json_equal(before, r->components)) {
			s->components = r->components;
			news = true;
		}
		json_decref(before);
	}
	return news || s->starts_ms >= 0 || s->until_ms >= 0;
}

static bool write_change(struct facts_tx *tx, struct event_row *r, const struct event_change *c,
	const struct event_author *by, int64_t now_ms, struct error *err)
{
	struct step s = {.at_ms = c->at_ms ? c->at_ms : now_ms,
		.now_ms = now_ms,
		.text = c->text,
		.starts_ms = -1,
		.until_ms = -1,
		.by = by};
	const size_t evidence = json_array_size(r->evidence);
	const bool publish = c->publish && r->audience != AUDIENCE_PUBLIC;
	if (!check_change(r, c, s.at_ms, now_ms, err))
		return false;
	const bool news = apply(r, c, &s);
	add_evidence(r, c->evidence);
	if (!news && !publish && json_array_size(r->evidence) == evidence)
		return true;
	if (publish)
		r->audience = AUDIENCE_PUBLIC;
	r->taken |= r->machine && !by->machine;
	r->changed_ms = now_ms;
	r->revision++;
	return (!news || store_update(tx, r, &s, err)) && touch(tx, r, err) &&
	       store_row(tx, r, err);
}

bool event_tx_change(struct facts_tx *tx, const char *id, const struct event_change *c,
	const struct event_author *by, int64_t now_ms, struct error *err)
{
	struct event_row r = {0};
	const bool good = event_check_author(by, err) && load(tx, id, &r, err) &&
			  check_revision(&r, c->revision, err) && may_change(&r, c, by, err) &&
			  write_change(tx, &r, c, by, now_ms, err);
	event_row_fini(&r);
	return good;
}

/* --- correcting ------------------------------------------------------------------------------- */

static bool on_count(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

static bool next_revision(
	struct facts_tx *tx, const struct event_row *r, int update, int64_t *ret, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(r->id), FACTS_I(update)};
	int64_t n = 0;
	if (update < 1 || update > r->updates) {
		error_set(err, ERROR_INPUT, "%s has no update %d: they are numbered 1 to %lld",
			r->id, update, (long long)r->updates);
		return false;
	}
	if (!facts_read(tx, "SELECT MAX(revision) FROM event_revision WHERE event = ? AND n = ?", v,
		    array_len(v), on_count, &n, err))
		return false;
	if (n >= EVENT_REVISIONS_MAX)
		error_set(err, ERROR_LIMIT, "update %d of %s was corrected %d times already",
			update, r->id, EVENT_REVISIONS_MAX);
	*ret = n + 1;
	return n < EVENT_REVISIONS_MAX;
}

static bool write_correction(struct facts_tx *tx, struct event_row *r, int update, const char *text,
	const struct event_author *by, int64_t now_ms, struct error *err)
{
	int64_t revision;
	if (!next_revision(tx, r, update, &revision, err) ||
		!store_revision(tx, r, update, revision, text, by, now_ms, err))
		return false;
	r->taken |= r->machine && !by->machine;
	r->changed_ms = now_ms;
	r->revision++;
	return store_row(tx, r, err);
}

bool event_tx_correct(struct facts_tx *tx, const char *id, int update, const char *text,
	const struct event_author *by, int64_t now_ms, struct error *err)
{
	static const struct event_change words = {.text = ""}; /* never the clock's */
	struct event_row r = {0};
	const bool good = event_check_author(by, err) && event_check_text(text, err) &&
			  load(tx, id, &r, err) && may_change(&r, &words, by, err) &&
			  write_correction(tx, &r, update, text, by, now_ms, err);
	event_row_fini(&r);
	return good;
}
