/*
 * Pages from documents as the house gives them: complete, well-formed, small, harmless, and in both
 * languages; test_page_truth.c: true. GLASSHOUSE_PAGES=DIR keeps what was rendered there, to be
 * looked at.
 */
#include "shown.h"

#include <pthread.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/fault.h"
#include "base/json.h"

static void keep_file(const char *dir, const char *name, const void *p, size_t n)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
	free(path);
}

static void keep(const struct shown *s, const char *lang, const char *html)
{
	char *name = mem_printf("%s.%s.html", s->name, lang);
	keep_file(getenv("GLASSHOUSE_PAGES"), name, html, strlen(html));
	free(name);
}

static void keep_all(const char *dir)
{
	const struct page_file *files;
	shown_each(keep);
	for (size_t i = 0; i < page_files(&files); i++)
		keep_file(dir, files[i].name, files[i].file->plain.p, files[i].file->plain.n);
}

/* --- form ------------------------------------------------------------------------------------- */

static bool is_void(struct slice name)
{
	return slice_in_words(name, "meta link br hr img input path circle line use");
}

/* Every element that is opened is closed in its order; every attribute is quoted. */
static void well_formed(const struct shown *s, const char *lang, const char *html)
{
	struct slice open[64];
	size_t depth = 0;
	assert_int_equal(strncmp(html, "<!doctype html>\n<html lang=\"", 28), 0);
	assert_true(utf8_valid(slice_of(html)));
	for (const char *p = strchr(html + 1, '<'); p; p = strchr(p, '<')) {
		const bool closing = p[1] == '/';
		const char *name = p + 1 + closing, *end = name;
		while ((*end >= 'a' && *end <= 'z') || (*end >= '0' && *end <= '9'))
			end++;
		const struct slice tag = slice_from(name, (size_t)(end - name));
		if (!tag.n)
			fail_msg("%s: a < that opens nothing: %.60s", s->name, p);
		const char *close = end;
		for (bool quoted = false; *close && (quoted || *close != '>'); close++) {
			if (*close == '<')
				fail_msg("%s: a < inside a tag: %.80s", s->name, p);
			quoted = *close == '"' ? !quoted : quoted;
			if (*close == '=' && !quoted && close[1] != '"')
				fail_msg("%s: an attribute without quotes: %.80s", s->name, p);
		}
		assert_int_equal(*close, '>');
		const bool alone = close[-1] == '/' || is_void(tag);
		if (closing) {
			if (!depth || !slice_eq(open[depth - 1], tag))
				fail_msg("%s (%s): </%.*s> closes another: %.120s", s->name, lang,
					SLICE_ARG(tag), p - 60);
			depth--;
		} else if (!alone) {
			assert_true(depth < array_len(open));
			open[depth++] = tag;
		}
		p = close;
	}
	assert_int_equal(depth, 0);
}

static void test_form(void **state)
{
	shown_each(well_formed);
}

/* Attributes that run or style what the policy forbids; only inside tags, not in text. */
static void no_inline(const struct shown *s, const char *lang, const char *html)
{
	bool tag = false, quoted = false;
	for (const char *p = html; *p; p++) {
		if (!tag) {
			tag = *p == '<';
			continue;
		}
		quoted = *p == '"' ? !quoted : quoted;
		if (*p == '>' && !quoted)
			tag = false;
		if (quoted || *p != ' ')
			continue;
		if (!strncmp(p, " style=", 7) || !strncmp(p, " on", 3))
			fail_msg("%s: inline: %.60s", s->name, p);
	}
	assert_lacks(s, html, "<style");
	assert_lacks(s, html, "<script>");
	assert_lacks(s, html, "javascript:");
}

/* Whether a link is in what the operator wrote: of his site, or of an event. */
static bool is_prose(const char *html, const char *at)
{
	static const char open[] = "<div class=\"prose\"";
	for (const char *from = html; (from = strstr(from, open)); from++) {
		const char *to = from;
		for (int depth = 1; depth && to;) { /* tables are in a div of their own */
			const char *next = strstr(to + 1, "<div"), *end = strstr(to + 1, "</div>");
			const bool deeper = next && end && next < end;
			depth += deeper ? 1 : -1;
			to = deeper ? next : end;
		}
		if (to && at > from && at < to)
			return true;
	}
	return false;
}

/* Links stay on this host, but for those the site's owner wrote. Other foreign addresses are text:
 * what a request was sent to. */
static void no_foreign(const struct shown *s, const char *lang, const char *html)
{
	static const char *const attributes[] = {" href=\"", " src=\"", " action=\""};
	for (size_t i = 0; i < array_len(attributes); i++) {
		for (const char *p = html; (p = strstr(p, attributes[i])); p++) {
			const char *to = p + strlen(attributes[i]);
			const bool owners =
				is_prose(html, p) &&
				(!strncmp(to, "https://", 8) || !strncmp(to, "mailto:", 7));
			if (!(to[0] == '#' || (to[0] == '/' && to[1] != '/') || owners))
				fail_msg("%s: a foreign link: %.60s", s->name, p);
		}
	}
	assert_lacks(s, html, "@import");
	assert_lacks(s, html, "url(");
}

