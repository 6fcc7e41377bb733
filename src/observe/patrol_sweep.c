/*
 * patrol_sweep.c - what dead runs left in one cloud, swept once for all its patrols.
 *
 * The patrols of one schedule, cloud and instance share a cleaning, which is found in a list and
 * ends with the last of them. Its first sweep, of the journal's rows, begins with the first run
 * that is due; runs wait for it once, whatever comes of it: where it failed it is tried again
 * beside the next runs, and every hour the whole sweep comes.
 */

#include "observe/patrol_inside.h"

#include <string.h>

#define DAY_US (24LL * 60 * 60 * 1000000)

struct cleaning {
	struct cleaning *next;
	const struct patrol_hands *hands;
	struct schedule *schedule;
	const struct check_tools *tools;
	struct journal *journal;
	const struct kinds *kinds;
	char *instance, *name; /* name: of its job */
	struct job *job;
	VEC(struct patrol *) users;
	struct patrol *last; /* has left while a sweep was under way */
	struct sweep *sweep;
	bool ended;  /* it has, and is being told */
	bool hourly; /* what is under way is the hourly one */
	bool clean;  /* the first sweep has succeeded */
	bool tried;  /* it has ended once: nobody waits again */
	int64_t forgot_unix_us;
};

static struct cleaning *all; /* of the loop's thread */

/* --- one sweep ---------------------------------------------------------------------------------
 */

static void tell_sweep(struct cleaning *c, const struct sweep_report *r)
{
	struct patrol *p = c->users.p[0];
	if (r->error)
		patrol_tell(p, "could not sweep what dead runs left: %s", r->error->msg);
	else if (r->found)
		patrol_tell(p, "dead runs had left %zu objects: %zu deleted, %zu gone, %zu left",
			r->found, r->deleted, r->gone, r->left + r->unsure);
}

static void forget_old_reports(struct cleaning *c)
{
	const int64_t now = clock_unix_us(loop_clock(schedule_loop(c->schedule)));
	if (c->forgot_unix_us && now - c->forgot_unix_us < DAY_US)
		return;
	c->forgot_unix_us = now;
	c->hands->forget_reports(c->journal, now - REPORT_DAYS * DAY_US);
}

static void cleaning_free(struct cleaning *c)
{
	vec_fini(&c->users);
	free(c->instance);
	free(c->name);
	free(c);
}

static void on_swept(void *arg, const struct sweep_report *r)
{
	struct cleaning *c = arg;
	const bool hourly = c->hourly, first = !c->tried, failed = r->error;
	c->ended = true;
	if (!c->last) /* whoever is told may stop the patrol */
		tell_sweep(c, r);
	c->hands->sweep_free(c->sweep); /* and with it the report */
	c->sweep = NULL;
	c->ended = false;
	if (c->last) {
		struct patrol *last = c->last;
		cleaning_free(c);
		last->cleaning = NULL;
		patrol_cleaned(last);
		return;
	}
	c->tried = true;
	c->clean = c->clean || !failed;
	c->hands->bury(c->journal, c->hands->cloud_name(c->tools->cloud), c->instance);
	forget_old_reports(c);
	if (hourly)
		job_done(c->job);
	for (size_t i = 0; first && i < c->users.n; i++)
		patrol_swept(c->users.p[i]);
}

static void begin(struct cleaning *c, bool hourly)
{
	const struct sweep_options o = {
		.instance = c->instance,
		.journal_only = !hourly,
		.older_ns = hourly ? SWEEP_OLDER_NS : 0,
	};
	c->hourly = hourly;
	c->sweep = c->hands->sweep(schedule_loop(c->schedule), c->tools->cloud, c->kinds,
		c->journal, &o, NULL, on_swept, c);
}

static void on_hour(void *arg, struct job *job)
{
	struct cleaning *c = arg;
	if (c->sweep)
		job_done(job); /* the first one is under way still */
	else
		begin(c, true);
}

bool cleaning_ready(struct patrol *p)
{
	struct cleaning *c = p->cleaning;
	if (!c->clean && !c->sweep)
		begin(c, false);
	return c->tried;
}

/* --- who shares it ------------------------------------------------------------------------------
 */

static bool has_name(const char *name)
{
	for (const struct cleaning *c = all; c; c = c->next)
		if (!strcmp(c->name, name))
			return true;
	return false;
}

/* Two sessions with one cloud are possible for as long as a reload takes. */
static char *job_name(const struct patrol *p)
{
	const char *cloud = p->hands->cloud_name(p->tools->cloud);
	char *name = mem_printf("sweep of %s", cloud);
	for (unsigned n = 2; has_name(name); n++) {
		free(name);
		name = mem_printf("sweep of %s (%u)", cloud, n);
	}
	return name;
}

static struct cleaning *cleaning_new(struct patrol *p)
{
	struct cleaning *c = mem_new(struct cleaning);
	c->hands = p->hands;
	c->schedule = p->schedule;
	c->tools = p->tools;
	c->journal = p->journal;
	c->kinds = p->kinds;
	c->instance = mem_strdup(p->instance);
	c->name = job_name(p);
	const struct job_options o = {
		.name = c->name, .every_ns = SWEEP_EVERY_NS, .run = on_hour, .arg = c};
	c->job = schedule_add(p->schedule, &o);
	c->next = all;
	all = c;
	return c;
}

void cleaning_join(struct patrol *p)
{
	struct cleaning *c = all;
	while (c && !(c->schedule == p->schedule && c->tools->cloud == p->tools->cloud &&
			    c->journal == p->journal && !strcmp(c->instance, p->instance)))
		c = c->next;
	if (!c)
		c = cleaning_new(p);
	vec_push(&c->users, p);
	p->cleaning = c;
}

static void unlist(struct cleaning *c)
{
	struct cleaning **at = &all;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	schedule_remove(c->job);
	c->job = NULL;
}

bool cleaning_leave(struct patrol *p)
{
	struct cleaning *c = p->cleaning;
	for (size_t i = 0; i < c->users.n; i++) {
		if (c->users.p[i] == p) {
			vec_remove(&c->users, i);
			break;
		}
	}
	if (c->users.n)
		return true;
	unlist(c);
	if (!c->sweep) {
		cleaning_free(c);
		return true;
	}
	c->last = p;
	if (!c->ended)
		c->hands->sweep_cancel(c->sweep);
	return false;
}
