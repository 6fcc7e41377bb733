/*
 * live.c - see live.h. The tree shows what is under way and what failed; when the terminal is too
 * low for all of it, ended steps are folded into one line of counts.
 */

#include "cli/live.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/units.h"
#include "base/vec.h"
#include "cli/waterfall.h"

#define REDRAW_NS (100 * NS_PER_MS)

struct line {
	char *name, *detail;
	enum run_event_type state;
	int64_t since_ns, took_ns;
};

struct live {
	struct loop *loop;
	FILE *out;
	enum live_form form;
	char *title;
	const struct paint *paint;
	struct timer timer;
	VEC(struct line) lines;
	struct map by_name; /* name -> index + 1 */
	char phase[20];
	int64_t began_ns;
	unsigned drawn; /* lines on the screen that are ours */
	bool changed;
};

unsigned live_width(void)
{
	struct winsize w = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col < 40)
		return 100;
	return w.ws_col > 160 ? 160 : w.ws_col;
}

static unsigned height(void)
{
	struct winsize w = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row < 8)
		return 24;
	return w.ws_row;
}

static const char *word(enum run_event_type t)
{
	static const char *const words[] = {"phase", "picked", "started", "waits", "ready",
		"degraded", "failed", "skipped", "absent", "removing", "removed", "left", "held"};
	return words[t];
}

static bool under_way(const struct line *l)
{
	return l->state == RUN_EVENT_START || l->state == RUN_EVENT_WAIT ||
	       l->state == RUN_EVENT_REMOVING;
}

static bool worth_showing(const struct line *l)
{
	return under_way(l) || l->state == RUN_EVENT_FAILED || l->state == RUN_EVENT_WARN ||
	       l->state == RUN_EVENT_LEFT;
}

/* At most so many columns of it: a line that wrapped would not be drawn over, and what a cloud or a
 * guest says must not steer the terminal. */
static void put(FILE *out, const char *text, int columns)
{
	for (; *text && columns > 0; text++) {
		const unsigned char c = (unsigned char)*text;
		if ((c & 0xc0) == 0x80)
			continue;
		size_t n = 1;
		while (((unsigned char)text[n] & 0xc0) == 0x80)
			n++;
		if (c < 0x20 || c == 0x7f)
			putc(' ', out);
		else
			fwrite(text, 1, n, out);
		columns--;
	}
}

static void draw_line(struct live *v, const struct line *l, unsigned width)
{
	static const char *const signs[] = {
		" ", " ", "▸", "▸", "✓", "!", "✗", "-", " ", "◂", "·", "✗", " "};
	const struct paint *p = v->paint;
	const char *colour = l->state == RUN_EVENT_READY                                  ? p->good
			     : l->state == RUN_EVENT_FAILED || l->state == RUN_EVENT_LEFT ? p->bad
			     : l->state == RUN_EVENT_WARN                                 ? p->warn
			     : under_way(l) ? p->strong
					    : p->dim;
	const int64_t now = loop_now_ns(v->loop) - v->began_ns;
	const int64_t ns = under_way(l) ? now - l->since_ns : l->took_ns;
	char took[UNITS_TEXT] = "";
	if (ns > 0)
		units_time_text(ns, took);
	fprintf(v->out, "%s%s%s %-24.24s %-9s %7s  %s", colour, signs[l->state], p->off, l->name,
		word(l->state), took, p->dim);
	put(v->out, l->detail ? l->detail : "", (int)width - 46);
	fprintf(v->out, "%s\033[K\n", p->off);
	v->drawn++;
}

static void move_up(struct live *v)
{
	if (v->drawn)
		fprintf(v->out, "\033[%uA", v->drawn);
	v->drawn = 0;
}

/* A line that stays, above the tree. */
static void draw_above(struct live *v, const char *text)
{
	move_up(v);
	fputs(v->paint->dim, v->out);
	put(v->out, text, (int)live_width() - 1);
	fprintf(v->out, "%s\033[K\n", v->paint->off);
}

static void draw(struct live *v)
{
	const unsigned width = live_width(), rows = height();
	const bool all = v->lines.n + 4 < rows;
	size_t ready = 0, other = 0;
	char took[UNITS_TEXT];
	move_up(v);
	v->drawn = 1;
	fputs(v->paint->strong, v->out);
	put(v->out, v->title, (int)width - 24);
	fprintf(v->out, "%s  %s  %s\033[K\n", v->paint->off, v->phase,
		units_time_text(loop_now_ns(v->loop) - v->began_ns, took));
	VEC_EACH (&v->lines, struct line, l) {
		if (all || (worth_showing(l) && v->drawn + 3 < rows))
			draw_line(v, l, width);
		else if (l->state == RUN_EVENT_READY || l->state == RUN_EVENT_REMOVED)
			ready++;
		else
			other++;
	}
	if (!all) {
		fprintf(v->out, "%s%zu ended well, %zu others%s\033[K\n", v->paint->dim, ready,
			other, v->paint->off);
		v->drawn++;
	}
	fputs("\033[J", v->out);
	fflush(v->out);
}

