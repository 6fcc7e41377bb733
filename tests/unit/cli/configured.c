/* configured.c - see configured.h. */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

int place_set_up(void **state)
{
	struct place *p = mem_new(struct place);

	snprintf(p->dir, sizeof(p->dir), "/tmp/test-configured-XXXXXX");
	*state = p;
	return mkdtemp(p->dir) ? 0 : -1;
}

int place_tear_down(void **state)
{
	struct place *p = *state;
	char *remove = mem_printf("rm -rf %s", p->dir);
	const int failed = system(remove);

	free(remove);
	free(p);
	return failed;
}

char *place_path(const struct place *p, const char *path)
{
	return mem_printf("%s/%s", p->dir, path);
}

void place_put(const struct place *p, const char *path, const char *text)
{
	char *full = place_path(p, path);

	for (char *at = full + strlen(p->dir) + 1; *at; at++)
		if (*at == '/') {
			*at = 0;
			mkdir(full, 0700);
			*at = '/';
		}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(full);
}

static struct config *loaded(struct config *c, struct error_list *errors)
{
	char line[ERROR_TEXT + 300];

	for (size_t i = 0; i < errors->n; i++)
		print_error("%s\n", error_text(&errors->p[i], line, sizeof(line)));
	assert_int_equal(errors->n, 0);
	assert_non_null(c);
	return c;
}

struct config *configured(const char *text)
{
	struct error_list errors = {0};

	return loaded(config_parse(slice_of(text), "glasshouse.yaml", &errors), &errors);
}

struct config *configured_files(const struct place *p)
{
	struct error_list errors = {0};
	char *path = place_path(p, "glasshouse.yaml");
	struct config *c = loaded(config_load(path, &errors), &errors);

	free(path);
	return c;
}

char *refusal(const struct place *p, const char *text)
{
	struct error_list errors = {0};
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];
	char *path = place_path(p, "glasshouse.yaml");

	if (text)
		place_put(p, "glasshouse.yaml", text);
	assert_null(config_load(path, &errors));
	for (size_t i = 0; i < errors.n; i++) {
		const char *said = error_text(&errors.p[i], line, sizeof(line));
		const size_t n = strlen(p->dir);

		if (!strncmp(said, p->dir, n))
			said += n + 1;
		buf_printf(&all, "%s\n", said);
	}
	if (errors.dropped)
		buf_printf(&all, "and %zu more\n", errors.dropped);
	error_list_fini(&errors);
	free(path);
	return buf_take(&all);
}

char *shown(const struct config *c)
{
	json_t *j = config_json(c);
	char *text = json_text(j);

	json_decref(j);
	return text;
}
