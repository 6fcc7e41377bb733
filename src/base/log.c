/*
 * log.c - see log.h. Lines are written whole under a lock, so those of threads never mix. Values
 * are scrubbed before a line is cut: half a secret at its end would not be recognised.
 */

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

#define LINE_MAX_BYTES (BUF_LINE - 32) /* leaves room for the mark of a cut */
#define NUMBER_TEXT    400             /* the longest double with 9 decimals has 320 */

static int log_fd = STDERR_FILENO;
static enum log_level log_level = LOG_NOTICE;

void log_init(int fd, enum log_level level)
{
	log_fd = fd;
	log_level = level;
}

bool log_on(enum log_level level)
{
	return level <= log_level;
}

/* One character of a quoted value; what a terminal would obey is shown as \xNN. */
static void add_escaped(struct buf *b, unsigned char c)
{
	if (c == '"' || c == '\\')
		buf_printf(b, "\\%c", c);
	else if (c == '\n')
		buf_add_str(b, "\\n");
	else if (c < ' ' || c == 0x7f)
		buf_printf(b, "\\x%02x", c);
	else
		buf_add_char(b, (char)c);
}

static bool plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || strchr("\"=\\\x7f", s.p[i]))
			return false;
	return s.n > 0;
}

/* logfmt: bare when it is one plain word, else quoted. False: it was cut to what fits. */
static bool add_value(struct buf *b, struct slice s)
{
	const size_t left = LINE_MAX_BYTES - b->n;
	if (s.n <= left && plain(s)) {
		buf_add_slice(b, s);
		return true;
	}
	buf_add_char(b, '"');
	size_t i = 0;
	for (; i < s.n && b->n < LINE_MAX_BYTES - 8; i++)
		add_escaped(b, (unsigned char)s.p[i]);
	/* Not inside a UTF-8 sequence. */
	while (i < s.n && i && ((unsigned char)s.p[i] & 0xc0) == 0x80) {
		buf_cut(b, b->n - 1);
		i--;
	}
	buf_add_char(b, '"');
	return i == s.n;
}

/* %f and %.Nf; -1 for anything else. */
static int digits_of(const char *fmt)
{
	if (!strcmp(fmt, "%f"))
		return 6;
	const bool given = fmt[0] == '%' && fmt[1] == '.' && fmt[2] >= '0' && fmt[2] <= '9';
	return given && !strcmp(fmt + 3, "f") ? fmt[2] - '0' : -1;
}

/* The argument as text without known secrets. */
static void take_argument(struct buf *b, const char *fmt, va_list *ap)
{
	if (!strcmp(fmt, "%s")) {
		const struct slice s = slice_of(va_arg(*ap, const char *));
		buf_init(b, s.n); /* "***" is shorter than what it stands for */
		secret_scrub(b, s);
	} else if (!strcmp(fmt, "%d")) {
		buf_printf(b, "%d", va_arg(*ap, int));
	} else if (!strcmp(fmt, "%u")) {
		buf_printf(b, "%u", va_arg(*ap, unsigned));
	} else if (!strcmp(fmt, "%lld")) {
		buf_printf(b, "%lld", va_arg(*ap, long long));
	} else if (!strcmp(fmt, "%llu")) {
		buf_printf(b, "%llu", va_arg(*ap, unsigned long long));
	} else if (!strcmp(fmt, "%zu")) {
		buf_printf(b, "%zu", va_arg(*ap, size_t));
	} else {
		const int digits = digits_of(fmt);
		if (digits < 0)
			mem_panic("log_event: format %s is not known", fmt);
		buf_printf(b, "%.*f", digits, va_arg(*ap, double));
	}
}

static void write_line(const struct buf *line)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	size_t done = 0;
	pthread_mutex_lock(&lock);
	while (done < line->n) {
		const ssize_t n = write(log_fd, line->p + done, line->n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* a log that cannot be written has nowhere to say so */
		done += (size_t)n;
	}
	pthread_mutex_unlock(&lock);
}

void log_event(enum log_level level, const char *event, ...)
{
	static const char *const names[] = {"error", "warn", "notice", "info", "debug"};
	if (!log_on(level))
		return;
	char ts[CLOCK_TEXT];
	struct buf line = BUF(BUF_LINE);
	buf_printf(&line, "ts=%s level=%s event=%s",
		clock_rfc3339(clock_unix_us(&clock_system), ts), names[level], event);
	bool whole = true;
	va_list ap;
	va_start(ap, event);
	const char *key;
	while ((key = va_arg(ap, const char *))) {
		const char *fmt = va_arg(ap, const char *);
		struct buf value = BUF(NUMBER_TEXT);
		take_argument(&value, fmt, &ap);
		/* 16: the "=", the quotes and an escape */
		whole = whole && line.n + strlen(key) + 16 < LINE_MAX_BYTES;
		if (whole) {
			buf_printf(&line, " %s=", key);
			whole = add_value(&line, buf_slice(&value));
		}
		buf_fini(&value);
	}
	va_end(ap);
	if (!whole)
		buf_add_str(&line, " cut=true");
	buf_add_char(&line, '\n');
	write_line(&line);
	buf_fini(&line);
}
