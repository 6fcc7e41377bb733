/*
 * running_reports.c - what happened, by mail: the reports of the configuration.
 */

#include "cli/running.h"

bool running_reports(struct running *r, const struct config *c, struct error *err)
{
	const struct report_site site = {
		.name = c->site_name ? c->site_name : "glasshouse",
		.url = c->site_url ? c->site_url : "",
		.instance = r->session.instance,
		.location = c->location ? c->location : "",
		.timezone = c->timezone,
	};
	VEC(struct report) list = {0};
	for (size_t i = 0; i < c->report_count; i++)
		vec_push(&list, c->reports[i].report);
	if (!r->reports)
		r->reports = reports_new(
			r->session.loop, r->session.facts, r->series, r->judge, r->mailer, err);
	const bool good = r->reports && reports_configure(r->reports, &site, list.p, list.n, err);
	vec_fini(&list);
	return good;
}
