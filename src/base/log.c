/*
 * log.c - see log.h. One write() a line, so that lines of threads never mix.
 */

#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

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

/* logfmt: bare when it is one plain word, else quoted with escapes. */
static void add_value(struct buf *b, struct slice s)
{
	bool plain = s.n > 0;
	for (size_t i = 0; i < s.n && plain; i++)
		plain = (unsigned char)s.p[i] > ' ' && s.p[i] != '"' && s.p[i] != '=' &&
			s.p[i] != '\\' && s.p[i] != 0x7f;
	if (plain) {
		buf_add_slice(b, s);
		return;
	}
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_add_str(b, "\\n");
		else if (c < ' ' || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_add_char(b, (char)c);
	}
	buf_add_char(b, '"');
}

static void add_argument(struct buf *b, const char *fmt, va_list *ap)
{
	const size_t n = strlen(fmt);
	assert(n >= 2 && fmt[0] == '%');
	if (!strcmp(fmt, "%s")) {
		const char *s = va_arg(*ap, const char *);
		buf_add_str(b, s ? s : "");
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
	} else if (fmt[n - 1] == 'f') {
		const int digits = fmt[1] == '.' ? fmt[2] - '0' : 6;
		buf_printf(b, "%.*f", digits, va_arg(*ap, double));
	} else {
		mem_panic("log_event: format %s is not known", fmt);
	}
}

void log_event(enum log_level level, const char *event, ...)
{
	static const char *const names[] = {"error", "warn", "notice", "info", "debug"};
	if (!log_on(level))
		return;
	char ts[CLOCK_TEXT];
	struct buf line = BUF(BUF_LINE), value = BUF(BUF_LINE), clean = BUF(BUF_LINE);
	buf_printf(&line, "ts=%s level=%s event=%s",
		clock_rfc3339(clock_unix_us(&clock_system), ts), names[level], event);
	va_list ap;
	va_start(ap, event);
	const char *key;
	while ((key = va_arg(ap, const char *))) {
		const char *fmt = va_arg(ap, const char *);
		buf_clear(&value);
		buf_clear(&clean);
		add_argument(&value, fmt, &ap);
		secret_scrub(&clean, buf_slice(&value));
		buf_printf(&line, " %s=", key);
		add_value(&line, buf_slice(&clean));
	}
	va_end(ap);
	if (line.over) {
		buf_cut(&line, BUF_LINE - 16);
		line.over = false;
		buf_add_str(&line, " cut=true");
	}
	buf_add_char(&line, '\n');
	ssize_t n = write(log_fd, buf_str(&line), line.n);
	(void)n; /* a log that cannot be written has nowhere to say so */
	buf_fini(&line);
	buf_fini(&value);
	buf_fini(&clean);
}
