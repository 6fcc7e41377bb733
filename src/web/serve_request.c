/*
 * serve_request.c - each request's way to its answer, on a serving thread.
 *
 * Pinned and fixed documents are answered at once from what this thread holds. Everything else is
 * handed to the hub as an ask and comes back; cold documents that came are kept near as well, as
 * long as they hold, so that the second reader is answered at once.
 */

#include <stdio.h>

#include "base/json.h"
#include "net/url.h"
#include "web/serve_thread.h"

/* --- languages -----------------------------------------------------------------------------------
 */

static unsigned language_place(const char *name)
{
	const char *const *names = page_languages();
	for (unsigned l = 0; names[l]; l++)
		if (name && strcmp(names[l], name) == 0)
			return l;
	return 0;
}

static unsigned choose_language(struct serving *s, enum seat seat, struct http_exchange *x)
{
	const json_t *offered = s->pins ? s->pins->offered[seat] : NULL;
	const char *wanted = http_query(x)[0] ? http_argument(x, "lang") : NULL;
	if (wanted) {
		const unsigned l = language_place(wanted);
		if (strcmp(page_languages()[l], wanted) == 0 &&
			(!offered || json_has_text(offered, slice_of(wanted))))
			return l;
	}
	const char *accept = http_header(x, "Accept-Language");
	accept = accept ? accept : "";
	if (s->accept[seat][0] != '\n' && strcmp(s->accept[seat], accept) == 0)
		return s->accept_language[seat];
	const unsigned l = language_place(page_language(accept, offered));
	if (strlen(accept) < ACCEPT_MAX) {
		snprintf(s->accept[seat], ACCEPT_MAX, "%s", accept);
		s->accept_language[seat] = l;
	}
	return l;
}

void request_forget_languages(struct serving *s)
{
	for (int i = 0; i < SEATS; i++)
		snprintf(s->accept[i], ACCEPT_MAX, "\n"); /* in no header */
}

/* --- problems ------------------------------------------------------------------------------------
 */

static bool is_api(struct http_exchange *x)
{
	return strncmp(http_path(x), "/api/", 5) == 0;
}

static void reply_line(struct http_exchange *x, int status, const char *title, const char *allow);

static void reply_problem(struct entrance *e, struct http_exchange *x, int status)
{
	const struct serving *s = e->serving;
	const int i = problem_place(status);
	struct cache_doc *d = NULL;
	if (problem_statuses[i] != status) {
		reply_line(x, status, status < 500 ? "Refused" : "Failed", NULL);
		return;
	}
	if (is_api(x)) {
		d = s->o.fixed->api_problems[i];
	} else {
		if (s->pins)
			d = s->pins->problems[i][e->seat][choose_language(e->serving, e->seat, x)];
		if (!d)
			d = s->o.fixed->text_problems[i];
	}
	cache_doc_reply(d, x);
}

/* One that is not held ready. */
static void reply_line(struct http_exchange *x, int status, const char *title, const char *allow)
{
	char text[200], id[REQUEST_ID_MAX + 1];
	if (is_api(x))
		snprintf(text, sizeof(text), "{\"title\":\"%s\",\"status\":%d}", title, status);
	else
		snprintf(text, sizeof(text), "%d %s\n", status, title);
	struct cache_doc *d = cache_doc_new(&(struct cache_recipe){.status = status,
		.type = is_api(x) ? "application/problem+json" : "text/plain; charset=utf-8",
		.keep = KEEP_NOT,
		.cross_origin = is_api(x),
		.plain = true,
		.retry_s = status == 503 ? 2 : 0,
		.allow = allow,
		.login = status == 401 ? "intake" : NULL,
		.id = request_id(x, id),
		.body = slice_of(text)});
	cache_doc_reply(d, x);
	cache_doc_unref(d);
}

static void reply_text(struct http_exchange *x, int status, const char *text)
{
	char *line = mem_printf("%s\n", text), id[REQUEST_ID_MAX + 1];
	struct cache_doc *d = cache_doc_new(&(struct cache_recipe){.status = status,
		.type = "text/plain; charset=utf-8",
		.keep = KEEP_NOT,
		.plain = true,
		.id = request_id(x, id),
		.body = slice_of(line)});
	cache_doc_reply(d, x);
	cache_doc_unref(d);
	free(line);
}

