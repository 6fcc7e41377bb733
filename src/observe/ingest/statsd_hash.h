/*
 * statsd_hash.h - a quick hash of short texts, in the manner of wyhash: two multiplications for 16
 * bytes. Its seed is random per table, so that outsiders cannot choose collisions. Thread: any.
 */
#ifndef OBSERVE_INGEST_STATSD_HASH_H
#define OBSERVE_INGEST_STATSD_HASH_H

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

#define STATSD_HASH_A 0xa0761d6478bd642fULL
#define STATSD_HASH_B 0xe7037ed1a0b428dbULL

static inline uint64_t statsd_hash_mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 r = (unsigned __int128)a * b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static inline uint64_t statsd_hash_load(const char *p)
{
	uint64_t x;
	memcpy(&x, p, 8);
	return x;
}

static inline uint64_t statsd_hash(struct slice s, uint64_t seed)
{
	const char *p = s.p;
	size_t n = s.n;
	uint64_t h = seed ^ STATSD_HASH_A, a = 0, b = 0;
	for (; n > 16; p += 16, n -= 16)
		h = statsd_hash_mix(
			statsd_hash_load(p) ^ STATSD_HASH_B, statsd_hash_load(p + 8) ^ h);
	if (n >= 8) { /* both ends, which may overlap */
		a = statsd_hash_load(p);
		b = statsd_hash_load(p + n - 8);
	} else {
		for (size_t i = 0; i < n; i++)
			a = a << 8 | (unsigned char)p[i];
	}
	return statsd_hash_mix(STATSD_HASH_B ^ s.n, statsd_hash_mix(a ^ STATSD_HASH_B, b ^ h));
}

#endif