static void on_redraw(struct timer *t)
{
	struct live *v = t->arg;
	draw(v); /* also when nothing changed: the elapsed times move */
	timer_start(v->loop, &v->timer, REDRAW_NS, on_redraw, v);
}

struct live *live_new(struct loop *loop, FILE *out, enum live_form form, const char *title)
{
	struct live *v = mem_new(struct live);
	v->loop = loop;
	v->out = out;
	v->form = form;
	v->title = mem_strdup(title);
	v->paint = form == LIVE_JSON ? paint_for(-1) : paint_for(fileno(out));
	v->began_ns = loop_now_ns(loop);
	snprintf(v->phase, sizeof(v->phase), "connecting");
	if (form == LIVE_TREE)
		timer_start(loop, &v->timer, REDRAW_NS, on_redraw, v);
	return v;
}

static struct line *line_of(struct live *v, const char *name)
{
	const size_t at = (size_t)(uintptr_t)map_get(&v->by_name, name);
	if (at)
		return &v->lines.p[at - 1];
	struct line *l = vec_add(&v->lines);
	l->name = mem_strdup(name);
	map_put(&v->by_name, name, (void *)(uintptr_t)v->lines.n);
	return l;
}

static void keep(struct live *v, const struct run_event *e)
{
	if (e->type == RUN_EVENT_PICKED) {
		draw_above(v, e->detail);
		return;
	}
	if (e->type == RUN_EVENT_HELD) {
		snprintf(v->phase, sizeof(v->phase), "held");
		draw(v);
		v->drawn = 0; /* what is printed below it stays */
		return;
	}
	if (e->type == RUN_EVENT_PHASE) {
		snprintf(v->phase, sizeof(v->phase), "%s", e->detail);
		return;
	}
	struct line *l = line_of(v, e->name);
	const bool was = under_way(l);
	l->state = e->type;
	if (e->type == RUN_EVENT_START || e->type == RUN_EVENT_REMOVING)
		l->since_ns = e->at_ns;
	else if (!under_way(l)) /* what dies with its parent is never seen going */
		l->took_ns = was ? e->at_ns - l->since_ns : 0;
	if (e->type != RUN_EVENT_START)
		mem_replace(&l->detail, e->detail);
}

static void print_line(struct live *v, const struct run_event *e)
{
	if (e->type == RUN_EVENT_WAIT)
		return; /* what it waits for is for the tree; a pipe wants what happened */
	const bool bad = e->type == RUN_EVENT_FAILED || e->type == RUN_EVENT_LEFT;
	fprintf(v->out, "%9.3fs  %s%-9s%s %s%s%s%s%s\n", (double)e->at_ns / 1e9,
		bad ? v->paint->bad : "", word(e->type), bad ? v->paint->off : "", e->name,
		*e->name && *e->detail ? ": " : "",
		bad && e->fault != FAULT_NONE ? fault_text(e->fault) : "",
		bad && e->fault != FAULT_NONE && *e->detail ? ": " : "", e->detail);
	fflush(v->out);
}

static void print_json(struct live *v, const struct run_event *e)
{
	json_t *o = json_pack("{s:s, s:f, s:s, s:s, s:s}", "event", word(e->type), "at_ms",
		(double)e->at_ns / 1e6, "step", e->name, "fault", fault_name(e->fault), "detail",
		e->detail);
	char *text = json_text(o);
	fprintf(v->out, "%s\n", text);
	fflush(v->out);
	free(text);
	json_decref(o);
}

void live_event(void *live, const struct run_event *e)
{
	struct live *v = live;
	switch (v->form) {
	case LIVE_TREE: keep(v, e); break;
	case LIVE_LINES: print_line(v, e); break;
	case LIVE_JSON: print_json(v, e); break;
	}
}

void live_end(struct live *v)
{
	timer_cancel(&v->timer);
	if (v->form == LIVE_TREE)
		draw(v);
}

void live_free(struct live *v)
{
	if (!v)
		return;
	timer_cancel(&v->timer);
	VEC_EACH (&v->lines, struct line, l) {
		free(l->name);
		free(l->detail);
	}
	vec_fini(&v->lines);
	map_fini(&v->by_name);
	free(v->title);
	free(v);
}
