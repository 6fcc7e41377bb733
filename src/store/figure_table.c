/*
 * figure_table.c - figures as a table of text; see figures.h.
 */

#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "store/figures.h"

#define WIDTH_MIN 24
#define WIDTH_MAX 60

struct figure_row figure_row(const struct figure *f, bool with_cloud)
{
	const struct series_point *p = &f->all;
	const bool any = p->ok > 0;
	return (struct figure_row){
		.name = mem_printf("%s%s%s%s%s", with_cloud ? f->cloud : "", with_cloud ? " " : "",
			f->service, *f->service ? " " : "", f->name),
		.n = p->n,
		.errors = p->n - p->ok,
		.min = any ? p->min * NS_PER_US : -1,
		.mean = any ? p->sum / (double)p->ok * NS_PER_US : -1,
		.p50 = any ? series_point_quantile(p, 0.5) * NS_PER_US : -1,
		.p95 = any ? series_point_quantile(p, 0.95) * NS_PER_US : -1,
		.p99 = any ? series_point_quantile(p, 0.99) * NS_PER_US : -1,
		.max = any ? p->max * NS_PER_US : -1,
	};
}

static void write_time(struct buf *out, double ns)
{
	char text[UNITS_TEXT];
	buf_printf(out, " %8s", ns < 0 ? "-" : units_time_text((int64_t)ns, text));
}

void figure_rows_write(
	struct buf *out, const char *heading, const struct figure_row *rows, size_t n, size_t most)
{
	static const char *const columns[] = {"min", "mean", "p50", "p95", "p99", "max"};
	int width = WIDTH_MIN;
	for (size_t i = 0; i < n && i < most; i++)
		if ((int)strlen(rows[i].name) > width)
			width = (int)strlen(rows[i].name);
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	buf_printf(out, "%-*s %6s %5s", width, heading, "n", "err");
	for (size_t i = 0; i < array_len(columns); i++)
		buf_printf(out, " %8s", columns[i]);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < n && i < most; i++) {
		const struct figure_row *r = &rows[i];
		const double times[] = {r->min, r->mean, r->p50, r->p95, r->p99, r->max};
		buf_printf(out, "%-*.*s %6llu %5llu", width, width, r->name,
			(unsigned long long)r->n, (unsigned long long)r->errors);
		for (size_t k = 0; k < array_len(times); k++)
			write_time(out, times[k]);
		buf_add_char(out, '\n');
	}
	if (n > most)
		buf_printf(out, "and %zu more, which are shorter\n", n - most);
}
