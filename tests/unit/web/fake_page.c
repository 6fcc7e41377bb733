/*
 * fake_page.c - pages that say what they were made of, for the tests of what serves them.
 */
#include "web/page.h"

#include <string.h>

#include "base/json.h"

static const char *const languages[] = {"en", "de", NULL};
static char style[4000];
static struct page_file files[2];

bool page_init(struct error *err)
{
	memset(style, 'x', sizeof(style));
	files[0] = (struct page_file){
		"style-0123456789.css", "text/css", {style, sizeof(style)}};
	files[1] = (struct page_file){
		"icon-0123456789.svg", "image/svg+xml", {"<svg/>", strlen("<svg/>")}};
	return true;
}

void page_fini(void)
{
}

bool page_render(enum page p, const json_t *model, const json_t *site, const char *path,
	const char *lang, bool operators, struct buf *out, struct error *err)
{
	const char *name = json_str(json_object_get(site, "site"), "name");
	buf_printf(out, "<!doctype html><html lang=\"%s\"><title>%s</title><p>page %d of %s%s<p>",
		lang, name, p, path, operators ? " for operators" : "");
	json_write(out, model);
	return true;
}

const char *const *page_languages(void)
{
	return languages;
}

const char *page_language(const char *accept, const json_t *offered)
{
	return accept && strncmp(accept, "de", 2) == 0 &&
			(!offered || json_has_text(offered, SLICE("de")))
		? "de"
		: "en";
}

const struct page_file *page_file(const char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

size_t page_files(const struct page_file **ret)
{
	*ret = files;
	return 2;
}
