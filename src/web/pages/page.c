/*
 * page.c - the frame of each page: compiled templates and texts, head and foot, files.
 *
 * What a page shows is made by its view function (view.h) from the model; the frame adds what all
 * have: title, navigation, language links, what is said about the observing itself, "as of".
 */

#include "web/page.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "text/template.h"
#include "text/yaml.h"
#include "web/pages/files.h"
#include "web/pages/view.h"

static const struct {
	const char *template;
	bool (*view)(struct view *v);
} pages[PAGE_COUNT] = {
	[PAGE_STATUS] = {"status", view_status},
	[PAGE_COMPONENT] = {"component", view_component},
	[PAGE_AVAILABILITY] = {"availability", view_availability},
	[PAGE_SCENARIO] = {"scenario", view_scenario},
	[PAGE_RUN] = {"run", view_run},
	[PAGE_EVIDENCE] = {"evidence", view_evidence},
	[PAGE_LEDGER] = {"ledger", view_ledger},
	[PAGE_HOSTS] = {"hosts", view_hosts},
	[PAGE_CALLS] = {"calls", view_calls},
	[PAGE_EXPLORE] = {"explore", view_explore},
	[PAGE_EVENT] = {"event", view_event},
	[PAGE_HISTORY] = {"history", view_history},
	[PAGE_ALERTS] = {"alerts", view_alerts},
	[PAGE_PROBLEM] = {"problem", view_problem},
};

static struct { /* written by page_init() only */
	struct template *pages[PAGE_COUNT];
	json_t *texts; /* language to its texts */
	struct page_file files[3];
} house;

const struct web_file *web_file_find(const char *path)
{
	for (size_t i = 0; i < web_file_count; i++)
		if (!strcmp(web_files[i].path, path))
			return &web_files[i];
	return NULL;
}

static struct slice text_of(const char *path)
{
	const struct web_file *f = web_file_find(path);
	return f ? f->plain : (struct slice){0};
}

static struct slice template_text(const char *name)
{
	char *path = mem_printf("templates/%s.mustache", name);
	const struct slice text = text_of(path);
	free(path);
	return text;
}

static bool find_partial(void *arg, struct slice name, struct slice *ret_text)
{
	char *text = slice_dup(name);
	*ret_text = template_text(text);
	free(text);
	return ret_text->p != NULL;
}

/* --- once ------------------------------------------------------------------------------------- */

static bool read_texts(const char *lang, struct error *err)
{
	struct error_list errors = {0};
	char *path = mem_printf("texts/%s.yaml", lang);
	struct yaml_file *f = yaml_parse(text_of(path), path, &errors);
	json_t *texts = f && yaml_documents(f) ? yaml_json(yaml_root(f, 0)) : NULL;
	const bool good = json_is_object(texts);
	if (!good && errors.n)
		*err = errors.p[0];
	else if (!good)
		error_set(err, ERROR_INPUT, "%s holds no texts", path);
	if (good)
		json_object_set(house.texts, lang, texts);
	json_decref(texts);
	yaml_free(f);
	error_list_fini(&errors);
	free(path);
	return good;
}

static void name_files(void)
{
	static const char *const rows[][4] = {
		{"style.css", "style", "css", "text/css; charset=utf-8"},
		{"page.js", "page", "js", "text/javascript; charset=utf-8"},
		{"icon.svg", "icon", "svg", "image/svg+xml"},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct web_file *f = web_file_find(rows[i][0]);
		uint8_t hash[SHA256_BYTES];
		digest_sha256(f->plain.p, f->plain.n, hash);
		char *hex = hex_encode(hash, 6);
		house.files[i] = (struct page_file){
			.name = mem_printf("%s-%s.%s", rows[i][1], hex, rows[i][2]),
			.type = rows[i][3],
			.file = f};
		free(hex);
	}
}

bool page_init(struct error *err)
{
	page_fini();
	house.texts = json_object();
	for (const char *const *lang = page_languages(); *lang; lang++)
		if (!read_texts(*lang, err))
			return false;
	for (int p = 0; p < PAGE_COUNT; p++) {
		const char *name = pages[p].template;
		house.pages[p] = template_compile(template_text(name), name, err);
		if (!house.pages[p])
			return false;
	}
	name_files();
	return true;
}

void page_fini(void)
{
	for (int p = 0; p < PAGE_COUNT; p++)
		template_free(house.pages[p]);
	for (size_t i = 0; i < array_len(house.files); i++)
		free((char *)house.files[i].name);
	json_decref(house.texts);
	memset(&house, 0, sizeof(house));
}

const struct page_file *page_file(const char *name)
{
	for (size_t i = 0; i < array_len(house.files); i++)
		if (house.files[i].name && !strcmp(house.files[i].name, name))
			return &house.files[i];
	return NULL;
}

size_t page_files(const struct page_file **ret)
{
	*ret = house.files;
	return array_len(house.files);
}

/* --- the frame -------------------------------------------------------------------------------- */

static json_t *language_links(struct view *v)
{
	const json_t *offered = json_at(v->site, "site", "languages", NULL);
	json_t *all = json_array();
	for (const char *const *lang = page_languages(); *lang; lang++) {
		if (json_is_array(offered) && !json_has_text(offered, slice_of(*lang)))
			continue;
		const json_t *texts = json_object_get(house.texts, *lang);
		json_array_append_new(all, json_pack("{s:s, s:s, s:o, s:b}", "lang", *lang, "name",
						   json_str(texts, "language_name"), "href",
						   json_sprintf("%s?lang=%s", v->path, *lang),
						   "current", !strcmp(*lang, v->lang)));
	}
	if (json_array_size(all) < 2)
		json_array_clear(all);
	return all;
}

