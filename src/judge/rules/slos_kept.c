/*
 * slos_kept.c - what counts for objectives, by minutes and hours, heard and read.
 */

#include <math.h>

#include "base/zone.h"
#include "judge/rules/slos_inside.h"

#define MINUTE_MS 60000LL
#define RECENT_MS (2 * SERIES_HOUR_MS) /* read by the minute; before that, by ten */
#define TEN_MS    (10 * MINUTE_MS)
#define DAY_S     86400LL

int64_t slos_now_ms(const struct slos *s)
{
	return clock_unix_us(loop_clock(s->loop)) / 1000;
}

/* --- cells
 * ---------------------------------------------------------------------------------------------- */

static void cells_init(struct cells *c, int64_t width_ms, size_t n)
{
	*c = (struct cells){mem_new_array(n, sizeof(*c->p)), n, width_ms};
}

struct counted { /* what one sample or point adds */
	double good, bad;
};

/* What is selected as a part counts as that; of a ratio the whole comes from its own series. */
static void cells_add(
	struct cells *c, const struct slo_series *s, int64_t at_ms, const struct counted *n)
{
	const struct slo *slo = s->kept->slo;
	const int64_t index = at_ms / c->width_ms;
	struct cell *cell = &c->p[(size_t)index % c->n];
	if (cell->index > index)
		return; /* older than what is kept */
	if (cell->index != index)
		*cell = (struct cell){.index = index};
	if (!slo->has_whole) {
		cell->t.good += n->good;
		cell->t.whole += n->good + n->bad;
	} else if (s->is_whole) {
		cell->t.whole += n->good + n->bad;
	} else if (slo->part_is_bad) {
		cell->bad += s->kind == SERIES_PROBE ? n->bad : n->good;
	} else {
		cell->t.good += n->good;
	}
}

static void add_cell(const struct kept *k, const struct cell *c, struct tally *t)
{
	double good = k->slo->part_is_bad ? c->t.whole - c->bad : c->t.good;
	good = good > c->t.whole ? c->t.whole : good < 0 ? 0 : good; /* two sources may differ */
	t->good += good;
	t->whole += c->t.whole;
}

static struct tally cells_sum(
	const struct kept *k, const struct cells *c, int64_t from_ms, int64_t to_ms)
{
	struct tally t = {0};
	for (int64_t i = (from_ms + c->width_ms - 1) / c->width_ms; i * c->width_ms < to_ms; i++) {
		const struct cell *cell = &c->p[(size_t)i % c->n];
		if (cell->index == i)
			add_cell(k, cell, &t);
	}
	return t;
}

struct tally kept_minutes(const struct kept *k, int64_t from_ms, int64_t to_ms)
{
	return cells_sum(k, &k->minutes, from_ms, to_ms);
}

