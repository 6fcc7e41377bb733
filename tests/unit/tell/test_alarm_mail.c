/*
 * test_alarm_mail.c - alarms by mail, through a real exim: one message, a summary, the answer that
 * says it is over, and what happens while the server is away.
 */
#include "../check.h"
#include "../net/exim.h"
#include "alarm_house.h"
#include "base/json.h"

static const char *const ops[] = {"a@localhost", NULL};

static void stop_exim(void *exim)
{
	exim_stop(exim);
}

static struct exim *start_exim(struct alarm_house *h)
{
	struct peer_certificate c = peer_certify(NULL, "DNS:localhost,IP:127.0.0.1", -1, 10);
	struct exim *e = exim_start(&c);
	struct alarm *a = house_alarm(h, ALARM_MAIL, "");
	char *host = mem_printf("localhost:%u", e->port),
	     *ca = mem_printf("%s/certificate", e->dir);

	h->peer_stop = stop_exim;
	h->real_peer = e;
	vec_push(&h->texts, host);
	vec_push(&h->texts, ca);
	a->url = NULL;
	a->to = ops;
	a->mail = (struct mail_server){
		.host = host, .from = "glasshouse@status.example.org", .ca_file = ca};
	peer_certificate_fini(&c);
	return e;
}

static char *header(const char *mail, const char *name)
{
	char *start = mem_printf("\n%s: ", name);
	const char *s = strstr(mail, start);
	char *value = s ? mem_strndup(s + strlen(start), strcspn(s + strlen(start), "\n"))
			: mem_strdup("");

	free(start);
	return value;
}

static void assert_header(const char *mail, const char *name, const char *expected)
{
	char *value = header(mail, name);

	assert_string_equal(value, expected);
	free(value);
}

static void trouble_and_its_end_come_as_one_thread(void **state)
{
	struct alarm_house *h = *state;
	char *first, *last, *id, *reply;
	struct exim *e;

	if (!exim_exists())
		skip();
	e = start_exim(h);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	assert_null(house_state(h, 0)->trouble);
	assert_int_equal(house_state(h, 0)->sent, 1);
	first = exim_mail(e, "a");
	assert_header(first, "Subject", "[Example Cloud] Compute is in outage");
	assert_header(first, "To", "<a@localhost>");
	assert_header(first, "From", "<glasshouse@status.example.org>");
	assert_header(first, "Date", "Wed, 18 Nov 2026 11:06:40 +0000");
	assert_non_null(strstr(first, "\n\nCompute is in outage: 3 of 3 probes say so\n"));
	assert_non_null(strstr(first, "https://status.example.org/evidence/1"));
	assert_non_null(strstr(first, "Example Cloud, seen from berlin-outside by example-berlin"));
	house_pass(h, 720);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	last = exim_mail(e, "a");
	id = header(first, "Message-ID");
	reply = header(last, "In-Reply-To");
	assert_true(strlen(id) > 20);
	assert_string_equal(reply, id);
	assert_non_null(strstr(last, "operational again after 12 min"));
	free(reply);
	free(id);
	free(last);
	free(first);
}

static void what_the_server_missed_comes_when_it_is_back(void **state)
{
	struct alarm_house *h = *state;
	const char *host;
	struct exim *e;
	char *away;
	int singles = 0;

	if (!exim_exists())
		skip();
	e = start_exim(h);
	host = h->list.p[0].mail.host;
	away = mem_printf("localhost:%u", peer_free_port());
	vec_push(&h->texts, away);
	h->list.p[0].mail.host = away;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_change(h, "network", HEALTH_DEGRADED);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 100);
	assert_true(house_state(h, 0)->failed >= 6);
	assert_non_null(strstr(house_state(h, 0)->trouble, "cannot connect to localhost"));
	h->list.p[0].mail.host = host;
	house_crash(h); /* with the server's new address */
	house_pass(h, 120);
	/* exim may put the second into the box first */
	for (int i = 0; i < 2; i++) {
		char *mail = exim_mail(e, "a"), *subject = header(mail, "Subject");
		const bool alone = !strcmp(subject, "[Example Cloud] Compute is in outage");

		assert_true(alone || strstr(mail, "2 changes, oldest first"));
		assert_true(alone || strstr(mail, "Network is degraded"));
		singles += alone;
		free(subject);
		free(mail);
	}
	assert_int_equal(singles, 1);
	assert_false(exim_has_mail(e, "a"));
}

/* The others have it; who does not is told of as trouble, and nobody gets it twice. */
static void a_refused_recipient_is_trouble_that_is_told(void **state)
{
	static const char *const some[] = {"nobody@localhost", "a@localhost", NULL};
	struct alarm_house *h = *state;
	struct exim *e;

	if (!exim_exists())
		skip();
	e = start_exim(h);
	h->list.p[0].to = some;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	assert_int_equal(house_state(h, 0)->sent, 1);
	assert_string_equal(
		house_state(h, 0)->trouble, "1 of 2 recipients refused: 550 no such user here");
	free(exim_mail(e, "a"));
	house_pass(h, 120);
	assert_false(exim_has_mail(e, "a"));
}

int test_alarm_mail(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(trouble_and_its_end_come_as_one_thread),
		alarm_test(what_the_server_missed_comes_when_it_is_back),
		alarm_test(a_refused_recipient_is_trouble_that_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
