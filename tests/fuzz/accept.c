/* accept.c - headers by which a client chooses: codings, entity tags, languages. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "web/cache.h"
#include "web/encode.h"
#include "web/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = slice_dup(slice_from((const char *)p, n));
	for (unsigned have = 1; have < 8; have += 2) { /* identity is always there */
		const enum coding c = encode_choose(text, have);
		fuzz_hold(c < CODING_COUNT && have & 1u << c);
		if (c == CODING_GZIP)
			fuzz_hold(strcasestr(text, "gzip") || strchr(text, '*'));
		if (c == CODING_BROTLI)
			fuzz_hold(strcasestr(text, "br") || strchr(text, '*'));
	}
	if (cache_tag_matches(text, "\"tag\""))
		fuzz_hold(strstr(text, "\"tag\"") || strchr(text, '*'));
	const char *language = page_language(text, NULL), *const *all = page_languages();
	bool known = false;
	for (size_t i = 0; all[i]; i++)
		known = known || !strcmp(all[i], language);
	fuzz_hold(known);
	free(text);
	return 0;
}
