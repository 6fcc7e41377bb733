/*
 * test_event.c - events: what may be written and what is refused, what each audience sees of it,
 * and that nothing is ever taken back; over real tables.
 */
#include "event_desk.h"

#include <stdlib.h>

#include "tell/event_inside.h"

static const struct event_impact compute_down[] = {{"compute", 100}, {"network", 20}};

static const struct event_new outage = {
	.kind = EVENT_INCIDENT,
	.title = "Compute outage",
	.text = "Servers cannot be started.",
	.phase = EVENT_INVESTIGATING,
	.audience = AUDIENCE_PUBLIC,
	.impacts = compute_down,
	.impact_count = 2,
};

static const struct event_new window = {
	.kind = EVENT_MAINTENANCE,
	.title = "Patch day",
	.phase = EVENT_PLANNED,
	.audience = AUDIENCE_PUBLIC,
	.starts_ms = NOON + 24 * HOUR,
	.until_ms = NOON + 28 * HOUR,
};

static void says(struct desk *d, enum error_kind kind, const char *part)
{
	assert_int_equal(d->err.kind, kind);
	if (!strstr(d->err.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", d->err.msg, part);
}

/* The value at /updates/N/KEY and the like. */
static json_t *at(json_t *e, const char *list, size_t i)
{
	json_t *item = json_array_get(json_object_get(e, list), i);
	assert_non_null(item);
	return item;
}

/* --- the object ------------------------------------------------------------------------------- */

static void an_event_is_what_was_written_of_it(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &outage, &alice, NOON));
	assert_string_equal(d->id, "2026-10-28-compute-outage");

	struct event_change c = nothing();
	c.text = "A switch lost its configuration.";
	c.phase = EVENT_IDENTIFIED;
	c.impacts = (const struct event_impact[]){{"compute", 50}};
	c.impact_count = 1;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + HOUR));
	c = nothing();
	c.text = "Fixed.";
	c.phase = EVENT_RESOLVED;
	c.at_ms = NOON + HOUR + HOUR / 2;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + 2 * HOUR));

	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_string_equal(json_str(e, "kind"), "incident");
	assert_string_equal(json_str(e, "phase"), "resolved");
	assert_int_equal(json_int(e, "ended_ms", 0), NOON + HOUR + HOUR / 2);
	assert_int_equal(json_int(e, "starts_ms", 0), NOON);
	assert_int_equal(json_int(e, "revision", 0), 3);
	assert_int_equal(json_int(e, "impact", 0), 100); /* the highest it ever had */
	assert_int_equal(json_array_size(json_object_get(e, "touched")), 2);
	assert_int_equal(json_array_size(json_object_get(e, "components")), 1);
	assert_int_equal(json_array_size(json_object_get(e, "updates")), 3);
	json_t *second = at(e, "updates", 1);
	assert_string_equal(json_str(second, "text"), "A switch lost its configuration.");
	assert_string_equal(json_str(second, "phase"), "identified");
	assert_int_equal(json_array_size(json_object_get(second, "components")), 1);
	assert_true(json_is_null(json_object_get(at(e, "updates", 2), "components")));
	assert_null(json_object_get(e, "by"));
	assert_null(json_object_get(e, "key"));
	assert_null(json_object_get(second, "by"));
	assert_null(json_object_get(at(second, "revisions", 0), "by"));
	json_decref(e);

	e = desk_event(d, d->id, AUDIENCE_OPERATORS);
	assert_string_equal(json_str(e, "by"), "alice");
	assert_string_equal(json_str(at(at(e, "updates", 1), "revisions", 0), "by"), "alice");
	json_decref(e);
}

static void while_it_lasts_its_impact_is_that_of_now(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &outage, &alice, NOON));
	struct event_change c = nothing();
	c.impacts = (const struct event_impact[]){{"network", 20}};
	c.impact_count = 1;
	assert_true(desk_change(d, d->id, &c, &alice, NOON));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_int_equal(json_int(e, "impact", 0), 20);
	json_decref(e);
}

