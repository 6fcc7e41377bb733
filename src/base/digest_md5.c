/*
 * digest_md5.c - RFC 1321; see digest.h.
 */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

static uint32_t rotated(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t little(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The integer parts of 2^32 * abs(sin(i + 1)). */
static const uint32_t sines[64] = {0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf,
	0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51,
	0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
	0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
	0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82,
	0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static void take_block(struct digest_md5 *d, const uint8_t *p)
{
	static const unsigned turns[4][4] = {
		{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	uint32_t a = d->state[0], b = d->state[1], c = d->state[2], e = d->state[3];
	for (unsigned i = 0; i < 64; i++) {
		const unsigned round = i / 16;
		uint32_t f;
		unsigned word;
		if (round == 0)
			f = (b & c) | (~b & e), word = i;
		else if (round == 1)
			f = (e & b) | (~e & c), word = (5 * i + 1) % 16;
		else if (round == 2)
			f = b ^ c ^ e, word = (3 * i + 5) % 16;
		else
			f = c ^ (b | ~e), word = 7 * i % 16;
		f += a + sines[i] + little(p + 4 * word);
		a = e;
		e = c;
		c = b;
		b += rotated(f, turns[round][i % 4]);
	}
	d->state[0] += a;
	d->state[1] += b;
	d->state[2] += c;
	d->state[3] += e;
}

void digest_md5_init(struct digest_md5 *d)
{
	*d = (struct digest_md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void digest_md5_add(struct digest_md5 *d, const void *p, size_t n)
{
	const uint8_t *from = p;
	while (n) {
		const size_t at = d->length % 64;
		const size_t some = n < 64 - at ? n : 64 - at;
		memcpy(d->block + at, from, some);
		d->length += some;
		from += some;
		n -= some;
		if (at + some == 64)
			take_block(d, d->block);
	}
}

void digest_md5_hex(struct digest_md5 *d, char *ret_33)
{
	static const uint8_t padding[64] = {0x80};
	const uint64_t bits = d->length * 8;
	uint8_t length[8];
	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (8 * i));
	digest_md5_add(d, padding, 1 + (119 - d->length % 64) % 64);
	digest_md5_add(d, length, sizeof(length));
	for (unsigned i = 0; i < MD5_BYTES; i++)
		snprintf(
			ret_33 + (size_t)2 * i, 3, "%02x", d->state[i / 4] >> (8 * (i % 4)) & 0xff);
}
