/* clouds.c - clouds.yaml, and secure.yaml behind a line "=====". */
#include "fuzz.h"

#include <stdlib.h>

#include "openstack/cloud_config.h"

static void prepare(struct slice clouds, struct slice secure)
{
	setenv("HOME", "/nonexistent", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	unsetenv("OS_AUTH_URL");
	unsetenv("OS_CLOUD");
	setenv("OS_CLIENT_CONFIG_FILE", fuzz_file(0, clouds), 1);
	setenv("OS_CLIENT_SECURE_FILE", fuzz_file(1, secure), 1);
}

static void hold_config(const struct cloud_config *c)
{
	unsigned port = 22;

	fuzz_hold(c->name && c->file && c->auth_url && c->interface);
	free(reach_address(&c->reach, "203.0.113.7", &port, false));
	free(reach_address(&c->reach, "2001:db8::7", &port, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice text = slice_from((const char *)p, n);
	size_t cut = slice_find_text(text, SLICE("=====\n"));
	static const char *const names[] = {NULL, "a"};

	prepare(slice_sub(text, 0, cut), slice_sub(text, cut < n ? cut + 6 : n, n));
	for (size_t i = 0; i < array_len(names); i++) {
		struct error_list errors = {0};
		struct cloud_config *c = cloud_config_load(names[i], &errors);

		fuzz_hold((c == NULL) == (errors.n > 0));
		if (c)
			hold_config(c);
		fuzz_errors(&errors);
		cloud_config_free(c);
	}
	return 0;
}