/* --- the window of an objective
 * ------------------------------------------------------------------------- */

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t y, int64_t m)
{
	y -= m <= 2;
	const int64_t era = y / 400, yoe = y - era * 400;
	const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* The first day of the span in which the day lies. */
static int64_t first_day(enum slo_span span, int64_t day)
{
	int64_t year = 1970 + day / 366, month = 12;
	if (span == SLO_DAY)
		return day;
	if (span == SLO_WEEK)
		return day - (day + 3) % 7; /* 1970-01-01 was a Thursday; weeks begin on Monday */
	while (days_of(year + 1, 1) <= day)
		year++;
	while (days_of(year, month) > day)
		month--;
	if (span == SLO_YEAR)
		month = 1;
	else if (span == SLO_QUARTER)
		month -= (month - 1) % 3;
	return days_of(year, month);
}

int64_t kept_begin_ms(const struct kept *k, int64_t at_ms)
{
	if (k->slo->span == SLO_ROLLING)
		return at_ms - k->slo->over_ms;
	const int64_t at_s = at_ms / 1000;
	const int64_t day = (at_s + zone_offset_s(k->zone, at_s)) / DAY_S;
	return zone_moment_s(k->zone, first_day(k->slo->span, day) * DAY_S) * 1000;
}

/* Whole hours, and the minutes of the one that lasts. */
struct tally kept_budget(const struct kept *k, int64_t at_ms)
{
	const int64_t hour = at_ms / SERIES_HOUR_MS * SERIES_HOUR_MS;
	struct tally t = cells_sum(k, &k->hours, kept_begin_ms(k, at_ms), hour);
	const struct tally rest = kept_minutes(k, hour, at_ms);
	t.good += rest.good;
	t.whole += rest.whole;
	return t;
}

/* --- what samples and points count
 * ------------------------------------------------------------------------ */

/* As histograms have it, whether one value is looked at or a bucket of them. */
static bool within(const struct slo *slo, double value)
{
	const unsigned index = loglin_index((uint64_t)fmax(value, 0), LOGLIN_COARSE);
	const unsigned limit = loglin_index((uint64_t)fmax(slo->limit, 0), LOGLIN_COARSE);
	return slo->op == SLO_LESS ? index <= limit : index >= limit;
}

static struct counted count_hist(
	const struct slo *slo, const struct series_hist *h, uint64_t ok, double failed)
{
	struct counted c = {0};
	for (size_t i = 0; i < h->n; i++)
		if (within(slo, (double)loglin_middle(h->p[i].index, LOGLIN_COARSE)))
			c.good += h->p[i].count;
	c.bad = (double)ok - c.good + failed;
	return c;
}

/* Of single values: exact where all of them lie on one side. */
static struct counted count_values(const struct slo *slo, double n, double min, double max)
{
	const double low = slo->op == SLO_LESS ? min : -max,
		     high = slo->op == SLO_LESS ? max : -min;
	const double limit = slo->op == SLO_LESS ? slo->limit : -slo->limit;
	if (slo->op == SLO_ANY || high <= limit)
		return (struct counted){n, 0};
	if (low > limit)
		return (struct counted){0, n};
	const double good =
		floor(n * (limit - low) / (high - low)); /* as if they were spread evenly */
	return (struct counted){good, n - good};
}

static void add(struct slo_series *s, int64_t at_ms, struct counted c, bool minutes, bool hours)
{
	if (minutes)
		cells_add(&s->kept->minutes, s, at_ms, &c);
	if (hours)
		cells_add(&s->kept->hours, s, at_ms, &c);
}

static void on_sample(void *arg, const struct series_sample *p)
{
	struct slo_series *s = arg;
	const struct slo *slo = s->kept->slo;
	struct counted c = {0};
	if (s->kind == SERIES_PROBE && p->fault != FAULT_NONE)
		c.bad = fault_whose(p->fault) == WHOSE_CLOUD;
	else if (s->kind == SERIES_PROBE)
		c.good = slo->op == SLO_ANY || within(slo, (double)p->total_us);
	else if (s->kind == SERIES_DIST)
		c = slo->op == SLO_ANY ? (struct counted){(double)p->n, 0}
				       : count_hist(slo, p->hist, p->n, 0);
	else if (s->kind == SERIES_SUM)
		c.good = p->value;
	else
		c = count_values(slo, 1, p->value, p->value);
	if (s->kind == SERIES_PROBE && p->fault == FAULT_NONE)
		c.bad = !c.good;
	add(s, p->at_ms, c, true, true);
}

static struct counted count_point(const struct slo_series *s, const struct series_point *p)
{
	const struct slo *slo = s->kept->slo;
	double failed = 0;
	for (int f = 0; f < FAULT_COUNT && p->n > p->ok; f++)
		if (fault_whose((enum fault)f) == WHOSE_CLOUD)
			failed += p->faults[f];
	if (s->kind == SERIES_SUM)
		return (struct counted){p->sum, 0};
	if (s->kind == SERIES_GAUGE)
		return count_values(slo, (double)p->n, p->min, p->max);
	if (slo->op == SLO_ANY)
		return (struct counted){(double)p->ok, failed};
	return count_hist(slo, &p->hist, p->ok, failed);
}

/* --- reading
 * -----------------------------------------------------------------------------------------------
 */

struct span_read { /* which cells the points of one reading are for */
	bool minutes, hours;
};
static struct span_read only_minutes = {true, false}, only_hours = {false, true},
			both = {true, true};

static void on_points(void *arg, void *more, const struct series_points *points, int64_t to_ms,
	const struct error *err)
{
	struct slo_series *s = arg;
	const struct span_read *r = more;
	for (size_t i = 0; !err && i < points->n; i++)
		if (points->p[i].at_ms < to_ms)
			add(s, points->p[i].at_ms, count_point(s, &points->p[i]), r->minutes,
				r->hours);
	s->kept->reading--;
}

/* What is read ends where hearing begins. */
static void begin_to_hear(void *arg, int64_t *to_ms)
{
	struct slo_series *s = arg;
	*to_ms = slos_now_ms(s->kept->slos) + 1;
	s->listener.heard = on_sample;
	s->listener.arg = s;
	series_listen(s->series, &s->listener);
}

static void read_span(struct slo_series *s, int64_t from_ms, int64_t to_ms, int64_t step_ms,
	struct span_read *what, bool hear)
{
	struct slos *slos = s->kept->slos;
	if (from_ms >= to_ms)
		return;
	reads_add(slos->reads, &(struct read_wanted){.series = s->series,
				       .from_ms = from_ms,
				       .to_ms = to_ms,
				       .step_ms = step_ms,
				       .begin = hear ? begin_to_hear : NULL,
				       .done = on_points,
				       .arg = s,
				       .more = what});
	s->kept->reading++;
}

/* What was before: hours for the budget, then tens of minutes, then minutes up to now. */
static void read_before(struct slo_series *s)
{
	struct slos *slos = s->kept->slos;
	const int64_t now = slos->at_ms;
	const int64_t hour = now / SERIES_HOUR_MS * SERIES_HOUR_MS;
	const int64_t recent = hour - RECENT_MS;
	const int64_t begin = kept_begin_ms(s->kept, now) / SERIES_HOUR_MS * SERIES_HOUR_MS;
	const int64_t longest = hour - SLO_LONG_MAX_MS - SERIES_HOUR_MS;
	read_span(s, begin < 0 ? 0 : begin, hour, SERIES_HOUR_MS, &only_hours, false);
	read_span(s, longest < 0 ? 0 : longest, recent, TEN_MS, &only_minutes, false);
	read_span(s, recent, hour, MINUTE_MS, &only_minutes, false);
	if (slos->listens)
		read_span(s, hour, now + 1, MINUTE_MS, &both, true);
}

void slos_read_hour(struct slos *slos)
{
	for (size_t i = 0; i < slos->n; i++)
		VEC_EACH (&slos->kept[i].attached, struct slo_series *, s)
			read_span(*s, slos->read_ms, slos->read_ms + SERIES_HOUR_MS, MINUTE_MS,
				&both, false);
	slos->read_ms += SERIES_HOUR_MS;
}

/* --- series
 * ----------------------------------------------------------------------------------------------------
 */

static void attach(struct kept *k, struct series *series, bool is_whole)
{
	struct slo_series *s = mem_new(struct slo_series);
	s->series = series;
	s->kept = k;
	s->is_whole = is_whole;
	s->kind = series_kind(series);
	vec_push(&k->attached, s);
	read_before(s);
}

bool slos_take_series(struct slos *s, int64_t until_ns)
{
	struct series *one;
	while ((one = series_nth(s->store, s->taken))) {
		s->taken++;
		for (size_t i = 0; i < s->n; i++) {
			struct kept *k = &s->kept[i];
			if (selector_fits(&k->slo->part, one))
				attach(k, one, false);
			if (k->slo->has_whole && selector_fits(&k->slo->whole, one))
				attach(k, one, true);
		}
		if (clock_mono_ns(&clock_system) > until_ns)
			return false;
	}
	return true;
}

/* --- life
 * -------------------------------------------------------------------------------------------------------
 */

void kept_init(struct kept *k, struct slos *s, const struct slo *slo)
{
	const int64_t over = slo->span == SLO_ROLLING ? slo->over_ms : SLO_OVER_MAX_MS;
	k->slos = s;
	k->slo = slo;
	k->by = mem_printf("slo:%s", slo->name);
	k->zone = zone_load(slo->timezone, NULL);
	k->zone = k->zone ? k->zone : zone_load(NULL, NULL); /* it was there when it was read */
	cells_init(&k->minutes, MINUTE_MS, (size_t)(SLO_LONG_MAX_MS / MINUTE_MS) + 3 * 60);
	cells_init(&k->hours, SERIES_HOUR_MS, (size_t)(over / SERIES_HOUR_MS) + 27);
}

void kept_fini(struct kept *k)
{
	VEC_EACH (&k->attached, struct slo_series *, s) {
		series_unlisten((*s)->series, &(*s)->listener);
		free(*s);
	}
	vec_fini(&k->attached);
	zone_free(k->zone);
	free(k->minutes.p);
	free(k->hours.p);
	free(k->by);
	free(k->text);
	json_decref(k->evidence);
}
