/*
 * running_shipped.c - the scenarios that come with the program, to be offered where they are not
 * allowed yet. Reading them takes longer than the loop may be held up each time a catalog changes,
 * so they are kept until the configuration is read again.
 */

#include "cli/running.h"

#include <dirent.h>
#include <string.h>

static void add(struct running_shipped *s, const char *name, const struct kinds *kinds)
{
	struct error_list errors = {0};
	struct scenario *scenario = scenario_load(name, NULL, scenario_dirs(), kinds, &errors);
	if (scenario && scenario->title) {
		struct cost bill;
		char **makes = outline_makes(scenario, NULL, &bill);
		struct buf text = BUF(BUF_LINE);
		for (char **p = makes; *p; p++)
			buf_printf(&text, "%s%s", p == makes ? "" : ", ", *p);
		vec_push(&s->all,
			((struct shipped){mem_strdup(scenario->name), mem_strdup(scenario->title),
				buf_take(&text), (unsigned)bill.objects}));
		outline_free(makes);
	}
	scenario_free(scenario);
	error_list_fini(&errors);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct running_shipped *running_shipped_read(const struct kinds *kinds)
{
	struct running_shipped *s = mem_new(struct running_shipped);
	for (const char *const *dir = scenario_dirs(); *dir && !s->all.n; dir++) {
		struct dirent **entries;
		const int n = scandir(*dir, &entries, NULL, by_name);
		for (int i = 0; i < n; i++) {
			const struct slice file = slice_of(entries[i]->d_name);
			if (slice_ends(file, ".yaml")) {
				char *name = mem_strndup(file.p, file.n - strlen(".yaml"));
				add(s, name, kinds);
				free(name);
			}
			free(entries[i]);
		}
		if (n >= 0)
			free(entries);
	}
	return s;
}

void running_shipped_free(struct running_shipped *s)
{
	if (!s)
		return;
	VEC_EACH (&s->all, struct shipped, one) {
		free(one->name);
		free(one->title);
		free(one->makes);
	}
	vec_fini(&s->all);
	free(s);
}
