/*
 * change.c - see change.h.
 */

#include "judge/rules/change.h"

#include <math.h>

#define HOUR_MS     3600000LL
#define SHORTEST_MS 240000LL
#define LONGEST_MS  (12 * HOUR_MS)
#define MOST_ALIKE  0.95

void change_init(struct change *c, uint64_t seed)
{
	*c = (struct change){.draw = seed ? seed : 1, .hour = -1, .young = true};
}

bool change_is_young(const struct change *c)
{
	return c->young;
}

int change_hour(int64_t at_ms, int64_t width_ms)
{
	const bool sees_days = width_ms >= SHORTEST_MS && width_ms <= LONGEST_MS;
	return sees_days ? (int)(at_ms / HOUR_MS % CHANGE_HOURS) : -1;
}

/* --- ranks ------------------------------------------------------------------------------------ */

/* xorshift64*: in [0, 1). */
static double draw(struct change *c)
{
	c->draw ^= c->draw >> 12;
	c->draw ^= c->draw << 25;
	c->draw ^= c->draw >> 27;
	return (double)((c->draw * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

/* The value below which a share p of a normal distribution lies, by bisection of erfc(). */
static double normal_score(double p)
{
	double low = -8, high = 8;
	for (int i = 0; i < 40; i++) {
		const double middle = (low + high) / 2;
		if (erfc(-middle / M_SQRT2) / 2 < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

static double score(struct change *c, const struct change_past *past, double value)
{
	size_t less = 0, equal = 0;
	for (size_t i = 0; i < past->n; i++) {
		less += past->p[i] < value;
		equal += past->p[i] == value;
	}
	const double rank = (double)less + floor(draw(c) * (double)(equal + 1));
	return normal_score((rank + 0.5) / (double)(past->n + 1));
}

static void keep(struct change_past *past, double value)
{
	past->p[past->at] = value;
	past->at = (past->at + 1) % CHANGE_PAST;
	past->n += past->n < CHANGE_PAST;
}

/* --- what is as it always is ------------------------------------------------------------------ */

static void end_hour(struct change_hour *h)
{
	if (!h->n)
		return;
	h->days += h->days < CHANGE_DAYS;
	h->mean += (h->sum / h->n - h->mean) / h->days;
	h->sum = 0;
	h->n = 0;
}

static void see_hour(struct change *c, int hour)
{
	if (hour != c->hour && c->hour >= 0)
		end_hour(&c->hours[c->hour]);
	c->hour = hour;
}

/* How much of a rest the next one repeats. */
static double likeness(const struct change *c)
{
	const double like = c->variance > 0 ? c->product / c->variance : 0;
	return like < 0 ? 0 : like > MOST_ALIKE ? MOST_ALIKE : like;
}

static void learn_hour(struct change *c, double of_value)
{
	if (c->hour < 0)
		return;
	c->hours[c->hour].sum += of_value;
	c->hours[c->hour].n++;
}

static void learn_likeness(struct change *c, double rest)
{
	const double weight = ++c->rest_count < CHANGE_MEMORY ? c->rest_count : CHANGE_MEMORY;
	c->product += (rest * c->rest - c->product) / weight;
	c->variance += (rest * rest - c->variance) / weight;
}

/* --- the sum ---------------------------------------------------------------------------------- */

/* What lasts is the new normal: its past begins with it. */
static void accept(struct change *c)
{
	change_init(c, c->draw);
}

static void add_up(struct change *c, double z)
{
	const double sum = c->sum + z - CHANGE_DRIFT;
	c->sum = sum < 0 ? 0 : sum > CHANGE_LIMIT ? CHANGE_LIMIT : sum;
	if (!c->changed && sum > CHANGE_LIMIT)
		c->changed = true;
	else if (c->changed && c->sum <= 0)
		c->changed = false;
	c->lasting = c->changed ? c->lasting + 1 : 0;
}

bool change_take(struct change *c, double value, int hour)
{
	const bool stands = c->changed;
	see_hour(c, hour);
	if (c->values.n < CHANGE_LEAST) {
		keep(&c->values, value);
		return false;
	}
	const struct change_hour *same = hour >= 0 ? &c->hours[hour] : NULL;
	const double of_value = score(c, &c->values, value);
	const double rest = of_value - (same ? same->mean : 0);
	const double left = rest - likeness(c) * c->rest;
	const bool comparable = !same || same->days; /* with a day before */
	c->young = c->rests.n < CHANGE_LEAST || !comparable;
	if (!c->young)
		add_up(c, score(c, &c->rests, left));
	if (!stands) {
		keep(&c->values, value);
		learn_hour(c, of_value);
	}
	if (!stands && comparable) {
		keep(&c->rests, left);
		learn_likeness(c, rest);
	}
	c->rest = rest;
	if (c->lasting > CHANGE_PAST)
		accept(c);
	return c->changed;
}