static void a_correction_leaves_what_was_there(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &outage, &alice, NOON));
	assert_true(desk_correct(d, d->id, 1, "Servers start slowly.", &alice, NOON + HOUR));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC), *u = at(e, "updates", 0);
	assert_string_equal(json_str(u, "text"), "Servers start slowly.");
	assert_int_equal(json_int(u, "corrected_ms", 0), NOON + HOUR);
	assert_int_equal(json_array_size(json_object_get(u, "revisions")), 2);
	assert_string_equal(json_str(at(u, "revisions", 0), "text"), "Servers cannot be started.");
	assert_int_equal(json_int(e, "revision", 0), 2);
	json_decref(e);
	assert_false(desk_correct(d, d->id, 2, "x", &alice, NOON));
	says(d, ERROR_INPUT, "numbered 1 to 1");
	assert_false(desk_correct(d, "nowhere", 1, "x", &alice, NOON));
	says(d, ERROR_INPUT, "no event nowhere");
}

static void each_update_says_what_is_so_from_then_on(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &window, &alice, NOON));
	struct event_change c = nothing();
	c.title = "Patch night";
	c.starts_ms = NOON + 30 * HOUR;
	c.until_ms = NOON + 31 * HOUR;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + 1));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC), *u = at(e, "updates", 1);
	assert_string_equal(json_str(e, "title"), "Patch night");
	assert_string_equal(json_str(u, "title"), "Patch night");
	assert_int_equal(json_int(u, "starts_ms", 0), NOON + 30 * HOUR);
	assert_int_equal(json_int(u, "until_ms", 0), NOON + 31 * HOUR);
	assert_true(json_is_null(json_object_get(at(e, "updates", 0), "title")));
	json_decref(e);
	/* the same again is no news */
	assert_true(desk_change(d, d->id, &c, &alice, NOON + 2));
	e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_int_equal(json_int(e, "revision", 0), 2);
	json_decref(e);
}

/* --- ids -------------------------------------------------------------------------------------- */

static void ids_are_made_of_date_and_title(void **state)
{
	static const struct {
		const char *title, *id;
	} rows[] = {
		{"Störung: Netzwerk (AZ-1)", "2026-10-28-stoerung-netzwerk-az-1"},
		{"  100 % packet loss  ", "2026-10-28-100-packet-loss"},
		{"網路", "2026-10-28-incident"},
		{"a word that is followed by so many others that an id of it would be too long",
			"2026-10-28-a-word-that-is-followed-by-so-many-others-that-an-id-of-it"},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		char id[EVENT_ID_MAX + 1];
		event_make_id(NOON, rows[i].title, EVENT_INCIDENT, id);
		assert_string_equal(id, rows[i].id);
	}
}

static void an_id_that_is_taken_gets_a_number(void **state)
{
	struct desk *d = *state;
	struct event_new n = outage;
	assert_true(desk_open(d, &n, &alice, NOON));
	assert_true(desk_open(d, &n, &alice, NOON));
	assert_string_equal(d->id, "2026-10-28-compute-outage-2");
	assert_true(desk_open(d, &n, &alice, NOON));
	assert_string_equal(d->id, "2026-10-28-compute-outage-3");
	n.id = "of-my-own";
	assert_true(desk_open(d, &n, &alice, NOON));
	assert_string_equal(d->id, "of-my-own");
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_CONFLICT, "of-my-own already");
	n.id = "Not One";
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_INPUT, "no id of an event");
}

