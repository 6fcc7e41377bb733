/*
 * headers.c - see headers.h.
 */

#include "observe/probe/headers.h"

#include <string.h>
#include <strings.h>

#include "base/secret.h"

#define NAME_MAX_ 100

bool header_is_token(struct slice s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", s.p[i]))
			return false;
	return s.n > 0 && s.n <= max;
}

static bool is_line(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_one_of(struct slice name, const char *words)
{
	struct slice rest = slice_of(words), word;

	while (slice_next(&rest, ' ', &word))
		if (name.n == word.n && !strncasecmp(name.p, word.p, word.n))
			return true;
	return false;
}

static bool read_one(struct headers *h, const struct yaml *name, const struct yaml *value,
	struct probe_reader *r, const char *ours)
{
	struct header *into = &h->p[h->n];

	if (!header_is_token(name->text, NAME_MAX_) || is_one_of(name->text, ours)) {
		probe_wrong(r, name, "\"%.80s\" is no name of a header of yours", name->text.p);
		return false;
	}
	if (!is_line(value->text)) {
		probe_wrong(r, value, "a header is one line");
		return false;
	}
	r->key = "a header";
	if (!probe_take_secret(r, value, false, &into->secret, &into->value))
		return false;
	into->name = slice_dup(name->text);
	h->n++;
	return true;
}

bool headers_read(
	struct headers *h, const struct yaml *map, struct probe_reader *r, const char *ours)
{
	bool good = true;

	if (map->n > HEADERS_MAX) {
		probe_wrong(r, map, "at most %d headers", HEADERS_MAX);
		return false;
	}
	h->p = mem_new_array(map->n + 1, sizeof(*h->p));
	for (size_t i = 0; i < map->n; i++)
		good = read_one(h, map->keys[i], map->items[i], r, ours) && good;
	return good;
}

void headers_fini(struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->p[i].name);
		free(h->p[i].value);
	}
	free(h->p);
}

const char *header_value(const struct header *h)
{
	return h->secret ? secret_reveal(h->secret) : h->value;
}
