/*
 * reports.c - see reports.h: life, configuration, when one is due.
 */

#include "tell/reports_inside.h"

#include <string.h>

#include "base/log.h"

#define LOOK_NS (60 * NS_PER_S) /* wall clocks are set, timers are not */

static char *copy(const char *text)
{
	return mem_strdup(text ? text : "");
}

int64_t reports_now_ms(const struct reports *r)
{
	return clock_unix_us(loop_clock(r->loop)) / 1000;
}

/* --- making ----------------------------------------------------------------------------------- */

static void making_free(struct report_making *m)
{
	VEC_EACH (&m->parts, struct report_part, c) {
		free(c->id);
		free(c->name);
	}
	vec_fini(&m->parts);
	for (int i = 0; i < FIGURE_WHATS; i++) {
		VEC_EACH (&m->rows[i], struct figure_row, row)
			free(row->name);
		vec_fini(&m->rows[i]);
	}
	buf_fini(&m->benches);
	report_mail_free(m->mail);
	zone_free(m->zone);
	char *const texts[] = {m->site, m->url, m->instance, m->location, m->timezone};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	free(m);
}

static void on_written(struct worker_job *job)
{
	struct report_making *m = (struct report_making *)job;
	struct reporter *p = m->reporter;
	if (p) {
		p->making = NULL;
		if (m->mail) {
			reporter_keep(p, m->to_ms, m->mail);
			m->mail = NULL;
		} else {
			/* Looked at again in a minute: what could not be read stays due. */
			log_event(LOG_WARN, "report_not_made", "report", "%s", p->config.name,
				"why", "%s", m->err.msg, NULL);
		}
	}
	making_free(m);
}

static void on_work(struct worker_job *job, unsigned thread)
{
	report_write((struct report_making *)job);
}

static void write_bench(struct buf *out, const struct figure *f)
{
	const struct series_point *p = &f->all;
	buf_printf(out, "%-40s %6llu  mean %.4g  min %.4g  max %.4g %s\n", f->name,
		(unsigned long long)p->n, p->sum / (double)p->n, p->min, p->max, f->unit);
}

static void on_figures(
	void *arg, struct figure *list, size_t n, size_t unread, const struct error *err)
{
	struct report_making *m = arg;
	bool several = false;
	m->reading = NULL;
	m->unread = unread;
	for (size_t i = 0; i < n; i++)
		several = several || strcmp(list[i].cloud, list[0].cloud) != 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].what == FIGURE_BENCH)
			write_bench(&m->benches, &list[i]);
		else
			vec_push(&m->rows[list[i].what], figure_row(&list[i], several));
	}
	figure_list_free(list, n);
	if (!m->reporter) {
		making_free(m);
		return;
	}
	worker_submit(m->reporter->reports->worker, &m->job);
}

static void take_components(struct report_making *m, const struct judge *j)
{
	for (size_t i = 0; i < judge_component_count(j); i++) {
		const struct component *c = judge_component_at(j, i);
		const struct verdict *v = judge_verdict(j, c->id);
		vec_push(&m->parts, ((struct report_part){mem_strdup(c->id), mem_strdup(c->name),
					    v ? v->health : HEALTH_UNKNOWN}));
	}
}

/* In steps that roll-ups serve; the first one begins a little before the report does. */
static struct figures_query query_of(const struct report_making *m)
{
	const int64_t span = m->to_ms - m->from_ms;
	const int64_t step = span <= 30 * SERIES_DAY_MS ? SERIES_HOUR_MS / 6 : SERIES_DAY_MS;
	return (struct figures_query){.what = (1u << FIGURE_WHATS) - 1,
		.from_ms = m->from_ms - m->from_ms % step,
		.to_ms = m->to_ms,
		.step_ms = step};
}

static void make(struct reporter *p, int64_t to_ms)
{
	struct reports *r = p->reports;
	struct report_making *m = mem_new(struct report_making);
	struct error err = {0};
	m->benches = BUF(BUF_PAGE);
	m->reporter = p;
	m->facts = r->facts;
	m->zone = zone_load(r->timezone, &err);
	m->site = copy(r->site);
	m->url = copy(r->url);
	m->instance = copy(r->instance);
	m->location = copy(r->location);
	m->timezone = copy(r->timezone);
	m->from_ms = p->covered_ms;
	m->to_ms = to_ms;
	m->made_ms = reports_now_ms(r);
	m->job.work = on_work;
	m->job.done = on_written;
	if (!m->zone) { /* it was there when we were configured */
		log_event(LOG_WARN, "report_not_made", "report", "%s", p->config.name, "why", "%s",
			err.msg, NULL);
		making_free(m);
		return;
	}
	take_components(m, r->judge);
	p->making = m;
	const struct figures_query q = query_of(m);
	m->reading = figures_read(r->loop, r->series, &q, on_figures, m);
}

static void on_due(struct timer *t)
{
	reporter_look(t->arg);
}

