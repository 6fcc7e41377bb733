/*
 * series_hist.c - see series_hist.h. Buckets are kept sparse and sorted: a probe's times fall into
 * a few of them.
 */

#include "store/series_hist.h"

#include "base/search.h"
#include "base/vec.h"

unsigned loglin_index(uint64_t value, unsigned bits)
{
	if (value > LOGLIN_MAX)
		value = LOGLIN_MAX;
	if (value < 2ULL << bits)
		return (unsigned)value;
	const unsigned shift = 63 - (unsigned)__builtin_clzll(value) - bits;
	return (shift << bits) + (unsigned)(value >> shift);
}

uint64_t loglin_middle(unsigned index, unsigned bits)
{
	if (index < 2u << bits)
		return index;
	const unsigned shift = (index >> bits) - 1;
	const uint64_t low = (uint64_t)((index & ((1u << bits) - 1)) + (1u << bits)) << shift;
	return low + (1ULL << shift) / 2;
}

void series_hist_fini(struct series_hist *h)
{
	vec_fini(h);
}

static bool is_lower(const void *bucket, const void *index)
{
	return ((const struct series_bucket *)bucket)->index < *(const unsigned *)index;
}

static void add_index(struct series_hist *h, unsigned index, uint32_t count)
{
	const size_t at = search_before(h->p, h->n, sizeof(*h->p), is_lower, &index);
	if (at < h->n && h->p[at].index == index) {
		const uint64_t sum = (uint64_t)h->p[at].count + count;
		h->p[at].count = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
		return;
	}
	(void)vec_add(h);
	memmove(&h->p[at + 1], &h->p[at], (h->n - 1 - at) * sizeof(*h->p));
	h->p[at] = (struct series_bucket){(uint16_t)index, count};
}

void series_hist_add(struct series_hist *h, uint64_t value, uint32_t count)
{
	if (count)
		add_index(h, loglin_index(value, LOGLIN_COARSE), count);
}

void series_hist_merge(struct series_hist *h, const struct series_hist *other)
{
	for (size_t i = 0; i < other->n; i++)
		add_index(h, other->p[i].index, other->p[i].count);
}

uint64_t series_hist_count(const struct series_hist *h)
{
	uint64_t n = 0;
	for (size_t i = 0; i < h->n; i++)
		n += h->p[i].count;
	return n;
}

double series_hist_quantile(const struct series_hist *h, double q)
{
	const double all = (double)series_hist_count(h);
	double seen = 0;
	for (size_t i = 0; i < h->n; i++) {
		seen += h->p[i].count;
		if (seen >= q * all)
			return (double)loglin_middle(h->p[i].index, LOGLIN_COARSE);
	}
	return 0;
}

/* A byte 0xGC is a gap G (0..14) and a count C (1..15); G = 15 or C = 0 says that the number
 * follows as a varint instead, the gap's first. */
void series_hist_write(struct buf *out, const struct series_hist *h)
{
	unsigned next = 0;
	code_put_varint(out, h->n);
	for (size_t i = 0; i < h->n; i++) {
		const unsigned gap = h->p[i].index - next;
		const uint32_t count = h->p[i].count;
		buf_add_char(out, (char)((gap < 15 ? gap : 15) << 4 | (count < 16 ? count : 0)));
		if (gap >= 15)
			code_put_varint(out, gap);
		if (count >= 16)
			code_put_varint(out, count);
		next = h->p[i].index + 1u;
	}
}

bool series_hist_read(struct code_in *in, struct series_hist *h)
{
	const unsigned limit = loglin_index(LOGLIN_MAX, LOGLIN_COARSE);
	const uint64_t n = code_varint(in);
	if (n > limit + 1)
		in->bad = true;
	uint64_t next = 0;
	for (uint64_t i = 0; i < n && !in->bad; i++) {
		const uint8_t b = code_byte(in);
		const uint64_t gap = b >> 4 == 15 ? code_varint(in) : b >> 4;
		const uint64_t count = b & 15 ? b & 15u : code_varint(in);
		if (gap > limit || next + gap > limit || !count || count > UINT32_MAX) {
			in->bad = true;
			break;
		}
		vec_push(h, ((struct series_bucket){(uint16_t)(next + gap), (uint32_t)count}));
		next += gap + 1;
	}
	return !in->bad;
}
