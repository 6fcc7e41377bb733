/*
 * our_clock.h - whether the time we go by is right.
 *
 * Two things tell: the dates of answers (the cloud's, witnesses', whatever else is asked over
 * HTTP), and our own clock against the one that only counts. A date is held against the time in
 * which the answer came, so a slow one proves nothing; its whole seconds and small errors are
 * within the limit (5 s). Our clock is held to be wrong while most of the servers heard of within
 * ten minutes say so; one server alone may be the one that is wrong, which is said. A jump (the
 * clock was set) is told for ten minutes. That the machine slept is none: its clock went on right.
 * Thread: the loop's.
 */
#ifndef OBSERVE_OUR_CLOCK_H
#define OBSERVE_OUR_CLOCK_H

#include "net/http_client.h"

struct our_clock;

/* A sentence for operators, borrowed for the call; NULL: it is right again. */
typedef void our_clock_changed(void *arg, const char *why);
struct our_clock *our_clock_new(struct loop *l, our_clock_changed *changed, void *arg);
void our_clock_free(struct our_clock *c);
/* An http_dated; arg: struct our_clock. */
void our_clock_heard(void *arg, const char *host, int64_t from_us, int64_t to_us, int64_t date_us);

#endif
