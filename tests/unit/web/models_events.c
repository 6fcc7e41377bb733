/* models_events.c - events and their history, see models.h. */
#include "models_inside.h"

#include <string.h>

#include "base/json.h"

static const char update_text[] =
	"Requests for **new volumes** fail. We look into the storage back end.\n\n- running servers"
	" are not concerned\n- [what to do meanwhile](https://example.org/volumes)\n";

static json_t *revision(int n, int64_t at_ms, const char *of, bool operators)
{
	json_t *o =
		json_pack("{s:i, s:I, s:s}", "revision", n, "at_ms", (json_int_t)at_ms, "text", of);
	if (operators)
		json_object_set_new(o, "by", model_text("alice"));
	return o;
}

static json_t *update(
	int n, int64_t ago_ms, const char *phase, const char *of, bool machine, bool operators)
{
	json_t *o = json_pack("{s:i, s:I, s:s, s:s, s:b, s:n, s:n, s:[o]}", "n", n, "at_ms",
		(json_int_t)(NOW - ago_ms), "phase", phase, "text", of, "machine", machine,
		"corrected_ms", "components", "revisions",
		revision(1, NOW - ago_ms, of, operators));
	if (operators)
		json_object_set_new(o, "by", model_text(machine ? "suspect" : "alice"));
	return o;
}

/* kind, phase, impact and the components that it concerns. */
static json_t *event(enum mood mood, const char *id, const char *title, const char *kind,
	const char *phase, int64_t from_ms, json_t *components, bool operators)
{
	const bool hostile = mood == MOOD_HOSTILE;
	int64_t impact = 0;
	json_t *touched = json_array(), *o = json_object();
	const json_t *c;
	size_t i;
	json_array_foreach (components, i, c) {
		json_array_append(touched, json_object_get(c, "id"));
		impact = json_int(c, "impact", 0) > impact ? json_int(c, "impact", 0) : impact;
	}
	json_object_set_new(o, "id", model_text(id));
	json_object_set_new(o, "kind", model_text(kind));
	json_object_set_new(o, "title", model_text(hostile ? hostile_name : title));
	json_object_set_new(o, "phase", model_text(phase));
	json_object_set_new(o, "public", json_true());
	json_object_set_new(o, "machine", json_false());
	json_object_set_new(o, "taken_over", json_false());
	json_object_set_new(o, "starts_ms", json_integer(from_ms));
	json_object_set_new(o, "until_ms", json_null());
	json_object_set_new(o, "ended_ms", json_null());
	json_object_set_new(o, "created_ms", json_integer(from_ms));
	json_object_set_new(o, "changed_ms", json_integer(NOW - 60000));
	json_object_set_new(o, "revision", json_integer(3));
	json_object_set_new(o, "impact", json_integer(impact));
	json_object_set_new(o, "components", components);
	json_object_set_new(o, "touched", touched);
	json_object_set_new(o, "evidence", json_pack("[i, i]", 404, 498));
	json_object_set_new(o, "updates",
		json_pack("[o]", update(3, 900000, phase, hostile ? hostile_name : update_text,
					 false, operators)));
	if (operators)
		json_object_set_new(o, "by", model_text("alice"));
	return o;
}

/* Block storage is measured well in no mood but good; load balancing is in each but blind ones. */
static json_t *incident(enum mood mood, bool operators)
{
	return event(mood, "2026-11-26-volumes-fail", "New volumes cannot be made", "incident",
		"investigating", NOW - 5400000,
		json_pack("[{s:s, s:i}, {s:s, s:i}, {s:s, s:i}]", "id", "network", "impact", 100,
			"id", "images", "impact", 20, "id", "load-balancing", "impact", 50),
		operators);
}

static json_t *work(
	enum mood mood, const char *id, const char *phase, int64_t from_ms, bool operators)
{
	json_t *o = event(mood, id, "The storage of zone eu-1 gets new firmware", "maintenance",
		phase, from_ms, json_pack("[{s:s, s:i}]", "id", "block-storage", "impact", 30),
		operators);
	json_object_set_new(o, "until_ms", json_integer(from_ms + 7200000));
	return o;
}

static json_t *over(enum mood mood, int64_t from_ms, bool operators)
{
	json_t *o = event(mood, "2026-11-25-dns-slow", "DNS answers late", "incident", "resolved",
		from_ms, json_pack("[{s:s, s:i}]", "id", "dns", "impact", 10), operators);
	json_object_set_new(o, "machine", json_true());
	json_object_set_new(o, "ended_ms", json_integer(from_ms + 1900000));
	return o;
}

void model_add_events(json_t *site, enum mood mood, bool operators)
{
	const bool some = mood == MOOD_MIXED || mood == MOOD_HOSTILE;
	json_object_set_new(site, "events",
		some ? json_pack("[o, o, o]", incident(mood, operators),
			       work(mood, "2026-11-26-firmware", "in_progress", NOW - 1800000,
				       operators),
			       over(mood, NOW - 60000000, operators))
		     : json_array());
	json_object_set_new(site, "upcoming",
		some ? json_pack("[o]", work(mood, "2026-11-28-firmware", "planned",
						NOW + 150000000, operators))
		     : json_array());
}

json_t *model_event(enum mood mood, bool operators)
{
	const char *said = mood == MOOD_HOSTILE ? hostile_name : update_text;
	json_t *o = incident(mood, operators), *updates = json_array(), *u;
	json_object_set_new(o, "machine", json_true());
	json_object_set_new(o, "taken_over", json_true());
	json_array_append_new(json_object_get(o, "touched"), model_text("dns"));
	json_array_append_new(
		updates, u = update(1, 5400000, "detected", "Nothing answers at block storage.",
				 true, operators));
	json_object_set_new(u, "components",
		json_pack("[{s:s, s:i}, {s:s, s:i}]", "id", "network", "impact", 60, "id", "dns",
			"impact", 30));
	json_array_append_new(
		updates, u = update(2, 3600000, "investigating", said, false, operators));
	json_object_set_new(u, "corrected_ms", json_integer(NOW - 3000000));
	json_object_set_new(u, "revisions",
		json_pack("[o, o]",
			revision(1, NOW - 3600000, "Requests for volumes fail *everywhere*.",
				operators),
			revision(2, NOW - 3000000, said, operators)));
	json_array_append_new(updates, update(3, 900000, "investigating", said, false, operators));
	json_object_set_new(o, "updates", updates);
	json_object_set_new(o, "names",
		json_pack("{s:s, s:s, s:s, s:s}", "network",
			mood == MOOD_HOSTILE ? hostile_name : "Network", "images", "Images",
			"load-balancing", "Load balancing", "dns", "DNS"));
	if (operators)
		json_object_set_new(o, "key", model_text("cause:volume"));
	return o;
}

json_t *model_history(enum mood mood, bool operators)
{
	const bool none = mood == MOOD_UNKNOWN;
	json_t *o = json_pack("{s:s, s:n, s:n, s:b, s:[s, s], s:{s:s}}", "month",
		none ? "2026-09" : "", "kind", "component", "more", !none, "months", "2026-11",
		"2026-10", "names", "block-storage", "Block storage");
	json_object_set_new(o, "events",
		none ? json_array()
		     : json_pack("[o, o, o, o]",
			       work(mood, "2026-11-28-firmware", "planned", NOW + 150000000,
				       operators),
			       incident(mood, operators), over(mood, NOW - 60000000, operators),
			       work(mood, "2026-10-02-firmware", "cancelled", NOW - 4752000000,
				       operators)));
	return o;
}
