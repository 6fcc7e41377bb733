/*
 * random.h - randomness that can be given: from the system, or from a seed for repeatable runs.
 *
 * Secrets always come from the system. Thread: the system source any; a seeded one its owner.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	bool seeded;
	uint64_t state[4]; /* xoshiro256** */
};

extern struct random random_system;

void random_init_seed(struct random *r, uint64_t seed);
uint64_t random_u64(struct random *r);
uint64_t random_below(struct random *r, uint64_t n); /* uniform in [0, n), n > 0 */
double random_unit(struct random *r);                /* [0, 1) */
void random_fill(struct random *r, void *p, size_t n);
/* RFC 9562 version 4 in lower case, 36 characters and NUL. Returns `text`. */
#define UUID_TEXT 37
const char *random_uuid(struct random *r, char *text);

#endif