static void what_has_a_key_is_opened_once(void **state)
{
	struct desk *d = *state;
	struct event_new n = outage;
	char first[EVENT_ID_MAX + 1];
	n.key = "suspect:compute";
	assert_true(desk_open(d, &n, &robot, NOON));
	snprintf(first, sizeof(first), "%s", d->id);
	assert_true(desk_open(d, &n, &robot, NOON + HOUR));
	assert_string_equal(d->id, first);
	struct event_change over = nothing();
	over.phase = EVENT_RESOLVED;
	assert_true(desk_change(d, first, &over, &robot, NOON + HOUR));
	assert_true(desk_open(d, &n, &robot, NOON + 2 * HOUR));
	assert_string_not_equal(d->id, first);
	/* but a maintenance that is over, or was cancelled, does not come again */
	struct event_new m = window;
	m.key = "maintenance:patch-day:2026-10-29";
	assert_true(desk_open(d, &m, &robot, NOON));
	snprintf(first, sizeof(first), "%s", d->id);
	over.phase = EVENT_CANCELLED;
	assert_true(desk_change(d, first, &over, &alice, NOON + 1));
	assert_true(desk_open(d, &m, &robot, NOON + 2));
	assert_string_equal(d->id, first);
	json_t *e = desk_event(d, first, AUDIENCE_PUBLIC);
	assert_string_equal(json_str(e, "phase"), "cancelled");
	json_decref(e);
}

/* --- what is refused -------------------------------------------------------------------------- */

static char *repeated(const char *what, size_t n)
{
	struct buf b = BUF(1u << 20);
	while (n--)
		buf_add_str(&b, what);
	return buf_take(&b);
}

static void limits_refuse_and_never_cut(void **state)
{
	struct desk *d = *state;
	struct event_new n = outage;
	char *longest = repeated("ä", 200), *longer = repeated("ä", 201);
	char *text = repeated("x", EVENT_TEXT_MAX + 1);
	n.title = longest;
	assert_true(desk_open(d, &n, &alice, NOON));
	n.title = longer;
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_LIMIT, "longer than 200 characters");
	n.title = " \t";
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_INPUT, "title is empty");
	n.title = "two\nlines";
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_INPUT, "one line");
	n = outage;
	n.text = text;
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_LIMIT, "64 KiB");
	text[EVENT_TEXT_MAX] = 0;
	assert_true(desk_open(d, &n, &alice, NOON));
	struct event_impact many[EVENT_COMPONENTS_MAX + 1];
	char names[EVENT_COMPONENTS_MAX + 1][16];
	for (int i = 0; i <= EVENT_COMPONENTS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "c-%d", i);
		many[i] = (struct event_impact){names[i], 1};
	}
	n = outage;
	n.impacts = many;
	n.impact_count = EVENT_COMPONENTS_MAX + 1;
	assert_false(desk_open(d, &n, &alice, NOON));
	says(d, ERROR_LIMIT, "200 components");
	n.impact_count = EVENT_COMPONENTS_MAX;
	assert_true(desk_open(d, &n, &alice, NOON));
	free(longest);
	free(longer);
	free(text);
}

static void an_event_has_an_end_to_its_updates(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &outage, &alice, NOON));
	struct event_change c = nothing();
	c.text = "still";
	for (int i = 1; i < EVENT_UPDATES_MAX; i++)
		assert_true(desk_change(d, d->id, &c, &alice, NOON));
	assert_false(desk_change(d, d->id, &c, &alice, NOON));
	says(d, ERROR_LIMIT, "500 updates");
	for (int i = 1; i < EVENT_REVISIONS_MAX; i++)
		assert_true(desk_correct(d, d->id, 7, "again", &alice, NOON));
	assert_false(desk_correct(d, d->id, 7, "again", &alice, NOON));
	says(d, ERROR_LIMIT, "corrected 100 times");
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_int_equal(json_array_size(json_object_get(e, "updates")), EVENT_UPDATES_MAX);
	json_decref(e);
}

static void all_texts_together_have_a_limit(void **state)
{
	struct desk *d = *state;
	char *text = repeated("x", EVENT_TEXT_MAX);
	struct event_change c = nothing();
	int n = 0;
	assert_true(desk_open(d, &outage, &alice, NOON));
	c.text = text;
	while (n < 100 && desk_change(d, d->id, &c, &alice, NOON))
		n++;
	assert_int_equal(n, 15); /* 16 x 64 KiB is 1 MiB, less what the first says */
	says(d, ERROR_LIMIT, "1024 KiB together");
	free(text);
}

