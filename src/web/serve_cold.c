/*
 * serve_cold.c - cold pages, and what is asked each time; see serve_inside.h.
 *
 * A cold page that many want at once is asked for and rendered once: they wait at the same key.
 * More keys than fit are not let in but sent away with 503, so that the house and the render thread
 * are never far behind. Pinned pages take no part in this.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "web/serve_hub.h"

#define WAITING     64  /* keys of cold pages of an audience; questions of the asked class */
#define COLD_RATE   100 /* the same a second: a crowd must not stop the house */
#define CHANGING_NS (10 * NS_PER_S)
#define LASTING_NS  (600 * NS_PER_S)

struct pending {               /* one key: asked at the door, then rendered */
	struct render_job job; /* first */
	struct hub *hub;
	const struct route *route;
	enum seat seat;
	unsigned language;
	char *key, *word; /* key NULL: for one alone, called: */
	char id[REQUEST_ID_MAX + 1];
	struct ask *first, **last; /* who waits */
	char *body;
	size_t body_n;
	/* what it became */
	int status;
	struct cache_doc *doc;
	bool lasting;
	char why[SERVE_WHY]; /* it could not be rendered; "" */
};

static int64_t revision_of(const struct hub *h, enum seat s)
{
	return h->pins ? h->pins->revision[s] : 0;
}

/* --- answers -------------------------------------------------------------------------------------
 */

static void give(struct ask *a, int status, struct cache_doc *d, int64_t revision, int64_t until_ns)
{
	a->status = status;
	a->doc = d ? cache_doc_ref(d) : NULL;
	a->revision = revision;
	a->until_ns = until_ns;
	serving_take(a->serving, a);
}

static void pending_end(struct pending *p)
{
	struct hub *h = p->hub;
	const int64_t revision = p->lasting ? -1 : revision_of(h, p->seat);
	const int64_t until = loop_now_ns(h->loop) + (p->lasting ? LASTING_NS : CHANGING_NS);
	if (p->key) {
		map_remove(&h->cold, p->key);
		h->cold_count[p->seat]--;
		if (p->doc)
			cache_put(h->cache, p->key, p->doc, revision, until);
	} else {
		h->asked_count[p->seat]--;
	}
	for (struct ask *a = p->first, *next; a; a = next) {
		next = a->next_waiter;
		give(a, p->status, p->doc, revision, p->key ? until : 0);
	}
	cache_doc_unref(p->doc);
	free(p->key);
	free(p->word);
	free(p->body);
	free(p);
	hub_note_quiet(h);
}

/* --- on the render thread ------------------------------------------------------------------------
 */

static struct cache_doc *doc_of(
	const struct pending *p, int status, const char *type, struct slice body)
{
	const bool is_public = p->seat == SEAT_PUBLIC;
	return cache_doc_new(&(struct cache_recipe){.status = status,
		.type = type,
		.language = p->route->form == FORM_PAGE ? page_languages()[p->language] : NULL,
		.keep = !p->key     ? KEEP_NOT
			: is_public ? KEEP_ASK
				    : KEEP_PRIVATE,
		.cross_origin = is_public && p->route->face != FACE_PAGES,
		.plain = !p->key, /* for one reader, who is near */
		.id = p->key ? NULL : p->id,
		.body = body});
}

static void render_page(struct pending *p, const json_t *model, const json_t *site)
{
	struct buf path = BUF(BUF_LINE), html = BUF(BUF_PAGE);
	struct error err = {0};
	route_path(p->route, p->word, &path);
	p->status = 503;
	if (site)
		p->status = page_render(p->route->page, model, site, buf_str(&path),
				    page_languages()[p->language], p->seat == SEAT_OPERATORS, &html,
				    &err)
				    ? 200
				    : 500;
	if (p->status == 200)
		p->doc = doc_of(p, 200, "text/html; charset=utf-8", buf_slice(&html));
	else if (p->status == 500)
		snprintf(p->why, SERVE_WHY, "%.60s: %.130s", buf_str(&path), err.msg);
	buf_fini(&path);
	buf_fini(&html);
}

/* What can still change is kept for a moment only. */
static bool is_lasting(const struct route *r, const json_t *model)
{
	if (!r->query)
		return false;
	if (strcmp(r->query, "run") == 0)
		return json_is_integer(json_object_get(model, "ended_ms"));
	return strcmp(r->query, "evidence") == 0 && json_int(model, "next", 0) > 0;
}

