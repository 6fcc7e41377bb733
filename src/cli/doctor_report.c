/*
 * doctor_report.c - whether the house takes an outpost's token; nothing is left behind there.
 */

#include "base/units.h"
#include "cli/doctor.h"
#include "observe/report/reporter.h"

static const char *todo_of(const struct http_answer *a)
{
	if (a->fault)
		return "start the house, or correct `report: to`";
	if (a->status == 401)
		return "give the house the same token under `outposts`, or correct `report: token`";
	if (a->status == 403)
		return "make `location` here and under `outposts` of the house the same";
	if (a->status == 404)
		return "correct `report: to`: it is the address of the intake";
	return "do what it says";
}

static void on_asked(void *arg, const struct http_answer *a)
{
	struct doctor_check *c = arg;
	char took[UNITS_TEXT];
	if (!a->fault && a->status == 200) {
		doctor_end(c, DOCTOR_OK, NULL, "takes our reports (%s)",
			units_time_text(a->phases.total_ns, took));
		return;
	}
	char *text = reporter_answer_text(a);
	doctor_end(c, DOCTOR_BAD, todo_of(a), "%s", text);
	free(text);
}

void doctor_report(struct doctor *d)
{
	const struct config_upstream *u = &d->config->upstream;
	if (!u->to)
		return;
	if (!u->token.value) {
		doctor_say(d, "house", u->to, DOCTOR_SKIPPED, NULL, "its token cannot be read");
		return;
	}
	const struct reporter_options o = {.to = u->to,
		.token = u->token.value,
		.location = d->config->location,
		.instance = d->config->instance ? d->config->instance : "doctor"};
	reporter_ask(d->client, &o, DOCTOR_DEADLINE_NS * 9 / 10, on_asked,
		doctor_begin(d, 0, "house", u->to));
}
