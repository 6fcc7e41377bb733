/*
 * template.h - Mustache templates (https://mustache.github.io, spec 1.1 to 1.4: comments,
 * delimiters, interpolation, inverted, partials, sections; no lambdas), compiled once, rendered
 * from JSON.
 *
 * {{x}} escapes for HTML (& < > "), {{{x}}} and {{&x}} do not. false, null, absent and the empty
 * list are false; all else is true, the empty text and 0 too. Lists and objects have no text.
 * Compiled templates are immutable.
 * Thread: compiling one at a time; rendering any.
 */
#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"

#define TEMPLATE_SIZE_MAX  (256u << 10)
#define TEMPLATE_DEPTH_MAX 64 /* sections, and partials in partials, together */
/* Of one rendering: tags and pieces of text that are met, bytes of partials that are compiled. */
#define TEMPLATE_STEPS_MAX (16u << 20)

struct template;

/* Finds the text of a partial; false: there is none, which renders as nothing. */
typedef bool template_partial(void *arg, struct slice name, struct slice *ret_text);

/* `name` is for errors (name:line:col). Returns owned. */
struct template *template_compile(
	struct slice text, const char *name, struct error *err) must_check;
void template_free(struct template *t);
/* Partials are compiled when they are met, with the standard delimiters and the indentation of
 * their tag, as the spec says; once in a rendering. False: too deep, too large, too long, or a
 * partial that does not compile; `out` then holds what was written before. */
bool template_render(const struct template *t, const json_t *model, template_partial *partial,
	void *arg, struct buf *out, struct error *err) must_check;

#endif
