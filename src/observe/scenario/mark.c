/*
 * mark.c - see mark.h.
 *
 * A run label has exactly one '-' in it, so that it can be cut out of a name again; everything
 * before CHECK is what CHECK proves.
 */

#include "observe/scenario/mark.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/units.h"

#define PREFIX      "gh-"
#define MARK_WORD   "glasshouse"
#define CHECK_CHARS 10
#define LABEL_TAIL  4

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

void mark_run_label(int64_t unix_us, struct random *r, char *ret_label)
{
	char time[14];
	size_t at = sizeof(time) - 1;
	time[at] = 0;
	int64_t s = unix_us / 1000000;
	do {
		time[--at] = digits[s % 36];
		s /= 36;
	} while (s > 0 && at > 0);
	char tail[LABEL_TAIL + 1] = "";
	for (int i = 0; i < LABEL_TAIL; i++)
		tail[i] = digits[random_below(r, 36)];
	snprintf(ret_label, RUN_LABEL_TEXT, "%s-%s", time + at, tail);
}

static void check_of(const char *instance, const char *project, const char *kind, struct slice rest,
	char *ret_check)
{
	uint8_t hash[SHA256_BYTES];
	struct buf text = BUF(BUF_LINE);
	buf_printf(
		&text, "%s\n%s\n%.*s", project ? project : "", kind ? kind : "", SLICE_ARG(rest));
	digest_hmac_sha256(slice_of(instance), buf_slice(&text), hash);
	buf_fini(&text);
	char *encoded = base32_encode(hash, sizeof(hash));
	memcpy(ret_check, encoded, CHECK_CHARS);
	ret_check[CHECK_CHARS] = 0;
	free(encoded);
}

char *mark_name(const char *instance, const char *project, const char *kind, const char *run,
	const char *step, bool count, unsigned i, unsigned attempt)
{
	struct buf name = BUF(BUF_LINE);
	buf_printf(&name, PREFIX "%s-", run);
	for (const char *p = step; *p; p++)
		buf_add_char(&name, *p == '_' ? '-' : *p);
	if (count)
		buf_printf(&name, "-%u", i);
	if (attempt > 1)
		buf_printf(&name, "-a%u", attempt);
	char check[CHECK_CHARS + 1];
	check_of(instance, project, kind, buf_slice(&name), check);
	buf_printf(&name, "-%s", check);
	return buf_take(&name);
}

char *mark_text(
	const char *instance, const char *run, const char *step, unsigned i, unsigned attempt)
{
	return attempt > 1
		       ? mem_printf(MARK_WORD " %s %s %s %u a%u", instance, run, step, i, attempt)
		       : mem_printf(MARK_WORD " %s %s %s %u", instance, run, step, i);
}

/* Cuts the last word off; false when there is none. */
static bool last_word(struct slice *text, struct slice *ret)
{
	size_t at = text->n;
	while (at && text->p[at - 1] != ' ')
		at--;
	if (!at || at == text->n)
		return false;
	*ret = slice_sub(*text, at, text->n - at);
	text->n = at - 1;
	return true;
}

static bool small_number(struct slice s, unsigned *ret)
{
	int64_t n;
	if (!s.n || s.p[0] < '0' || s.p[0] > '9' || !units_parse_int(s, &n) || n > 1000000)
		return false;
	*ret = (unsigned)n;
	return true;
}

bool mark_parse(struct slice text, struct mark_parts *ret)
{
	struct slice word;
	*ret = (struct mark_parts){.attempt = 1};
	if (!last_word(&text, &word))
		return false;
	if (word.p[0] == 'a') {
		if (!small_number(slice_sub(word, 1, word.n), &ret->attempt) || ret->attempt < 2 ||
			!last_word(&text, &word))
			return false;
	}
	if (!small_number(word, &ret->i) || !last_word(&text, &ret->step) ||
		!last_word(&text, &ret->run) || !slice_starts(text, MARK_WORD " "))
		return false;
	ret->instance = slice_sub(text, sizeof(MARK_WORD), text.n);
	return ret->instance.n > 0;
}

bool mark_name_is_ours(const char *instance, const char *project, const char *kind,
	struct slice name, struct slice *ret_run)
{
	const size_t tail = CHECK_CHARS + 1;
	if (!slice_starts(name, PREFIX) || name.n < sizeof(PREFIX) + tail ||
		name.p[name.n - tail] != '-')
		return false;
	const struct slice rest = slice_sub(name, 0, name.n - tail);
	char check[CHECK_CHARS + 1];
	check_of(instance, project, kind, rest, check);
	if (!slice_is(slice_sub(name, name.n - CHECK_CHARS, CHECK_CHARS), check))
		return false;
	/* TIME-TAIL, then the step. */
	struct slice run = slice_sub(rest, sizeof(PREFIX) - 1, rest.n);
	const size_t first = slice_find(run, '-');
	const size_t second = slice_find(slice_sub(run, first + 1, run.n), '-');
	if (first + 1 >= run.n || first + 1 + second >= run.n)
		return false;
	if (ret_run)
		*ret_run = slice_sub(run, 0, first + 1 + second);
	return true;
}
