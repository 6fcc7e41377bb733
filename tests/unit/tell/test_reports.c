/*
 * test_reports.c - reports by mail: when they are due on the clocks of a place, that each is made
 * and sent once whatever dies when, and what one says; through a real exim.
 */
#include "../check.h"
#include "../net/exim.h"
#include "alarm_house.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/zone.h"
#include "observe/scenario/journal.h"
#include "tell/reports.h"

/* --- when ------------------------------------------------------------------------------------- */

#define HOUR (3600 * NS_PER_S)
#define DAY  (24 * HOUR)

static int64_t at_ms(const char *text)
{
	int64_t us;
	assert_true(clock_parse_rfc3339(text, &us));
	return us / 1000;
}

static struct zone *berlin(void)
{
	struct error err = {0};
	struct zone *z = zone_load("Europe/Berlin", &err);
	if (!z)
		fail_msg("%s", err.msg);
	return z;
}

static void the_hour_is_that_of_the_clocks_there(void **state)
{
	static const struct {
		int64_t every_ns;
		int at_minute;
		const char *last, *due;
	} rows[] = {
		{DAY, 420, "2026-11-26T05:59:59Z", "2026-11-26T06:00:00Z"},
		{DAY, 420, "2026-11-26T06:00:00Z", "2026-11-27T06:00:00Z"},
		/* clocks go forward on 29 March, back on 25 October: 23 and 25 hours */
		{DAY, 420, "2026-03-28T06:00:00Z", "2026-03-29T05:00:00Z"},
		{DAY, 420, "2026-10-24T05:00:00Z", "2026-10-25T06:00:00Z"},
		/* half past two is skipped once, and comes twice once */
		{DAY, 150, "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"},
		{DAY, 150, "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},
		{DAY, 150, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		/* a week begins on Monday */
		{7 * DAY, 420, "2026-11-26T12:00:00Z", "2026-11-30T06:00:00Z"},
		{7 * DAY, 420, "2026-11-30T06:00:00Z", "2026-12-07T06:00:00Z"},
		{6 * HOUR, 420, "2026-11-26T06:00:00Z", "2026-11-26T12:00:00Z"},
		{6 * HOUR, 420, "2026-11-26T18:00:00Z", "2026-11-27T00:00:00Z"},
		{DAY, -1, "2026-03-28T06:00:00Z", "2026-03-29T06:00:00Z"},
		{HOUR, -1, "2026-11-26T06:10:00Z", "2026-11-26T07:10:00Z"},
	};
	struct zone *z = berlin();
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(
			report_due_ms(z, rows[i].every_ns, rows[i].at_minute, at_ms(rows[i].last)),
			at_ms(rows[i].due));
	zone_free(z);
}

static void what_was_missed_ends_with_the_last_period(void **state)
{
	static const struct {
		int64_t every_ns;
		int at_minute;
		const char *last, *now, *over;
	} rows[] = {
		{DAY, 420, "2026-03-20T06:00:00Z", "2026-03-29T04:59:59Z", "2026-03-28T06:00:00Z"},
		{DAY, 420, "2026-03-20T06:00:00Z", "2026-03-29T05:00:00Z", "2026-03-29T05:00:00Z"},
		{DAY, 420, "2020-01-01T06:00:00Z", "2026-11-26T12:00:00Z", "2026-11-26T06:00:00Z"},
		{DAY, 420, "2026-11-26T06:00:00Z", "2026-11-27T05:59:59Z", "2026-11-26T06:00:00Z"},
		{HOUR, -1, "2026-11-26T06:10:00Z", "2026-11-26T09:09:00Z", "2026-11-26T08:10:00Z"},
		{HOUR, -1, "2026-11-26T06:10:00Z", "2026-11-26T05:00:00Z", "2026-11-26T06:10:00Z"},
	};
	struct zone *z = berlin();
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(report_over_ms(z, rows[i].every_ns, rows[i].at_minute,
					 at_ms(rows[i].last), at_ms(rows[i].now)),
			at_ms(rows[i].over));
	zone_free(z);
}

/* --- sending ---------------------------------------------------------------------------------- */

struct post {
	struct alarm_house *house;
	struct exim *exim; /* NULL: none is installed */
	struct series_store *series;
	struct journal *journal;
	struct judge *judge;
	struct reports *reports;
	char *host, *ca, *away;
	struct report report;
};

static const char *const ops[] = {"a@localhost", NULL};
static const struct report_site site = {.name = "Example Cloud",
	.url = "https://status.example.org",
	.instance = "example-berlin",
	.location = "berlin-outside",
	.timezone = "Europe/Berlin"};

static void must(bool good, struct alarm_house *h)
{
	if (!good)
		fail_msg("%s", h->err.msg);
}

static void on_changed(void *arg, const struct verdict *from, const struct verdict *to)
{
}

static void post_open(struct post *p)
{
	struct alarm_house *h = p->house;
	p->series = series_open(h->root, h->loop, NULL, &h->err);
	must(p->series != NULL, h);
	p->journal = journal_new(h->facts, h->root, &h->err);
	must(p->journal != NULL, h);
	p->judge = judge_new(h->loop, h->facts, p->series, NULL, on_changed, NULL, &h->err);
	must(p->judge != NULL, h);
	judge_component(p->judge, &(struct component){"compute", "Compute", "OpenStack", "", ""});
	p->reports = reports_new(h->loop, h->facts, p->series, p->judge, h->mailer, &h->err);
	must(p->reports != NULL, h);
	must(reports_configure(p->reports, &site, &p->report, 1, &h->err), h);
}

static void post_close(struct post *p)
{
	reports_free(p->reports);
	judge_free(p->judge);
	journal_free(p->journal);
	series_close(p->series);
	p->reports = NULL;
}

static int post_setup(void **state)
{
	struct post *p = mem_new(struct post);
	void *house = NULL;
	if (alarm_house_setup(&house) != 0)
		return -1;
	p->house = house;
	*state = p;
	if (!exim_exists())
		return 0;
	struct peer_certificate c = peer_certify(NULL, "DNS:localhost,IP:127.0.0.1", -1, 10);
	p->exim = exim_start(&c);
	peer_certificate_fini(&c);
	p->host = mem_printf("localhost:%u", p->exim->port);
	p->ca = mem_printf("%s/certificate", p->exim->dir);
	p->away = mem_printf("localhost:%u", peer_free_port());
	p->report = (struct report){.name = "daily",
		.to = ops,
		.mail = {.host = p->host,
			.from = "glasshouse@status.example.org",
			.ca_file = p->ca},
		.every_ns = DAY,
		.at_minute = 420};
	return 0;
}

static int post_teardown(void **state)
{
	struct post *p = *state;
	void *house = p->house;
	if (p->reports)
		post_close(p);
	if (p->exim)
		exim_stop(p->exim);
	alarm_house_teardown(&house);
	free(p->host);
	free(p->ca);
	free(p->away);
	free(p);
	return 0;
}

static bool on_row(void *arg, const struct facts_row *row)
{
	int64_t *ret = arg;
	*ret = facts_int(row, 0);
	return false;
}

static int64_t number(struct post *p, const char *sql)
{
	int64_t n = -1;
	must(facts_query(p->house->facts, sql, NULL, 0, on_row, &n, &p->house->err), p->house);
	return n;
}

/* The clock stands then; for whom nothing is open this takes no time. */
static void until(struct post *p, const char *at)
{
	const int64_t ms = at_ms(at) - house_now_ms(p->house);
	assert_true(ms >= 0);
	loop_advance(p->house->loop, ms * NS_PER_MS);
}

/* Real time for threads, and hardly any of the loop's. */
static void turn(struct post *p)
{
	loop_advance(p->house->loop, NS_PER_MS);
	usleep(2000);
}

static int64_t waiting(struct post *p)
{
	return number(p, "SELECT count(*) FROM report_mail");
}

/* The mail that comes; then none waits any more. Owned. */
static char *next_mail(struct post *p)
{
	for (int i = 0; i < 10000 && !exim_has_mail(p->exim, "a"); i++)
		turn(p);
	char *mail = exim_mail(p->exim, "a");
	for (int i = 0; i < 10000 && waiting(p) > 0; i++)
		turn(p);
	assert_int_equal(waiting(p), 0);
	return mail;
}

static void no_mail(struct post *p)
{
	for (int i = 0; i < 300; i++)
		turn(p);
	assert_int_equal(waiting(p), 0);
	assert_false(exim_has_mail(p->exim, "a"));
}

static void restart(struct post *p, const char *at)
{
	post_close(p);
	until(p, at);
	post_open(p);
}

static void says(const char *mail, const char *text)
{
	assert_non_null(text);
	if (!strstr(mail, text))
		fail_msg("\"%s\" is not in\n%s", text, mail);
}

static void each_is_sent_once(void **state)
{
	struct post *p = *state;
	if (!p->exim)
		skip();
	until(p, "2026-11-19T05:58:00Z");
	post_open(p);
	no_mail(p); /* it covers what comes, not what was */
	until(p, "2026-11-19T06:00:01Z");
	char *mail = next_mail(p);
	says(mail, "Subject: [Example Cloud] Report 2026-11-19 06:58 to 2026-11-19 07:00\n");
	says(mail, "To: <a@localhost>");
	says(mail, "Example Cloud, 2026-11-19 06:58 to 2026-11-19 07:00 (Europe/Berlin)");
	says(mail, "seen from berlin-outside by example-berlin");
	says(mail, "\nCompute ");
	says(mail, "needs an administrator: 0");
	free(mail);
	assert_int_equal(number(p, "SELECT covered FROM report"), at_ms("2026-11-19T06:00:00Z"));
	restart(p, "2026-11-19T06:30:00Z");
	no_mail(p);
}

static void what_was_due_while_nobody_ran_comes_once(void **state)
{
	struct post *p = *state;
	if (!p->exim)
		skip();
	until(p, "2026-11-19T07:00:00Z");
	house_verdict(p->house, "compute", HEALTH_OPERATIONAL, "good", "all probes answer");
	post_open(p);
	no_mail(p);
	restart(p, "2026-11-23T12:00:00Z");
	char *mail = next_mail(p);
	says(mail, "Subject: [Example Cloud] Report 2026-11-19 08:00 to 2026-11-23 07:00\n");
	says(mail, "of this time we did not observe");
	free(mail);
	restart(p, "2026-11-23T13:00:00Z");
	no_mail(p);
}

static bool on_id(void *arg, const struct facts_row *row)
{
	*(char **)arg = mem_strdup(facts_text(row, 0));
	return false;
}

static void what_is_not_taken_is_tried_again_after_a_restart_too(void **state)
{
	struct post *p = *state;
	char *id = NULL;
	if (!p->exim)
		skip();
	p->report.mail.host = p->away;
	until(p, "2026-11-19T05:59:00Z");
	post_open(p);
	until(p, "2026-11-19T06:00:01Z");
	for (int i = 0; i < 10000 && !waiting(p); i++)
		turn(p);
	assert_int_equal(waiting(p), 1);
	must(facts_query(p->house->facts, "SELECT id FROM report_mail", NULL, 0, on_id, &id,
		     &p->house->err),
		p->house);
	for (int i = 0; i < 300; i++)
		turn(p);
	assert_int_equal(waiting(p), 1);
	p->report.mail.host = p->host;
	restart(p, "2026-11-19T08:00:00Z");
	char *mail = next_mail(p);
	says(mail, id);
	says(mail, "Report 2026-11-19 06:59 to 2026-11-19 07:00");
	free(mail);
	no_mail(p);
	free(id);
}

static void who_is_not_configured_is_forgotten(void **state)
{
	struct post *p = *state;
	if (!p->exim)
		skip();
	until(p, "2026-11-19T05:00:00Z");
	post_open(p);
	for (int i = 0; i < 1000 && number(p, "SELECT count(*) FROM report") != 1; i++)
		turn(p);
	assert_int_equal(number(p, "SELECT count(*) FROM report"), 1);
	must(reports_configure(p->reports, &site, NULL, 0, &p->house->err), p->house);
	for (int i = 0; i < 1000 && number(p, "SELECT count(*) FROM report") != 0; i++)
		turn(p);
	assert_int_equal(number(p, "SELECT count(*) FROM report"), 0);
}

int test_reports(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hour_is_that_of_the_clocks_there),
		cmocka_unit_test(what_was_missed_ends_with_the_last_period),
		cmocka_unit_test_setup_teardown(each_is_sent_once, post_setup, post_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_due_while_nobody_ran_comes_once, post_setup, post_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_taken_is_tried_again_after_a_restart_too, post_setup,
			post_teardown),
		cmocka_unit_test_setup_teardown(
			who_is_not_configured_is_forgotten, post_setup, post_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
