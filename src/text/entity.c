/*
 * entity.c - see entity.h.
 *
 * The table is sorted at its source and searched by halves; its rows hold their names themselves,
 * so that nothing of it has to be relocated when the program starts.
 */

#include "text/entity.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 32

struct named {
	char name[NAME_SIZE];
	uint32_t code[ENTITY_MAX];
};

static const struct named named[] = {
#define ENTITY(name, first, second) {name, {first, second}},
#include "text/entities.def"
#undef ENTITY
};

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct named *)row)->name);
}

static unsigned decode_name(struct slice name, uint32_t ret[ENTITY_MAX])
{
	char key[NAME_SIZE] = "";
	if (!name.n || name.n >= sizeof(key))
		return 0;
	memcpy(key, name.p, name.n);
	const struct named *row =
		bsearch(key, named, sizeof(named) / sizeof(named[0]), sizeof(named[0]), by_name);
	if (!row || strlen(key) != name.n)
		return 0;
	memcpy(ret, row->code, sizeof(row->code));
	return ret[1] ? 2 : 1;
}

static int digit(char c, unsigned base)
{
	const int v = c >= '0' && c <= '9'   ? c - '0'
		      : c >= 'a' && c <= 'f' ? c - 'a' + 10
		      : c >= 'A' && c <= 'F' ? c - 'A' + 10
					     : 16;
	return v < (int)base ? v : -1;
}

/* "1234" or "x4d2"; CommonMark takes at most 7 digits, or 6 of base 16. */
static unsigned decode_number(struct slice text, uint32_t ret[ENTITY_MAX])
{
	const bool hex = text.n && (text.p[0] == 'x' || text.p[0] == 'X');
	const unsigned base = hex ? 16 : 10;
	const struct slice digits = slice_sub(text, hex, text.n);
	uint32_t c = 0;
	if (!digits.n || digits.n > (hex ? 6 : 7))
		return 0;
	for (size_t i = 0; i < digits.n; i++) {
		const int d = digit(digits.p[i], base);
		if (d < 0)
			return 0;
		c = c * base + (uint32_t)d;
	}
	ret[0] = !c || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : c;
	return 1;
}

unsigned entity_decode(struct slice text, uint32_t ret[ENTITY_MAX])
{
	if (text.n < 3 || text.p[0] != '&' || text.p[text.n - 1] != ';')
		return 0;
	const struct slice inside = slice_sub(text, 1, text.n - 2);
	if (inside.p[0] == '#')
		return decode_number(slice_sub(inside, 1, inside.n), ret);
	return decode_name(inside, ret);
}