/* What was asked for one alone has a problem of its own. */
static void reply_failed(
	struct entrance *e, struct http_exchange *x, const struct route *r, int status)
{
	const int i = problem_place(status);
	if (r && r->class == CLASS_ASKED && r->form != FORM_PAGE && problem_statuses[i] == status)
		reply_line(x, status, problem_titles[i], NULL);
	else
		reply_problem(e, x, status);
}

/* r: the row it would have come to, or NULL. */
static void refuse(struct entrance *e, struct http_exchange *x, const struct route *r, int status)
{
	switch (status) {
	case 401: reply_line(x, 401, "Unauthorized", NULL); break;
	case 415: reply_line(x, 415, "Unsupported Media Type", NULL); break;
	case 421: reply_line(x, 421, "Misdirected Request", NULL); break;
	default: reply_failed(e, x, r, status);
	}
}

/* --- asking the hub ------------------------------------------------------------------------------
 */

void ask_free(struct ask *a)
{
	struct serving *s = a->serving;
	if (a->prev)
		a->prev->next = a->next;
	else
		s->asks = a->next;
	if (a->next)
		a->next->prev = a->prev;
	s->under_way -= a->under_way;
	if (a->out)
		buf_fini(&a->out->body);
	free(a->out);
	buf_fini(&a->sent);
	cache_doc_unref(a->doc);
	free(a->key);
	free(a->word);
	free(a->body);
	free(a);
}

void request_gone(void *arg, struct http_exchange *x)
{
	struct ask *a = http_exchange_data(x);
	if (a && a->gathering)
		ask_free(a);
	else if (a)
		a->x = NULL;
}

void request_take(void *arg)
{
	struct ask *a = arg;
	struct serving *s = a->serving;
	if (a->doc && a->until_ns)
		cache_put(s->near, a->key, a->doc, a->revision, a->until_ns);
	if (a->x && a->doc)
		cache_doc_reply(a->doc, a->x);
	else if (a->x)
		reply_failed(&s->entrances[a->seat], a->x, a->route, a->status);
	ask_free(a);
}

struct ask *ask_new(struct entrance *e, struct http_exchange *x, const struct route_match *m)
{
	struct serving *s = e->serving;
	struct ask *a = mem_new(struct ask);
	a->serving = s;
	a->x = x;
	a->route = m->route;
	a->seat = e->seat;
	a->word = mem_strdup(m->word);
	if (m->route->class == CLASS_ASKED)
		request_id(x, a->id);
	a->next = s->asks;
	if (a->next)
		a->next->prev = a;
	s->asks = a;
	http_exchange_set_data(x, a);
	return a;
}

static void ask(struct entrance *e, struct http_exchange *x, const struct route_match *m,
	const json_t *args)
{
	struct serving *s = e->serving;
	const struct route *r = m->route;
	char key[ROUTE_WORD_MAX + 64] = "";
	const unsigned language = r->form == FORM_PAGE ? choose_language(s, e->seat, x) : 0;
	if (r->class == CLASS_COLD) {
		snprintf(key, sizeof(key), "%d %u %d %s", e->seat, language, (int)(r - routes),
			m->word);
		struct cache_doc *d = cache_get(s->near, key,
			s->pins ? s->pins->revision[e->seat] : 0, loop_now_ns(s->loop));
		if (d) {
			cache_doc_reply(d, x);
			return;
		}
	}
	struct ask *a = ask_new(e, x, m);
	a->language = language;
	a->key = key[0] ? mem_strdup(key) : NULL;
	if (args)
		a->body = json_text(args);
	else if (r->command)
		a->body = slice_dup(http_body(x));
	hub_ask(s->o.hub, a);
}

/* A command is a JSON object, sent by nobody else's page. */
static void command(struct entrance *e, struct http_exchange *x, const struct route_match *m)
{
	const int refused = guard_change(x);
	struct error err;
	if (refused) {
		refuse(e, x, m->route, refused);
		return;
	}
	json_t *body = json_parse(http_body(x), m->route->body_max, &err);
	const bool good = json_is_object(body);
	json_t *args = json_pack("{s:s, s:O?}", "id", m->word, "body", body);
	json_decref(body);
	if (!good)
		reply_failed(e, x, m->route, 400);
	else if (m->route->query)
		ask(e, x, m, args);
	else
		ask(e, x, m, NULL);
	json_decref(args);
}

