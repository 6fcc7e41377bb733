/*
 * event_check.c - what an event may not be, and the ids of events. Pure.
 */

#include <string.h>

#include "base/clock.h"
#include "tell/event_inside.h"
#include "text/markdown.h"

#define COMPONENT_MAX 64
#define SLUG_MAX      60

/* --- texts ------------------------------------------------------------------------------------ */

static bool is_one_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

bool event_check_title(const char *title, struct error *err)
{
	const struct slice s = slice_of(title);
	if (!slice_trim(s).n)
		error_set(err, ERROR_INPUT, "the title is empty: say in a few words what it is");
	else if (s.n > EVENT_TITLE_MAX * 4 || utf8_length(s) > EVENT_TITLE_MAX)
		error_set(err, ERROR_LIMIT, "the title is longer than %d characters",
			EVENT_TITLE_MAX);
	else if (!utf8_valid(s) || !is_one_line(title))
		error_set(err, ERROR_INPUT, "the title is not one line of UTF-8");
	else
		return true;
	return false;
}

/* It must be possible to show it, so it is tried. */
bool event_check_text(const char *text, struct error *err)
{
	const struct slice s = slice_of(text);
	const struct markdown how = {.heading = 3};
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	if (s.n > EVENT_TEXT_MAX) {
		error_set(err, ERROR_LIMIT, "the text is longer than %u KiB", EVENT_TEXT_MAX >> 10);
		return false;
	}
	const bool good = markdown_html(s, &how, &html, err);
	if (!good)
		error_wrap(err, "the text");
	buf_fini(&html);
	return good;
}

bool event_check_author(const struct event_author *by, struct error *err)
{
	const struct slice s = slice_of(by->by);
	if (s.n && s.n <= EVENT_BY_MAX && utf8_valid(s) && is_one_line(by->by))
		return true;
	error_set(err, ERROR_INPUT, "who writes must have a name of 1 to %d bytes", EVENT_BY_MAX);
	return false;
}

static bool is_word(const char *id, size_t max)
{
	const size_t n = id ? strlen(id) : 0;
	return n > 0 && n <= max && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool event_check_id(const char *id, struct error *err)
{
	if (is_word(id, EVENT_ID_MAX))
		return true;
	error_set(err, ERROR_INPUT,
		"\"%.120s\" is no id of an event: 1 to %d of a-z, 0-9 and \"-\"", id, EVENT_ID_MAX);
	return false;
}

/* --- the rest --------------------------------------------------------------------------------- */

bool event_check_impacts(const struct event_impact *p, size_t n, struct error *err)
{
	if (n > EVENT_COMPONENTS_MAX) {
		error_set(err, ERROR_LIMIT, "an event concerns at most %d components",
			EVENT_COMPONENTS_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_word(p[i].component, COMPONENT_MAX))
			error_set(err, ERROR_INPUT, "\"%.120s\" is no id of a component",
				p[i].component ? p[i].component : "");
		else if (p[i].impact < 0 || p[i].impact > 100)
			error_set(err, ERROR_INPUT, "the impact on %s is %d: it is 0 to 100",
				p[i].component, p[i].impact);
		else
			continue;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p[i].component, p[k].component)) {
				error_set(err, ERROR_INPUT, "the component %s is named twice",
					p[i].component);
				return false;
			}
	return true;
}

bool event_check_evidence(const json_t *evidence, struct error *err)
{
	size_t i;
	json_t *id;
	bool good = !evidence || json_is_array(evidence);
	json_array_foreach (evidence, i, id)
		good &= json_is_integer(id) && json_integer_value(id) > 0;
	if (!good)
		error_set(err, ERROR_INPUT, "evidence is a list of numbers of verdicts");
	else if (json_array_size(evidence) > EVENT_EVIDENCE_MAX)
		error_set(err, ERROR_LIMIT, "an event rests on at most %d verdicts",
			EVENT_EVIDENCE_MAX);
	else
		return true;
	return false;
}

/* Years 1970 to 9999. */
static bool is_moment(int64_t ms)
{
	return ms > 0 && ms < 253402300800000;
}

bool event_check_times(enum event_kind k, int64_t starts_ms, int64_t until_ms, struct error *err)
{
	char text[CLOCK_TEXT];
	if (!is_moment(starts_ms) || (until_ms && !is_moment(until_ms)))
		error_set(err, ERROR_INPUT, "a time lies before 1970 or after 9999");
	else if (k == EVENT_MAINTENANCE && !until_ms)
		error_set(err, ERROR_INPUT, "a maintenance needs a planned end");
	else if (until_ms && until_ms <= starts_ms)
		error_set(err, ERROR_INPUT, "the planned end is not after the begin, %s",
			clock_rfc3339(starts_ms * 1000, text));
	else
		return true;
	return false;
}

/* --- ids -------------------------------------------------------------------------------------- */

/* Letters of German and French as they are written without marks. NULL: it is none of them. */
static const char *unmarked(const char *p)
{
	static const struct {
		const char *is, *as;
	} letters[] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "ae"}, {"Ö", "oe"}, {"Ü", "ue"},
		{"ß", "ss"}, {"é", "e"}, {"è", "e"}, {"ê", "e"}, {"à", "a"}, {"â", "a"}, {"ç", "c"},
		{"î", "i"}, {"ô", "o"}};
	for (size_t i = 0; i < array_len(letters); i++)
		if (!strncmp(p, letters[i].is, 2))
			return letters[i].as;
	return NULL;
}

/* The first letter or digit of p as an id has it, in at most 3 bytes; "": what parts words. Returns
 * its length in p. */
static size_t plain(const char *p, char *ret)
{
	const char *as = unmarked(p), c = *p;
	const bool big = c >= 'A' && c <= 'Z';
	const bool good = big || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	if (as)
		memcpy(ret, as, strlen(as) + 1);
	else
		memcpy(ret, (char[]){good ? (char)(big ? c + 'a' - 'A' : c) : '\0', 0}, 2);
	return as ? 2 : 1;
}

static void make_slug(const char *title, struct buf *slug)
{
	bool gap = false;
	while (*title && slug->n < SLUG_MAX) {
		char as[3];
		title += plain(title, as);
		if (as[0] && gap && slug->n)
			buf_add_char(slug, '-');
		buf_add_str(slug, as);
		gap = !as[0];
	}
	if (*title) /* not in the middle of a word, where there is more than one */
		for (size_t n = slug->n; n > SLUG_MAX / 2; n--)
			if (slug->p[n - 1] == '-') {
				buf_cut(slug, n - 1);
				break;
			}
}

void event_make_id(int64_t at_ms, const char *title, enum event_kind k, char *ret)
{
	char date[CLOCK_TEXT];
	struct buf slug = BUF(2 * SLUG_MAX);
	clock_rfc3339(at_ms * 1000, date);
	make_slug(title, &slug);
	snprintf(ret, EVENT_ID_MAX + 1, "%.10s-%s", date,
		slug.n ? buf_str(&slug) : event_kind_name(k));
	buf_fini(&slug);
}
