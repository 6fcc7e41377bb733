/*
 * event_earlier.c - what was said of current events before their newest update, in its newest
 * wording: other programs expect all of it in one document.
 */

#include <string.h>

#include "tell/event_inside.h"

#define OVERHEAD 120 /* bytes of an update besides its text */

struct earlier {
	json_t *list;
	size_t left; /* bytes */
};

#define EARLIER                                                                                    \
	"SELECT u.n, u.at_ms, u.phase, r.revision, r.at_ms, r.text FROM event_update u"            \
	" JOIN event_revision r ON r.event = u.event AND r.n = u.n WHERE u.event = ?"              \
	" AND (u.at_ms < ? OR (u.at_ms = ? AND u.n < ?)) AND r.revision ="                         \
	" (SELECT MAX(revision) FROM event_revision WHERE event = u.event AND n = u.n)"            \
	" ORDER BY u.at_ms DESC, u.n DESC"

static bool on_update(void *arg, const struct facts_row *row)
{
	struct earlier *e = arg;
	const char *text = facts_text(row, 5);
	const size_t bytes = strlen(text) + OVERHEAD;
	if (bytes > e->left) {
		e->left = 0; /* those before it are older: none of them comes without it */
		return false;
	}
	e->left -= bytes;
	json_array_append_new(e->list,
		json_pack("{s:I, s:I, s:s, s:s, s:o}", "n", (json_int_t)facts_int(row, 0), "at_ms",
			(json_int_t)facts_int(row, 1), "phase",
			event_phase_name(facts_int(row, 2) % EVENT_PHASES), "text", text,
			"corrected_ms",
			facts_int(row, 3) > 1 ? json_integer(facts_int(row, 4)) : json_null()));
	return true;
}

bool event_add_earlier(struct facts *f, json_t *list, struct error *err)
{
	struct earlier e = {.left = EVENT_EARLIER_MAX};
	json_t *event;
	size_t i;
	json_array_foreach (list, i, event) {
		const json_t *newest = json_array_get(json_object_get(event, "updates"), 0);
		const int64_t at_ms = json_int(newest, "at_ms", 0);
		const struct facts_value v[] = {FACTS_T(json_str(event, "id")), FACTS_I(at_ms),
			FACTS_I(at_ms), FACTS_I(json_int(newest, "n", 0))};
		e.list = json_array();
		json_object_set_new(event, "earlier", e.list);
		if (!facts_query(f, EARLIER, v, array_len(v), on_update, &e, err))
			return false;
	}
	return true;
}