static void what_does_not_fit_is_refused_with_what_would(void **state)
{
	struct desk *d = *state;
	static const struct event_impact over[] = {{"compute", 101}};
	static const struct event_impact twice[] = {{"compute", 1}, {"compute", 2}};
	static const struct event_impact odd[] = {{"Compute!", 1}};
	const struct {
		struct event_new n;
		const char *says;
	} rows[] = {
		{{.kind = EVENT_INCIDENT, .title = "x", .phase = EVENT_PLANNED},
			"detected, investigating, identified, monitoring or resolved"},
		{{.kind = EVENT_INFO, .title = "x", .phase = EVENT_IN_PROGRESS},
			"planned, active, completed or cancelled"},
		{{.kind = EVENT_INCIDENT, .title = "x", .phase = EVENT_RESOLVED}, "open it, then"},
		{{.kind = EVENT_INCIDENT, .title = "x", .starts_ms = NOON + 1}, "ahead of now"},
		{{.kind = EVENT_INFO, .title = "x", .phase = EVENT_ACTIVE, .starts_ms = NOON + 1},
			"is planned, not active"},
		{{.kind = EVENT_MAINTENANCE, .title = "x", .phase = EVENT_PLANNED},
			"needs a planned end"},
		{{.kind = EVENT_MAINTENANCE,
			 .title = "x",
			 .phase = EVENT_PLANNED,
			 .starts_ms = NOON,
			 .until_ms = NOON},
			"not after the begin, 2026-10-28T12:00:00.000Z"},
		{{.title = "x", .impacts = over, .impact_count = 1}, "0 to 100"},
		{{.title = "x", .impacts = twice, .impact_count = 2}, "named twice"},
		{{.title = "x", .impacts = odd, .impact_count = 1}, "no id of a component"},
		{{.title = "x", .text = "\xff"}, "the text: "},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_false(desk_open(d, &rows[i].n, &alice, NOON));
		says(d, ERROR_INPUT, rows[i].says);
	}
	assert_false(desk_open(d, &outage, &(struct event_author){"", false}, NOON));
	says(d, ERROR_INPUT, "must have a name");
}

static bool go(struct desk *d, enum event_phase to, int64_t at_ms, int64_t now_ms)
{
	struct event_change c = nothing();
	c.phase = (int)to;
	c.at_ms = at_ms;
	return desk_change(d, d->id, &c, &alice, now_ms);
}

static void an_incident_may_come_back_but_not_before_itself(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &outage, &alice, NOON));
	assert_true(go(d, EVENT_RESOLVED, 0, NOON + HOUR));
	assert_true(go(d, EVENT_INVESTIGATING, 0, NOON + 2 * HOUR));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_true(json_is_null(json_object_get(e, "ended_ms")));
	json_decref(e);
	assert_false(go(d, EVENT_MONITORING, NOON + HOUR, NOON + 3 * HOUR));
	says(d, ERROR_INPUT, "investigating since 2026-10-28T14:00:00.000Z");
	assert_false(go(d, EVENT_MONITORING, NOON + 4 * HOUR, NOON + 3 * HOUR));
	says(d, ERROR_INPUT, "later than now");
	assert_false(go(d, EVENT_PLANNED, 0, NOON + 3 * HOUR));
	says(d, ERROR_INPUT, "an incident is never planned");
}

static void work_goes_forward_only(void **state)
{
	struct desk *d = *state;
	assert_true(desk_open(d, &window, &alice, NOON));
	assert_false(go(d, EVENT_COMPLETED, 0, NOON + HOUR));
	says(d, ERROR_INPUT, "it can be cancelled");
	assert_true(go(d, EVENT_IN_PROGRESS, 0, NOON + 2 * HOUR)); /* early */
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_int_equal(json_int(e, "starts_ms", 0), NOON + 2 * HOUR);
	assert_int_equal(json_int(at(e, "updates", 1), "starts_ms", 0), NOON + 2 * HOUR);
	json_decref(e);
	assert_false(go(d, EVENT_PLANNED, 0, NOON + 3 * HOUR));
	says(d, ERROR_INPUT, "cannot be planned again");
	assert_true(go(d, EVENT_COMPLETED, 0, NOON + 3 * HOUR));
	assert_false(go(d, EVENT_IN_PROGRESS, 0, NOON + 4 * HOUR));
	says(d, ERROR_INPUT, "stays so: plan another");
	struct event_change c = nothing();
	c.text = "It went well."; /* words are always welcome */
	assert_true(desk_change(d, d->id, &c, &alice, NOON + 4 * HOUR));
}