/* What is wrong with a question is told to who asked it. */
static void question(struct entrance *e, struct http_exchange *x, const struct route_match *m)
{
	struct error err = {0};
	const struct face_request r = {.query = http_query(x),
		.type = http_header(x, "Content-Type"),
		.scrape_timeout = http_header(x, "X-Prometheus-Scrape-Timeout-Seconds"),
		.body = http_body(x)};
	json_t *args = m->route->arguments(&r, &err);
	if (args)
		ask(e, x, m, args);
	else
		reply_text(x, 400, err.msg);
	json_decref(args);
}

/* --- requests ------------------------------------------------------------------------------------
 */

/* What is asked goes along: the language. */
static void reply_moved(struct http_exchange *x, const struct route_match *m)
{
	struct buf to = BUF(BUF_LINE);
	const char *query = http_query(x);
	buf_add_str(&to, m->route->moved);
	url_encode(&to, slice_of(m->word));
	buf_printf(&to, "%s%s", query[0] ? "?" : "", query);
	struct cache_doc *d = cache_doc_new(&(struct cache_recipe){.status = 301,
		.type = "text/plain; charset=utf-8",
		.keep = KEEP_NOT,
		.plain = true,
		.location = buf_str(&to),
		.body = SLICE("301 Moved Permanently\n")});
	cache_doc_reply(d, x);
	cache_doc_unref(d);
	buf_fini(&to);
}

static void reply_fixed(struct entrance *e, struct http_exchange *x, const struct route_match *m)
{
	if (m->route->moved) {
		reply_moved(x, m);
		return;
	}
	const struct fixed *f = e->serving->o.fixed;
	const struct cache_doc *d = NULL;
	switch (m->route->file) {
	case FILE_STATIC: d = map_get(&f->files, m->word); break;
	case FILE_ICON: d = f->icon; break;
	case FILE_ROBOTS: d = f->robots[e->seat]; break;
	case FILE_OPENAPI: d = f->openapi; break;
	case FILE_NONE: break;
	}
	if (d)
		cache_doc_reply(d, x);
	else
		reply_problem(e, x, 404);
}

static void reply_pinned(struct entrance *e, struct http_exchange *x, const struct route *r)
{
	const struct pins *p = e->serving->pins;
	const unsigned l = r->form == FORM_PAGE && p ? choose_language(e->serving, e->seat, x) : 0;
	const struct cache_doc *d = p ? p->docs[r - routes][e->seat][l] : NULL;
	if (d)
		cache_doc_reply(d, x);
	else
		reply_problem(e, x, p && p->there[e->seat] ? 500 : 503);
}

static void reply_missing(struct entrance *e, struct http_exchange *x, bool other_method)
{
	char allow[ROUTE_ALLOW];
	if (other_method)
		reply_line(x, 405, "Method Not Allowed", route_allow(http_path(x), e->on, allow));
	else
		reply_problem(e, x, 404);
}

void request_handle(void *arg, struct http_exchange *x)
{
	struct entrance *e = arg;
	struct route_match m;
	route_match_path(http_method(x), http_path(x), e->on, &m);
	if (e->seat == SEAT_OPERATORS) {
		const int refused = guard_admit_to(&e->serving->guard, m.route, x);
		if (refused) {
			write_drop(x);
			refuse(e, x, m.route, refused);
			return;
		}
	}
	if (!m.route) {
		reply_missing(e, x, m.other_method);
		return;
	}
	if (m.route->audience == AUDIENCE_OPERATORS && e->seat != SEAT_OPERATORS) {
		reply_problem(e, x, 403);
		return;
	}
	switch (m.route->class) {
	case CLASS_PINNED: reply_pinned(e, x, m.route); break;
	case CLASS_FIXED: reply_fixed(e, x, &m); break;
	case CLASS_COLD: ask(e, x, &m, NULL); break;
	case CLASS_ASKED:
		if (m.route->write)
			write_handle(e, x, &m);
		else if (m.route->command)
			command(e, x, &m);
		else if (m.route->arguments)
			question(e, x, &m);
		else
			ask(e, x, &m, NULL);
		break;
	}
}
