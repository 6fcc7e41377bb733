/* Markdown as HTML: what it becomes, that it can do no harm whatever it is, and its limits. */
#include "../check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "harmless.h"
#include "text/markdown.h"

static const struct markdown plain = {.heading = 2};

/* The HTML, or "!" and the refusal; owned. Checks what markdown.h promises of any text. */
static char *html_of(struct slice text, const struct markdown *how)
{
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};

	buf_add_str(&out, "<hr>");
	if (!markdown_html(text, how, &out, &err)) {
		assert_string_equal(buf_str(&out), "<hr>");
		buf_fini(&out);
		return mem_printf("!%s", err.msg);
	}
	char *trouble = harmless_trouble(buf_slice(&out), how->heading);
	if (trouble)
		fail_msg("%s\nin: %.400s", trouble, buf_str(&out));
	char *html = mem_strdup(buf_str(&out) + 4);
	buf_fini(&out);
	return html;
}

static void gives_of(struct slice text, const char *expected)
{
	char *got = html_of(text, &plain);

	if (strcmp(got, expected) != 0)
		print_error("of: %.*s\n", SLICE_ARG(text));
	assert_string_equal(got, expected);
	free(got);
}

static void gives(const char *text, const char *expected)
{
	gives_of(slice_of(text), expected);
}

/* A paragraph. */
static void line(const char *text, const char *expected)
{
	char *whole = mem_printf("<p dir=\"auto\">%s</p>\n", expected);

	gives(text, whole);
	free(whole);
}

static void test_blocks(void **state)
{
	gives("", "");
	gives("one\ntwo  \nthree", "<p dir=\"auto\">one\ntwo<br>\nthree</p>\n");
	gives("- a\n- b\n  - c",
		"<ul>\n<li dir=\"auto\">a</li>\n<li dir=\"auto\">b<ul>\n"
		"<li dir=\"auto\">c</li>\n</ul>\n</li>\n</ul>\n");
	gives("1. a", "<ol>\n<li dir=\"auto\">a</li>\n</ol>\n");
	gives("7) a", "<ol start=\"7\">\n<li dir=\"auto\">a</li>\n</ol>\n");
	gives("> q", "<blockquote>\n<p dir=\"auto\">q</p>\n</blockquote>\n");
	gives("---", "<hr>\n");
	gives("```sh\" onload=\"\na <b>\n```",
		"<pre dir=\"auto\"><code>a &lt;b&gt;\n</code></pre>\n");
	gives("    a\n\tb", "<pre dir=\"auto\"><code>a\nb\n</code></pre>\n");
	gives("|a|b|c|\n|---|:-:|--:|\n|1|2|3|",
		"<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>\n<tr>"
		"<th scope=\"col\" dir=\"auto\">a</th>"
		"<th scope=\"col\" dir=\"auto\" class=\"center\">b</th>"
		"<th scope=\"col\" dir=\"auto\" class=\"right\">c</th></tr>\n</thead>\n"
		"<tbody>\n<tr><td dir=\"auto\">1</td><td dir=\"auto\" class=\"center\">2</td>"
		"<td dir=\"auto\" class=\"right\">3</td></tr>\n</tbody>\n</table></div>\n");
}

static void test_spans(void **state)
{
	line("*a* **b** `c` ~~d~~", "<em>a</em> <strong>b</strong> <code>c</code> <del>d</del>");
	line("a & b < c > \"d\" 'e'", "a &amp; b &lt; c &gt; &quot;d&quot; &#39;e&#39;");
	line("$x$ [[y]] - [ ] z", "$x$ [[y]] - [ ] z");
}

static void test_entities(void **state)
{
	line("&auml;&#228;&#xe4; &lt;b&gt; &quot;", "äää &lt;b&gt; &quot;");
	line("&nGt;", "\xe2\x89\xab\xe2\x83\x92");
	line("&notit; &nope; &amp;lt;", "&amp;notit; &amp;nope; &amp;lt;");
	line("`&lt;`", "<code>&amp;lt;</code>");
	line("&#0;&#1;&#x7f;&#x85;&#xd800;",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		"\xef\xbf\xbd");
	line("[a](https://x/?a=1&amp;b=&#34; \"T &amp; &#34;\")",
		"<a href=\"https://x/?a=1&amp;b=%22\" rel=\"nofollow noopener\""
		" title=\"T &amp; &quot;\">a</a>");
}