/* --- who writes ------------------------------------------------------------------------------- */

static void who_looked_before_another_wrote_is_told(void **state)
{
	struct desk *d = *state;
	struct event_change c = nothing();
	assert_true(desk_open(d, &outage, &alice, NOON));
	c.text = "one";
	c.revision = 1;
	assert_true(desk_change(d, d->id, &c, &alice, NOON));
	assert_false(desk_change(d, d->id, &c, &alice, NOON));
	says(d, ERROR_CONFLICT, "at revision 2 by now, not 1");
}

static void a_human_takes_over_for_good(void **state)
{
	struct desk *d = *state;
	struct event_change c = nothing();
	assert_true(desk_open(d, &outage, &robot, NOON));
	c.text = "measured again";
	assert_true(desk_change(d, d->id, &c, &robot, NOON));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_true(json_flag(e, "machine"));
	assert_false(json_flag(e, "taken_over"));
	json_decref(e);
	c.text = "I look at it";
	assert_true(desk_change(d, d->id, &c, &alice, NOON));
	c.text = "measured once more";
	assert_false(desk_change(d, d->id, &c, &robot, NOON));
	says(d, ERROR_CONFLICT, "in the hands of people");
	c.text = NULL;
	c.phase = EVENT_RESOLVED;
	assert_false(desk_change(d, d->id, &c, &robot, NOON));
	assert_false(desk_correct(d, d->id, 1, "x", &robot, NOON));
	says(d, ERROR_CONFLICT, "in the hands of people");
	e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_true(json_flag(e, "taken_over"));
	assert_int_equal(json_int(e, "revision", 0), 3);
	json_decref(e);
}

static void the_clock_moves_the_work_of_people_and_nothing_else(void **state)
{
	struct desk *d = *state;
	struct event_change c = nothing();
	assert_true(desk_open(d, &window, &alice, NOON));
	c.phase = EVENT_IN_PROGRESS;
	c.at_ms = window.starts_ms;
	assert_true(desk_change(d, d->id, &c, &robot, window.starts_ms));
	c = nothing();
	c.title = "Mine now";
	assert_false(desk_change(d, d->id, &c, &robot, window.starts_ms));
	says(d, ERROR_CONFLICT, "in the hands of people");
}

/* --- audience --------------------------------------------------------------------------------- */

struct fed {
	size_t n;
	enum audience last;
	int64_t revision;
};

static void on_feed(void *arg, const struct facts_change_row *row)
{
	struct fed *f = arg;
	assert_string_equal(row->kind, "event");
	f->n++;
	f->last = row->audience;
	f->revision = row->revision;
}

static struct fed feed(struct desk *d, enum audience audience)
{
	struct fed f = {0};
	assert_true(facts_feed(d->facts, 0, audience, 100, on_feed, &f, &d->err));
	return f;
}

