/*
 * about.c - what the site says of itself: Markdown of its owner, in the reader's language where
 * there is one, else in another and marked as such.
 *
 * The configuration takes no text that cannot be rendered. Should one come all the same, it is
 * shown as it was written: the page above it must not fail for it.
 */

#include <string.h>

#include "base/json.h"
#include "text/markdown.h"
#include "web/page.h"
#include "web/pages/view.h"

/* Below the title of the section. */
static const struct markdown how = {.heading = 3, .id = "about"};

json_t *about_view(struct view *v)
{
	const json_t *about = json_at(v->site, "site", "about", NULL);
	const char *lang = v->lang, *text = json_str(about, lang);
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	struct error err = {0};
	for (const char *const *other = page_languages(); !text && *other; other++)
		text = json_str(about, lang = *other);
	if (!text || !*text)
		return json_null();
	json_t *o = json_object();
	const bool good = markdown_html(slice_of(text), &how, &html, &err);
	view_put(o, "html", good ? buf_str(&html) : NULL);
	view_put(o, "text", good ? NULL : text);
	view_put(o, "other", strcmp(lang, v->lang) != 0 ? lang : NULL);
	buf_fini(&html);
	return o;
}
