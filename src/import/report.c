#include "import/report.h"

#include <stdarg.h>

void import_note(struct import_report *r, enum import_fate fate, unsigned line, unsigned col,
	const char *what, const char *fmt, ...)
{
	struct buf text = BUF(BUF_LINE);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	vec_push(&r->notes, ((struct import_note){.fate = fate,
				    .what = mem_strdup(what),
				    .text = buf_take(&text),
				    .line = line,
				    .col = col}));
}

size_t import_count(const struct import_report *r, enum import_fate fate)
{
	size_t n = 0;
	VEC_EACH (&r->notes, const struct import_note, note) {
		n += note->fate == fate;
	}
	return n;
}

/* One line, whatever stood in it. */
static void add_comment(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_add_char(out, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
}

void import_write_notes(const struct import_report *r, struct buf *out)
{
	static const char *const headings[] = {[IMPORT_CARRIED] = "Carried over",
		[IMPORT_NEEDLESS] = "Not needed any more",
		[IMPORT_DROPPED] = "Without an equivalent"};
	for (int fate = IMPORT_CARRIED; fate <= IMPORT_DROPPED; fate++) {
		if (!import_count(r, (enum import_fate)fate))
			continue;
		buf_printf(out, "#\n# %s:\n", headings[fate]);
		VEC_EACH (&r->notes, const struct import_note, note) {
			if ((int)note->fate != fate)
				continue;
			buf_add_str(out, "#   ");
			add_comment(out, slice_of(note->what));
			buf_add_str(out, ": ");
			add_comment(out, slice_of(note->text));
			buf_add_char(out, '\n');
		}
	}
}

void import_report_fini(struct import_report *r)
{
	VEC_EACH (&r->notes, struct import_note, note) {
		free(note->what);
		free(note->text);
	}
	vec_fini(&r->notes);
}
