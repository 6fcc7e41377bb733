/*
 * kind_fix.c - the command that an administrator copies; see kind.h.
 *
 * It is pasted into a shell, and its words come from a service: what is not a plain word makes no
 * command at all.
 */

#include <ctype.h>
#include <string.h>

#include "openstack/kind.h"

static bool is_plain(const char *word)
{
	if (!word || !*word || *word == '-')
		return false;
	for (const char *p = word; *p; p++)
		if (!isascii((unsigned char)*p) ||
			(!isalnum((unsigned char)*p) && !strchr("-_.:", *p)))
			return false;
	return true;
}

/* The word for the {name} at *at, which is moved behind it; NULL: there is none. */
static const char *word_for(const char **at, const json_t *path, const char *holder)
{
	const char *close = strchr(*at, '}');
	if (!close)
		return NULL;
	char *name = mem_strndup(*at + 1, (size_t)(close - *at - 1));
	const char *word = !strcmp(name, "holder") ? holder : json_str(path, name);
	free(name);
	*at = close + 1;
	return is_plain(word) ? word : NULL;
}

char *kind_fix(const struct kind *k, const json_t *path, const char *holder)
{
	struct buf out = BUF(BUF_LINE);
	const char *at = k->fix;
	while (at && *at) {
		const size_t plain = strcspn(at, "{");
		buf_add(&out, at, plain);
		at += plain;
		const char *word = *at ? word_for(&at, path, holder) : "";
		if (!word) {
			buf_fini(&out);
			return NULL;
		}
		buf_add_str(&out, word);
	}
	return out.n ? buf_take(&out) : NULL;
}
