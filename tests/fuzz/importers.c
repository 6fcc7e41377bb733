#include "importers.h"

#include <stdlib.h>

#include "cli/config.h"
#include "import/importer.h"
#include "text/yaml.h"
#include "text/yaml_write.h"

static bool is_told(const struct import_report *r, const struct yaml *mark, bool whole)
{
	VEC_EACH (&r->notes, const struct import_note, n) {
		if (n->line == mark->line && n->col == mark->col && (!whole || n->whole))
			return true;
	}
	return false;
}

static void hold_told(const struct import_report *r, const struct yaml *y, const struct yaml *mark)
{
	const bool leaf = y->kind == YAML_SCALAR || !y->n;
	if (mark && is_told(r, mark, !leaf))
		return;
	fuzz_hold(!leaf || !mark);
	for (size_t i = 0; i < (leaf ? 0 : y->n); i++)
		hold_told(r, y->items[i], y->kind == YAML_MAP ? y->keys[i] : y->items[i]);
}

static void hold_configuration(const json_t *config)
{
	struct error_list errors = {0};
	struct buf text = BUF(BUF_PAGE);
	yaml_write(&text, config);
	struct config *c = config_parse(buf_slice(&text), "made.yaml", &errors);
	if (!c && text.n < YAML_SIZE_MAX)
		fprintf(stderr, "%s\n%s\n", errors.p[0].msg, buf_str(&text));
	fuzz_hold(c != NULL || text.n >= YAML_SIZE_MAX);
	config_free(c);
	error_list_fini(&errors);
	buf_fini(&text);
}

void importer_holds(const char *importer, struct slice text)
{
	static const char *const targets[] = {"www.example.org", "192.0.2.1:443", NULL};
	struct import_report report = {0};
	struct import_made made;
	struct error_list errors = {0};
	if (import_text_of(
		    importer_find(importer), text, "fuzz", targets, &made, &report, &errors)) {
		struct yaml_file *f = yaml_parse_tagged(text, "fuzz", &errors);
		for (size_t d = 0; f && report.notes.n < 2000 && d < yaml_documents(f); d++)
			hold_told(&report, yaml_root(f, d), NULL);
		yaml_free(f);
		if (made.config)
			hold_configuration(made.config);
		fuzz_hold(errors.n == 0);
	} else {
		fuzz_hold(errors.n > 0);
	}
	fuzz_errors(&errors);
	import_made_fini(&made);
	import_report_fini(&report);
}