static void test_raw_html(void **state)
{
	gives("<script>alert(1)</script>",
		"<p dir=\"auto\">&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
	line("a <b onclick=\"x\">c</b> <!-- d --> <?e?> <img src=x onerror=f>",
		"a &lt;b onclick=&quot;x&quot;&gt;c&lt;/b&gt; &lt;!-- d --&gt; &lt;?e?&gt; "
		"&lt;img src=x onerror=f&gt;");
	gives("<div>\n\n</div>",
		"<p dir=\"auto\">&lt;div&gt;</p>\n<p dir=\"auto\">"
		"&lt;/div&gt;</p>\n");
}

static void test_headings(void **state)
{
	gives("# A b\n## Ä *c*!\n",
		"<h2 id=\"h-a-b\" dir=\"auto\">A b</h2>\n"
		"<h3 id=\"h-Ä-c\" dir=\"auto\">Ä <em>c</em>!</h3>\n");
	/* without gaps, and equals stay equals */
	gives("### a\n### b\n# c\n###### d\n",
		"<h2 id=\"h-a\" dir=\"auto\">a</h2>\n<h2 id=\"h-b\" dir=\"auto\">b</h2>\n"
		"<h2 id=\"h-c\" dir=\"auto\">c</h2>\n<h3 id=\"h-d\" dir=\"auto\">d</h3>\n");
	/* each id once, also when one looks like the number of another */
	gives("# a\n# a-2\n# a\n# a\n# !\n# ?\n",
		"<h2 id=\"h-a\" dir=\"auto\">a</h2>\n<h2 id=\"h-a-2\" dir=\"auto\">a-2</h2>\n"
		"<h2 id=\"h-a-3\" dir=\"auto\">a</h2>\n<h2 id=\"h-a-4\" dir=\"auto\">a</h2>\n"
		"<h2 id=\"h-section\" dir=\"auto\">!</h2>\n"
		"<h2 id=\"h-section-2\" dir=\"auto\">?</h2>\n");
	gives("#\n", "");
	gives("# &nbsp; ![](x)\n", "");
	gives("# [x](#y)\n", "<h2 id=\"h-x\" dir=\"auto\"><a href=\"#h-y\">x</a></h2>\n");
	gives("# \xe2\x80\xae\xd7\xa9\xd7\x9c <i id=x>\n",
		"<h2 id=\"h-\xd7\xa9\xd7\x9c-i-id-x\" dir=\"auto\">\xe2\x80\xae\xd7\xa9\xd7\x9c "
		"&lt;i id=x&gt;</h2>\n");
}

static void test_heading_options(void **state)
{
	const struct markdown deep = {.heading = 5, .id = "about"};
	char *got = html_of(SLICE("# a\n## b\n### c\n\n[d](#a)"), &deep);

	assert_string_equal(got,
		"<h5 id=\"h-about-a\" dir=\"auto\">a</h5>\n"
		"<h6 id=\"h-about-b\" dir=\"auto\">b</h6>\n"
		"<h6 id=\"h-about-c\" dir=\"auto\">c</h6>\n"
		"<p dir=\"auto\"><a href=\"#h-about-a\">d</a></p>\n");
	free(got);
}

#define OUT " rel=\"nofollow noopener\""

static void test_links(void **state)
{
	line("[a](https://x.example/ö?q=a b)", "[a](<a href=\"https://x.example/%C3%B6?q=a\"" OUT
					       ">https://x.example/ö?q=a</a> b)");
	line("[a](<https://x.example/ö b>)",
		"<a href=\"https://x.example/%C3%B6%20b\"" OUT ">a</a>");
	line("[a](HTTPS://x)", "<a href=\"HTTPS://x\"" OUT ">a</a>");
	line("[a](mailto:b@c.example)", "<a href=\"mailto:b@c.example\">a</a>");
	line("[a](/b?c#d)", "<a href=\"/b?c#d\">a</a>");
	line("[a](#b)", "<a href=\"#h-b\">a</a>");
	line("<https://x/>", "<a href=\"https://x/\"" OUT ">https://x/</a>");
	line("see https://x.example/a, www.y.example or b@c.example.",
		"see <a href=\"https://x.example/a\"" OUT
		">https://x.example/a</a>, "
		"<a href=\"http://www.y.example\"" OUT
		">www.y.example</a> or "
		"<a href=\"mailto:b@c.example\">b@c.example</a>.");
	line("[r]\n\n[r]: https://x/ 'T'", "<a href=\"https://x/\"" OUT " title=\"T\">r</a>");
	line("[](https://x/)", "<a href=\"https://x/\"" OUT ">https://x/</a>");
	line("[&#x200b; &nbsp;](/x)", "<a href=\"/x\">\xe2\x80\x8b \xc2\xa0/x</a>");
}

static void test_images(void **state)
{
	line("![a *b*](https://x/y.png \"T\")",
		"<a href=\"https://x/y.png\"" OUT " title=\"T\">a <em>b</em></a>");
	line("![](/y.png)", "<a href=\"/y.png\">/y.png</a>");
	line("![a](data:image/png;base64,AAAA)", "a");
	/* no link in a link, but one in what became none */
	line("[![a](/b)](/c)", "<a href=\"/c\">a</a>");
	line("![[a](/b)](/c)", "<a href=\"/c\">a</a>");
	line("[![a](/b)](x:c)", "<a href=\"/b\">a</a>");
	line("![<https://x/>](/c)", "<a href=\"/c\">https://x/</a>");
}

/* md4c forgets to end one of two spans that cross. */
static void test_crossing(void **state)
{
	line("~ftp://.e~n", "<del>ftp://.e~n</del>");
	line("~http://x.e~n", "<del><a href=\"http://x.e~n\"" OUT ">http://x.e~n</a></del>");
	gives("~ftp://.e~n\n\nb",
		"<p dir=\"auto\"><del>ftp://.e~n</del></p>\n"
		"<p dir=\"auto\">b</p>\n");
}

static void test_refused_links(void **state)
{
	static const char *const addresses[] = {"javascript:alert(1)", "JaVaScRiPt:alert(1)",
		"<javascript:alert(1)>", "< javascript:alert(1)>", "&#106;avascript:alert(1)",
		"&#x6A;avascript:alert(1)", "javascript&colon;alert(1)", "java&Tab;script:alert(1)",
		"java&NewLine;script:alert(1)", "<java\tscript:alert(1)>",
		"&#1;javascript:alert(1)", "&#0;javascript:alert(1)", "java\\script:alert(1)",
		"javascript\\:alert(1)", "<\x01javascript:alert(1)>", "&nbsp;javascript:alert(1)",
		"\xe2\x80\x8bjavascript:alert(1)", "&#xfeff;javascript:x",
		"javascript://x/%0aalert(1)", "feed:javascript:x", "view-source:https://x",
		"vbscript:x", "data:text/html,<b>", "DATA:,x", "file:///etc/passwd",
		"blob:https://x/1", "about:blank", "ftp://x/", "tel:1", "x", "x/y", "./x", "../x",
		"?x", "//x.example/", "/\\x.example/", "\\\\\\\\x.example", "/&#92;x", "/&sol;x",
		"/&Tab;/x", "https:x", "https:/x", "https://", "https:///x", "http://?",
		"http://:80/", "https://a@b/", "https://a&commat;b/", "https://a\\@b/",
		"https&#9;://x", "https://x/&#10;y", "#", "mailto:", "<>", "<https://x/&#x0;\x7f>"};
	for (size_t i = 0; i < array_len(addresses); i++) {
		char *link = mem_printf("[a](%s)", addresses[i]);
		char *image = mem_printf("![a](%s)", addresses[i]);
		char *named = mem_printf("[a]\n\n[a]: %s", addresses[i]);

		line(link, "a");
		line(image, "a");
		line(named, "a");
		free(link);
		free(image);
		free(named);
	}
	line("<javascript:alert(1)>", "javascript:alert(1)");
}

static void test_bytes(void **state)
{
	gives_of(SLICE("a\0b\x01\x0b\r\nc"),
		"<p dir=\"auto\">a\xef\xbf\xbd"
		"b\xef\xbf\xbd\xef\xbf\xbd\nc</p>\n");
	gives_of(SLICE("[a](</b\0c>)"), "<p dir=\"auto\"><a href=\"/b%EF%BF%BDc\">a</a></p>\n");
	gives("a\xff", "!not UTF-8");
	gives("\xed\xa0\x80", "!not UTF-8");
	gives("\xc0\xbc"
	      "script>",
		"!not UTF-8");
	gives("a\xe2\x82", "!not UTF-8");
	/* an override ends with its block */
	gives("\xe2\x80\xae"
	      "a\n\nb",
		"<p dir=\"auto\">\xe2\x80\xae"
		"a</p>\n<p dir=\"auto\">b</p>\n");
}

/* --- limits ----------------------------------------------------------------------------------- */

/* `text` again and again to `n` bytes. Owned. */
static char *repeat(const char *text, size_t n)
{
	char *all = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		all[i] = text[i % strlen(text)];
	all[n] = 0;
	return all;
}

static void refuses(const char *text, const char *why)
{
	char *got = html_of(slice_of(text), &plain);

	assert_int_equal(strncmp(got, why, strlen(why)), 0);
	free(got);
}

static void test_sizes(void **state)
{
	char *most = repeat("word ", MARKDOWN_SIZE_MAX),
	     *more = repeat("word ", MARKDOWN_SIZE_MAX + 1);

	refuses(most, "<p dir=\"auto\">word word");
	refuses(more, "!longer than 64 KiB (65537 bytes)");
	free(most);
	free(more);
	/* a table of few bytes and many cells; an address that is named again and again */
	char *bars = repeat("|---", 20000), *rows = repeat("|\n", 20000);
	char *table = mem_printf("%s\n%s\n%s", bars, bars, rows);
	refuses(table, "!as HTML it would be longer than 1024 KiB");
	char *name = repeat("x", 30000), *uses = repeat("[a]\n", 30000);
	char *links = mem_printf("[a]: /%s\n\n%s", name, uses);
	refuses(links, "!as HTML it would be longer than 1024 KiB");
	free(bars);
	free(rows);
	free(table);
	free(name);
	free(uses);
	free(links);
}

static void test_room(void **state)
{
	struct buf out = BUF(30);
	struct error err = {0};

	buf_add_str(&out, "before");
	assert_false(markdown_html(SLICE("a word"), &plain, &out, &err));
	assert_string_equal(buf_str(&out), "before");
	buf_fini(&out);
}

static void test_depth(void **state)
{
	char *quotes = repeat(">", MARKDOWN_DEPTH_MAX - 1), *more = repeat(">", MARKDOWN_DEPTH_MAX);
	char *stars = repeat("*", 2000);
	char *fits = mem_printf("%s a", quotes), *deep = mem_printf("%s a", more);
	char *strong = mem_printf("%sa%s", stars, stars);

	refuses(fits, "<blockquote>");
	refuses(deep, "!quotes, lists and emphasis nest deeper than 32");
	refuses(strong, "!quotes, lists and emphasis nest deeper than 32");
	free(quotes);
	free(more);
	free(stars);
	free(fits);
	free(deep);
	free(strong);
}

/* As much as there may be of what has made other readers slow or deep. That it ends is enough: what
 * is given is checked by html_of(). */
static void test_hostile(void **state)
{
	static const char *const parts[] = {">", "*", "**a ", "_", "a_", "*a ", "_a *b ", "[", "]",
		"![", "[a](", "[a](b", "[[a](b)", "<", "<a", "<!", "&", "&#", "`", "``a` ", "~",
		"~~a ", "|", "|-", "a|\n", "- ", "-\n", "1. ", "# ", "#\n", "\\", "\n", "\t",
		"   - a\n", "[a]: b\n", "[a]:\n", "http://", "www.a", "a@b.c ", "@", ":", "<a@",
		"![[", "](", "()", "> - ", "~~~\n", "```\n", "***\n", "a\n=\n", "\xe2\x80\xae",
		"&amp;", "&nGt;", "*_~`["};
	for (size_t i = 0; i < array_len(parts); i++) {
		char *text = repeat(parts[i], MARKDOWN_SIZE_MAX);
		struct slice s = slice_of(text);

		while (!utf8_valid(s))
			s.n--;
		free(html_of(s, &plain));
		free(text);
	}
	char *open = repeat("[", 10000), *close = repeat("]", 10000);
	char *nested = mem_printf("%sa%s(javascript:x)", open, close);
	refuses(nested, "<p dir=\"auto\">[[[[");
	free(open);
	free(close);
	free(nested);
}

/* --- the checker itself ----------------------------------------------------------------------- */

/* It must see what it is there for. */
static void test_checker(void **state)
{
	static const char *const bad[] = {"<script>", "<p>a</p>", "<p dir=\"auto\">a", "a</p>",
		"<em><strong></em></strong>", "<p dir=\"auto\" onclick=\"x\">a</p>",
		"<p dir=\"auto\" style=\"x\">a</p>", "<a href=\"javascript:x\">a</a>",
		"<a href=\"//x\">a</a>", "<a href=\"https://x\">a</a>", "<a href=\"/x\"></a>",
		"<a href=\"/x\"><a href=\"/y\">a</a></a>", "<img src=\"/x\">", "a & b", "a > b",
		"&nbsp;", "\x01", "<h4 id=\"h-a\" dir=\"auto\">a</h4>",
		"<h2 id=\"a\" dir=\"auto\">a</h2>",
		"<h2 id=\"h-a\" dir=\"auto\">a</h2><h2 id=\"h-a\" dir=\"auto\">a</h2>",
		"<p dir=\"auto\"><ul></ul></p>", "<code class=\"x\">a</code>", "<hr></hr>", "<",
		"<a href='/x'>a</a>", "\xff", "<em >a</em>", "<ol start=\"1x\"></ol>"};
	for (size_t i = 0; i < array_len(bad); i++) {
		char *trouble = harmless_trouble(slice_of(bad[i]), 2);

		if (!trouble)
			fail_msg("it takes %s", bad[i]);
		free(trouble);
	}
}

int test_markdown(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_raw_html),
		cmocka_unit_test(test_headings),
		cmocka_unit_test(test_heading_options),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_crossing),
		cmocka_unit_test(test_refused_links),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_checker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
