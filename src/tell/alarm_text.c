/*
 * alarm_text.c - what is said, in sentences: for subjects of mails, and the "text" of webhooks.
 */
#include <string.h>

#include "tell/alarm_inside.h"

#define TITLE_NAMES 3

char *alarm_duration_text(int64_t s)
{
	const long long n = s;

	if (s < 60)
		return mem_printf("%lld s", n < 0 ? 0 : n);
	if (s < 3600)
		return mem_printf("%lld min", n / 60);
	if (s < 48 * 3600)
		return mem_printf("%lld h %lld min", n / 3600, n / 60 % 60);
	return mem_printf("%lld d %lld h", n / 86400, n / 3600 % 24);
}

const json_t *alarm_note_fact(const json_t *body)
{
	static const char *const keys[] = {"change", "could_not_run", "needs_admin"};
	const json_t *fact = NULL;

	for (size_t i = 0; i < array_len(keys) && !fact; i++)
		fact = json_object_get(body, keys[i]);
	return fact;
}

const char *alarm_fact_key(const json_t *fact)
{
	return json_object_get(fact, "to")    ? "change"
	       : json_object_get(fact, "fix") ? "needs_admin"
					      : "could_not_run";
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_str(o, key);

	return s ? s : "";
}

static const char *state_text(const char *health)
{
	static const char *const texts[HEALTH_COUNT] = {
		[HEALTH_OPERATIONAL] = "operational again",
		[HEALTH_DEGRADED] = "degraded",
		[HEALTH_OUTAGE] = "in outage",
		[HEALTH_UNKNOWN] = "unknown",
		[HEALTH_MAINTENANCE] = "under maintenance",
	};
	enum health h;

	return health_parse(health, &h) ? texts[h] : health;
}

char *alarm_note_line(const json_t *body)
{
	const json_t *fact = alarm_note_fact(body);
	const char *key = alarm_fact_key(fact);
	char *after = json_object_get(fact, "lasted_s")
			      ? alarm_duration_text(json_int(fact, "lasted_s", 0))
			      : NULL;
	char *line;

	if (!strcmp(key, "needs_admin"))
		line = mem_printf("%s %s an administrator%s%s", text_of(fact, "what"),
			json_flag(fact, "over") ? "no longer needs" : "needs",
			after ? " after " : "", after ? after : "");
	else if (!strcmp(key, "change"))
		line = mem_printf("%s is %s%s%s", text_of(fact, "name"),
			state_text(text_of(fact, "to")), after ? " after " : "",
			after ? after : "");
	else if (json_flag(fact, "over"))
		line = mem_printf("%s can run again%s%s", text_of(fact, "what"),
			after ? " after " : "", after ? after : "");
	else
		line = mem_printf("%s could not run", text_of(fact, "what"));
	free(after);
	return line;
}

char *alarm_note_text(const json_t *body)
{
	char *line = alarm_note_line(body), *text;
	const char *reason = text_of(alarm_note_fact(body), "reason");

	text = mem_printf("%s%s%s", line, reason[0] ? ": " : "", reason);
	free(line);
	return text;
}

char *alarm_message_title(const struct message *m)
{
	struct buf title = BUF(BUF_LINE);

	if (m->notes.n == 1)
		return alarm_note_line(m->notes.p[0]->body);
	buf_printf(&title, "%zu changes: ", m->notes.n);
	for (size_t i = 0; i < m->notes.n && i < TITLE_NAMES; i++) {
		/* The newest first: what is true now. */
		char *line = alarm_note_line(m->notes.p[m->notes.n - 1 - i]->body);
		buf_printf(&title, "%s%s", i ? ", " : "", line);
		free(line);
	}
	if (m->notes.n > TITLE_NAMES)
		buf_add_str(&title, ", ...");
	return buf_take(&title);
}

static void add_note(struct buf *out, const struct note *n, bool several)
{
	const json_t *fact = alarm_note_fact(n->body);
	const char *url = json_str(fact, "evidence_url"), *fix = text_of(fact, "fix");
	const char *event = json_str(fact, "event_url");
	char *text = alarm_note_text(n->body);

	if (several)
		buf_printf(out, "%s  ", text_of(fact, "since"));
	buf_add_str(out, text);
	buf_add_char(out, '\n');
	if (!several)
		buf_printf(out, "Since %s.\n", text_of(fact, "since"));
	if (fix[0])
		buf_printf(out, "%s%s\n", several ? "    " : "", fix);
	if (url)
		buf_printf(out, "%s%s\n", several ? "    " : "", url);
	if (event)
		buf_printf(out, "%s%s\n", several ? "    " : "", event);
	free(text);
}

char *alarm_message_text(const struct alarms *a, const struct message *m)
{
	const struct alarm_site *s = &a->site;
	struct buf out = BUF(BUF_PAGE);

	if (m->notes.n > 1)
		buf_printf(&out, "%zu changes, oldest first:\n\n", m->notes.n);
	VEC_EACH (&m->notes, struct note *, n)
		add_note(&out, *n, m->notes.n > 1);
	buf_printf(&out, "\n%s%s%s", s->name, s->location[0] ? ", seen from " : "", s->location);
	buf_printf(&out, "%s%s\n", s->instance[0] ? " by " : "", s->instance);
	if (s->url[0])
		buf_printf(&out, "%s\n", s->url);
	return buf_take(&out);
}
