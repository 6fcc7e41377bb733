/* yaml.c - YAML documents, and maps read through a table of keys. */
#include "fuzz.h"

#include "base/json.h"
#include "text/keys.h"
#include "text/yaml.h"

struct settings {
	char *text, **texts;
	bool flag;
	int64_t number, time, size;
	double real;
	int word;
	const struct yaml *node, *map, *list;
};

#define AT(f) offsetof(struct settings, f)

static const char *const words[] = {"red", "green", NULL};
static const struct key table[] = {
	{"text", KEY_TEXT, AT(text), .min = 0, .max = 20},
	{"flag", KEY_BOOL, AT(flag)},
	{"number", KEY_INT, AT(number), .min = -5, .max = 500},
	{"real", KEY_REAL, AT(real)},
	{"time", KEY_TIME, AT(time), .min = 1000, .max = 1000000000000},
	{"size", KEY_SIZE, AT(size)},
	{"word", KEY_WORD, AT(word), .words = words},
	{"texts", KEY_TEXTS, AT(texts)},
	{"node", KEY_NODE, AT(node), .required = true},
	{"map", KEY_MAP, AT(map)},
	{"list", KEY_LIST, AT(list)},
};

static void hold_places(const struct yaml *y)
{
	fuzz_hold(y->line > 0 && y->col > 0);
	fuzz_hold(y->kind != YAML_SCALAR || y->text.p[y->text.n] == '\0');
	for (size_t i = 0; i < y->n; i++) {
		if (y->kind == YAML_MAP)
			hold_places(y->keys[i]);
		hold_places(y->items[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_from((const char *)p, n), "fuzz.yaml", &errors);

	fuzz_hold((f == NULL) == (errors.n > 0));
	for (size_t i = 0; f && i < yaml_documents(f); i++) {
		const struct yaml *root = yaml_root(f, i);
		struct settings s = {0};

		hold_places(root);
		if (root->kind == YAML_MAP) {
			keys_read(root, "fuzz.yaml", "the settings", table, array_len(table), &s,
				&errors);
			keys_release(table, array_len(table), &s);
		}
		json_decref(yaml_json(root));
	}
	fuzz_errors(&errors);
	yaml_free(f);
	return 0;
}
