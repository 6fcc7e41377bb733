/* template.c - Mustache: a template, then after each line "---" the partials a, b and c. */
#include "fuzz.h"

#include <string.h>

#include "base/json.h"
#include "text/template.h"

static const char model_text[] =
	"{\"x\": \"<&>\", \"n\": 7, \"yes\": true, \"no\": false, \"none\": null, \"empty\": [],"
	" \"list\": [1, {\"x\": \"y\", \"list\": [2]}, [3, 4]], \"m\": {\"k\": {\"x\": 1.5}}}";

struct parts {
	struct slice part[3];
};

static bool find(void *arg, struct slice name, struct slice *ret_text)
{
	const struct parts *p = arg;
	if (name.n != 1 || name.p[0] < 'a' || name.p[0] > 'c')
		return false;
	*ret_text = p->part[name.p[0] - 'a'];
	return true;
}

static struct slice cut(struct slice *rest)
{
	const struct slice mark = SLICE("\n---\n");
	const size_t at = slice_find_text(*rest, mark);
	const struct slice first = slice_sub(*rest, 0, at);
	*rest = slice_sub(*rest, at + mark.n, rest->n);
	return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static json_t *model;
	struct slice rest = slice_from((const char *)p, n);
	const struct slice text = cut(&rest);
	struct parts parts;
	struct buf out = BUF(64 << 10), again = BUF(64 << 10);
	struct error err = {0};

	if (!model)
		model = json_parse(slice_of(model_text), sizeof(model_text), NULL);
	for (int i = 0; i < 3; i++)
		parts.part[i] = cut(&rest);
	struct template *t = template_compile(text, "fuzz", &err);
	fuzz_hold(t || err.msg[0]);
	if (t) {
		const bool good = template_render(t, model, find, &parts, &out, &err);
		fuzz_hold(good || err.msg[0]);
		/* a rendering leaves nothing behind in the template */
		fuzz_hold(template_render(t, model, find, &parts, &again, &err) == good);
		fuzz_hold(slice_eq(buf_slice(&out), buf_slice(&again)));
	}
	template_free(t);
	buf_fini(&out);
	buf_fini(&again);
	return 0;
}
