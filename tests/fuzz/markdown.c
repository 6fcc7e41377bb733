/* markdown.c - Markdown of anybody: whatever it is, the HTML holds what markdown.h promises. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/text/harmless.h"
#include "text/markdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	/* the first byte says how; the rest is text */
	const struct markdown how = {
		.heading = n ? p[0] % 6 + 1 : 2, .id = n && p[0] & 8 ? "about" : NULL};
	const struct slice text = slice_from((const char *)p + (n > 0), n - (n > 0));
	struct buf out = BUF(MARKDOWN_HTML_MAX);
	struct error err = {0};

	buf_add_str(&out, "<hr>");
	const bool good = markdown_html(text, &how, &out, &err);
	fuzz_hold(good || (err.msg[0] && slice_is(buf_slice(&out), "<hr>")));
	char *trouble = harmless_trouble(buf_slice(&out), how.heading);
	if (trouble)
		fprintf(stderr, "%s\n%s\n", trouble, buf_str(&out));
	fuzz_hold(!trouble);
	free(trouble);
	buf_fini(&out);
	return 0;
}
