/*
 * buf.c - see buf.h. A zeroed struct buf has maximum 0 and takes nothing.
 */

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define LEAST 24 /* what the allocator gives at least anyway */

void buf_init(struct buf *b, size_t max)
{
	*b = BUF(max);
}

void buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->over = false;
	if (b->p)
		b->p[0] = 0;
}

static bool room(struct buf *b, size_t n)
{
	if (b->over || n > b->max - b->n) {
		b->over = true;
		return false;
	}
	const size_t want = b->n + n + 1;
	if (want <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : LEAST;
	while (cap < want)
		cap *= 2;
	b->p = mem_resize(b->p, cap, 1);
	b->cap = (uint32_t)cap;
	return true;
}

bool buf_reserve(struct buf *b, size_t n)
{
	if (b->over || n > b->max)
		return false;
	if (n < b->cap)
		return true;
	b->cap = (uint32_t)(n + 1 > LEAST ? n + 1 : LEAST);
	b->p = mem_resize(b->p, b->cap, 1);
	b->p[b->n] = 0;
	return true;
}

bool buf_add(struct buf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return false;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
	return true;
}

bool buf_add_slice(struct buf *b, struct slice s)
{
	return buf_add(b, s.p, s.n);
}

bool buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	va_copy(again, ap);
	const int n = vsnprintf(small, sizeof(small), fmt, ap);
	bool good = n >= 0;
	if (good && (size_t)n < sizeof(small)) {
		good = buf_add(b, small, (size_t)n);
	} else if (good && room(b, (size_t)n)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	} else {
		good = false;
	}
	va_end(again);
	return good;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const bool good = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return good;
}

void buf_cut(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = 0;
}

const char *buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

struct slice buf_slice(const struct buf *b)
{
	return (struct slice){buf_str(b), b->n};
}

char *buf_take(struct buf *b)
{
	char *p = b->p ? b->p : mem_strdup("");
	buf_init(b, b->max);
	return p;
}
