/* Worlds: params bound, steps expanded, what names, indices and groups mean, what is drawn. */
#include "written.h"

#include <sys/stat.h>
#include <unistd.h>

#define NETS HEAD "resources:\n  net: {network: {}, count: 3}\n"

static void test_params(void **state)
{
	static const char text[] = HEAD
		"required: [who]\n"
		"params: {n: 2, ratio: 0.5, on: true, name: a, wait: 10s, size: 1MiB, list: [1, x],\n"
		"  map: {a: 1}, twice: \"${2 * n}\", nothing: null}\n"
		"checks:\n"
		"  v: {value: [\"${who}\", \"${n}\", \"${ratio}\", \"${on}\", \"${name}\", \"${wait}\", "
		"\"${size}\", \"${list}\", \"${map.a}\", \"${twice}\", \"${nothing}\"]}\n";
	struct world *w = written_world(text, "{\"who\": \"me\"}", NULL, false);
	written_body_is(w, "v", 0, "[\"me\",2,0.5,true,\"a\",\"10s\",\"1MiB\",[1,\"x\"],1,4]");
	written_world_free(w);
	/* Texts, as a command line has them, become what the default is. */
	w = written_world(text,
		"{\"who\": \"7\", \"n\": \"5\", \"ratio\": \"2\", \"on\": \"false\", \"name\": 5, "
		"\"wait\": \"1m\", \"list\": \"[a]\", \"map\": \"{a: b}\", \"nothing\": \"x\"}",
		NULL, false);
	written_body_is(w, "v", 0, "[7,5,2,false,\"5\",\"1m\",\"1MiB\",[\"a\"],\"b\",10,\"x\"]");
	written_world_free(w);
	written_unbound(text,
		"{\"n\": \"two\", \"ratio\": \"x\", \"on\": 1, \"wait\": \"10\", \"size\": \"5s\", "
		"\"list\": 5, \"map\": [], \"nme\": 1}",
		"param n must be a whole number, not \"two\"\n"
		"param ratio must be a number, not \"x\"\n"
		"param on must be true or false, not \"1\"\n"
		"param wait must be a time with a unit, such as 10s, not \"10\"\n"
		"param size must be a size with a unit, such as 64KiB, not \"5s\"\n"
		"param list must be a list, not \"5\"\n"
		"param map must be a map, not \"[]\"\n"
		"t has no param \"nme\"; did you mean \"name\"?\n"
		"t.yaml:1:1: the param \"who\" must be given\n");
	written_unbound(HEAD "params: {a: \"${b}\", b: \"${a}\"}\nchecks: {v: {value: 1}}\n", NULL,
		"t.yaml:2:21: the param \"b\" is made of itself\n"
		"t.yaml:2:10: the param \"a\" is made of itself\n");
	written_unbound(HEAD "params: {image: auto}\nchecks: {v: {value: 1}}\n", NULL,
		"t.yaml:2:10: the param \"image\" is auto and nothing was picked for it\n");
}

static void test_own_names(void **state)
{
	static const char text[] = HEAD
		"checks:\n"
		"  v: {value: [\"${run}\", \"${location}\", \"${cloud.region}\", \"${zones.compute}\", "
		"\"${zones.volume[0]}\", \"${zones.compute[-1]}\", \"${zones.compute[5]}\", \"${i}\", "
		"\"${it}\"], each: [a, b]}\n";
	struct world *w = written_world(text, NULL, "{\"compute\": [\"z1\", \"z2\"]}", false);
	written_body_is(w, "v", 1,
		"[\"t2k9f1-x7qa\",\"here\",\"north\",[\"z1\",\"z2\"],\"z2\",\"z2\",1,\"b\"]");
	written_world_free(w);
	w = written_world(text, "{\"zones.volume\": [\"nova\"], \"zones.compute\": \"[only]\"}",
		"{\"compute\": [\"z1\"], \"volume\": []}", false);
	written_body_is(w, "v", 0,
		"[\"t2k9f1-x7qa\",\"here\",\"north\",[\"only\"],\"nova\",\"only\",\"only\",0,\"a\"]");
	written_world_free(w);
}

