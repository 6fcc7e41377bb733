/*
 * gatus_condition.c - conditions have the same grammar here and there; some measurements have other
 * names, and a bare number of milliseconds gets its unit.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/condition.h"
#include "import/gatus_inside.h"
#include "import/variable.h"

struct renamed {
	const char *kind, *there, *here;
};

static const struct renamed renamed[] = {
	{"dns", "[DNS_RCODE]", "[RCODE]"},
	{"tcp", "[BODY]", "[OUTPUT]"},
	{"udp", "[BODY]", "[OUTPUT]"},
};

static char *replaced(const char *text, const char *there, const char *here)
{
	struct buf out = BUF(BUF_LINE);
	const size_t n = strlen(there);
	for (const char *p = text; *p; p++)
		if (!strncmp(p, there, n)) {
			buf_add_str(&out, here);
			p += n - 1;
		} else {
			buf_add_char(&out, *p);
		}
	return buf_take(&out);
}

/* "[RESPONSE_TIME] < 500" counts milliseconds there, and so do certificates. */
static bool ends_bare(const char *text)
{
	const char *p = text + strlen(text);
	while (p > text && isspace((unsigned char)p[-1]))
		p--;
	const char *end = p;
	while (p > text && isdigit((unsigned char)p[-1]))
		p--;
	return p < end && p > text && strchr("<>= ", p[-1]);
}

static char *with_unit(const char *text)
{
	const struct slice all = slice_trim(slice_of(text));
	if ((!slice_starts(all, "[RESPONSE_TIME]") &&
		    !slice_starts(all, "[CERTIFICATE_EXPIRATION]")) ||
		!ends_bare(text))
		return NULL;
	return mem_printf("%.*sms", SLICE_ARG(all));
}

static char *as_here(const char *kind, const char *text)
{
	char *now = mem_strdup(text);
	for (size_t i = 0; i < array_len(renamed); i++) {
		if (strcmp(renamed[i].kind, kind) != 0 || !strstr(now, renamed[i].there))
			continue;
		char *next = replaced(now, renamed[i].there, renamed[i].here);
		free(now);
		now = next;
	}
	char *united = with_unit(now);
	if (!united)
		return now;
	free(now);
	return united;
}

static void condition(struct gatus *g, struct import_probe *p, const struct import_node *n)
{
	char *text = gatus_text(g, n);
	struct error err = {0};
	if (!text)
		return;
	char *here = as_here(p->kind, text);
	if (condition_holds_secret(here)) {
		char *without = condition_without_secret(here);
		if (without)
			import_expect(p, without);
		import_tell(g->in, n, without ? IMPORT_CHANGED : IMPORT_DROPPED,
			"it holds what goes by the name of a secret, and a condition cannot refer to one%s",
			without ? ": that there is one is expected" : "");
		free(without);
	} else if (!condition_check(p->kind, here, &err)) {
		import_tell(g->in, n, IMPORT_DROPPED, "%s", err.msg);
	} else {
		import_expect(p, here);
		if (!strcmp(here, import_text(n)))
			import_tell(g->in, n, IMPORT_CARRIED, "probe %s: expect", p->name);
		else
			import_tell(g->in, n, IMPORT_CHANGED, "probe %s: expect: %s", p->name,
				strcmp(text, import_text(n)) ? "with its variables put in" : here);
	}
	free(here);
	free(text);
}

void gatus_conditions(struct gatus *g, struct import_probe *p, const struct import_node *list)
{
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		if (import_text(&n))
			condition(g, p, &n);
	}
}