static void a_draft_is_nobody_elses(void **state)
{
	struct desk *d = *state;
	struct event_new n = outage;
	struct event_change c = nothing();
	n.audience = AUDIENCE_OPERATORS;
	assert_true(desk_open(d, &n, &alice, NOON));
	c.text = "between us";
	assert_true(desk_change(d, d->id, &c, &alice, NOON));
	const struct event_filter everybody = {.audience = AUDIENCE_PUBLIC, .kind = -1};
	const struct event_filter operators = {.audience = AUDIENCE_OPERATORS, .kind = -1};
	assert_null(desk_event(d, d->id, AUDIENCE_PUBLIC));
	assert_null(desk_event(d, d->id, AUDIENCE_CUSTOMERS));
	json_t *list = desk_list(d, &everybody);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(event_count(d->facts, &everybody, &d->err), 0);
	assert_int_equal(event_count(d->facts, &operators, &d->err), 1);
	assert_int_equal(feed(d, AUDIENCE_PUBLIC).n, 0);
	assert_int_equal(feed(d, AUDIENCE_OPERATORS).n, 2);

	c = nothing();
	c.publish = true;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + HOUR));
	json_t *e = desk_event(d, d->id, AUDIENCE_PUBLIC);
	assert_true(json_flag(e, "public"));
	assert_int_equal(json_array_size(json_object_get(e, "updates")), 2);
	json_decref(e);
	const struct fed seen = feed(d, AUDIENCE_PUBLIC);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last, AUDIENCE_PUBLIC);
	assert_int_equal(seen.revision, 3);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void expect_list(struct desk *d, struct event_filter f, const char *titles)
{
	struct buf got = BUF(BUF_LINE);
	size_t i;
	json_t *list = desk_list(d, &f), *e;
	json_array_foreach (list, i, e)
		buf_printf(&got, "%s%s", i ? " " : "", json_str(e, "title"));
	assert_string_equal(buf_str(&got), titles);
	if (!f.skip && !f.limit)
		assert_int_equal(event_count(d->facts, &f, &d->err), json_array_size(list));
	buf_fini(&got);
	json_decref(list);
}

static void write_some(struct desk *d)
{
	static const struct event_impact network[] = {{"network", 40}};
	struct event_new n = outage;
	n.title = "old";
	n.starts_ms = NOON - 100 * HOUR;
	assert_true(desk_open(d, &n, &alice, NOON - 99 * HOUR));
	assert_true(go(d, EVENT_RESOLVED, 0, NOON - 98 * HOUR));
	n.title = "lasting";
	n.starts_ms = NOON - 50 * HOUR;
	n.impacts = network;
	n.impact_count = 1;
	assert_true(desk_open(d, &n, &alice, NOON - 49 * HOUR));
	n.title = "recent";
	n.starts_ms = NOON - 10 * HOUR;
	n.impact_count = 0;
	assert_true(desk_open(d, &n, &alice, NOON - 9 * HOUR));
	assert_true(go(d, EVENT_RESOLVED, 0, NOON));
	n = window;
	n.title = "planned";
	assert_true(desk_open(d, &n, &alice, NOON));
}

static void lists_begin_with_what_lasts(void **state)
{
	struct desk *d = *state;
	const struct event_filter all = {.audience = AUDIENCE_PUBLIC, .kind = -1};
	struct event_filter f = all;
	write_some(d);
	expect_list(d, all, "planned lasting recent old");
	f.open = true;
	expect_list(d, f, "planned lasting");
	f = all;
	f.kind = EVENT_INCIDENT;
	expect_list(d, f, "lasting recent old");
	f = all;
	f.component = "network";
	expect_list(d, f, "lasting old");
	f.component = "storage";
	expect_list(d, f, "");
	f = all;
	f.skip = 1;
	f.limit = 2;
	expect_list(d, f, "lasting recent");
	f = all;
	f.from_ms = NOON - 97 * HOUR;
	f.to_ms = NOON - 40 * HOUR;
	expect_list(d, f, "lasting");
	f.from_ms = NOON - 99 * HOUR;
	expect_list(d, f, "lasting old");
	f = all;
	f.from_ms = NOON + 26 * HOUR; /* within what is planned */
	expect_list(d, f, "planned lasting");
	f.from_ms = NOON + 29 * HOUR;
	expect_list(d, f, "lasting");
}

static void a_short_one_has_its_newest_update(void **state)
{
	struct desk *d = *state;
	write_some(d);
	const struct event_filter f = {.audience = AUDIENCE_PUBLIC,
		.kind = EVENT_INCIDENT,
		.brief = true,
		.component = "compute"};
	json_t *list = desk_list(d, &f), *e = json_array_get(list, 0);
	assert_int_equal(json_array_size(json_object_get(e, "updates")), 1);
	assert_string_equal(json_str(at(e, "updates", 0), "phase"), "resolved");
	json_decref(list);
}

