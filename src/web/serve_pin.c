/*
 * serve_pin.c - the pinned documents of one moment: every pinned row, for both audiences, in every
 * language. Made on the render thread as a whole, never changed.
 */

#include <assert.h>
#include <stdio.h>

#include "base/json.h"
#include "web/serve_inside.h"

struct pins *pins_ref(struct pins *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void pins_unref(struct pins *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (int s = 0; s < SEATS; s++) {
		json_decref(p->offered[s]);
		for (int l = 0; l < LANGUAGES_MAX; l++) {
			for (int r = 0; r < ROUTES_MAX; r++)
				cache_doc_unref(p->docs[r][s][l]);
			for (int i = 0; i < SERVE_PROBLEMS; i++)
				cache_doc_unref(p->problems[i][s][l]);
		}
	}
	free(p);
}

unsigned language_count(void)
{
	const char *const *names = page_languages();
	unsigned n = 0;
	while (names[n])
		n++;
	assert(n > 0 && n <= LANGUAGES_MAX);
	return n;
}

/* The same document again when its bytes are the same: nothing is compressed twice. */
static struct cache_doc *take(struct cache_doc *last, const struct cache_recipe *recipe)
{
	if (last && cache_doc_is(last, recipe->body))
		return cache_doc_ref(last);
	return cache_doc_new(recipe);
}

static enum cache_keep keep_of(enum seat s)
{
	return s == SEAT_PUBLIC ? KEEP_ASK : KEEP_PRIVATE;
}

static struct cache_doc *pin_page(struct pins *p, enum page page, const json_t *model,
	const json_t *site, enum seat seat, unsigned language, int status, struct cache_doc *last)
{
	const char *lang = page_languages()[language];
	struct buf b = BUF(BUF_PAGE);
	struct error err = {0};
	struct cache_doc *d = NULL;
	if (page_render(page, model, site, "/", lang, seat == SEAT_OPERATORS, &b, &err))
		d = take(last, &(struct cache_recipe){.status = status,
				       .type = "text/html; charset=utf-8",
				       .language = lang,
				       .keep = status == 200 ? keep_of(seat) : KEEP_NOT,
				       /* dozens of small ones, seldom asked for */
				       .plain = status != 200,
				       .retry_s = status == 503 ? 2 : 0,
				       .body = buf_slice(&b)});
	else
		snprintf(p->why, SERVE_WHY, "page %d: %.170s", page, err.msg);
	buf_fini(&b);
	return d;
}

static struct cache_doc *pin_json(
	const struct route *r, const json_t *site, enum seat seat, struct cache_doc *last)
{
	struct buf b = BUF(DOOR_BODY_MAX);
	json_t *made = r->make(site);
	struct cache_doc *d = NULL;
	json_write(&b, made);
	if (made && !b.over)
		d = take(last, &(struct cache_recipe){.status = 200,
				       .type = "application/json",
				       .keep = keep_of(seat),
				       .cross_origin = seat == SEAT_PUBLIC,
				       .body = buf_slice(&b)});
	json_decref(made);
	buf_fini(&b);
	return d;
}

static void pin_problems(
	struct pins *p, enum seat seat, const json_t *site, const struct pins *last)
{
	for (int i = 0; i < SERVE_PROBLEMS; i++) {
		json_t *model = json_pack("{s:i, s:s}", "status", problem_statuses[i], "path", "/");
		for (unsigned l = 0; l < language_count(); l++)
			p->problems[i][seat][l] = pin_page(p, PAGE_PROBLEM, model, site, seat, l,
				problem_statuses[i], last ? last->problems[i][seat][l] : NULL);
		json_decref(model);
	}
}

void pins_add(struct pins *p, enum seat seat, const json_t *site, const struct pins *last)
{
	const json_t *offered = json_object_get(json_object_get(site, "site"), "languages");
	p->there[seat] = true;
	p->revision[seat] = json_int(site, "revision", 0);
	p->offered[seat] = json_is_array(offered) ? json_deep_copy(offered) : NULL;
	for (size_t r = 0; r < route_count; r++) {
		const struct route *row = &routes[r];
		if (row->class != CLASS_PINNED)
			continue;
		if (row->form == FORM_JSON) {
			p->docs[r][seat][0] =
				pin_json(row, site, seat, last ? last->docs[r][seat][0] : NULL);
			continue;
		}
		for (unsigned l = 0; l < language_count(); l++)
			p->docs[r][seat][l] = pin_page(p, row->page, site, site, seat, l, 200,
				last ? last->docs[r][seat][l] : NULL);
	}
	pin_problems(p, seat, site, last);
}

struct pins *pins_new(void)
{
	struct pins *p = mem_new(struct pins);
	assert(route_count <= ROUTES_MAX);
	atomic_init(&p->refs, 1);
	return p;
}
