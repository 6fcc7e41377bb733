/*
 * buf.h - a growing buffer that cannot exist without a maximum.
 *
 * Writers append without looking; a buffer that would pass its maximum keeps what it has, turns
 * `over` true and ignores all further writes. The owner looks once, at the end. The contents are
 * always NUL-terminated (`p` is never NULL after the first write; use buf_str()).
 * Thread: one at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/slice.h"

struct buf { /* small: a series has ten of them */
	char *p;
	size_t n;
	uint32_t cap; /* at most twice the maximum */
	uint32_t max : 31;
	bool over : 1;
};
#define BUF_MOST ((1u << 30) - 1) /* a maximum beyond it is this one */

#define BUF_LINE   (64u << 10) /* a log line or an error text */
#define BUF_PAGE   (4u << 20)  /* a page, a document of ours */
#define BUF_ANSWER (64u << 20) /* an API answer */

void buf_init(struct buf *b, size_t max);
#define BUF(maximum) ((struct buf){.max = (maximum) < BUF_MOST ? (uint32_t)(maximum) : BUF_MOST})
void buf_fini(struct buf *b);  /* frees; the buffer is empty and usable again */
void buf_clear(struct buf *b); /* keeps the memory */
/* Room for n bytes in all and no more, where growing by itself would double it. */
bool buf_reserve(struct buf *b, size_t n);
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_add_slice(struct buf *b, struct slice s);
bool buf_add_str(struct buf *b, const char *s);
bool buf_add_char(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...) like_printf(2, 3);
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap) like_printf(2, 0);
void buf_cut(struct buf *b, size_t n);    /* shortens to n bytes */
const char *buf_str(const struct buf *b); /* borrows; "" when empty */
struct slice buf_slice(const struct buf *b);
char *buf_take(struct buf *b); /* returns owned text; the buffer is empty again */

#endif