/* What puts everything on the page into another light is said at its top. */
static json_t *notices(struct view *v)
{
	const json_t *observing = json_object_get(v->site, "observing");
	json_t *all = json_array();
	if (json_flag(json_object_get(v->site, "site"), "simulated"))
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:n, s:n}", "name", "simulated", "icon",
				     "maintenance", "text", say(v, "notice_simulated", NULL),
				     "since", "why"));
	for (int i = 0; i < 2 && observing; i++) {
		const bool blind = i == 0;
		if (blind ? !json_flag(observing, "blind") : json_flag(observing, "storing"))
			continue;
		json_t *o = json_pack("{s:s, s:s, s:s}", "name", "trouble", "icon", "degraded",
			"text", say(v, blind ? "notice_blind" : "notice_not_storing", NULL));
		put_time(v, o, "since", json_object_get(observing, "since_ms"));
		view_put(o, "why", v->operators ? json_str(observing, "why") : NULL);
		json_array_append_new(all, o);
	}
	return all;
}

/* Of one region, or one cloud, nobody need be told which it is. */
static bool are_several(const json_t *site, const char *what)
{
	const char *first = "";
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(site, "components"), i, c) {
		const char *place = json_str(c, what);
		if (!place || !*place)
			continue;
		if (*first && strcmp(first, place) != 0)
			return true;
		first = place;
	}
	return false;
}

static void frame(struct view *v)
{
	const json_t *site = json_object_get(v->site, "site");
	json_t *o = v->root, *languages = language_links(v);
	view_put(o, "lang", v->lang);
	view_put(o, "site", json_str(site, "name") ? json_str(site, "name") : "glasshouse");
	view_put(o, "version", json_str(site, "version"));
	const char *location = json_str(site, "location");
	view_put(o, "location", location && *location ? location : NULL);
	view_put(o, "instance", v->operators ? json_str(site, "instance") : NULL);
	/* a language once chosen goes with the links */
	view_put(o, "q",
		json_array_size(languages) ? view_keep(v, mem_printf("?lang=%s", v->lang)) : "");
	json_object_set_new(o, "languages", languages);
	json_object_set_new(o, "notices", notices(v));
	/* a copy: counting references to what threads share is a race in jansson */
	json_object_set_new(o, "t", json_deep_copy(v->texts));
	json_object_set_new(o, "operators", json_boolean(v->operators));
	view_put(o, "style", house.files[0].name);
	view_put(o, "script", house.files[1].name);
	view_put(o, "icon", house.files[2].name);
	if (v->now_ms > 0) {
		view_put(o, "as_of", say(v, "as_of", say_second(v, v->now_ms), NULL));
		put_time(v, o, "now", json_object_get(v->site, "at_ms"));
	}
	put_time(v, o, "started", json_object_get(v->site, "started_ms"));
}

static bool texts_of(const char *lang, const json_t **ret, struct error *err)
{
	*ret = json_object_get(house.texts, lang);
	if (!*ret)
		error_set(err, ERROR_INPUT, "there are no pages in language \"%.40s\"", lang);
	return *ret != NULL;
}

/* A path for links: on this host, without a query; whatever is not that becomes "/". */
static const char *safe_path(const char *path)
{
	if (!path || path[0] != '/' || path[1] == '/')
		return "/";
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("?#\\", *p))
			return "/";
	return path;
}

json_t *page_frame(const json_t *site)
{
	static const char *const keys[] = {
		"site", "observing", "at_ms", "started_ms", "events", "upcoming"};
	static const char *const of_each[] = {
		"id", "name", "cloud", "region", "health", "since_ms", "evidence"};
	json_t *frame = json_object(), *components = json_array();
	const json_t *c;
	size_t i;
	for (i = 0; i < array_len(keys); i++)
		json_object_set(frame, keys[i], json_object_get(site, keys[i]));
	json_array_foreach (json_object_get(site, "components"), i, c) {
		json_t *one = json_object();
		for (size_t k = 0; k < array_len(of_each); k++)
			json_object_set(one, of_each[k], json_object_get(c, of_each[k]));
		json_array_append_new(components, one);
	}
	json_object_set_new(frame, "components", components);
	return frame;
}

bool page_render(enum page p, const json_t *model, const json_t *site, const char *path,
	const char *lang, bool operators, struct buf *out, struct error *err)
{
	struct view v = {.lang = lang,
		.path = safe_path(path),
		.site = site,
		.model = model,
		.operators = operators,
		.clouds = are_several(site, "cloud"),
		.regions = are_several(site, "region"),
		.now_ms = json_int(site, "at_ms", 0)};
	if (!texts_of(lang, &v.texts, err))
		return false;
	v.root = json_object();
	frame(&v);
	bool good = pages[p].view(&v);
	if (!good)
		error_set(err, ERROR_INPUT, "the document for page %s is not what model.h says",
			pages[p].template);
	if (good && v.missing) {
		error_set(err, ERROR_INPUT, "there is no text \"%s\" in language %s", v.missing,
			lang);
		good = false;
	}
	good = good && template_render(house.pages[p], v.root, find_partial, NULL, out, err);
	view_fini(&v);
	return good;
}
