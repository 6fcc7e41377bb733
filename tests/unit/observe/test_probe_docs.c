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

int test_probe_docs(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests_name("probe_docs", tests, NULL, NULL);
}