static void test_policy(void **state)
{
	const struct page_file *files;
	shown_each(no_inline);
	shown_each(no_foreign);
	for (size_t i = 0; i < page_files(&files); i++) {
		char *body = slice_dup(files[i].file->plain);
		if (strcmp(files[i].type, "image/svg+xml") != 0)
			assert_null(strstr(body, "://"));
		assert_true(files[i].file->plain.n > 100);
		assert_ptr_equal(page_file(files[i].name), &files[i]);
		free(body);
	}
	assert_null(page_file("style.css"));
}

/* --- size ------------------------------------------------------------------------------------- */

static size_t packed(const char *html)
{
	const size_t n = strlen(html);
	unsigned long room = compressBound(n);
	unsigned char *p = mem_alloc(room);
	assert_int_equal(compress2(p, &room, (const unsigned char *)html, n, 9), Z_OK);
	free(p);
	return room;
}

static void small_enough(const struct shown *s, const char *lang, const char *html)
{
	const size_t n = strlen(html), z = packed(html);
	if (s->most)
		print_message("%-24s %s %6zu bytes, %5zu compressed\n", s->name, lang, n, z);
	if (s->most && n > s->most)
		fail_msg("%s (%s): %zu bytes", s->name, lang, n);
	if (s->most_packed && z > s->most_packed)
		fail_msg("%s (%s): %zu bytes compressed", s->name, lang, z);
}

static void test_size(void **state)
{
	shown_each(small_enough);
}

/* --- what every page has ---------------------------------------------------------------------- */

static void has_frame(const struct shown *s, const char *lang, const char *html)
{
	const bool german = !strcmp(lang, "de"), empty = s->site == json_object;
	char *link = mem_printf("<a href=\"%s?lang=%s", s->path, german ? "en" : "de");
	assert_has(s, html, german ? "<html lang=\"de\">" : "<html lang=\"en\">");
	assert_has(s, html, "<a class=\"skip\" href=\"#main\">");
	assert_has(s, html, "<main id=\"main\">");
	assert_has(s, html, "<h1>");
	assert_has(s, html, link);
	if (!empty) {
		assert_has(s, html,
			german ? "Stand 26. Nov. 2026, 06:41:22 UTC"
			       : "As of 26 Nov 2026, 06:41:22 UTC");
		assert_has(s, html, "berlin-outside");
	}
	assert_lacks(s, html, "{{");
	assert_lacks(s, html, "{1}");
	free(link);
}

static void test_frame(void **state)
{
	shown_each(has_frame);
}

/* Names that want to be markup stay text: as often as they stand there, escaped and isolated. */
static void harmless(const struct shown *s, const char *lang, const char *html)
{
	if (!strstr(s->name, "hostile"))
		return;
	assert_lacks(s, html, "<script>alert");
	assert_lacks(s, html, "</title><script");
	assert_lacks(s, html, "<b>");
	assert_has(s, html,
		"&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x'");
}

static void test_hostile(void **state)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, false), *model = model_problem(404, "/");
	static const char *const paths[] = {"//evil.example/", "javascript:alert(1)", "/a\"b",
		"/\\evil", "/a?b=c", NULL, "\xff"};
	shown_each(harmless);
	for (size_t i = 0; i < array_len(paths); i++) {
		buf_clear(&out);
		assert_true(
			page_render(PAGE_PROBLEM, model, site, paths[i], "en", false, &out, &err));
		if (!paths[i] || strcmp(paths[i], "/a\"b") != 0)
			assert_non_null(strstr(buf_str(&out), "<a href=\"/?lang=de\""));
		assert_null(strstr(buf_str(&out), "evil"));
	}
	buf_fini(&out);
	json_decref(site);
	json_decref(model);
}

/* What the site says of itself: in the reader's language or marked as another, below the
 * components, and shown as it was written when it cannot be rendered. */
