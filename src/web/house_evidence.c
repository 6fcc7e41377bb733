/*
 * house_evidence.c - the document EVIDENCE: see model.h.
 */

#include <string.h>

#include "web/house_inside.h"

static int begin_evidence(struct house_asked *a)
{
	return json_int(a->args, "id", 0) > 0 ? 0 : 400;
}

/* They are the operators': they may name what is asked and how. */
static void drop_sentences(json_t *doc)
{
	json_t *told;
	size_t i;
	json_object_del(doc, "text");
	json_array_foreach (json_object_get(doc, "told"), i, told)
		json_object_del(told, "text");
}

static bool read_evidence(struct house_asked *a)
{
	const int64_t id = json_int(a->args, "id", 0);
	int64_t previous = 0, next = 0;
	json_t *doc = judge_evidence(a->facts, id, a->operators, &a->err);
	if (!doc)
		return a->err.kind == ERROR_NONE;
	if (!judge_neighbours(a->facts, id, &previous, &next, &a->err)) {
		json_decref(doc);
		return false;
	}
	if (!a->operators)
		drop_sentences(doc);
	put(doc, "previous", previous ? json_integer(previous) : json_null());
	put(doc, "next", next ? json_integer(next) : json_null());
	a->read = doc;
	return true;
}

static int end_evidence(struct house_asked *a)
{
	if (!a->read)
		return 404;
	a->doc = json_incref(a->read);
	put_text(a->doc, "component_name",
		house_component_name(a->house, json_str(a->doc, "component")));
	return 200;
}

const struct house_question evidence_question = {
	"evidence", false, begin_evidence, read_evidence, end_evidence};
