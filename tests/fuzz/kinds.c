/* kinds.c - kinds/NAME.yaml over the built-in table. */
#include "fuzz.h"

#include "openstack/kind_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error_list errors = {0};
	struct kinds *kinds = kinds_load(NULL, &errors);

	fuzz_hold(kinds != NULL);
	kinds_load_file(kinds, fuzz_file(0, slice_from((const char *)p, n)), &errors);
	if (errors.n == 0)
		for (size_t i = 0; i < kinds_count(kinds); i++) {
			const struct kind *k = kind_at(kinds, i);

			fuzz_hold(k->name && k->service && k->create);
			fuzz_hold(kind_find(kinds, slice_of(k->name)) == k);
		}
	fuzz_errors(&errors);
	kinds_free(kinds);
	return 0;
}
