/*
 * problem.c - pages for what went wrong: what it is, in plain words, and what to do.
 */

#include "base/json.h"
#include "web/pages/view.h"

bool view_problem(struct view *v)
{
	static const struct {
		int status;
		const char *title, *text;
	} rows[] = {
		{403, "problem_403", "problem_403_text"},
		{404, "problem_404", "problem_404_text"},
		{503, "problem_503", "problem_503_text"},
		{500, "problem_500", "problem_500_text"},
	};
	const int64_t status = json_int(v->model, "status", 0);
	size_t i = 0;
	while (i + 1 < array_len(rows) && rows[i].status != status)
		i++;
	if (status < 400 || status > 599)
		return false;
	/* other refusals are told by their number only */
	const bool other = rows[i].status != status && status < 500;
	const char *title = say(v, other ? "problem_other" : rows[i].title, NULL);
	view_put(v->root, "title", title);
	view_put(v->root, "heading", title);
	view_put(v->root, "status", view_keep(v, mem_printf("%d", (int)status)));
	view_put(v->root, "text", say(v, other ? "problem_other_text" : rows[i].text, NULL));
	view_put(v->root, "path", json_str(v->model, "path"));
	return true;
}