static void test_count(void **state)
{
	struct world *w = written_world(NETS
		"  one: {network: {}}\n  none: {network: {}, count: 0}\n"
		"  of: {subnet: {network_id: \"${net[i]}\"}, count: \"${2 * 2}\"}\n"
		"  half: {network: {}, count: \"${3.0 / 2}\"}\n"
		"  less: {network: {}, count: \"${1 - 2}\"}\n"
		"  many: {network: {}, count: \"${10000 * 10000}\"}\n"
		"  rest: {network: {}, count: 9996}\n",
		NULL, NULL, false);
	assert_int_equal(written_expand(w, "net"), EXPR_OK);
	assert_int_equal(written_expand(w, "one"), EXPR_OK);
	assert_int_equal(written_expand(w, "none"), EXPR_ABSENT);
	assert_int_equal(written_expand(w, "none"), EXPR_ABSENT); /* asked again */
	assert_int_equal(written_expand(w, "of"), EXPR_OK);
	assert_int_equal(w->steps[3].count, 4);
	assert_int_equal(written_expand(w, "half"), EXPR_ERROR);
	assert_int_equal(written_expand(w, "less"), EXPR_ERROR);
	assert_int_equal(written_expand(w, "many"), EXPR_ERROR);
	assert_int_equal(w->objects, 3 + 1 + 4);
	assert_int_equal(written_expand(w, "rest"), EXPR_ERROR); /* 8 + 9996 > 10000 */
	/* One to carry the verdict of a step that is absent. */
	assert_int_equal(w->steps[2].count, 1);
	written_world_free(w);
}

static void test_striping(void **state)
{
	struct world *w = written_world(NETS
		"checks:\n"
		"  v: {value: \"${net[i]}\", count: 5}\n"
		"  last: {value: \"${net[-1].name}\"}\n"
		"  all: {value: \"${net[*].name}\"}\n"
		"  len: {value: \"${len(net[*])}\"}\n"
		"  twice: {value: \"${net[0][1]}\"}\n"
		"  what: {value: \"${net[true]}\"}\n",
		NULL, NULL, false);
	written_expand(w, "net");
	written_ready(w, "net", 1, "{\"id\": \"n1\", \"name\": \"b\"}");
	/* Only the element it needs is waited for. */
	written_body_is(w, "v", 1, "\"n1\"");
	written_body_is(w, "v", 4, "\"n1\"");
	written_body_is(w, "v", 0, "#1");
	written_body_is(w, "last", 0, "#1");
	written_body_is(w, "all", 0, "#1");
	written_ready(w, "net", 2, "{\"id\": \"n2\", \"name\": \"c\"}");
	written_body_is(w, "last", 0, "\"c\"");
	written_body_is(w, "len", 0, "#1");
	/* [*] waits until each is ready or failed and holds the ready ones. */
	written_element(w, "net", 0)->state = ELEMENT_FAILED;
	written_body_is(w, "all", 0, "[\"b\",\"c\"]");
	written_body_is(w, "len", 0, "2");
	written_body_is(w, "v", 3, "#3");
	written_body_is(w, "twice", 0, "!9:18: net[0] is one element already");
	written_body_is(w, "what", 0, "!10:23: an index is a number or a text, not true or false");
	/* What was met is the graph. */
	const struct element *v = written_element(w, "v", 4);
	assert_int_equal(v->uses.n, 1);
	assert_int_equal(v->uses.p[0].element, 1);
	written_world_free(w);
}

