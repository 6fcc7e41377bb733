/*
 * error.c - see error.h.
 */

#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/vec.h"

/* Where a message was cut, half a UTF-8 sequence may be left; takes it off. */
static void end_whole(char *msg)
{
	const size_t n = strlen(msg);
	if (n < ERROR_TEXT - 1)
		return;
	size_t at = n;
	while (at && ((unsigned char)msg[at - 1] & 0xc0) == 0x80)
		at--;
	if (at && (unsigned char)msg[at - 1] >= 0xc0 &&
		!utf8_valid(slice_from(msg + at - 1, n - at + 1)))
		msg[at - 1] = 0;
}

static void set(struct error *err, enum error_kind kind, const char *fmt, va_list ap)
	like_printf(3, 0);

/* The arguments may point into *err, so it is written last. */
static void set(struct error *err, enum error_kind kind, const char *fmt, va_list ap)
{
	char msg[ERROR_TEXT];
	vsnprintf(msg, sizeof(msg), fmt, ap);
	end_whole(msg);
	memset(err, 0, sizeof(*err));
	err->kind = kind;
	memcpy(err->msg, msg, strlen(msg) + 1);
}

void error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	if (!err)
		return;
	va_list ap;
	va_start(ap, fmt);
	set(err, kind, fmt, ap);
	va_end(ap);
}

void error_sys(struct error *err, int sys, const char *fmt, ...)
{
	if (!err)
		return;
	va_list ap;
	va_start(ap, fmt);
	set(err, ERROR_SYSTEM, fmt, ap);
	va_end(ap);
	err->sys = sys;
	const size_t n = strlen(err->msg);
	char text[128];
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror_r(sys, text, sizeof(text)));
}

static void place(struct error *err, const char *file, unsigned line, unsigned col)
{
	snprintf(err->file, sizeof(err->file), "%s", file ? file : "");
	err->line = line;
	err->col = col;
}

void error_at(
	struct error *err, const char *file, unsigned line, unsigned col, const char *fmt, ...)
{
	if (!err)
		return;
	va_list ap;
	va_start(ap, fmt);
	set(err, ERROR_INPUT, fmt, ap);
	va_end(ap);
	place(err, file, line, col);
}

void error_wrap(struct error *err, const char *fmt, ...)
{
	if (!err)
		return;
	char context[ERROR_TEXT / 2], msg[ERROR_TEXT]; /* the message keeps half at least */
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(msg, err->msg, sizeof(msg));
	snprintf(err->msg, sizeof(err->msg), "%s: %s", context, msg);
	end_whole(err->msg);
}

void error_clear(struct error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

const char *error_text(const struct error *err, char *text, size_t size)
{
	if (!err->file[0])
		snprintf(text, size, "%s", err->msg);
	else if (!err->line)
		snprintf(text, size, "%s: %s", err->file, err->msg);
	else if (!err->col)
		snprintf(text, size, "%s:%u: %s", err->file, err->line, err->msg);
	else
		snprintf(text, size, "%s:%u:%u: %s", err->file, err->line, err->col, err->msg);
	return text;
}

void error_list_fini(struct error_list *l)
{
	free(l->p);
	memset(l, 0, sizeof(*l));
}

void error_list_add(struct error_list *l, const struct error *err)
{
	if (l->n >= ERROR_LIST_MAX) {
		l->dropped++;
		return;
	}
	vec_push(l, *err);
}

void error_list_at(
	struct error_list *l, const char *file, unsigned line, unsigned col, const char *fmt, ...)
{
	struct error err;
	va_list ap;
	va_start(ap, fmt);
	set(&err, ERROR_INPUT, fmt, ap);
	va_end(ap);
	place(&err, file, line, col);
	error_list_add(l, &err);
}

static int by_place(const void *a, const void *b)
{
	const struct error *x = a, *y = b;
	const int file = strcmp(x->file, y->file);
	if (file)
		return file;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

void error_list_sort(struct error_list *l)
{
	if (l->n)
		qsort(l->p, l->n, sizeof(*l->p), by_place);
}
