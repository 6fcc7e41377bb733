/* test_probe_docs.c - the examples of docs/probes.md are read as they stand there. */
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"
#include "base/buf.h"
#include "observe/probe/kind.h"

static char ca[80]; /* a file of authorities that there is */

static char *read_file(const char *path)
{
	struct buf text = BUF(BUF_PAGE);
	char p[4096];
	size_t n;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	while ((n = fread(p, 1, sizeof(p), f)) > 0)
		buf_add(&text, p, n);
	fclose(f);
	return buf_take(&text);
}

/* The indented lines of the section of a kind; its authority is a file that there is. */
static char *examples_of(const char *page, const char *kind)
{
	struct buf out = BUF(BUF_PAGE);
	struct slice rest = slice_of(page), line;
	bool inside = false;

	while (slice_next(&rest, '\n', &line)) {
		if (slice_starts(line, "### ")) {
			struct slice names = slice_sub(line, 4, line.n), name;
			inside = false;
			while (slice_next(&names, ',', &name))
				inside = inside || slice_is(slice_trim(name), kind);
		}
		if (!inside || !slice_starts(line, "    "))
			continue;
		const size_t at = slice_find_text(line, SLICE("ca: CA"));
		buf_printf(&out, "%.*s", (int)at, line.p);
		if (at < line.n)
			buf_printf(
				&out, "ca: %s%.*s", ca, SLICE_ARG(slice_sub(line, at + 6, line.n)));
		buf_add_char(&out, '\n');
	}
	return buf_take(&out);
}

/* How many of its examples are of this kind. */
static size_t count_read(const char *kind, const char *text)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(text), "probes.md", &errors);
	size_t n = 0;

	if (!f)
		fail_msg("%s: %s\n%s", kind, errors.p[0].msg, text);
	const struct yaml *list = yaml_documents(f) ? yaml_root(f, 0) : NULL;
	for (size_t i = 0; list && i < list->n; i++) {
		struct probe_config *c = probe_config_read(list->items[i], "probes.md", &errors);
		if (!c)
			fail_msg("%s: line %u: %s\n%s", kind, errors.p[0].line, errors.p[0].msg,
				text);
		n += !strcmp(probe_config_about(c)->kind, kind);
		probe_config_free(c);
	}
	yaml_free(f);
	error_list_fini(&errors);
	return n;
}

static void test_examples(void **state)
{
	static const char *const kinds[] = {
		"tcp", "tls", "dns", "icmp", "ssh", "smtp", "imap", "udp", "websocket", "grpc"};
	struct peer_certificate c = peer_certify(NULL, "DNS:authority.example", -1, 30);
	char *page = read_file("docs/probes.md");

	snprintf(ca, sizeof(ca), "/tmp/test_probe_docs.%d.pem", (int)getpid());
	peer_save_certificate(&c, ca);
	for (size_t i = 0; i < array_len(kinds); i++) {
		char *text = examples_of(page, kinds[i]);
		if (count_read(kinds[i], text) == 0)
			fail_msg("no example of kind %s", kinds[i]);
		free(text);
	}
	unlink(ca);
	free(page);
	peer_certificate_fini(&c);
}

/* --- the table of kinds ------------------------------------------------------------------------
 */

/* The next word of *cell that stands in backticks and not in parentheses. */
static bool next_word(struct slice *cell, struct slice *ret)
{
	size_t depth = 0;

	while (cell->n) {
		const char c = cell->p[0];
		const size_t end = c == '`' ? slice_find(slice_sub(*cell, 1, cell->n), '`') : 0;
		depth += c == '(';
		depth -= c == ')';
		*ret = slice_sub(*cell, 1, end);
		*cell = slice_sub(*cell, c == '`' ? end + 2 : 1, cell->n);
		if (c == '`' && depth == 0 && slice_find(*ret, ' ') == ret->n)
			return true;
	}
	return false;
}

static bool cell_has(struct slice cell, const char *word)
{
	struct slice w;

	while (next_word(&cell, &w))
		if (slice_is(w, word))
			return true;
	return false;
}

static bool kind_has(const struct probe_kind *k, struct slice word)
{
	for (size_t i = 0; i < k->key_count; i++)
		if (slice_is(word, k->keys[i].name))
			return true;
	for (size_t i = 0; k->measurements[i]; i++)
		if (slice_is(word, k->measurements[i]))
			return true;
	return false;
}

/* | kinds | text is | keys | measures | */
static void hold_row(struct slice row)
{
	struct slice cells[6] = {0}, kinds, word;

	for (size_t i = 0; i < array_len(cells); i++)
		slice_next(&row, '|', &cells[i]);
	kinds = cells[1];
	while (next_word(&kinds, &word)) {
		const struct probe_kind *k = probe_kind_find(word);
		if (!k)
			fail_msg("there is no kind %.*s", SLICE_ARG(word));
		for (size_t i = 0; i < k->key_count; i++)
			if (!cell_has(cells[3], k->keys[i].name) && strcmp(k->name, "imap") != 0)
				fail_msg("%s: %s is not described", k->name, k->keys[i].name);
		for (size_t i = 0; k->measurements[i]; i++)
			if (!cell_has(cells[4], k->measurements[i]))
				fail_msg("%s: %s is not described", k->name, k->measurements[i]);
		assert_true(cell_has(cells[2], k->shorthand));
	}
	for (size_t i = 3; i <= 4; i++) {
		kinds = cells[1];
		next_word(&kinds, &word);
		const struct probe_kind *k = probe_kind_find(word);
		while (next_word(&cells[i], &word))
			if (!kind_has(k, word))
				fail_msg("%s has no %.*s", k->name, SLICE_ARG(word));
	}
}

static void test_table(void **state)
{
	static const char *const rows[] = {"| `tcp`", "| `tls`", "| `ssh`", "| `smtp`", "| `udp`",
		"| `websocket`", "| `grpc`"};
	char *page = read_file("docs/probes.md");
	struct slice rest = slice_of(page), line;
	size_t n = 0;

	while (slice_next(&rest, '\n', &line))
		for (size_t i = 0; i < array_len(rows); i++)
			if (slice_starts(line, rows[i])) {
				hold_row(line);
				n++;
			}
	assert_int_equal(n, array_len(rows));
	free(page);
}

int test_probe_docs(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("probe_docs", tests, NULL, NULL);
}
