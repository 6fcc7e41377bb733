/*
 * house_days.c - two years of days of each component in memory, and the ratios made of them.
 *
 * All days are read once; today and the day before the last reading are read again with each
 * refresh: the last seconds of a day reach the disk a little after midnight. Today as it is shown
 * comes from the judge, who counts.
 */

#include <string.h>

#include "base/clock.h"
#include "web/house_inside.h"

struct house_days *days_of(struct house *h, const char *component)
{
	struct house_days *d = map_get(&h->days, component);
	if (d)
		return d;
	d = mem_new(struct house_days);
	d->house = h;
	d->id = mem_strdup(component);
	d->today = house_now_ms(h) / HOUSE_DAY_MS;
	d->series = judge_days_series(h->series, component);
	d->loaded = !d->series;
	map_put(&h->days, component, d);
	return d;
}

static void days_free(struct house_days *d)
{
	json_decref(d->past);
	free(d->id);
	free(d);
}

/* Makes `today` the last element. */
static void shift(struct house_days *d, int64_t today)
{
	if (today <= d->today)
		return;
	const size_t by = today - d->today < HOUSE_KEPT ? (size_t)(today - d->today) : HOUSE_KEPT;
	memmove(d->days, d->days + by, (HOUSE_KEPT - by) * sizeof(*d->days));
	memset(d->days + HOUSE_KEPT - by, 0, by * sizeof(*d->days));
	d->today = today;
}

static void take_day(struct house_days *d, int64_t day, const struct series_day *from)
{
	const int64_t at = HOUSE_KEPT - 1 - (d->today - day);
	if (at < 0 || at >= HOUSE_KEPT || !from->has_states)
		return;
	struct house_day *to = &d->days[at];
	if (day < d->today && memcmp(to->s, from->states.seconds, sizeof(to->s)) != 0)
		d->past_of = 0;
	memcpy(to->s, from->states.seconds, sizeof(to->s));
	to->seen = true;
}

static void on_days(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	struct house_days *d = arg;
	d->query = NULL;
	if (!d->house) {
		days_free(d);
		return;
	}
	for (size_t i = 0; !err && i < n; i++)
		take_day(d, d->asked_from + (int64_t)i, &days[i]);
	if (!err)
		d->read_to = d->asked_from + (int64_t)n - 1;
	if (d->loaded && err)
		return;
	d->loaded = true; /* an error is tried again with the next refresh */
	house_refreshed(d->house);
}

void days_refresh(struct house *h)
{
	const int64_t today = house_now_ms(h) / HOUSE_DAY_MS;
	MAP_EACH (&h->days, e) {
		struct house_days *d = e->value;
		if (d->query || !d->series)
			continue;
		d->asked_from = today - HOUSE_KEPT + 1;
		if (d->read_to && d->read_to <= today)
			d->asked_from = d->read_to - 1;
		shift(d, today);
		d->query = series_days(
			d->series, d->asked_from, (size_t)(today - d->asked_from + 1), on_days, d);
	}
}

void days_forget(struct house *h)
{
	MAP_EACH (&h->days, e) {
		struct house_days *d = e->value;
		d->house = NULL;
		if (d->query)
			series_cancel(d->query);
		else
			days_free(d);
	}
	map_fini(&h->days);
	h->days_like = NULL;
}

