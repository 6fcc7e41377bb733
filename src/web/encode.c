/*
 * encode.c - see encode.h.
 *
 * The header is read in one pass without copying: members between commas, each a name and perhaps
 * a weight q=0..1 with at most three digits. A member that is not written so is left out.
 */

#include "web/encode.h"

#include <assert.h>
#include <brotli/encode.h>
#include <zlib.h>

#define NOT_SAID (-1)

const char *coding_name(enum coding c)
{
	static const char *const names[CODING_COUNT] = {
		[CODING_GZIP] = "gzip", [CODING_BROTLI] = "br"};
	return names[c];
}

/* "0.25" as 250; -1 when it is no weight (RFC 9110 12.4.2). */
static int read_weight(struct slice s)
{
	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
		return -1;
	int thousandths = 0, unit = 100;
	for (size_t i = 2; i < s.n; i++, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		thousandths += (s.p[i] - '0') * unit;
	}
	if (s.p[0] == '0')
		return thousandths;
	return thousandths ? -1 : 1000;
}

/* A member without its parameters; its weight, or -1 when it is badly written. */
static int read_member(struct slice member, struct slice *ret_name)
{
	struct slice part;
	int weight = 1000;
	if (!slice_next(&member, ';', &part))
		return -1;
	*ret_name = slice_trim(part);
	while (member.n && slice_next(&member, ';', &part)) {
		part = slice_trim(part);
		if (slice_starts(part, "q=") || slice_starts(part, "Q="))
			weight = read_weight(slice_sub(part, 2, part.n));
	}
	return weight;
}

static enum coding coding_of(struct slice name)
{
	if (slice_is_nocase(name, "gzip") || slice_is_nocase(name, "x-gzip"))
		return CODING_GZIP;
	if (slice_is_nocase(name, "br"))
		return CODING_BROTLI;
	return slice_is_nocase(name, "identity") ? CODING_IDENTITY : CODING_COUNT;
}

enum coding encode_choose(const char *accept, unsigned have)
{
	int said[CODING_COUNT] = {NOT_SAID, NOT_SAID, NOT_SAID}, any = NOT_SAID;
	struct slice rest = slice_of(accept), member, name = {0};
	if (!rest.n)
		return CODING_IDENTITY;
	while (rest.n && slice_next(&rest, ',', &member)) {
		const int weight = read_member(member, &name);
		const enum coding c = coding_of(name);
		if (weight < 0)
			continue;
		if (c != CODING_COUNT)
			said[c] = weight;
		else if (slice_is(name, "*"))
			any = weight;
	}
	enum coding best = CODING_IDENTITY;
	/* identity is acceptable unless refused, and the last resort unless asked for */
	int most = said[CODING_IDENTITY] != NOT_SAID ? said[CODING_IDENTITY] : 0;
	for (enum coding c = CODING_GZIP; c < CODING_COUNT; c++) {
		const int weight = said[c] != NOT_SAID ? said[c] : any;
		if (!(have & 1u << c) || weight <= 0 || weight < most)
			continue;
		best = c;
		most = weight;
	}
	return best;
}

/* --- making them ---------------------------------------------------------------------------------
 */

static size_t to_gzip(struct slice plain, char *p, size_t n)
{
	z_stream z = {0};
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	z.next_in = (Bytef *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = (Bytef *)p;
	z.avail_out = (uInt)n;
	const size_t made = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : 0;
	deflateEnd(&z);
	return made;
}

static size_t to_brotli(struct slice plain, char *p, size_t n)
{
	size_t made = n;
	if (!BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, plain.n,
		    (const uint8_t *)plain.p, &made, (uint8_t *)p))
		return 0;
	return made;
}

bool encode_body(enum coding c, struct slice plain, struct buf *out)
{
	const size_t room = plain.n - plain.n / 20;
	assert(c == CODING_GZIP || c == CODING_BROTLI);
	if (room < 64)
		return false;
	char *p = mem_alloc(room);
	const size_t n = c == CODING_GZIP ? to_gzip(plain, p, room) : to_brotli(plain, p, room);
	const bool good = n > 0 && buf_add(out, p, n);
	free(p);
	return good;
}
