/*
 * suspect_text.c - what an event says, in English and German.
 *
 * For customers: which services, since when, what of them works. Never why we think so: addresses,
 * probes and sentences of verdicts stay in the evidence, which the event names. A sentence never
 * says more than a machine can know; nobody "is working on it".
 */
#include "tell/suspect_inside.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 3
#define CLOCK_HM  24

enum language { ENGLISH, GERMAN, LANGUAGES };

static enum language language_of(const char *word)
{
	return word && !strcmp(word, "de") ? GERMAN : ENGLISH;
}

/* "12:05 UTC" */
static const char *at_text(int64_t ms, char *text)
{
	char whole[CLOCK_TEXT];
	clock_rfc3339(ms * 1000, whole);
	snprintf(text, CLOCK_HM, "%.5s UTC", whole + 11);
	return text;
}

struct names { /* shown, and how many there are */
	const char *p[NAMES_MAX];
	size_t n;
};

static void add_name(struct names *names, const char *name)
{
	if (names->n < NAMES_MAX)
		names->p[names->n] = name;
	names->n++;
}

/* "Compute", "Compute and Network", "Compute, Network, Image and 2 more" */
static void put_names(struct buf *out, const struct names *names, enum language l)
{
	static const char *const and[LANGUAGES] = {" and ", " und "};
	const size_t shown = names->n < NAMES_MAX ? names->n : NAMES_MAX;
	for (size_t i = 0; i < shown; i++) {
		const bool last = i && i + 1 == names->n;
		buf_printf(out, "%s%s", !i ? "" : last ? and[l] : ", ", names->p[i]);
	}
	if (names->n > shown)
		buf_printf(out, "%s%zu %s", and[l], names -> n - shown,
			l == GERMAN ? "weitere" : "more");
}

/* --- the title -------------------------------------------------------------------------------- */

static const char *root_name(const struct suspects *s, const struct suspect *x)
{
	const struct component *c;
	const struct verdict *v;
	const struct part *p = x->root ? map_get(&s->parts, x->root) : NULL;
	if (p)
		return p->name;
	return x->root && s->look_at(s->arg, x->root, &c, &v) ? c->name : NULL;
}

static bool all_flap(const struct suspects *s, const struct suspect *x)
{
	bool all = true;
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		all = all && (p->suspect != x->id || p->flaps);
	}
	return all;
}

/* " (Public)", " (north)", " (Public · north)", or nothing: so that no two are called the same. */
static void put_place(struct buf *out, const struct suspects *s, const struct suspect *x)
{
	bool regions = false, clouds = false;
	s->places(s->arg, x->region, &regions, &clouds);
	const char *cloud = clouds ? x->cloud : "", *region = regions ? x->region : "";
	if (*cloud || *region)
		buf_printf(out, " (%s%s%s)", cloud, *cloud && *region ? " \xc2\xb7 " : "", region);
}

char *suspect_title(const struct suspects *s, const struct suspect *x)
{
	static const char *const states[LANGUAGES][3] = {
		{"degraded", "outage", "unstable"}, {"beeinträchtigt", "Ausfall", "instabil"}};
	const enum language l = language_of(s->policy.languages[0]);
	const char *root = root_name(s, x);
	struct buf out = BUF(EVENT_TITLE_MAX + 1);
	struct names names = {0};
	if (root)
		add_name(&names, root);
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		if (p->suspect == x->id && !root)
			add_name(&names, p->name);
	}
	put_names(&out, &names, l);
	put_place(&out, s, x);
	const int state = all_flap(s, x) ? 2 : x->worst >= health_severity(HEALTH_OUTAGE) ? 1 : 0;
	buf_printf(&out, ": %s", states[l][state]);
	if (!out.over)
		return buf_take(&out);
	buf_fini(&out); /* names that are that long say nothing in a title */
	return mem_printf("%s: %s", l == GERMAN ? "Dienste" : "Services", states[l][state]);
}

/* --- the first text --------------------------------------------------------------------------- */

static void put_state(struct buf *out, const struct part *p, enum language l)
{
	char at[CLOCK_HM];
	at_text(p->ill_ms, at);
	const bool german = l == GERMAN;
	if (p->flaps)
		buf_printf(out,
			german ? "%s wechselt seit %s immer wieder zwischen gutem und gestörtem"
				 " Betrieb; die einzelnen Wechsel werden nicht gemeldet."
			       : "%s has been changing between working and failing again and again"
				 " since %s; its single changes are not told.",
			p->name, at);
	else if (p->health == HEALTH_OUTAGE)
		buf_printf(out,
			german ? "%s ist seit %s nicht benutzbar."
			       : "%s has not been usable since %s.",
			p->name, at);
	else if (p->fault == SUSPECT_SLOW)
		buf_printf(out,
			german ? "%s antwortet seit %s langsamer als üblich."
			       : "%s has been slower than it should be since %s.",
			p->name, at);
	else
		buf_printf(out,
			german ? "Bei %s schlägt seit %s ein Teil der Anfragen fehl."
			       : "Some requests to %s have been failing since %s.",
			p->name, at);
}