static void on_render(struct render_job *j, json_t **frames)
{
	struct pending *p = (struct pending *)j;
	const struct slice body = slice_from(p->body, p->body_n);
	struct error err = {0};
	json_t *model = json_parse(body, DOOR_BODY_MAX, &err);
	p->status = model ? 200 : 500;
	p->lasting = is_lasting(p->route, model);
	if (!model) {
		snprintf(p->why, SERVE_WHY, "%.40s: %.150s", p->word, err.msg);
		return;
	}
	switch (p->route->form) {
	case FORM_PAGE: render_page(p, model, frames[p->seat]); break;
	case FORM_JSON: p->doc = doc_of(p, 200, "application/json", body); break;
	case FORM_TEXT:
		p->doc = doc_of(p, 200, "text/plain; version=0.0.4; charset=utf-8",
			slice_of(json_str(model, "text")));
		break;
	case FORM_DOCUMENT:
		p->status = (int)json_int(model, "status", 200);
		p->doc = doc_of(
			p, p->status, json_str(model, "type"), slice_of(json_str(model, "text")));
		break;
	case FORM_HEALTH:
		p->status = json_flag(model, "ready") ? 200 : 503;
		p->doc = doc_of(p, p->status, "application/json", body);
		break;
	case FORM_WRITE:
		p->status = (int)json_int(model, "status", 500);
		p->doc = write_doc(p->route, p->id, p->status, json_str(model, "why"),
			json_object_get(model, "document"));
		break;
	}
	json_decref(model);
}

/* --- asking --------------------------------------------------------------------------------------
 */

static void on_rendered(struct render_job *j)
{
	struct pending *p = (struct pending *)j;
	hub_say_failed(p->hub, p->why);
	pending_end(p);
}

static void on_answer(void *arg, int status, struct slice body)
{
	struct pending *p = arg;
	struct hub *h = p->hub;
	if (status != 200) {
		p->status = status >= 400 && status < 600 ? status : 500;
		pending_end(p);
		return;
	}
	p->body = mem_strndup(body.p, body.n);
	p->body_n = body.n;
	p->job.work = on_render;
	p->job.done = on_rendered;
	render_submit(h->render, &p->job, !p->key);
}

static void ask_to_write(struct pending *p, const struct write_out *out)
{
	door_ask(p->hub->door,
		&(struct door_frame){.kind = out->kind,
			.audience = seat_audience(p->seat),
			.status = (int)out->bad,
			.name = slice_of(out->name),
			.who = out->kind == DOOR_COMMAND ? SLICE("intake")
							 : slice_of(out->first_bad),
			.body = buf_slice(&out->body)},
		on_answer, p);
}

static void ask_house(struct pending *p, const struct ask *a)
{
	if (a->out) {
		ask_to_write(p, a->out);
		return;
	}
	const struct route *r = p->route;
	json_t *args = json_object();
	int64_t number = 0;
	if (r->number)
		units_parse_int(slice_of(p->word), &number);
	if (r->key)
		json_object_set_new(
			args, r->key, r->number ? json_integer(number) : json_string(p->word));
	char *text = json_text(args);
	door_ask(p->hub->door,
		&(struct door_frame){.kind = r->command ? DOOR_COMMAND : DOOR_QUERY,
			.audience = seat_audience(p->seat),
			.name = slice_of(r->query ? r->query : p->word),
			.who = r->command ? SLICE("intake") : SLICE(""),
			.body = slice_of(a->body ? a->body : text)},
		on_answer, p);
	free(text);
	json_decref(args);
}

static void pending_new(struct hub *h, struct ask *a)
{
	struct pending *p = mem_new(struct pending);
	p->hub = h;
	p->route = a->route;
	p->seat = a->seat;
	p->language = a->language;
	p->key = mem_strdup(a->key);
	p->word = mem_strdup(a->word);
	memcpy(p->id, a->id, sizeof(p->id));
	p->first = a;
	a->next_waiter = NULL;
	p->last = &a->next_waiter;
	if (p->key) {
		map_put(&h->cold, p->key, p);
		h->cold_count[p->seat]++;
	} else {
		h->asked_count[p->seat]++;
	}
	hub_note_quiet(h);
	ask_house(p, a);
}

/* Paid for evenly, and up to WAITING at once; the public takes nothing from the operators, whose
 * questions are their own to count. */
static bool may_ask(struct hub *h, const struct ask *a)
{
	const int64_t now = loop_now_ns(h->loop), price = NS_PER_S / COLD_RATE;
	int64_t *free_ns = &h->cold_free_ns[a->seat];
	if (h->closing || (a->key ? h->cold_count[a->seat] : h->asked_count[a->seat]) >= WAITING)
		return false;
	if (!a->key && a->seat == SEAT_OPERATORS)
		return true;
	if (*free_ns < now)
		*free_ns = now;
	if (*free_ns - now > (WAITING - 1) * price)
		return false;
	*free_ns += price;
	return true;
}

void cold_ask(struct ask *a)
{
	struct hub *h = a->hub;
	struct cache_doc *kept =
		a->key ? cache_get(h->cache, a->key, revision_of(h, a->seat), loop_now_ns(h->loop))
		       : NULL;
	struct pending *p = a->key ? map_get(&h->cold, a->key) : NULL;
	if (kept) {
		give(a, 200, kept, 0, 0);
	} else if (p) {
		a->next_waiter = NULL;
		*p->last = a;
		p->last = &a->next_waiter;
	} else if (may_ask(h, a)) {
		pending_new(h, a);
	} else {
		give(a, 503, NULL, 0, 0);
	}
}
