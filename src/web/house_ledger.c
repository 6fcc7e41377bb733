/*
 * house_ledger.c - the document LEDGER, from the journal: see model.h.
 */

#include <string.h>

#include "base/units.h"
#include "web/house_inside.h"

#define PAGE_MAX 100000

/* FATE:CLOUD:PAGE, each may be empty; the cloud may hold colons. */
struct ledger_view {
	struct slice fate;
	char *cloud; /* owned, NULL: all */
	int64_t page;
};

static bool read_view(const char *text, struct ledger_view *ret)
{
	const struct slice all = slice_of(text ? text : "");
	const char *last = strrchr(all.p ? all.p : "", ':');
	*ret = (struct ledger_view){.fate = SLICE("all"), .page = 1};
	if (!all.n)
		return true;
	const size_t first = slice_find(all, ':');
	if (first >= all.n || last == all.p + first)
		return false;
	const size_t end = (size_t)(last - all.p);
	const struct slice page = slice_sub(all, end + 1, all.n - end - 1);
	if (first)
		ret->fate = slice_sub(all, 0, first);
	if (page.n && (!units_parse_int(page, &ret->page) || ret->page < 1 || ret->page > PAGE_MAX))
		return false;
	if (end > first + 1)
		ret->cloud = slice_dup(slice_sub(all, first + 1, end - first - 1));
	return true;
}

static bool filter_of(const struct ledger_view *v, struct journal_filter *ret)
{
	enum object_fate fate;
	*ret = (struct journal_filter){.cloud = v->cloud,
		.fate = -1,
		.offset = (size_t)(v->page - 1) * MODEL_LEDGER,
		.limit = MODEL_LEDGER + 1};
	ret->open_only = slice_is(v->fate, "open");
	if (ret->open_only || slice_is(v->fate, "all"))
		return true;
	if (!object_fate_parse(v->fate, &fate))
		return false;
	ret->fate = fate;
	return true;
}

static int begin_ledger(struct house_asked *a)
{
	struct ledger_view v;
	struct journal_filter filter;
	const bool good = read_view(json_str(a->args, "view"), &v) && filter_of(&v, &filter);
	free(v.cloud);
	return good ? 0 : 404;
}

static bool on_object(void *arg, const struct journal_object *o)
{
	json_t *row = journal_object_json(o);
	put_int(row, "created_ms", o->created_unix_us / 1000);
	put_int(row, "changed_ms", o->changed_unix_us / 1000);
	put(row, "admin_since_ms",
		o->admin_unix_us ? json_integer(o->admin_unix_us / 1000) : json_null());
	json_array_append_new(arg, row);
	return true;
}

static bool on_cloud(void *arg, const struct facts_row *row)
{
	json_array_append_new(arg, json_string(facts_text(row, 0)));
	return true;
}

static bool read_ledger(struct house_asked *a)
{
	struct ledger_view v;
	struct journal_filter filter;
	struct journal_totals totals = {0};
	json_t *rows = json_array(), *clouds = json_array(), *j = a->read = json_object();
	bool good = read_view(json_str(a->args, "view"), &v) && filter_of(&v, &filter);
	good = good && journal_ledger(a->facts, &filter, on_object, rows, &a->err);
	filter = (struct journal_filter){.cloud = v.cloud, .fate = -1};
	good = good && journal_totals(a->facts, &filter, NULL, NULL, &totals, &a->err) &&
	       facts_query(a->facts, "SELECT DISTINCT cloud FROM scenario_run ORDER BY cloud", NULL,
		       0, on_cloud, clouds, &a->err);
	put(j, "more", json_boolean(json_array_size(rows) > MODEL_LEDGER));
	if (json_array_size(rows) > MODEL_LEDGER)
		json_array_remove(rows, MODEL_LEDGER);
	put(j, "fate", json_stringn(v.fate.p, v.fate.n));
	put_text(j, "cloud", v.cloud);
	put_int(j, "page", v.page);
	put(j, "totals", journal_totals_json(&totals));
	put(j, "clouds", clouds);
	put(j, "rows", rows);
	free(v.cloud);
	return good;
}

static int end_ledger(struct house_asked *a)
{
	a->doc = json_incref(a->read);
	return 200;
}

const struct house_question ledger_question = {
	"ledger", true, begin_ledger, read_ledger, end_ledger};