static void test_each(void **state)
{
	struct world *w = written_world(NETS
		"  sub: {subnet: {network_id: \"${it}\"}, each: net}\n"
		"  port: {port: {a: \"${it.zone}\", b: \"${it.type}\", c: \"${i}\"}, "
		"each: {zone: \"${zones.compute}\", type: [x, null]}}\n"
		"  rule: {security_group_rule: {low: \"${it.lo}\", high: \"${it.hi ?? 9}\"}, "
		"each: [{lo: 1}, {lo: 2, hi: 3}]}\n"
		"  no: {network: {}, each: \"${zones.volume}\"}\n"
		"  bad: {network: {}, each: \"${run}\"}\n"
		"  bad2: {network: {}, each: {a: \"${run}\"}}\n"
		"  of_none: {network: {n: \"${it}\"}, each: no}\n"
		"checks:\n"
		"  its: {value: \"${port[*].it.zone}\"}\n"
		"  it2: {value: \"${sub[1].it.name}\"}\n",
		NULL, "{\"compute\": [\"z1\", \"z2\"]}", false);
	assert_int_equal(written_expand(w, "sub"), EXPR_BLOCKED);
	written_expand(w, "net");
	written_ready(w, "net", 1, "{\"id\": \"n1\", \"name\": \"b\"}");
	written_body_is(w, "sub", 1, "{\"network_id\":\"n1\"}");
	written_body_is(w, "sub", 2, "#1");
	/* All combinations, the first name changing slowest; null is left out of bodies. */
	written_body_is(w, "port", 0, "{\"a\":\"z1\",\"b\":\"x\",\"c\":0}");
	written_body_is(w, "port", 1, "{\"a\":\"z1\",\"c\":1}");
	written_body_is(w, "port", 2, "{\"a\":\"z2\",\"b\":\"x\",\"c\":2}");
	assert_int_equal(w->steps[scenario_step(w->scenario, SLICE("port"))].count, 4);
	written_body_is(w, "rule", 0, "{\"low\":1,\"high\":9}");
	written_body_is(w, "rule", 1, "{\"low\":2,\"high\":3}");
	assert_int_equal(written_expand(w, "no"), EXPR_ABSENT);
	assert_int_equal(written_expand(w, "of_none"), EXPR_ABSENT);
	assert_int_equal(written_expand(w, "bad"), EXPR_ERROR);
	assert_int_equal(written_expand(w, "bad2"), EXPR_ERROR);
	for (size_t i = 0; i < 4; i++)
		written_ready(w, "port", i, "{\"id\": \"p\"}");
	written_body_is(w, "its", 0, "[\"z1\",\"z1\",\"z2\",\"z2\"]");
	written_ready(w, "sub", 1, "{\"id\": \"s1\"}");
	written_body_is(w, "it2", 0, "\"b\"");
	written_world_free(w);
}

static void test_absent(void **state)
{
	struct world *w = written_world(HEAD
		"params: {on: false}\n"
		"resources:\n"
		"  vol: {volume: {size: 1}, when: on}\n"
		"  img: {image: {}}\n"
		"  need: {snapshot: {volume_id: \"${vol}\"}}\n"
		"  either: {server: {uuid: \"${vol ?? img}\"}}\n"
		"  name: {server: {uuid: \"${vol.name ?? 'none'}\"}}\n"
		"  far: {server: {x: \"${need.id}\"}}\n"
		"  bad: {network: {}, when: \"${run}\"}\n"
		"  later: {network: {}, when: \"${img.size > 3}\"}\n"
		"checks:\n"
		"  n: {value: \"${len(vol[*])}\"}\n"
		"  after: {value: 1, after: [vol]}\n",
		NULL, NULL, false);
	struct error err = {0};
	assert_int_equal(written_expand(w, "vol"), EXPR_ABSENT);
	written_expand(w, "img");
	written_body_is(w, "need", 0, "#2");
	written_body_is(w, "either", 0, "#1");
	written_ready(w, "img", 0, "{\"id\": \"i1\", \"size\": 5}");
	written_body_is(w, "either", 0, "{\"uuid\":\"i1\"}");
	written_body_is(w, "name", 0, "{\"uuid\":\"none\"}");
	written_body_is(w, "n", 0, "0");
	written_expand(w, "need");
	written_element(w, "need", 0)->state = ELEMENT_ABSENT;
	written_body_is(w, "far", 0, "#2");
	assert_int_equal(written_expand(w, "bad"), EXPR_ERROR);
	assert_int_equal(written_expand(w, "later"), EXPR_OK);
	/* `after` an absent step is no need of it. */
	written_element(w, "vol", 0)->state = ELEMENT_ABSENT;
	assert_int_equal(world_after(w, written_element(w, "after", 0)), EXPR_OK);
	world_expand(w, 0, &err);
	written_world_free(w);
	w = written_world(HEAD
		"resources:\n  a: {network: {}}\n  b: {network: {}, when: "
		"\"${a.x == 1}\"}\nchecks:\n  c: {value: 1, after: [a]}\n",
		NULL, NULL, false);
	written_expand(w, "a");
	assert_int_equal(written_expand(w, "b"), EXPR_BLOCKED);
	assert_int_equal(world_after(w, written_element(w, "c", 0)), EXPR_BLOCKED);
	written_element(w, "a", 0)->state = ELEMENT_FAILED;
	assert_int_equal(written_expand(w, "b"), EXPR_SKIPPED);
	assert_int_equal(world_after(w, written_element(w, "c", 0)), EXPR_SKIPPED);
	written_world_free(w);
}

