/*
 * waterfall.c - see waterfall.h.
 */

#include "cli/waterfall.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "base/vec.h"

const struct paint *paint_for(int fd)
{
	static const struct paint none = {"", "", "", "", "", ""};
	static const struct paint colours = {
		"\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"};
	const char *no = getenv("NO_COLOR");
	return isatty(fd) && !(no && *no) ? &colours : &none;
}

static bool ran(const struct run_row *row)
{
	return row->start_ns >= 0 && row->ready_ns >= 0 && row->state != ELEMENT_ABSENT &&
	       row->state != ELEMENT_SKIPPED;
}

static int by_start(const void *a, const void *b)
{
	const struct run_row *x = *(const struct run_row *const *)a;
	const struct run_row *y = *(const struct run_row *const *)b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return (x->ready_ns > y->ready_ns) - (x->ready_ns < y->ready_ns);
}

/* Waiting for its turn ·, the request ▒, becoming ready █. */
static void bar(struct buf *out, const struct run_row *row, int64_t span, unsigned width)
{
	const int64_t answer = row->answer_ns >= row->start_ns ? row->answer_ns : row->start_ns;
	for (unsigned i = 0; i < width; i++) {
		const int64_t from = span * i / width, to = span * (i + 1) / width;
		const bool inside = to > row->start_ns && from <= row->ready_ns;
		if (inside && answer > row->start_ns && from < answer && to <= answer)
			buf_add_str(out, "▒");
		else if (inside)
			buf_add_str(out, "█");
		else if (to > row->needed_ns && to <= row->start_ns)
			buf_add_str(out, "·");
		else
			buf_add_char(out, ' ');
	}
}

void waterfall_write(
	struct buf *out, const struct run_report *r, unsigned width, const struct paint *p)
{
	VEC(const struct run_row *) rows = {0};
	int64_t span = 1;
	size_t longest = 8;
	char took[UNITS_TEXT];
	for (size_t i = 0; i < r->row_count; i++) {
		if (!ran(&r->rows[i]))
			continue;
		vec_push(&rows, &r->rows[i]);
		if (r->rows[i].ready_ns > span)
			span = r->rows[i].ready_ns;
		if (strlen(r->rows[i].name) > longest)
			longest = strlen(r->rows[i].name);
	}
	if (longest > 28)
		longest = 28;
	if (rows.n)
		qsort(rows.p, rows.n, sizeof(*rows.p), by_start);
	const unsigned used = (unsigned)longest + 14;
	const unsigned bars = width > used + 20 ? width - used : 20;
	buf_printf(out,
		"%swaterfall, 0 to %s   · waits  ▒ request  █ becomes ready  * critical path%s\n",
		p->dim, units_time_text(span, took), p->off);
	for (size_t i = 0; i < rows.n; i++) {
		const struct run_row *row = rows.p[i];
		const char *colour = row->state == ELEMENT_FAILED ? p->bad
				     : row->degraded              ? p->warn
								  : "";
		buf_printf(out, "%s%c %-*.*s %s", row->on_critical_path ? p->strong : "",
			row->on_critical_path ? '*' : ' ', (int)longest, (int)longest, row->name,
			p->off);
		buf_add_str(out, colour);
		bar(out, row, span, bars);
		buf_printf(out, "%s %7s\n", p->off,
			units_time_text(row->ready_ns - row->start_ns, took));
	}
	vec_fini(&rows);
}

void waterfall_critical_path(struct buf *out, const struct run_report *r, const struct paint *p)
{
	VEC(const struct run_row *) path = {0};
	char took[UNITS_TEXT], share[UNITS_TEXT];
	int64_t total = 0;
	for (size_t i = 0; i < r->row_count; i++) {
		if (r->rows[i].on_critical_path)
			vec_push(&path, &r->rows[i]);
		if (r->rows[i].on_critical_path && r->rows[i].ready_ns > total)
			total = r->rows[i].ready_ns;
	}
	if (path.n) {
		qsort(path.p, path.n, sizeof(*path.p), by_start);
		buf_printf(out, "%scritical path%s %s:", p->strong, p->off,
			units_time_text(total, took));
	}
	for (size_t i = 0; i < path.n; i++)
		buf_printf(out, "%s %s %s", i ? " ->" : "", path.p[i]->name,
			units_time_text(path.p[i]->ready_ns - path.p[i]->start_ns, share));
	if (path.n)
		buf_add_char(out, '\n');
	vec_fini(&path);
}

static void first_causes(struct buf *out, const struct run_report *r, const struct paint *p)
{
	size_t skipped = 0, causes = 0;
	for (size_t i = 0; i < r->row_count; i++) {
		const struct run_row *row = &r->rows[i];
		skipped += row->state == ELEMENT_SKIPPED;
		causes += row->first_cause;
		if (!row->first_cause && !row->degraded)
			continue;
		buf_printf(out, "  %s%s%s %s%s%s: %s", row->first_cause ? p->bad : p->warn,
			row->first_cause ? "failed" : "degraded", p->off, p->strong, row->name,
			p->off, row->fault != FAULT_NONE ? fault_text(row->fault) : "");
		if (row->detail && *row->detail &&
			(row->fault == FAULT_NONE ||
				strcmp(row->detail, fault_text(row->fault)) != 0))
			buf_printf(
				out, "%s%s", row->fault != FAULT_NONE ? "\n    " : "", row->detail);
		if (row->first_cause)
			buf_printf(out, "\n    whose: %s%s%s%s%s",
				fault_whose_name(fault_whose(row->fault)),
				row->request_id ? "   request " : "",
				row->request_id ? row->request_id : "",
				row->service_request_id ? "   the service's " : "",
				row->service_request_id ? row->service_request_id : "");
		buf_add_char(out, '\n');
	}
	if (skipped)
		buf_printf(out, "  %s%zu steps were skipped %s%s\n", p->dim, skipped,
			causes ? "because of them" : "since the run was stopped", p->off);
}

void waterfall_verdict(struct buf *out, const struct run_report *r, const struct paint *p)
{
	char built[UNITS_TEXT], ended[UNITS_TEXT], text[ERROR_TEXT + 300];
	const char *colour = r->verdict == VERDICT_PASSED   ? p->good
			     : r->verdict == VERDICT_FAILED ? p->bad
							    : p->warn;
	buf_printf(out, "%s%s%s%s", p->strong, colour, verdict_name(r->verdict), p->off);
	if (r->error) {
		buf_printf(out, ": could not run: %s\n", error_text(r->error, text, sizeof(text)));
		return;
	}
	buf_printf(out, "  run %s  built in %s, all in %s, %zu requests\n", r->label,
		units_time_text(r->built_ns, built), units_time_text(r->ended_ns, ended),
		r->requests);
	first_causes(out, r, p);
	buf_printf(out, "objects: %zu created, %zu deleted, %s%zu left%s%s\n", r->created,
		r->deleted, r->left ? p->bad : "", r->left, r->left ? p->off : "",
		r->left ? "; see `glasshouse ledger --open`" : "");
	if (r->server_minutes > 0)
		buf_printf(out, "cost: %zu objects, %.1f server-minutes\n", r->created,
			r->server_minutes);
}
