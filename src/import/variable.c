#include "import/variable.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "import/probe.h"

/* How long the name is that begins at p, and behind which closing brace it ends. */
static size_t name_at(const char *p, size_t *ret_end)
{
	const bool braces = *p == '{';
	const char *name = p + braces;
	size_t n = 0;
	while (isalnum((unsigned char)name[n]) || name[n] == '_')
		n++;
	if (!n || (braces && name[n] != '}'))
		return 0;
	*ret_end = n + 2 * (size_t)braces;
	return n;
}

char *variables_expand(const char *text, struct variables *ret)
{
	struct buf out = BUF(BUF_PAGE);
	*ret = (struct variables){0};
	for (const char *p = text; *p; p++) {
		size_t n, end;
		if (*p != '$') {
			buf_add_char(&out, *p);
		} else if (p[1] == '$') {
			buf_add_char(&out, '$');
			p++;
		} else if ((n = name_at(p + 1, &end))) {
			char *name = mem_strndup(p + 1 + (p[1] == '{'), n);
			const char *value = import_is_secret(name) ? NULL : getenv(name);
			if (value)
				buf_add_str(&out, value);
			else
				buf_add(&out, p, 1 + end);
			ret->missing |= !value;
			ret->some = true;
			if (p == text && !p[1 + end])
				ret->only = mem_strdup(name);
			free(name);
			p += end;
		} else {
			buf_add_char(&out, '$');
		}
	}
	return buf_take(&out);
}

void variables_fini(struct variables *v)
{
	free(v->only);
	v->only = NULL;
}