bool days_all_loaded(const struct house *h)
{
	MAP_EACH (&h->days, e)
		if (!((struct house_days *)e->value)->loaded)
			return false;
	return true;
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static int64_t elapsed_s(int64_t day, int64_t now_ms)
{
	const int64_t s = (now_ms - day * HOUSE_DAY_MS) / 1000;
	return s < 0 ? 0 : s > HOUSE_DAY_S ? HOUSE_DAY_S : s;
}

void days_now(struct house *h, struct house_days *d)
{
	struct series_states s;
	shift(d, house_now_ms(h) / HOUSE_DAY_MS);
	if (!d->loaded || !judge_today(h->judge, d->id, &s))
		return;
	memcpy(d->days[HOUSE_KEPT - 1].s, s.seconds, sizeof(s.seconds));
	d->days[HOUSE_KEPT - 1].seen = true;
}

static int64_t seconds(const struct house_day *d)
{
	int64_t sum = 0;
	for (int i = 0; i < HEALTH_COUNT; i++)
		sum += d->s[i];
	return sum;
}

static json_t *day_json(const struct house_days *d, size_t at, int64_t now_ms)
{
	const int64_t day = d->today - (int64_t)(HOUSE_KEPT - 1 - at);
	const int64_t gap = elapsed_s(day, now_ms) - seconds(&d->days[at]);
	json_t *s = json_array(), *j = json_object(), *zero = json_integer(0); /* most are */
	for (int i = 0; i < HEALTH_COUNT; i++) {
		const uint32_t in_state = d->days[at].s[i];
		json_array_append_new(s, in_state ? json_integer(in_state) : json_incref(zero));
	}
	json_decref(zero);
	put_int(j, "day", day);
	put(j, "s", s);
	put_int(j, "gap", gap > 0 ? gap : 0);
	return j;
}

/* On most days all components were as well: such a day is one element, whoever shows it. */
static json_t *past_day(struct house_days *d, size_t at, int64_t now_ms)
{
	const struct house_days *like = d->house->days_like;
	if (like && like != d && like->past_of == d->today && like->today == d->today &&
		!memcmp(like->days[at].s, d->days[at].s, sizeof(d->days[at].s)))
		return json_incref(json_array_get(like->past, at - (HOUSE_KEPT - MODEL_DAYS)));
	return day_json(d, at, now_ms);
}

/* Of SITE: what lies before today changes once a day, so it is built once and shared by documents.
 */
static const json_t *past_json(struct house_days *d, int64_t now_ms)
{
	if (d->past && d->past_of == d->today)
		return d->past;
	json_decref(d->past);
	d->past = json_array();
	d->past_of = d->today;
	for (size_t i = HOUSE_KEPT - MODEL_DAYS; i + 1 < HOUSE_KEPT; i++)
		json_array_append_new(d->past, past_day(d, i, now_ms));
	d->house->days_like = d;
	return d->past;
}

json_t *days_json(struct house_days *d, size_t n, int64_t now_ms)
{
	json_t *list = json_array();
	if (n == MODEL_DAYS)
		json_array_extend(list, (json_t *)past_json(d, now_ms));
	else
		for (size_t i = HOUSE_KEPT - n; i + 1 < HOUSE_KEPT; i++)
			json_array_append_new(list, day_json(d, i, now_ms));
	json_array_append_new(list, day_json(d, HOUSE_KEPT - 1, now_ms));
	return list;
}

static void put_share(json_t *j, const char *key, int64_t part, int64_t whole)
{
	put(j, key, whole > 0 ? json_real((double)part / (double)whole) : json_null());
}

/* s: time in each state, total: all time; any unit. Maintenance is left out, or was down. */
static json_t *ratio(const int64_t *s, int64_t total, bool maintenance_counts)
{
	const int64_t up = s[HEALTH_OPERATIONAL] + s[HEALTH_DEGRADED];
	const int64_t declared = s[HEALTH_MAINTENANCE];
	const int64_t down = s[HEALTH_OUTAGE] + (maintenance_counts ? declared : 0);
	const int64_t known = up + down;
	const int64_t seen = up + s[HEALTH_OUTAGE] + s[HEALTH_UNKNOWN] + declared;
	if (total < seen) /* seconds are rounded */
		total = seen;
	const int64_t counted = total - (maintenance_counts ? 0 : declared);
	json_t *j = json_object();
	put_share(j, "up", up, known);
	put_share(j, "best", counted - down, counted);
	put_share(j, "worst", up, counted);
	put_share(j, "seen", seen, total);
	return j;
}

static json_t *range_ratio(const struct house_days *d, size_t from, size_t to, int64_t now_ms)
{
	int64_t s[HEALTH_COUNT] = {0}, total = 0;
	for (size_t i = from; i < to; i++) {
		total += elapsed_s(d->today - (int64_t)(HOUSE_KEPT - 1 - i), now_ms);
		for (int h = 0; h < HEALTH_COUNT; h++)
			s[h] += d->days[i].s[h];
	}
	return ratio(s, total, d->house->site->maintenance_counts);
}

json_t *days_ratio(const struct house_days *d, size_t n, int64_t now_ms)
{
	if (!n)
		return ratio(d->last_day_ms, HOUSE_DAY_MS, d->house->site->maintenance_counts);
	return range_ratio(d, HOUSE_KEPT - n, HOUSE_KEPT, now_ms);
}

/* --- months ----------------------------------------------------------------------------------- */

static void month_of(int64_t day, char *text)
{
	char at[CLOCK_TEXT];
	clock_rfc3339(day * HOUSE_DAY_S * 1000000, at);
	memcpy(text, at, 7); /* 2026-11 */
	text[7] = 0;
}

static bool any_seen(const struct house_days *d, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (d->days[i].seen)
			return true;
	return false;
}

/* Newest first, as far back as anything was observed. A month of which the first days are no longer
 * kept is left out. */
json_t *days_months(const struct house_days *d, int64_t now_ms)
{
	json_t *list = json_array();
	size_t to = HOUSE_KEPT;
	while (to > 0 && json_array_size(list) < 24) {
		char month[8], other[8];
		size_t from = to;
		month_of(d->today - (int64_t)(HOUSE_KEPT - to), month);
		do {
			from--;
			month_of(d->today - (int64_t)(HOUSE_KEPT - from), other);
		} while (from > 0 && !strcmp(month, other));
		if (from == 0 || (json_array_size(list) && !any_seen(d, 0, to)))
			break;
		json_t *j = range_ratio(d, from, to, now_ms);
		put_text(j, "month", month);
		json_array_append_new(list, j);
		to = from;
	}
	return list;
}