/* --- the house's ------------------------------------------------------------------------------ */

struct told {
	bool changed, done;
	unsigned changes;
	enum error_kind kind;
	char id[EVENT_ID_MAX + 1];
};

static void on_changed(void *arg)
{
	struct told *t = arg;
	t->changed = true;
	t->changes++;
}

static void on_done(void *arg, const char *id, const struct error *err)
{
	struct told *t = arg;
	assert_false(t->done);
	t->done = true;
	t->kind = err ? err->kind : ERROR_NONE;
	snprintf(t->id, sizeof(t->id), "%s", id);
}

static void the_house_sees_its_own_and_what_others_write(void **state)
{
	struct desk *d = *state;
	struct told t = {0};
	struct event_new n = outage;
	struct events *e = events_new(d->loop, d->facts, on_changed, &t, &d->err);
	assert_non_null(e);
	assert_int_equal(json_array_size(events_current(e)), 0);
	n.audience = AUDIENCE_OPERATORS;
	events_open_one(e, &n, &alice, on_done, &t);
	assert_false(t.done);
	desk_until(d, &t.changed);
	assert_true(t.done);
	assert_int_equal(t.kind, ERROR_NONE);
	assert_string_equal(t.id, "2026-10-28-compute-outage");
	assert_int_equal(json_array_size(events_current(e)), 1);
	assert_int_equal(json_array_size(events_current_public(e)), 0);

	/* as another process does, unknown to the house but for the feed */
	struct event_change c = nothing();
	c.publish = true;
	t.changed = false;
	assert_true(desk_change(d, t.id, &c, &alice, NOON));
	desk_until(d, &t.changed);
	assert_int_equal(json_array_size(events_current_public(e)), 1);
	assert_null(json_object_get(json_array_get(events_current_public(e), 0), "by"));

	/* a refusal is told once, and changes nothing */
	t.done = false;
	c.revision = 1;
	events_change(e, t.id, &c, &alice, on_done, &t);
	desk_until(d, &t.done);
	assert_int_equal(t.kind, ERROR_CONFLICT);
	t.done = false;
	events_correct(e, t.id, 1, "corrected", &alice, on_done, &t);
	desk_until(d, &t.done);
	assert_int_equal(t.kind, ERROR_NONE);
	/* what waits at the end is still written, and told as given up */
	t.done = false;
	n.id = "the-last";
	n.audience = AUDIENCE_PUBLIC;
	events_open_one(e, &n, &alice, on_done, &t);
	events_free(e);
	assert_true(t.done);
	assert_int_equal(t.kind, ERROR_CANCELLED);
	facts_close(d->facts);
	d->facts = facts_open(d->dir, d->loop, &d->err);
	json_t *last = desk_event(d, "the-last", AUDIENCE_PUBLIC);
	assert_non_null(last);
	json_decref(last);
}

static void who_says_that_he_wrote_is_not_waited_for(void **state)
{
	struct desk *d = *state;
	struct told t = {0};
	struct events *e = events_new(d->loop, d->facts, on_changed, &t, &d->err);
	assert_true(desk_open(d, &outage, &robot, NOON));
	events_wake(e);
	for (int i = 0; i < 20000 && !t.changed; i++) {
		loop_advance(d->loop, 0); /* no time passes */
		usleep(1000);
	}
	assert_true(t.changed);
	assert_int_equal(json_array_size(events_current(e)), 1);
	events_free(e);
}

static void what_is_current_is_near(void **state)
{
	struct desk *d = *state;
	struct told t = {0};
	struct event_new far = window;
	far.title = "far";
	far.starts_ms = NOON + 31 * 24 * HOUR;
	far.until_ms = far.starts_ms + HOUR;
	write_some(d);
	assert_true(desk_open(d, &far, &alice, NOON));
	struct events *e = events_new(d->loop, d->facts, on_changed, &t, &d->err);
	assert_int_equal(json_array_size(events_current(e)), 4);
	loop_advance(d->loop, 36 * 3600 * NS_PER_S); /* nobody writes, but it comes nearer */
	t.changed = false;
	desk_until(d, &t.changed);
	assert_int_equal(json_array_size(events_current(e)), 5);
	events_free(e);
}

