/*
 * params.c - see params.h.
 */

#include "cli/params.h"

#include <stdio.h>
#include <string.h>

#include "cli/session.h"
#include "text/yaml.h"

bool params_add(json_t *params, const char *text)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text) {
		fprintf(stderr, "--param: \"%s\" is not NAME=VALUE\n", text);
		return false;
	}
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(eq + 1), "--param", &errors);
	json_t *value = NULL;
	if (f)
		value = yaml_documents(f) ? yaml_json(yaml_root(f, 0)) : json_string("");
	if (f)
		yaml_free(f);
	if (value) {
		char *name = mem_strndup(text, (size_t)(eq - text));
		json_object_set_new(params, name, value);
		free(name);
	}
	session_print_errors(&errors);
	error_list_fini(&errors);
	return value != NULL;
}
