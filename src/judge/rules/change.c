/*
 * change.c - see change.h.
 */

#include "judge/rules/change.h"

#include <math.h>

void change_init(struct change *c, uint64_t seed)
{
	*c = (struct change){.draw = seed ? seed : 1};
}

bool change_is_young(const struct change *c)
{
	return c->n < CHANGE_LEAST;
}

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

static double score(struct change *c, double value)
{
	size_t less = 0, equal = 0;
	for (size_t i = 0; i < c->n; i++) {
		less += c->past[i] < value;
		equal += c->past[i] == value;
	}
	const double rank = (double)less + floor(draw(c) * (double)(equal + 1));
	return normal_score((rank + 0.5) / (double)(c->n + 1));
}

static void keep(struct change *c, double value)
{
	c->past[c->at] = value;
	c->at = (c->at + 1) % (CHANGE_PAST - 1);
	c->n += c->n < CHANGE_PAST - 1;
}

/* What lasts is the new normal: its past begins with it. */
static void accept(struct change *c)
{
	c->n = c->at = 0;
	c->sum = 0;
	c->changed = false;
	c->lasting = 0;
}

bool change_take(struct change *c, double value)
{
	if (change_is_young(c)) {
		keep(c, value);
		return false;
	}
	const double sum = c->sum + score(c, value) - CHANGE_DRIFT;
	c->sum = sum < 0 ? 0 : sum > CHANGE_LIMIT ? CHANGE_LIMIT : sum;
	if (!c->changed)
		keep(c, value);
	if (!c->changed && sum > CHANGE_LIMIT)
		c->changed = true;
	else if (c->changed && c->sum <= 0)
		c->changed = false;
	c->lasting = c->changed ? c->lasting + 1 : 0;
	if (c->lasting > CHANGE_PAST)
		accept(c);
	return c->changed;
}
