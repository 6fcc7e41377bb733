#include "import/report.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {[IMPORT_CARRIED] = "carried",
	[IMPORT_CHANGED] = "differently",
	[IMPORT_NEEDLESS] = "needless",
	[IMPORT_DROPPED] = "not carried"};

const char *import_fate_word(enum import_fate fate)
{
	return words[fate];
}

struct import_note *import_note_in(struct import_report *r, enum import_fate fate, const char *file,
	unsigned line, unsigned col, const char *what, const char *fmt, va_list ap)
{
	struct buf text = BUF(BUF_LINE);
	buf_vprintf(&text, fmt, ap);
	vec_push(&r->notes, ((struct import_note){.fate = fate,
				    .file = file ? mem_strdup(file) : NULL,
				    .what = mem_strdup(what),
				    .text = buf_take(&text),
				    .line = line,
				    .col = col}));
	return &r->notes.p[r->notes.n - 1];
}

void import_note(struct import_report *r, enum import_fate fate, unsigned line, unsigned col,
	const char *what, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	import_note_in(r, fate, NULL, line, col, what, fmt, ap);
	va_end(ap);
}

size_t import_count(const struct import_report *r, enum import_fate fate)
{
	size_t n = 0;
	VEC_EACH (&r->notes, const struct import_note, note) {
		n += note->fate == fate;
	}
	return n;
}

/* --- in order --------------------------------------------------------------------------------- */

struct sorted {
	struct import_note note;
	size_t file, at;
};

static int by_place(const void *va, const void *vb)
{
	const struct sorted *a = va, *b = vb;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->note.line != b->note.line)
		return a->note.line < b->note.line ? -1 : 1;
	if (a->note.col != b->note.col)
		return a->note.col < b->note.col ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

void import_sort(struct import_report *r)
{
	VEC(const char *) files = {0};
	struct sorted *list = mem_new_array(r->notes.n + 1, sizeof(*list));
	for (size_t i = 0; i < r->notes.n; i++) {
		const char *file = r->notes.p[i].file ? r->notes.p[i].file : "";
		size_t at = files.n; /* the last one first: notes of a file come together */
		while (at > 0 && strcmp(files.p[at - 1], file) != 0)
			at--;
		if (!at) {
			vec_push(&files, file);
			at = files.n;
		}
		list[i] = (struct sorted){r->notes.p[i], at, i};
	}
	qsort(list, r->notes.n, sizeof(*list), by_place);
	for (size_t i = 0; i < r->notes.n; i++)
		r->notes.p[i] = list[i].note;
	free(list);
	vec_fini(&files);
}

/* --- written ---------------------------------------------------------------------------------- */

/* One line, whatever stood in it. */
static void add_line(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++)
		buf_add_char(out, (unsigned char)*p < ' ' ? ' ' : *p);
}

void import_write_notes(const struct import_report *r, struct buf *out)
{
	static const char *const headings[] = {[IMPORT_CARRIED] = "Carried over",
		[IMPORT_CHANGED] = "Carried differently",
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
			add_line(out, note->what);
			buf_add_str(out, ": ");
			add_line(out, note->text);
			buf_add_char(out, '\n');
		}
	}
}

void import_write_lines(const struct import_report *r, bool all, struct buf *out)
{
	VEC_EACH (&r->notes, const struct import_note, note) {
		if (!all && note->fate == IMPORT_CARRIED)
			continue;
		if (note->file)
			add_line(out, note->file);
		if (note->line)
			buf_printf(out, ":%u:%u", note->line, note->col);
		buf_add_str(out, note->file || note->line ? ": " : "");
		add_line(out, note->what);
		buf_printf(out, ": %s: ", words[note->fate]);
		add_line(out, note->text);
		buf_add_char(out, '\n');
	}
}

json_t *import_report_json(const struct import_report *r)
{
	json_t *notes = json_array(), *counts = json_object();
	for (int fate = IMPORT_CARRIED; fate <= IMPORT_DROPPED; fate++)
		json_object_set_new(counts, words[fate],
			json_integer((json_int_t)import_count(r, (enum import_fate)fate)));
	VEC_EACH (&r->notes, const struct import_note, n) {
		json_t *j = json_object();
		if (n->file)
			json_object_set_new(j, "file", json_string(n->file));
		json_object_set_new(j, "line", json_integer(n->line));
		json_object_set_new(j, "col", json_integer(n->col));
		json_object_set_new(j, "what", json_string(n->what));
		json_object_set_new(j, "fate", json_string(words[n->fate]));
		json_object_set_new(j, "text", json_string(n->text));
		json_object_set_new(j, "whole", json_boolean(n->whole));
		json_array_append_new(notes, j);
	}
	return json_pack("{s:o, s:o}", "counts", counts, "notes", notes);
}

void import_report_fini(struct import_report *r)
{
	VEC_EACH (&r->notes, struct import_note, note) {
		free(note->file);
		free(note->what);
		free(note->text);
	}
	vec_fini(&r->notes);
}
