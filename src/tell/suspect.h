/*
 * suspect.h - events that open themselves: what is measured and lasts becomes a *suspected* event,
 * which is told, changed and closed as what is measured changes, until a human takes it over.
 *
 * What is not well for `lasting` drafts an incident, detected, of the operators' audience. One
 * cause has one event: components whose verdict names a root join the root's; those of one cloud
 * and region that begin to fail in the same way (errors, slowness) within `regroup` of its begin
 * join it; who fails again within `regroup` of its end, or is found to rest on its root only then,
 * opens it again. A component that flaps counts as failing until it no longer does, and its changes
 * are not told one by one. What lies in a window of maintenance opens none until `lasting` after
 * its end; what a window does not name opens one, which says so.
 *
 * It is announced `announce` after it began, if it lasts. Impacts are health_severity() of what is
 * measured, the one monotone table (health.def): operational 0, degraded 33, outage 100; unknown
 * keeps the impact it had, and is never a reason to open or to close one. Updates come once a
 * minute at most. Once all its components were well for `after` it is resolved, as of the moment
 * they were, or goes to monitoring and stays for a human to close.
 * From the first write of a human on (event.h) nothing is written to it any more; what belongs to
 * it opens no other one. One that a human resolved is not opened again for what failed then.
 *
 * Exactly one whatever dies when: the change feed is read with a cursor of our own (verdicts, and
 * events for what humans did), and one transaction advances it, writes what we know and changes
 * events. While a verdict is still the stored one of before a start nothing is concluded of it.
 * Thread: the loop's.
 */
#ifndef TELL_SUSPECT_H
#define TELL_SUSPECT_H

#include "judge/judge.h"
#include "tell/event.h"

enum suspect_close { SUSPECT_CLOSE_AUTO, SUSPECT_CLOSE_PROPOSE, SUSPECT_CLOSE_NEVER };

#define SUSPECT_LASTING_MS  (3 * 60 * 1000LL)
#define SUSPECT_ANNOUNCE_MS (10 * 60 * 1000LL)
#define SUSPECT_AFTER_MS    (5 * 60 * 1000LL)
#define SUSPECT_REGROUP_MS  (15 * 60 * 1000LL)
#define SUSPECT_BY_HUMAN    (-1) /* announce_ms */

struct suspect_policy {
	bool off; /* none are opened; those that are open are still closed */
	int64_t lasting_ms, announce_ms, after_ms, regroup_ms;
	bool outage_at_once; /* an outage is announced when it is drafted */
	enum suspect_close close;
	const char *const *languages; /* "en", "de", NULL; titles in the first, texts in all */
};

/* How a component is now; false: there is no such one any more. Borrowed until the loop turns. */
typedef bool suspect_look(void *arg, const char *component, const struct component **ret_component,
	const struct verdict **ret_verdict);
/* Whether components of more than one region are watched, and of more than one cloud in this one
 * ("": of those that have none): else titles do not name it. */
typedef void suspect_places(void *arg, const char *region, bool *ret_regions, bool *ret_clouds);
/* Events changed; it is durable. */
typedef void suspect_changed(void *arg);

struct suspects;

/* After event_migrate(); goes on where the tables say. Copies the policy; look and
 * places are asked from the first suspects_wake() on. */
struct suspects *suspects_new(struct loop *l, struct facts *f, const struct suspect_policy *policy,
	suspect_look *look, suspect_places *places, suspect_changed *changed, void *arg,
	struct error *err) must_check;
void suspects_free(struct suspects *s); /* what is under way is still written */
void suspects_configure(struct suspects *s, const struct suspect_policy *policy);
/* A verdict or an event is durable, or maintenance windows are others: look. */
void suspects_wake(struct suspects *s);

/* The open event that a component belongs to, and whether the public sees it; NULL: none.
 * Borrowed until the loop turns. */
const char *suspects_event_of(const struct suspects *s, const char *component, bool *ret_public);
/* [{"event", "components": [ids], "began_ms", "taken_over", "may_close": since when all is well,
 * where a human is to close it | null}] of those that are open; owned. For operators. */
json_t *suspects_json(const struct suspects *s);
/* Why nothing can be written, or NULL. */
const char *suspects_trouble(const struct suspects *s);

#endif