void reporter_look(struct reporter *p)
{
	const struct reports *r = p->reports;
	const int64_t now = reports_now_ms(r), every = p->config.every_ns;
	const int at = p->config.at_minute;
	int64_t left_ns = LOOK_NS;
	if (!p->making && !p->writing && p->known) {
		const int64_t due = report_due_ms(r->zone, every, at, p->covered_ms);
		if (due <= now)
			make(p, report_over_ms(r->zone, every, at, p->covered_ms, now));
		else if (due - now < left_ns / NS_PER_MS)
			left_ns = (due - now) * NS_PER_MS;
	}
	timer_start(r->loop, &p->due, left_ns, on_due, p);
}

/* --- life ------------------------------------------------------------------------------------- */

static void config_copy(struct report *to, const struct report *from)
{
	size_t n = 0;
	*to = *from;
	while (from->to[n])
		n++;
	char **list = mem_new_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = mem_strdup(from->to[i]);
	to->to = (const char *const *)list;
	to->name = mem_strdup(from->name);
	to->mail.host = mem_strdup(from->mail.host);
	to->mail.user = from->mail.user ? mem_strdup(from->mail.user) : NULL;
	to->mail.from = mem_strdup(from->mail.from);
	to->mail.ca_file = from->mail.ca_file ? mem_strdup(from->mail.ca_file) : NULL;
}

static void config_fini(struct report *c)
{
	const char *const texts[] = {
		c->name, c->mail.host, c->mail.user, c->mail.from, c->mail.ca_file};
	for (size_t i = 0; c->to[i]; i++)
		free((char *)(uintptr_t)c->to[i]);
	free((void *)(uintptr_t)c->to);
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)(uintptr_t)texts[i]);
}

static void reporter_free(struct reporter *p)
{
	struct report_making *m = p->making;
	timer_cancel(&p->due);
	reporter_stop(p);
	if (m) { /* ends by itself */
		m->reporter = NULL;
		p->making = NULL;
		if (m->reading)
			figures_cancel(m->reading);
	}
	VEC_EACH (&p->mails, struct report_mail *, mail)
		report_mail_free(*mail);
	vec_fini(&p->mails);
	config_fini(&p->config);
	free(p);
}

static struct reporter *named(const struct reports *r, const char *name)
{
	for (size_t i = 0; i < r->list.n; i++)
		if (!strcmp(r->list.p[i]->config.name, name))
			return r->list.p[i];
	return NULL;
}

static bool add(struct reports *r, const struct report *config, struct error *err)
{
	struct reporter *p = mem_new(struct reporter);
	p->reports = r;
	config_copy(&p->config, config);
	vec_push(&r->list, p);
	if (!reporter_load(p, err))
		return false;
	if (!p->known) /* from now on */
		reporter_keep(p, reports_now_ms(r), NULL);
	reporter_look(p);
	reporter_send(p);
	return true;
}

static bool is_listed(const struct report *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

static void take_site(struct reports *r, const struct report_site *site)
{
	char **const texts[] = {&r->site, &r->url, &r->instance, &r->location, &r->timezone};
	const char *const now[] = {
		site->name, site->url, site->instance, site->location, site->timezone};
	for (size_t i = 0; i < array_len(texts); i++) {
		free(*texts[i]);
		*texts[i] = copy(now[i]);
	}
}

bool reports_configure(struct reports *r, const struct report_site *site, const struct report *list,
	size_t n, struct error *err)
{
	struct zone *z = zone_load(site->timezone, err);
	if (!z)
		return false;
	zone_free(r->zone);
	r->zone = z;
	take_site(r, site);
	for (size_t i = r->list.n; i-- > 0;) {
		struct reporter *p = r->list.p[i];
		if (is_listed(list, n, p->config.name))
			continue;
		reporter_forget(p);
		reporter_free(p);
		vec_remove(&r->list, i);
	}
	for (size_t i = 0; i < n; i++) {
		struct reporter *p = named(r, list[i].name);
		if (!p && !add(r, &list[i], err))
			return false;
		if (!p)
			continue;
		config_fini(&p->config);
		config_copy(&p->config, &list[i]);
		reporter_look(p);
	}
	return true;
}

struct reports *reports_new(struct loop *l, struct facts *f, struct series_store *series,
	struct judge *j, struct mailer *mailer, struct error *err)
{
	if (!reports_tables(f, err))
		return NULL;
	struct reports *r = mem_new(struct reports);
	r->loop = l;
	r->facts = f;
	r->series = series;
	r->judge = j;
	r->mailer = mailer;
	r->rows = rows_new(l, f, err);
	r->worker = r->rows ? worker_new(l, 1, err) : NULL;
	if (r->worker)
		return r;
	reports_free(r);
	return NULL;
}

void reports_free(struct reports *r)
{
	if (!r)
		return;
	while (r->list.n)
		reporter_free(vec_pop(&r->list));
	vec_fini(&r->list);
	if (r->worker)
		worker_settle(r->worker);
	worker_free(r->worker);
	if (r->rows)
		rows_free(r->rows);
	zone_free(r->zone);
	char *const texts[] = {r->site, r->url, r->instance, r->location, r->timezone};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	free(r);
}
