/*
 * read_guest.c - the bodies of the verbs that work in guests: what may stand inside them.
 *
 * Values that only the run knows (${}) are judged there; what is written is judged here.
 */

#include <string.h>

#include "base/units.h"
#include "observe/scenario/reader.h"

static void check_keys(struct reader *r, const char *file, const struct yaml *y, const char *what,
	const char *const *keys, size_t n)
{
	char meant[MEANT_TEXT];
	if (y->kind != YAML_MAP) {
		reader_error(r, file, y, "%s is a map, not %s", what,
			y->kind == YAML_SCALAR ? "text" : yaml_kind_name(y));
		return;
	}
	for (size_t i = 0; i < y->n; i++) {
		bool known = false;
		for (size_t k = 0; k < n; k++)
			known |= slice_is(y->keys[i]->text, keys[k]);
		if (!known)
			reader_error(r, file, y->keys[i], "%s: unknown key \"%.60s\"%s", what,
				y->keys[i]->text.p, reader_meant(y->keys[i]->text, keys, n, meant));
	}
}

/* Exactly one of them says what to do. */
static void check_one_of(
	struct reader *r, const struct source_key *k, const char *const *keys, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += yaml_get(k->value, keys[i]) != NULL;
	if (found == 1)
		return;
	struct buf all = BUF(BUF_LINE);
	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s%s", i ? (i + 1 < n ? ", " : " or ") : "", keys[i]);
	reader_error(r, k->file, k->key, "%.*s needs exactly one of %s", SLICE_ARG(k->key->text),
		buf_str(&all));
	buf_fini(&all);
}

static void check_serve(struct reader *r, const char *file, const struct yaml *y)
{
	int64_t port;
	if (y->kind != YAML_MAP || !y->n) {
		reader_error(r, file, y,
			"serve is a map of ports and what they answer, such as {80: hostname}");
		return;
	}
	for (size_t i = 0; i < y->n; i++)
		if (!units_parse_int(y->keys[i]->text, &port) || port < 1 || port > 65535)
			reader_error(r, file, y->keys[i], "serve: \"%.60s\" is no port",
				y->keys[i]->text.p);
}

static void check_stop(struct reader *r, const char *file, const struct yaml *y)
{
	static const char *const keys[] = {"serve"};
	if (y->kind == YAML_MAP)
		check_keys(r, file, y, "stop", keys, array_len(keys));
	else if (y->kind != YAML_SCALAR ||
		 (slice_find_text(y->text, SLICE("${")) == y->text.n &&
			 !slice_is(y->text, "serve") && !slice_is(y->text, "gateway")))
		reader_error(r, file, y, "stop takes serve, gateway, or {serve: PORT}");
}

void read_guest_body(struct reader *r, const struct source_key *k, enum verb verb)
{
	static const char *const guest[] = {"gateway", "serve", "stop"}, *const bench[] = {
										 "pi", "disk"};
	static const char *const gateway[] = {"masquerade", "address", "forward", "from_port"};
	static const char *const disk[] = {"rw", "block", "jobs", "size", "time"};
	const struct yaml *y;
	if (verb == VERB_GUEST) {
		check_one_of(r, k, guest, array_len(guest));
		if ((y = yaml_get(k->value, "gateway")))
			check_keys(r, k->file, y, "gateway", gateway, array_len(gateway));
		if ((y = yaml_get(k->value, "serve")))
			check_serve(r, k->file, y);
		if ((y = yaml_get(k->value, "stop")))
			check_stop(r, k->file, y);
	} else if (verb == VERB_BENCH) {
		check_one_of(r, k, bench, array_len(bench));
		if ((y = yaml_get(k->value, "disk")))
			check_keys(r, k->file, y, "disk", disk, array_len(disk));
	}
}
