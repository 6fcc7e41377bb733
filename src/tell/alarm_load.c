/*
 * alarm_load.c - what the tables held when we started: nothing that was to be told is forgotten.
 *
 * A message that was under way is made again with its id and sent again: whether the receiver had
 * taken it is not known, but he can tell that it is the same.
 */
#include <stdio.h>
#include <string.h>

#include "tell/alarm_inside.h"
#include "tell/event.h"

static json_t *body_of(const char *text)
{
	json_t *body = json_parse(slice_of(text), BUF_LINE * 4, NULL);

	return body ? body : json_object();
}

/* alarm_note: change, subject, opened, body, queued, message, heard */
static bool on_note(void *arg, const struct facts_row *row)
{
	struct channel *c = arg;
	struct note *n = mem_new(struct note);
	const char *message = facts_text(row, 5);

	n->change = mem_strdup(facts_text(row, 0));
	n->subject = mem_strdup(facts_text(row, 1));
	n->opened = mem_strdup(facts_text(row, 2));
	n->body = body_of(facts_text(row, 3));
	n->queued_ms = facts_int(row, 4);
	n->heard = facts_int(row, 6) != 0;
	if (message)
		vec_push(&c->message->notes, n);
	else
		vec_push(&c->queue, n);
	return true;
}

static bool on_message(void *arg, const struct facts_row *row)
{
	struct channel *c = arg;
	struct message *m = mem_new(struct message);

	snprintf(m->id, sizeof(m->id), "%s", facts_text(row, 0));
	m->made_ms = facts_int(row, 1);
	m->tries = (unsigned)facts_int(row, 2);
	m->next_ms = facts_int(row, 3);
	c->message = m;
	return false;
}

static bool on_told(void *arg, const struct facts_row *row)
{
	struct channel *c = arg;
	struct told *t = mem_new(struct told);

	t->change = mem_strdup(facts_text(row, 1));
	t->began_ms = facts_int(row, 2);
	t->sent = facts_int(row, 3) != 0;
	t->body = body_of(facts_text(row, 4));
	t->heard = facts_int(row, 5) != 0;
	told_free(map_put(&c->told, facts_text(row, 0), t));
	return true;
}

static bool on_fold(void *arg, const struct facts_row *row)
{
	((struct channel *)arg)->fold_until_ms = facts_int(row, 0);
	return false;
}

bool channel_load(struct channel *c, struct error *err)
{
	struct facts *f = c->alarms->facts;
	const struct facts_value name = FACTS_T(c->config.name);
	struct facts_value both[] = {name, FACTS_T("")};

	if (!facts_query(
		    f, "SELECT fold_until FROM alarm WHERE name = ?", &name, 1, on_fold, c, err) ||
		!facts_query(f,
			"SELECT id, made, tries, next FROM alarm_message"
			" WHERE alarm = ? AND state = 'sending'",
			&name, 1, on_message, c, err) ||
		!facts_query(f,
			"SELECT subject, change, began, sent, body, heard FROM alarm_told WHERE alarm = ?",
			&name, 1, on_told, c, err))
		return false;
	if (c->message)
		both[1] = FACTS_T(c->message->id);
	return facts_query(f,
		"SELECT change, subject, opened, body, queued, message, heard FROM alarm_note"
		" WHERE alarm = ? AND (message IS NULL OR message = ?) ORDER BY seq",
		both, 2, on_note, c, err);
}

static bool on_unrun(void *arg, const struct facts_row *row)
{
	struct alarms *a = arg;
	struct unrun *u = mem_new(struct unrun);

	u->component = mem_strdup(facts_text(row, 1));
	u->why = mem_strdup(facts_text(row, 2));
	u->since_ms = facts_int(row, 3);
	map_put(&a->unrun, facts_text(row, 0), u);
	return true;
}

/* The first time we begin at the end of the feed: what was before is no news. */
static bool first_cursor(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx,
		"INSERT INTO reader(name, seq) SELECT 'alarms', COALESCE(MAX(seq), 0) FROM change"
		" WHERE true ON CONFLICT(name) DO NOTHING",
		NULL, 0, err);
}

bool alarm_load(struct alarms *a, struct error *err)
{
	if (!event_migrate(a->facts, err) || !facts_call(a->facts, first_cursor, NULL, err))
		return false;
	a->cursor = facts_cursor(a->facts, "alarms");
	return facts_query(a->facts, "SELECT what, component, why, since FROM could_not_run", NULL,
		0, on_unrun, a, err);
}
