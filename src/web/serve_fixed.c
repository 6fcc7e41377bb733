/*
 * serve_fixed.c - documents that are part of the program: files pages link to, problems, openapi.
 */

#include <stdio.h>

#include "web/faces/faces.h"
#include "web/serve_inside.h"

#define PACKED(file)                                                                               \
	{                                                                                          \
		[CODING_GZIP] = (file)->gzip, [CODING_BROTLI] = (file)->brotli                     \
	}

const int problem_statuses[SERVE_PROBLEMS] = {
#define STATUS(s, t) s,
	PROBLEMS(STATUS)
#undef STATUS
};
const char *const problem_titles[SERVE_PROBLEMS] = {
#define TITLE(s, t) t,
	PROBLEMS(TITLE)
#undef TITLE
};

int problem_place(int status)
{
	int other = 0;
	for (int i = 0; i < SERVE_PROBLEMS; i++) {
		if (problem_statuses[i] == status)
			return i;
		if (problem_statuses[i] == 500)
			other = i;
	}
	return other;
}

static struct cache_doc *small(
	int status, const char *type, enum cache_keep keep, bool cross_origin, const char *text)
{
	return cache_doc_new(&(struct cache_recipe){.status = status,
		.type = type,
		.keep = keep,
		.cross_origin = cross_origin,
		.plain = true,
		.retry_s = status == 503 ? 2 : 0,
		.body = slice_of(text)});
}

static void make_problems(struct fixed *f)
{
	for (int i = 0; i < SERVE_PROBLEMS; i++) {
		char text[200];
		const int status = problem_statuses[i];
		/* RFC 9457; the type "about:blank" need not be said */
		snprintf(text, sizeof(text), "{\"title\":\"%s\",\"status\":%d}", problem_titles[i],
			status);
		f->api_problems[i] =
			small(status, "application/problem+json", KEEP_NOT, true, text);
		snprintf(text, sizeof(text), "%d %s\n", status, problem_titles[i]);
		f->text_problems[i] =
			small(status, "text/plain; charset=utf-8", KEEP_NOT, false, text);
	}
}

void fixed_init(struct fixed *f)
{
	const struct page_file *files;
	const size_t n = page_files(&files);
	*f = (struct fixed){0};
	for (size_t i = 0; i < n; i++) {
		struct cache_recipe r = {.status = 200,
			.type = files[i].type,
			.keep = KEEP_FOREVER,
			.body = files[i].file->plain,
			.packed = PACKED(files[i].file)};
		map_put(&f->files, files[i].name, cache_doc_new(&r));
		r.keep = KEEP_DAY;
		if (!f->icon && slice_starts(slice_of(files[i].name), "icon-"))
			f->icon = cache_doc_new(&r);
	}
	const struct web_file *openapi = ops_openapi();
	f->openapi = cache_doc_new(&(struct cache_recipe){.status = 200,
		.type = "application/yaml",
		.keep = KEEP_ASK,
		.cross_origin = true,
		.body = openapi->plain,
		.packed = PACKED(openapi)});
	f->robots[SEAT_PUBLIC] = small(200, "text/plain; charset=utf-8", KEEP_DAY, false,
		"User-agent: *\nDisallow: /api/\nDisallow: /runs/\nDisallow: /history/\n");
	f->robots[SEAT_OPERATORS] = small(
		200, "text/plain; charset=utf-8", KEEP_DAY, false, "User-agent: *\nDisallow: /\n");
	make_problems(f);
}

void fixed_fini(struct fixed *f)
{
	MAP_EACH (&f->files, e) {
		cache_doc_unref(e->value);
	}
	map_fini(&f->files);
	cache_doc_unref(f->icon);
	cache_doc_unref(f->openapi);
	for (int s = 0; s < SEATS; s++)
		cache_doc_unref(f->robots[s]);
	for (int i = 0; i < SERVE_PROBLEMS; i++) {
		cache_doc_unref(f->api_problems[i]);
		cache_doc_unref(f->text_problems[i]);
	}
}
