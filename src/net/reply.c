/*
 * reply.c - see reply.h.
 */

#include "net/reply.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* The next line of *rest without its end; false: it is not whole yet. */
static bool next_line(struct slice *rest, struct slice *ret)
{
	const size_t n = slice_find(*rest, '\n');

	if (n == rest->n)
		return false;
	*ret = slice_sub(*rest, 0, n > 0 && rest->p[n - 1] == '\r' ? n - 1 : n);
	*rest = slice_sub(*rest, n + 1, rest->n);
	return true;
}

/* --- SMTP, FTP ---------------------------------------------------------------------------------
 */

static int code_of(struct slice line)
{
	int code = 0;

	if (line.n < 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		code = code * 10 + line.p[i] - '0';
	}
	return code >= 100 ? code : 0;
}

enum reply_state reply_smtp(struct slice got, struct reply *ret)
{
	struct slice rest = got, line;
	int code = 0;

	*ret = (struct reply){0};
	while (next_line(&rest, &line)) {
		const int here = code_of(line);
		const char mark = line.n > 3 ? line.p[3] : ' ';
		if (code == 0) {
			if (here == 0 || (mark != ' ' && mark != '-'))
				return REPLY_BROKEN;
			code = here;
		}
		/* FTP lets the lines between be anything. */
		if (here != code || mark != ' ')
			continue;
		ret->n = got.n - rest.n;
		ret->code = code;
		ret->text = slice_trim(slice_sub(got, 0, ret->n));
		return code < 400 ? REPLY_GOOD : REPLY_BAD;
	}
	/* What cannot become a code is known before its line has ended. */
	for (size_t i = 0; code == 0 && i < rest.n && i < 3; i++)
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return REPLY_BROKEN;
	return REPLY_MORE;
}

static void add_printable(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(out, s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
}

void reply_smtp_capabilities(struct slice reply, struct buf *out)
{
	struct slice line;
	bool first = true;

	while (slice_next(&reply, '\n', &line)) {
		line = slice_trim(slice_sub(line, 4, line.n));
		if (!first && line.n) {
			buf_add_str(out, out->n ? ", " : "");
			add_printable(out, line);
		}
		first = false;
	}
}

/* --- IMAP --------------------------------------------------------------------------------------
 */

static bool starts_nocase(struct slice s, const char *prefix)
{
	return slice_is_nocase(slice_sub(s, 0, strlen(prefix)), prefix);
}

enum reply_state reply_imap_greeting(struct slice got, struct reply *ret)
{
	struct slice rest = got, line;

	*ret = (struct reply){0};
	if (!next_line(&rest, &line))
		return got.n > 0 && got.p[0] != '*' ? REPLY_BROKEN : REPLY_MORE;
	ret->n = got.n - rest.n;
	ret->text = slice_trim(slice_sub(line, 2, line.n));
	if (starts_nocase(line, "* OK") || starts_nocase(line, "* PREAUTH"))
		return REPLY_GOOD;
	return starts_nocase(line, "* BYE") ? REPLY_BAD : REPLY_BROKEN;
}

enum reply_state reply_imap(struct slice got, struct reply *ret)
{
	struct slice rest = got, line;

	*ret = (struct reply){0};
	for (;;) {
		const size_t before = got.n - rest.n;
		if (!next_line(&rest, &line))
			return REPLY_MORE;
		if (slice_starts(line, REPLY_IMAP_TAG)) {
			const struct slice said = slice_sub(line, strlen(REPLY_IMAP_TAG), line.n);
			const bool good = starts_nocase(said, "OK");
			ret->n = got.n - rest.n;
			ret->text = good ? slice_sub(got, 0, before) : said;
			return good ? REPLY_GOOD : REPLY_BAD;
		}
		if (!slice_starts(line, "* "))
			return REPLY_BROKEN;
		if (starts_nocase(line, "* BYE")) {
			ret->n = got.n - rest.n;
			ret->text = slice_sub(line, 2, line.n);
			return REPLY_BAD;
		}
	}
}

void reply_imap_capabilities(struct slice reply, struct buf *out)
{
	struct slice line;

	while (slice_next(&reply, '\n', &line)) {
		if (!starts_nocase(line, "* CAPABILITY "))
			continue;
		buf_clear(out);
		add_printable(out, slice_trim(slice_sub(line, 13, line.n)));
	}
}

/* --- the others --------------------------------------------------------------------------------
 */

enum reply_state reply_pop3(struct slice got, struct reply *ret)
{
	struct slice rest = got, line;

	*ret = (struct reply){0};
	if (!next_line(&rest, &line))
		return got.n > 0 && got.p[0] != '+' && got.p[0] != '-' ? REPLY_BROKEN : REPLY_MORE;
	ret->n = got.n - rest.n;
	ret->text = line;
	if (slice_starts(line, "+OK"))
		return REPLY_GOOD;
	return slice_starts(line, "-ERR") ? REPLY_BAD : REPLY_BROKEN;
}

/* The length of a BER element's value and where it begins; false: not whole, or none of ours. */
static bool ber_length(struct slice s, size_t *ret_start, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < 2)
		return false;
	*ret_start = 2;
	*ret_n = p[1];
	if (p[1] < 0x80)
		return true;
	const size_t bytes = p[1] & 0x7fu; /* Active Directory writes four, whatever the length */
	if (bytes < 1 || bytes > 4 || s.n < 2 + bytes)
		return false;
	*ret_n = 0;
	for (size_t i = 0; i < bytes; i++)
		*ret_n = *ret_n << 8 | p[2 + i];
	*ret_start = 2 + bytes;
	return true;
}