static void test_group(void **state)
{
	struct world *w = written_world(HEAD
		"params: {single: true}\n"
		"resources:\n"
		"  a: {server: {}, count: 2}\n"
		"  b: {server: {}, when: single}\n"
		"  c: {server: {}, when: \"${!single}\"}\n"
		"  vm: {group: \"${a[*] + b[*] + c[*]}\"}\n"
		"  port: {port: {s: \"${it}\", n: \"${it.name}\"}, each: vm}\n"
		"  wrong: {group: \"${[1]}\"}\n"
		"  wrong2: {group: \"${run}\"}\n"
		"checks:\n"
		"  names: {value: \"${vm[*].name}\"}\n"
		"  last: {value: \"${vm[-1]}\"}\n",
		NULL, NULL, false);
	assert_int_equal(written_expand(w, "vm"), EXPR_BLOCKED);
	written_expand(w, "a");
	written_expand(w, "b");
	written_expand(w, "c");
	/* Its members need not be ready, only known. */
	assert_int_equal(written_expand(w, "vm"), EXPR_OK);
	assert_int_equal(w->steps[scenario_step(w->scenario, SLICE("vm"))].count, 3);
	written_body_is(w, "port", 2, "#1");
	written_ready(w, "b", 0, "{\"id\": \"b0\", \"name\": \"bee\"}");
	written_body_is(w, "port", 2, "{\"s\":\"b0\",\"n\":\"bee\"}");
	written_body_is(w, "last", 0, "\"b0\"");
	written_body_is(w, "names", 0, "#1");
	written_ready(w, "a", 0, "{\"id\": \"a0\", \"name\": \"ah\"}");
	written_ready(w, "a", 1, "{\"id\": \"a1\", \"name\": \"ow\"}");
	written_body_is(w, "names", 0, "[\"ah\",\"ow\",\"bee\"]");
	assert_int_equal(written_expand(w, "wrong"), EXPR_ERROR);
	assert_int_equal(written_expand(w, "wrong2"), EXPR_ERROR);
	assert_ptr_equal(world_element(w, (struct value_ref){3, 2}), written_element(w, "b", 0));
	written_world_free(w);
}

static void test_fields(void **state)
{
	struct world *w = written_world(HEAD
		"resources:\n"
		"  port: {port: {}}\n"
		"checks:\n"
		"  v: {value: [\"${port}\", \"${port.id}\", \"${port.name}\", \"${port.address}\", "
		"\"${port['binding:host']}\", \"${port.fixed_ips[0].ip_address}\", "
		"\"${port.nothing}\", \"x${port.nothing}\"]}\n"
		"  m: {value: \"${v.VALUE}\"}\n"
		"  noid: {value: \"${v}\"}\n",
		NULL, NULL, false);
	written_ready(w, "port", 0,
		"{\"id\": \"p0\", \"name\": \"n\", \"binding:host\": \"h\", \"fixed_ips\": "
		"[{\"ip_address\": \"10.0.0.5\"}]}");
	written_body_is(w, "v", 0, "[\"p0\",\"p0\",\"n\",\"10.0.0.5\",\"h\",\"10.0.0.5\",\"x\"]");
	struct element *v = written_element(w, "v", 0);
	v->state = ELEMENT_READY;
	v->measured = json_pack("{s:i}", "VALUE", 5);
	written_body_is(w, "m", 0, "5");
	written_body_is(w, "noid", 0, "!7:17: v stands for no object of the cloud: it has no id");
	written_world_free(w);
}

static void test_texts(void **state)
{
	struct world *w = written_world(HEAD
		"params: {who: me}\n"
		"texts:\n"
		"  a: \"${who} ${b}\"\n"
		"  b: \"${run}-${i}\"\n"
		"  lines: |\n"
		"    #cloud-config\n"
		"    x: $${y}\n"
		"checks:\n"
		"  v: {value: \"${a}\", count: 2}\n"
		"  l: {value: \"${lines}\"}\n",
		NULL, NULL, false);
	written_body_is(w, "v", 1, "\"me t2k9f1-x7qa-1\"");
	written_body_is(w, "l", 0, "\"#cloud-config\\nx: ${y}\\n\"");
	written_world_free(w);
}