static const char *earlier(const struct events *e, size_t event, size_t i, const char *key)
{
	return json_str(at(json_array_get(events_current_public(e), event), "earlier", i), key);
}

static void what_is_current_has_what_was_said_before(void **state)
{
	struct desk *d = *state;
	struct told t = {0};
	struct event_change c = nothing();
	char *large = mem_new_array(60000 + 1, 1);
	memset(large, 'x', 60000);
	assert_true(desk_open(d, &outage, &alice, NOON));
	c.text = "Found.";
	c.phase = EVENT_IDENTIFIED;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + HOUR));
	c = nothing();
	c.text = "Mended.";
	c.phase = EVENT_MONITORING;
	assert_true(desk_change(d, d->id, &c, &alice, NOON + 2 * HOUR));
	assert_true(desk_correct(d, d->id, 2, "Found at last.", &alice, NOON + 3 * HOUR));
	struct events *e = events_new(d->loop, d->facts, on_changed, &t, &d->err);
	const json_t *event = json_array_get(events_current_public(e), 0);
	assert_string_equal(json_str(at((json_t *)event, "updates", 0), "text"), "Mended.");
	assert_int_equal(json_array_size(json_object_get(event, "earlier")), 2);
	assert_string_equal(earlier(e, 0, 0, "text"), "Found at last.");
	assert_string_equal(earlier(e, 0, 0, "phase"), "identified");
	assert_int_equal(
		json_int(at((json_t *)event, "earlier", 0), "corrected_ms", 0), NOON + 3 * HOUR);
	assert_string_equal(earlier(e, 0, 1, "phase"), "investigating");
	assert_true(
		json_is_null(json_object_get(at((json_t *)event, "earlier", 1), "corrected_ms")));
	assert_null(earlier(e, 0, 0, "by"));
	events_free(e);

	/* the newest of what is too much for one document */
	c = nothing();
	c.text = large;
	for (int i = 0; i < 6; i++)
		assert_true(desk_change(d, d->id, &c, &alice, NOON + (3 + i) * HOUR));
	e = events_new(d->loop, d->facts, on_changed, &t, &d->err);
	event = json_array_get(events_current_public(e), 0);
	assert_int_equal(json_array_size(json_object_get(event, "earlier")), 4);
	assert_int_equal(json_int(at((json_t *)event, "earlier", 3), "n", 0), 5);
	events_free(e);
	free(large);
}

int test_event(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(an_event_is_what_was_written_of_it),
		desk_test(while_it_lasts_its_impact_is_that_of_now),
		desk_test(a_correction_leaves_what_was_there),
		desk_test(each_update_says_what_is_so_from_then_on),
		cmocka_unit_test(ids_are_made_of_date_and_title),
		desk_test(an_id_that_is_taken_gets_a_number),
		desk_test(what_has_a_key_is_opened_once),
		desk_test(limits_refuse_and_never_cut),
		desk_test(an_event_has_an_end_to_its_updates),
		desk_test(all_texts_together_have_a_limit),
		desk_test(what_does_not_fit_is_refused_with_what_would),
		desk_test(an_incident_may_come_back_but_not_before_itself),
		desk_test(work_goes_forward_only),
		desk_test(who_looked_before_another_wrote_is_told),
		desk_test(a_human_takes_over_for_good),
		desk_test(the_clock_moves_the_work_of_people_and_nothing_else),
		desk_test(a_draft_is_nobody_elses),
		desk_test(lists_begin_with_what_lasts),
		desk_test(a_short_one_has_its_newest_update),
		desk_test(the_house_sees_its_own_and_what_others_write),
		desk_test(who_says_that_he_wrote_is_not_waited_for),
		desk_test(what_is_current_is_near),
		desk_test(what_is_current_has_what_was_said_before),
	};
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
