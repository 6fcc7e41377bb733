/*
 * code.h - numbers as bytes: LEB128 varints, zigzag, little-endian words; and texts.
 *
 * Reading never passes the end: a reader that would turns `bad` true and yields zeros from there,
 * so that a decoder looks once at the end of each part. Thread: one at a time.
 */
#ifndef STORE_CODE_H
#define STORE_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

struct code_in {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct code_in code_in(const void *p, size_t n)
{
	return (struct code_in){p, (const uint8_t *)p + n, false};
}

static inline size_t code_left(const struct code_in *in)
{
	return in->bad ? 0 : (size_t)(in->end - in->p);
}

/* Cuts the next n bytes off; NULL when there are fewer. */
static inline const uint8_t *code_bytes(struct code_in *in, uint64_t n)
{
	if (n > code_left(in)) {
		in->bad = true;
		return NULL;
	}
	const uint8_t *p = in->p;
	in->p += n;
	return p;
}

static inline uint8_t code_byte(struct code_in *in)
{
	const uint8_t *p = code_bytes(in, 1);
	return p ? *p : 0;
}

static inline uint64_t code_varint(struct code_in *in)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t b = code_byte(in);
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return in->bad ? 0 : v;
	}
	in->bad = true;
	return 0;
}

static inline uint64_t code_zigzag(int64_t v)
{
	return (uint64_t)v * 2 ^ (uint64_t)(v >> 63);
}

static inline int64_t code_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline uint64_t code_word(struct code_in *in, unsigned bytes)
{
	const uint8_t *p = code_bytes(in, bytes);
	uint64_t v = 0;
	for (unsigned i = 0; p && i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static inline double code_real(struct code_in *in)
{
	const uint64_t bits = code_word(in, 8);
	double x;
	memcpy(&x, &bits, 8);
	return x;
}

/* At most `max` bytes of UTF-8 without a NUL inside; "" for an empty one. Borrowed of the input. */
static inline const char *code_text(struct code_in *in, size_t max)
{
	const uint64_t n = code_varint(in);
	const char *p = n <= max ? (const char *)code_bytes(in, n ? n + 1 : 0) : NULL;
	if (p && (!n || (!p[n] && !memchr(p, 0, n) && utf8_valid(slice_from(p, n)))))
		return n ? p : "";
	in->bad = true;
	return "";
}

static inline void code_put_varint(struct buf *out, uint64_t v)
{
	char b[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		b[n++] = (char)(v | 0x80);
	b[n++] = (char)v;
	buf_add(out, b, n);
}

/* NULL is as empty as "". The NUL goes with it, so that it can be read in its place. */
static inline void code_put_text(struct buf *out, const char *s)
{
	const size_t n = s ? strlen(s) : 0;
	code_put_varint(out, n);
	if (n)
		buf_add(out, s, n + 1);
}

static inline void code_put_word(struct buf *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_add_char(out, (char)(v >> (8 * i)));
}

static inline void code_put_real(struct buf *out, double x)
{
	uint64_t bits;
	memcpy(&bits, &x, 8);
	code_put_word(out, bits, 8);
}

#endif