/* Texts of texts of texts: an error after a while, not an evening. */
static void test_texts_multiply(void **state)
{
	struct buf text = BUF(BUF_PAGE);
	buf_add_str(&text, HEAD "texts:\n");
	for (int i = 0; i < 20; i++)
		buf_printf(&text, "  t%d: \"${t%d}${t%d}${t%d}${t%d}\"\n", i, i + 1, i + 1, i + 1,
			i + 1);
	buf_add_str(&text, "  t20: \"\"\nchecks:\n  v: {value: \"${t0}\"}\n");
	struct world *w = written_world(buf_str(&text), NULL, NULL, false);
	char *got = written_body(w, "v", 0);
	assert_non_null(strstr(got, "more than 10000 texts within texts"));
	free(got);
	written_world_free(w);
	buf_fini(&text);
}

static void test_drawn_once(void **state)
{
	static const char text[] = HEAD
		"texts: {word: \"${secret(12)}\"}\n"
		"checks:\n"
		"  a: {value: \"${sample([1, 2, 3, 4, 5, 6, 7, 8, 9], 4)}\"}\n"
		"  b: {value: [\"${word}\", \"${word}\", \"${secret()}\"]}\n"
		"  c: {value: \"${word}\"}\n"
		"  more: {value: \"${sample([1, 2], 5)}\"}\n"
		"  none: {value: \"${sample([1, 2], 0)}\"}\n"
		"  bad: {value: \"${sample([1], -1)}\"}\n"
		"  short: {value: \"${secret(7)}\"}\n"
		"  long: {value: \"${secret(257)}\"}\n"
		"  what: {value: \"${secret('x')}\"}\n";
	struct world *w = written_world(text, NULL, NULL, false);
	char *first = written_body(w, "a", 0), *again = written_body(w, "a", 0);
	assert_string_equal(first, again);
	json_t *drawn = json_parse(slice_of(first), BUF_LINE, NULL);
	assert_int_equal(json_array_size(drawn), 4);
	for (size_t i = 1; i < 4; i++) /* in the list's order, each once */
		assert_true(json_integer_value(json_array_get(drawn, i - 1)) <
			    json_integer_value(json_array_get(drawn, i)));
	json_decref(drawn);
	char *b = written_body(w, "b", 0), *c = written_body(w, "c", 0);
	json_t *words = json_parse(slice_of(b), BUF_LINE, NULL);
	const char *word = json_string_value(json_array_get(words, 0));
	assert_int_equal(strlen(word), 12);
	assert_string_equal(word, json_string_value(json_array_get(words, 1)));
	assert_int_equal(strlen(json_string_value(json_array_get(words, 2))), 24);
	assert_true(slice_is(slice_sub(slice_of(c), 1, 12), word)); /* the text is the place */
	assert_int_equal(w->secrets.n, 2);
	json_decref(words);
	free(b);
	free(c);
	free(again);
	written_body_is(w, "more", 0, "[1,2]");
	written_body_is(w, "none", 0, "[]");
	written_body_is(w, "bad", 0, "!9:19: sample wants a list and how many of it");
	written_body_is(w, "short", 0, "!10:21: secret wants a length from 8 to 256");
	written_body_is(w, "long", 0, "!11:20: secret wants a length from 8 to 256");
	written_body_is(w, "what", 0, "!12:20: secret wants a length from 8 to 256");
	written_world_free(w);
	/* The same seed draws the same sample; another run's secret is another. */
	w = written_world(text, NULL, NULL, false);
	again = written_body(w, "a", 0);
	assert_string_equal(first, again);
	free(again);
	free(first);
	written_world_free(w);
}

static void test_size_for(void **state)
{
	struct world *w = written_world(HEAD
		"resources:\n  img: {image: {}}\n"
		"checks:\n"
		"  own: {value: \"${size_for(img)}\"}\n"
		"  other: {value: \"${size_for('some-id')}\"}\n",
		NULL, NULL, false);
	written_expand(w, "img");
	written_body_is(w, "own", 0, "#1");
	written_ready(w, "img", 0, "{\"id\": \"i1\", \"min_disk\": 3, \"size\": 1073741825}");
	written_body_is(w, "own", 0, "3");
	written_ready(w, "img", 0, "{\"id\": \"i1\", \"min_disk\": 0, \"size\": 1073741825}");
	written_body_is(w, "own", 0, "2");
	written_body_is(w, "other", 0, "!6:21: size_for: nothing is known of this image");
	written_world_free(w);
}

/* --- file() ----------------------------------------------------------------------------------- */

static char directory[64];