static void test_about(void **state)
{
	const struct shown *s = shown_find("status");
	char *html = shown_html(s, "en");
	assert_has(
		s, html, "<h2 id=\"h-about\">About this site</h2>\n<div class=\"prose\">\n<p dir=");
	assert_has(s, html, "<h3 id=\"h-about-whom-to-ask\" dir=\"auto\">Whom to ask</h3>");
	assert_has(s, html, "<h4 id=\"h-about-zones\" dir=\"auto\">Zones</h4>");
	assert_has(s, html, "<a href=\"https://example.org/map.png\" rel=\"nofollow noopener\">");
	assert_true(strstr(html, "h-components") < strstr(html, "h-about"));
	free(html);

	html = shown_html(s, "de");
	assert_has(s, html,
		"<h2 id=\"h-about\">Über diese Seite</h2>\n<div class=\"prose\">\n<p dir=");
	assert_lacks(s, html, "as its customers see it");
	free(html);

	html = shown_html(shown_find("status-good"), "en");
	assert_has(s, html,
		"<div class=\"prose\" lang=\"de\">\n<p dir=\"auto\">Wir beobachten <strong>");
	free(html);

	html = shown_html(shown_find("status-blind"), "en");
	assert_lacks(s, html, "h-about");
	assert_lacks(s, html, "prose");
	free(html);

	html = shown_html(shown_find("status-hostile"), "en");
	assert_has(s, html, "&lt;b&gt;raw&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt;");
	assert_has(s, html,
		"<p dir=\"auto\">a b c <a href=\"https://evil.example/%22onload=%22x\" rel=");
	assert_has(s, html, "<p dir=\"auto\">&lt;/div&gt;&lt;/section&gt;</p>");
	free(html);
}

static void test_about_too_deep(void **state)
{
	const struct shown *s = shown_find("status-few");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE), quotes = BUF(BUF_LINE);
	json_t *site = model_site(MOOD_GOOD, 1, false);
	for (int i = 0; i < 100; i++)
		buf_add_char(&quotes, '>');
	buf_add_str(&quotes, " <b>");
	json_object_set_new(
		json_object_get(site, "site"), "about", json_pack("{s:s}", "en", buf_str(&quotes)));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	well_formed(s, "en", buf_str(&out));
	assert_has(s, buf_str(&out), "<div class=\"prose\">\n<pre dir=\"auto\">&gt;&gt;&gt;");
	assert_has(s, buf_str(&out), "&gt; &lt;b&gt;</pre>");
	buf_fini(&out);
	buf_fini(&quotes);
	json_decref(site);
}

/* Documents that are not what model.h says: refused or shown as unknown, never as good. */
static void test_broken(void **state)
{
	static const char *const documents[] = {"{}", "[]", "null", "{\"components\": 7}",
		"{\"components\": [null, 1, {}]}",
		"{\"components\": [{\"health\": 3, \"days\": {}}]}",
		"{\"name\": 1, \"probes\": [1], \"runs\": {}, \"steps\": [null]}",
		"{\"name\": \"x\", \"runs\": [7], \"steps\": [{}], \"spans\": [{}], \"probes\": [{}]}",
		"{\"report\": {\"steps\": [{\"start_ms\": 1e300}, {\"ready_ms\": -5}]}}",
		"{\"status\": 0}", "{\"status\": 404}"};
	for (size_t i = 0; i < array_len(documents); i++) {
		json_t *model = json_loads(documents[i], JSON_DECODE_ANY, NULL);
		for (int p = 0; p < PAGE_COUNT; p++) {
			struct error err = {0};
			struct buf out = BUF(BUF_PAGE);
			const bool good = page_render(
				(enum page)p, model, model, "/", "en", true, &out, &err);
			assert_true(good || err.msg[0]);
			assert_null(strstr(buf_str(&out), "state operational"));
			buf_fini(&out);
		}
		json_decref(model);
	}
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *model = model_problem(404, "/");
	assert_false(page_render(PAGE_PROBLEM, model, model, "/", "fr", false, &out, &err));
	json_decref(model);
}

/* Threads share compiled templates, texts and documents: each gets the same page. */
struct thread {
	pthread_t id;
	const json_t *site;
	bool good;
	struct buf out;
};

static void *render_often(void *arg)
{
	struct thread *t = arg;
	struct error err = {0};
	t->good = true;
	for (int i = 0; i < 8 && t->good; i++) {
		buf_clear(&t->out);
		t->good = page_render(PAGE_STATUS, t->site, t->site, "/", i % 2 ? "en" : "de",
			false, &t->out, &err);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct thread threads[4];
	json_t *site = model_site(MOOD_MIXED, 20, false);
	for (size_t i = 0; i < array_len(threads); i++) {
		threads[i] = (struct thread){.site = site, .out = BUF(BUF_PAGE)};
		assert_int_equal(
			pthread_create(&threads[i].id, NULL, render_often, &threads[i]), 0);
	}
	for (size_t i = 0; i < array_len(threads); i++)
		pthread_join(threads[i].id, NULL);
	for (size_t i = 0; i < array_len(threads); i++) {
		assert_true(threads[i].good);
		assert_string_equal(buf_str(&threads[i].out), buf_str(&threads[0].out));
	}
	for (size_t i = 0; i < array_len(threads); i++)
		buf_fini(&threads[i].out);
	json_decref(site);
}

static int start(void **state)
{
	const int failed = shown_begin(state);
	if (!failed && getenv("GLASSHOUSE_PAGES"))
		keep_all(getenv("GLASSHOUSE_PAGES"));
	return failed;
}

int test_page(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_about_too_deep),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("page", tests, start, shown_end);
}
