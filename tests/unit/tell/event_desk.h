/*
 * event_desk.h - a store in a directory of its own, and short ways to write events there.
 */
#ifndef TESTS_UNIT_TELL_EVENT_DESK_H
#define TESTS_UNIT_TELL_EVENT_DESK_H

#include "../check.h"
#include "base/json.h"
#include "base/vec.h"
#include "tell/event.h"

#define NOON 1793188800000LL /* 2026-10-28T12:00:00Z */
#define HOUR 3600000LL

struct desk {
	char dir[64];
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct error err; /* of the last write that was refused */
	char id[EVENT_ID_MAX + 1];
};

extern const struct event_author alice, robot;

int desk_setup(void **state);
int desk_teardown(void **state);
#define desk_test(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

/* False: d->err says why. */
bool desk_open(
	struct desk *d, const struct event_new *n, const struct event_author *by, int64_t now_ms);
bool desk_change(struct desk *d, const char *id, const struct event_change *c,
	const struct event_author *by, int64_t now_ms);
bool desk_correct(struct desk *d, const char *id, int update, const char *text,
	const struct event_author *by, int64_t now_ms);
/* A change of nothing yet. */
struct event_change nothing(void);
/* Its document; NULL when this audience sees none. Owned. */
json_t *desk_event(struct desk *d, const char *id, enum audience audience);
json_t *desk_list(struct desk *d, const struct event_filter *f);
/* A second of its clock, and a real moment for what other threads do. */
void desk_turn(struct desk *d);
/* Turns the loop until *what is true; fails the test when it never is. */
void desk_until(struct desk *d, const bool *what);

#endif