/* Cuts an element with this tag off the front; its value goes to *ret. */
static bool ber_take(struct slice *s, uint8_t tag, struct slice *ret)
{
	size_t start, n;

	if (!ber_length(*s, &start, &n) || (uint8_t)s->p[0] != tag || s->n - start < n)
		return false;
	*ret = slice_sub(*s, start, n);
	*s = slice_sub(*s, start + n, s->n);
	return true;
}

enum reply_state reply_ldap(struct slice got, struct reply *ret)
{
	struct slice rest = got, message, id, answer, code, dn, text = {0};
	size_t start, n;

	*ret = (struct reply){0};
	if (got.n > 0 && got.p[0] != 0x30)
		return REPLY_BROKEN;
	if (!ber_length(got, &start, &n))
		return got.n < 6 ? REPLY_MORE : REPLY_BROKEN;
	if (got.n - start < n)
		return REPLY_MORE;
	/* LDAPMessage { messageID, [APPLICATION 24] { resultCode, matchedDN, diagnosticMessage */
	if (!ber_take(&rest, 0x30, &message) || !ber_take(&message, 0x02, &id) ||
		!ber_take(&message, 0x78, &answer) || !ber_take(&answer, 0x0a, &code) ||
		code.n != 1 || !ber_take(&answer, 0x04, &dn) || !ber_take(&answer, 0x04, &text))
		return REPLY_BROKEN;
	ret->n = got.n - rest.n;
	ret->code = (uint8_t)code.p[0];
	ret->text = text;
	return ret->code == 0 ? REPLY_GOOD : REPLY_BAD;
}

enum reply_state reply_postgres(struct slice got, struct reply *ret)
{
	*ret = (struct reply){.n = 1, .text = slice_sub(got, 0, 1)};
	if (got.n == 0)
		return REPLY_MORE;
	return got.p[0] == 'S' ? REPLY_GOOD : got.p[0] == 'N' ? REPLY_BAD : REPLY_BROKEN;
}

bool reply_can(struct slice capabilities, const char *word)
{
	struct slice part;

	while (slice_next(&capabilities, ' ', &part)) {
		if (part.n && part.p[part.n - 1] == ',')
			part.n--;
		if (slice_is_nocase(part, word))
			return true;
	}
	return false;
}