static void write_file(const char *name, const void *text, size_t n)
{
	char *path = mem_printf("%s/%s", directory, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
	free(path);
}

static int make_directory(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test-world-XXXXXX");
	return mkdtemp(directory) ? 0 : 1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"s.yaml", "a.txt", "binary"};
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s/%s", directory, names[i]);
		unlink(path);
		free(path);
	}
	return rmdir(directory);
}

static void test_file(void **state)
{
	static const char text[] = HEAD
		"checks:\n"
		"  a: {value: \"${file('a.txt')}\"}\n"
		"  here: {value: \"${file('./a.txt')}\"}\n"
		"  y: {value: \"${yaml(file('a.txt')).x[1]}\"}\n"
		"  no: {value: \"${file('none.txt')}\"}\n"
		"  bin: {value: \"${file('binary')}\"}\n"
		"  up: {value: \"${file('../a.txt')}\"}\n"
		"  root: {value: \"${file('/etc/hostname')}\"}\n"
		"  sly: {value: \"${file('x/../../a.txt')}\"}\n"
		"  end: {value: \"${file('x/..')}\"}\n"
		"  empty: {value: \"${file('')}\"}\n";
	struct error_list errors = {0};
	write_file("a.txt", "x: [1, ä]\n", 11);
	write_file("binary", "\xff\xfe", 2);
	write_file("s.yaml", text, sizeof(text) - 1);
	char *path = mem_printf("%s/s.yaml", directory);
	struct scenario *s = scenario_load(path, NULL, NULL, written_kinds, &errors);
	assert_non_null(s);
	const struct world_options o = {.run = "r"};
	struct world *w = world_new(s, NULL, &o, &errors);
	assert_non_null(w);
	written_body_is(w, "a", 0, "\"x: [1, ä]\\n\"");
	written_body_is(w, "here", 0, "\"x: [1, ä]\\n\"");
	written_body_is(w, "y", 0, "\"ä\"");
	static const struct {
		const char *step, *part;
	} refused[] = {{"no", "none.txt: No such file"}, {"bin", "is not text (UTF-8)"},
		{"up", "only files beside the scenario are read"},
		{"root", "only files beside the scenario are read"},
		{"sly", "only files beside the scenario are read"},
		{"end", "only files beside the scenario are read"},
		{"empty", "only files beside the scenario are read"}};
	for (size_t i = 0; i < array_len(refused); i++) {
		char *got = written_body(w, refused[i].step, 0);
		if (got[0] != '!' || !strstr(got, refused[i].part))
			fail_msg("%s: %s", refused[i].step, got);
		free(got);
	}
	written_world_free(w);
	free(path);
}

/* --- symbols ---------------------------------------------------------------------------------- */

static void test_symbolic(void **state)
{
	struct world *w = written_world(NETS
		"  sub: {subnet: {network_id: \"${net[i]}\", x: \"${net[i].mtu + 1}\", "
		"y: \"a-${net[i].name}\"}, each: net}\n"
		"  maybe: {network: {}, when: \"${net[0].mtu > 1400}\"}\n"
		"  some: {network: {}, count: \"${net[0].mtu}\"}\n"
		"  word: {network: {description: \"${secret(9)}\"}}\n",
		NULL, NULL, true);
	written_expand(w, "net");
	written_body_is(w, "sub", 2,
		"{\"network_id\":\"<net[2].id>\",\"x\":\"<known in the run>\","
		"\"y\":\"a-<net[2].name>\"}");
	assert_int_equal(written_expand(w, "maybe"), EXPR_OK);
	assert_int_equal(written_expand(w, "some"), EXPR_OK);
	written_body_is(w, "word", 0, "{\"description\":\"***\"}");
	assert_int_equal(w->notes.n, 2);
	assert_string_equal(
		w->notes.p[0].text, "maybe: `when` is decided in the run; counted here as true");
	assert_string_equal(
		w->notes.p[1].text, "some: `count` is decided in the run; counted here as 1");
	written_world_free(w);
}

int test_world(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_own_names),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_striping),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_texts_multiply),
		cmocka_unit_test(test_drawn_once),
		cmocka_unit_test(test_size_for),
		cmocka_unit_test_setup_teardown(test_file, make_directory, remove_directory),
		cmocka_unit_test(test_symbolic),
	};
	return cmocka_run_group_tests_name("world", tests, written_setup, written_teardown);
}