/* Whether others are worked on at this time, and it is none of them. */
static bool beside_work(const struct suspects *s, const struct part *p)
{
	MAP_EACH (&s->parts, e) {
		const struct part *other = e->value;
		if (other != p && other->held && !strcmp(other->cloud, p->cloud))
			return true;
	}
	return false;
}

static void put_work(
	struct buf *out, const struct suspects *s, const struct part *p, enum language l)
{
	if (p->maintenance)
		buf_printf(out, l == GERMAN
					? " Die angekündigte Wartung ist vorbei, die Störung nicht."
					: " The planned maintenance is over, but this is not.");
	else if (beside_work(s, p))
		buf_printf(out,
			l == GERMAN
				? " Zur selben Zeit läuft eine Wartung, zu der %s nicht gehört."
				: " Maintenance is under way at the same time; %s is not part of"
				  " it.",
			p->name);
}

static void put_open(
	struct buf *out, const struct suspects *s, const struct suspect *x, enum language l)
{
	const char *root = root_name(s, x);
	struct names rest = {0};
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		if (p->suspect != x->id)
			continue;
		if (x->root && strcmp(p->component, x->root) != 0) {
			add_name(&rest, p->name);
			continue;
		}
		buf_printf(out, "%s", out->n && out->p[out->n - 1] != '\n' ? " " : "");
		put_state(out, p, l);
		put_work(out, s, p, l);
	}
	if (rest.n) {
		buf_printf(out, "%s", out->n && out->p[out->n - 1] != '\n' ? " " : "");
		put_names(out, &rest, l);
		buf_printf(out,
			l == GERMAN ? ": beeinträchtigt, denn davon hängt %s ab."
				    : ": affected, because of %s.",
			root ? root : "");
	}
	buf_add_str(out,
		l == GERMAN ? " Dies wurde automatisch festgestellt und ist noch von niemandem"
			      " bestätigt."
			    : " This was found automatically, and nobody has confirmed it yet.");
}

/* --- updates ---------------------------------------------------------------------------------- */

static void put_change(struct buf *out, const struct suspect_said *said, enum language l)
{
	const struct part *p = said->part;
	const bool german = l == GERMAN;
	char at[CLOCK_HM];
	if (said->from <= 0 || (p->flaps && !p->flaps_told)) {
		put_state(out, p, l);
	} else if (said->to == 0) {
		buf_printf(out,
			german ? "%s ist seit %s wieder benutzbar."
			       : "%s has been working again since %s.",
			p->name, at_text(p->well_ms, at));
	} else if (said->to > said->from) {
		buf_printf(out,
			german ? "%s ist jetzt nicht mehr benutzbar."
			       : "%s is not usable any more.",
			p->name);
	} else {
		buf_printf(out,
			german ? "%s antwortet wieder, aber noch nicht so, wie es sein soll."
			       : "%s answers again, but not yet as it should.",
			p->name);
	}
}

/* A paragraph a language, of a function that writes one. */
#define PARAGRAPHS(s, out, l, write)                                                               \
	for (size_t i_ = 0; (s)->policy.languages[i_]; i_++) {                                     \
		const enum language l = language_of((s)->policy.languages[i_]);                    \
		buf_add_str(out, i_ ? "\n\n" : "");                                                \
		write;                                                                             \
	}

char *suspect_text_open(const struct suspects *s, const struct suspect *x)
{
	struct buf out = BUF(EVENT_TEXT_MAX);
	PARAGRAPHS(s, &out, l, put_open(&out, s, x, l))
	return buf_take(&out);
}

static void put_changes(struct buf *out, const struct suspect_said *said, size_t n, enum language l)
{
	for (size_t i = 0; i < n; i++) {
		buf_add_str(out, i ? " " : "");
		put_change(out, &said[i], l);
	}
}

char *suspect_text_update(const struct suspects *s, const struct suspect_said *said, size_t n)
{
	struct buf out = BUF(EVENT_TEXT_MAX);
	PARAGRAPHS(s, &out, l, put_changes(&out, said, n, l))
	return buf_take(&out);
}

static void put_close(
	struct buf *out, const struct suspects *s, int64_t well_ms, bool closed, enum language l)
{
	const bool german = l == GERMAN;
	char at[CLOCK_HM];
	buf_printf(out,
		german ? "Seit %s arbeiten alle betroffenen Dienste wieder."
		       : "All affected services have been working since %s.",
		at_text(well_ms, at));
	if (closed)
		buf_printf(out,
			german ? " Automatisch abgeschlossen nach %lld min ohne Störung."
			       : " Closed automatically after %lld min without a failure.",
			(long long)((s->policy.after_ms + 59999) / 60000));
	else
		buf_add_str(out, german ? " Sie werden weiter beobachtet."
					: " They are still being watched.");
}

char *suspect_text_close(const struct suspects *s, int64_t well_ms, bool closed)
{
	struct buf out = BUF(EVENT_TEXT_MAX);
	PARAGRAPHS(s, &out, l, put_close(&out, s, well_ms, closed, l))
	return buf_take(&out);
}
