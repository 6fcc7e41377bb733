/*
 * exposition.c - see exposition.h.
 */

#include "text/exposition.h"

void exposition_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP glasshouse_%s %s\n# TYPE glasshouse_%s %s\n", name, help, name, type);
}

/* Label values escape backslash, quote and line feed. */
static void add_labels(struct buf *b, const struct exposition_label *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%c%s=\"", i ? ',' : '{', l[i].key);
		for (const char *p = l[i].value ? l[i].value : ""; *p; p++)
			if (*p == '\n')
				buf_add_str(b, "\\n");
			else if (*p == '"' || *p == '\\')
				buf_printf(b, "\\%c", *p);
			else
				buf_add_char(b, *p);
		buf_add_char(b, '"');
	}
	if (n)
		buf_add_char(b, '}');
}

void exposition_value(
	struct buf *b, const char *name, const struct exposition_label *l, size_t n, double x)
{
	buf_printf(b, "glasshouse_%s", name);
	add_labels(b, l, n);
	buf_printf(b, " %.15g\n", x);
}

void exposition_foreign_family(struct buf *b, const char *name, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

void exposition_foreign_value(
	struct buf *b, const char *name, const struct exposition_label *l, size_t n, double x)
{
	buf_add_str(b, name);
	add_labels(b, l, n);
	buf_printf(b, " %.15g\n", x);
}
