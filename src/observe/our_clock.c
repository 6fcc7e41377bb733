/* our_clock.c - see our_clock.h. */
#include "observe/our_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

#include "base/map.h"

#define LOOK_NS   NS_PER_S
#define LIMIT_US  (5 * 1000000LL)
#define JUMP_US   (2 * 1000000LL) /* within a second; a loop that is late shows in both clocks */
#define FRESH_NS  (600 * NS_PER_S)
#define HOSTS_MAX 64
#define WHY_TEXT  300

struct host {
	int64_t off_us; /* we are ahead of it by at least that; negative: behind */
	int64_t heard_ns;
};

struct our_clock {
	struct loop *loop;
	our_clock_changed *changed;
	void *arg;
	struct timer timer;
	struct map hosts;
	int64_t mono_ns, unix_us, slept_ns;         /* at the last look */
	int64_t jump_us, jumped_ns, jumped_unix_us; /* the last jump; jump_us 0: none */
	bool wrong;
};

/* --- dates -------------------------------------------------------------------------------------
 */

void our_clock_heard(void *arg, const char *host, int64_t from_us, int64_t to_us, int64_t date_us)
{
	struct our_clock *c = arg;
	struct host *h = map_get(&c->hosts, host);
	if (!h) {
		if (c->hosts.n == HOSTS_MAX)
			return;
		h = mem_new(struct host);
		map_put(&c->hosts, host, h);
	}
	h->heard_ns = loop_now_ns(c->loop);
	/* a Date tells whole seconds: that clock stood anywhere within this one */
	const int64_t last_us = date_us + NS_PER_S / NS_PER_US - 1;
	h->off_us = from_us > last_us ? from_us - last_us : to_us < date_us ? to_us - date_us : 0;
}

static bool is_off(const struct host *h)
{
	return h->off_us > LIMIT_US || h->off_us < -LIMIT_US;
}

struct dates {
	size_t heard, off;
	const char *host; /* one that is off */
	int64_t off_us;
};

static struct dates count_dates(struct our_clock *c)
{
	struct dates d = {0};
	const int64_t old_ns = loop_now_ns(c->loop) - FRESH_NS;
	MAP_EACH (&c->hosts, e) {
		struct host *h = e->value;
		if (h->heard_ns < old_ns) {
			free(h);
			map_remove(&c->hosts, e->key);
			continue;
		}
		d.heard++;
		if (!is_off(h))
			continue;
		d.off++;
		d.host = e->key;
		d.off_us = h->off_us;
	}
	return d;
}

/* What the kernel says of it; "" where it says nothing or nothing bad. */
static const char *kernel_says(void)
{
	struct timex t = {0};
	return adjtimex(&t) == TIME_ERROR ? "; the kernel says it is not synchronised" : "";
}

static bool dates_are_off(struct our_clock *c, char *why)
{
	const struct dates d = count_dates(c);
	if (d.off * 2 <= d.heard)
		return false;
	snprintf(why, WHY_TEXT, "our clock is %.0f s %s that of %s%s%s",
		(double)(d.off_us < 0 ? -d.off_us : d.off_us) / 1e6,
		d.off_us < 0 ? "behind" : "ahead of", d.host,
		d.heard == 1 ? ", which may be the one that is wrong"
		: d.off > 1  ? " and others"
			     : "",
		kernel_says());
	return true;
}

/* --- jumps --------------------------------------------------------------------------------------
 */

static void look_for_jump(struct our_clock *c)
{
	const struct clock *clock = loop_clock(c->loop);
	const int64_t mono_ns = loop_now_ns(c->loop), unix_us = clock_unix_us(clock),
		      slept_ns = clock_slept_ns(clock);
	/* While the machine sleeps its clock goes on, and the one that only counts stands. */
	const int64_t passed_ns = mono_ns - c->mono_ns + slept_ns - c->slept_ns;
	const int64_t jump_us = unix_us - c->unix_us - passed_ns / NS_PER_US;
	c->mono_ns = mono_ns;
	c->slept_ns = slept_ns;
	c->unix_us = unix_us;
	if (jump_us <= JUMP_US && jump_us >= -JUMP_US)
		return;
	c->jump_us = jump_us;
	c->jumped_ns = mono_ns;
	c->jumped_unix_us = unix_us;
	/* What was heard before says nothing of the clock as it is now. */
	MAP_EACH (&c->hosts, e) {
		free(e->value);
		map_remove(&c->hosts, e->key);
	}
}

static bool has_jumped(struct our_clock *c, char *why)
{
	char at[CLOCK_TEXT];
	if (!c->jump_us || loop_now_ns(c->loop) - c->jumped_ns > FRESH_NS)
		return false;
	snprintf(why, WHY_TEXT, "it jumped %s by %.0f s, to %.19sZ: it was set",
		c->jump_us < 0 ? "back" : "ahead",
		(double)(c->jump_us < 0 ? -c->jump_us : c->jump_us) / 1e6,
		clock_rfc3339(c->jumped_unix_us, at));
	return true;
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void on_timer(struct timer *t)
{
	struct our_clock *c = t->arg;
	char why[WHY_TEXT];
	timer_start(c->loop, &c->timer, LOOK_NS, on_timer, c);
	look_for_jump(c);
	const bool wrong = dates_are_off(c, why) || has_jumped(c, why);
	if (wrong == c->wrong)
		return;
	c->wrong = wrong;
	c->changed(c->arg, wrong ? why : NULL);
}

struct our_clock *our_clock_new(struct loop *l, our_clock_changed *changed, void *arg)
{
	struct our_clock *c = mem_new(struct our_clock);
	c->loop = l;
	c->changed = changed;
	c->arg = arg;
	c->mono_ns = loop_now_ns(l);
	c->unix_us = clock_unix_us(loop_clock(l));
	c->slept_ns = clock_slept_ns(loop_clock(l));
	timer_start(l, &c->timer, LOOK_NS, on_timer, c);
	return c;
}

void our_clock_free(struct our_clock *c)
{
	if (!c)
		return;
	timer_cancel(&c->timer);
	MAP_EACH (&c->hosts, e)
		free(e->value);
	map_fini(&c->hosts);
	free(c);
}
