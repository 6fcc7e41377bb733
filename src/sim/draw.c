#include "sim/draw.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const struct {
	const char *word;
	int64_t ms;
} times[TIME_COUNT] = {
#define TIME(name, word, ms) {word, ms},
#include "sim/times.def"
#undef TIME
};

/* No time is drawn longer than this many medians: a tail, but no test that waits for ever. */
#define DRAW_LONGEST 4.0

void draw_init(struct draw *d, uint64_t seed, double speed)
{
	*d = (struct draw){.seed = seed, .speed = speed > 0 ? speed : 1, .spread = 0.25};
	for (int i = 0; i < TIME_COUNT; i++)
		d->median_ns[i] = times[i].ms * NS_PER_MS;
}

void draw_fini(struct draw *d)
{
	MAP_EACH (&d->sequences, e)
		free(e->value);
	map_fini(&d->sequences);
}

bool draw_set_median(struct draw *d, struct slice word, int64_t ns)
{
	for (int i = 0; i < TIME_COUNT; i++)
		if (slice_is(word, times[i].word)) {
			d->median_ns[i] = ns;
			return true;
		}
	return false;
}

struct random *draw_sequence(struct draw *d, const char *name)
{
	struct random *r = map_get(&d->sequences, name);

	if (r)
		return r;
	uint64_t h =
		14695981039346656037u; /* FNV-1a: spreads names over seeds, no more is needed */
	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	r = mem_new(struct random);
	random_init_seed(r, d->seed ^ h);
	map_put(&d->sequences, name, r);
	return r;
}

double draw_unit(struct draw *d, const char *name)
{
	return random_unit(draw_sequence(d, name));
}

int64_t draw_time_ns(struct draw *d, enum draw_time t)
{
	struct random *r = draw_sequence(d, times[t].word);
	/* Box-Muller; 1 - u so that the logarithm never sees 0 */
	double u = 1 - random_unit(r), v = random_unit(r);
	double x = exp(d->spread * sqrt(-2 * log(u)) * cos(2 * M_PI * v));

	if (x > DRAW_LONGEST)
		x = DRAW_LONGEST;
	return (int64_t)((double)d->median_ns[t] * x / d->speed);
}

const char *draw_uuid(struct draw *d, const char *name, char *text)
{
	return random_uuid(draw_sequence(d, name), text);
}

const char *draw_hex32(struct draw *d, const char *name, char *text)
{
	char uuid[UUID_TEXT];
	size_t n = 0;

	draw_uuid(d, name, uuid);
	for (const char *p = uuid; *p; p++)
		if (*p != '-')
			text[n++] = *p;
	text[n] = 0;
	return text;
}
