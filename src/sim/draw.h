/*
 * draw.h - everything that happens by chance in the simulated cloud, drawn from named sequences.
 *
 * A sequence is named by what it serves ("server", "time server_spawn", …) and starts from the seed
 * and that name alone, so that what one part draws never shifts what another part gets.
 * Thread: the loop's.
 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/random.h"
#include "base/slice.h"

enum draw_time {
#define TIME(name, word, ms) TIME_##name,
#include "sim/times.def"
#undef TIME
	TIME_COUNT
};

struct draw {
	uint64_t seed;
	double speed;
	double spread; /* sigma of the logarithm; 0: every time is the median */
	int64_t median_ns[TIME_COUNT];
	struct map sequences; /* name -> struct random * */
};

void draw_init(struct draw *d, uint64_t seed, double speed);
void draw_fini(struct draw *d);
/* Another median, from the faults file; false when there is no time of that name. */
bool draw_set_median(struct draw *d, struct slice word, int64_t ns);
struct random *draw_sequence(struct draw *d, const char *name); /* borrows */
int64_t draw_time_ns(struct draw *d, enum draw_time t);
double draw_unit(struct draw *d, const char *name); /* [0, 1) */
/* A version 4 UUID of that sequence; returns `text` (UUID_TEXT bytes). */
const char *draw_uuid(struct draw *d, const char *name, char *text);
/* 32 hexadecimal digits, as keystone's ids are. Returns `text` (33 bytes). */
const char *draw_hex32(struct draw *d, const char *name, char *text);

#endif
