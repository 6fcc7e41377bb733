/*
 * config_about.c - `site: about`, what the first page says of the site; see config_reader.h.
 *
 * A text is tried as a page would show it, so that what is too long or nests too deep is told here
 * and not found by a reader. Until all files are read, a text without a language stands under "".
 */

#include <string.h>

#include "cli/config_reader.h"
#include "text/markdown.h"

static const char *const language_words[] = {"en", "de", NULL};

bool config_is_language(struct slice word)
{
	for (size_t i = 0; language_words[i]; i++)
		if (slice_is(word, language_words[i]))
			return true;
	return false;
}

/* Line ends and tabs are the only control characters that mean something in Markdown. */
static bool has_controls(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
			return true;
	}
	return false;
}

static bool is_shown(struct slice text, struct error *err)
{
	const struct markdown how = {.heading = 3};
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	const bool good = markdown_html(text, &how, &html, err);
	buf_fini(&html);
	return good;
}

/* An empty text takes away the one before. */
static void read_text(struct config_reader *r, const struct yaml *y, const char *language)
{
	struct error err = {0};
	if (y->kind != YAML_SCALAR)
		config_wrong(r, y, "the site: about must be text, not %s", yaml_kind_name(y));
	else if (has_controls(y->text))
		config_wrong(r, y, "the site: about: control characters are no text");
	else if (!is_shown(y->text, &err))
		config_wrong(r, y, "the site: about: %s", err.msg);
	else if (yaml_is_null(y) || !slice_trim(y->text).n)
		json_object_del(r->config->about, language);
	else
		json_object_set_new(r->config->about, language, json_stringn(y->text.p, y->text.n));
}

void config_read_about(struct config_reader *r, const struct yaml *y)
{
	if (y->kind == YAML_LIST) {
		config_wrong(r, y,
			"the site: about must be text, or a map from languages to texts, not a "
			"list");
		return;
	}
	if (y->kind == YAML_SCALAR) {
		json_object_clear(r->config->about);
		read_text(r, y, "");
	}
	for (size_t i = 0; y->kind == YAML_MAP && i < y->n; i++) {
		if (config_is_language(y->keys[i]->text))
			read_text(r, y->items[i], y->keys[i]->text.p);
		else
			config_wrong(r, y->keys[i],
				"the site: about: there are en and de, not \"%.20s\"",
				y->keys[i]->text.p);
	}
}

void config_finish_about(struct config *c)
{
	json_t *text = json_incref(json_object_get(c->about, ""));
	if (!text)
		return;
	json_object_del(c->about, "");
	if (!json_object_get(c->about, c->languages[0]))
		json_object_set(c->about, c->languages[0], text);
	json_decref(text);
}
