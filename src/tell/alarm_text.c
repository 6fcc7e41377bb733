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
	static const char *const keys[] = {"change", "could_not_run", "needs_admin", "may_close"};
	const json_t *fact = NULL;

	for (size_t i = 0; i < array_len(keys) && !fact; i++)
		fact = json_object_get(body, keys[i]);
	return fact;
}

const char *alarm_fact_key(const json_t *fact)
{
	return json_object_get(fact, "to")      ? "change"
	       : json_object_get(fact, "fix")   ? "needs_admin"
	       : json_object_get(fact, "event") ? "may_close"
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
	else if (!strcmp(key, "may_close"))
		line = mem_printf("\"%s\" %s", text_of(fact, "what"),
			json_flag(fact, "over") ? "is no longer proposed for closing"
						: "may be closed");
	else if (!strcmp(key, "change"))
		line = mem_printf("%s is %s%s%s%s%s%s", text_of(fact, "name"),
			json_flag(fact, "flapping") ? "flapping, at worst " : "",
			state_text(text_of(fact, "to")), after ? " after " : "", after ? after : "",
			text_of(fact, "root")[0] ? ", affected by " : "",
			text_of(fact, "root_name"));
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

/* --- what follows from a root of the same message ----------------------------------------------
 */

static bool is_follower_of(const struct note *n, const struct note *root)
{
	const char *id = json_str(alarm_note_fact(n->body), "root");
	const char *component = json_str(alarm_note_fact(root->body), "component");

	return id && component && !note_is_end(root) && !strcmp(id, component) &&
	       !strcmp(alarm_fact_key(alarm_note_fact(root->body)), "change");
}

static size_t follower_count(const struct message *m, const struct note *root)
{
	size_t n = 0;

	for (size_t i = 0; i < m->notes.n; i++)
		n += is_follower_of(m->notes.p[i], root);
	return n;
}

/* Listed below its root, or told anew there. */
static bool is_folded(const struct message *m, size_t i)
{
	for (size_t k = i; k < m->notes.n; k++) {
		if (strcmp(m->notes.p[k]->subject, m->notes.p[i]->subject) != 0)
			continue;
		for (size_t r = 0; r < m->notes.n; r++)
			if (is_follower_of(m->notes.p[k], m->notes.p[r]))
				return true;
	}
	return false;
}

static char *title_line(const struct message *m, const struct note *n)
{
	char *line = alarm_note_line(n->body), *whole;
	const size_t followers = follower_count(m, n);

	if (!followers)
		return line;
	whole = mem_printf("%s, which affects %zu more", line, followers);
	free(line);
	return whole;
}

char *alarm_message_title(const struct message *m)
{
	struct buf title = BUF(BUF_LINE);
	size_t lines = 0, n = 0;

	for (size_t i = 0; i < m->notes.n; i++)
		lines += !is_folded(m, i);
	if (lines > 1)
		buf_printf(&title, "%zu changes: ", lines);
	/* The newest first: what is true now. */
	for (size_t i = m->notes.n; i-- > 0 && n < TITLE_NAMES;) {
		if (is_folded(m, i))
			continue;
		char *line = title_line(m, m->notes.p[i]);
		buf_printf(&title, "%s%s", n++ ? ", " : "", line);
		free(line);
	}
	if (lines > TITLE_NAMES)
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

static void add_followers(struct buf *out, const struct message *m, const struct note *root)
{
	for (size_t i = 0; i < m->notes.n; i++) {
		if (!is_follower_of(m->notes.p[i], root))
			continue;
		char *line = alarm_note_line(m->notes.p[i]->body);
		buf_printf(out, "    %s\n", line);
		free(line);
	}
}

char *alarm_message_text(const struct alarms *a, const struct message *m)
{
	const struct alarm_site *s = &a->site;
	struct buf out = BUF(BUF_PAGE);
	size_t lines = 0;

	for (size_t i = 0; i < m->notes.n; i++)
		lines += !is_folded(m, i);
	if (lines > 1)
		buf_printf(&out, "%zu changes, oldest first:\n\n", lines);
	for (size_t i = 0; i < m->notes.n; i++) {
		if (is_folded(m, i))
			continue;
		add_note(&out, m->notes.p[i], lines > 1);
		add_followers(&out, m, m->notes.p[i]);
	}
	buf_printf(&out, "\n%s%s%s", s->name, s->location[0] ? ", seen from " : "", s->location);
	buf_printf(&out, "%s%s\n", s->instance[0] ? " by " : "", s->instance);
	if (s->url[0])
		buf_printf(&out, "%s\n", s->url);
	return buf_take(&out);
}
