/*
 * random.c - see random.h. xoshiro256** (Blackman and Vigna), seeded by splitmix64.
 */

#include "base/random.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct random random_system;

void random_init_seed(struct random *r, uint64_t seed)
{
	r->seeded = true;
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		r->state[i] = z ^ (z >> 31);
	}
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t random_u64(struct random *r)
{
	if (!r->seeded) {
		uint64_t x;
		randombytes_buf(&x, sizeof(x));
		return x;
	}
	uint64_t *s = r->state;
	const uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	assert(n > 0);
	const uint64_t floor = -n % n; /* 2^64 mod n: below it the remainders are not uniform */
	uint64_t x;
	do
		x = random_u64(r);
	while (x < floor);
	return x % n;
}

double random_unit(struct random *r)
{
	return (double)(random_u64(r) >> 11) * 0x1p-53;
}

void random_fill(struct random *r, void *p, size_t n)
{
	unsigned char *q = p;
	while (n) {
		const uint64_t x = random_u64(r);
		const size_t part = n < sizeof(x) ? n : sizeof(x);
		memcpy(q, &x, part);
		q += part;
		n -= part;
	}
}

const char *random_uuid(struct random *r, char *text)
{
	unsigned char b[16];
	random_fill(r, b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, UUID_TEXT,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
	return text;
}
