/*
 * test_ssh.c - logging in to real OpenSSH servers. A relay before a server holds back what comes
 * after so many bytes, so that a call can be stopped in each of its phases.
 */
#include "net/ssh.h"

#include <dirent.h>

#include "../check.h"
#include "base/vec.h"
#include "sshd.h"

#define LONG (20 * NS_PER_S)
#define ALL  (1L << 40)

struct ask {
	struct loop *loop;
	int times;
	bool done;
	enum fault fault;
	char detail[256];
	struct phases phases;
	int exit_status;
	char *output, *errors;
	bool output_cut;
	char host_key[64], banner[128];
};

static struct {
	struct secret *key, *other, *rsa;
	char *public, *other_public, *rsa_public;
	struct sshd *server, *closed; /* `closed` forwards nothing */
	struct loop *loop;
	struct ssh_pool *pool;
	struct error err;
} house;

static void on_done(void *arg, const struct ssh_result *r)
{
	struct ask *a = arg;

	a->times++;
	a->done = true;
	a->fault = r->fault;
	memcpy(a->detail, r->detail, sizeof(a->detail));
	a->phases = r->phases;
	a->exit_status = r->exit_status;
	a->output = slice_dup(r->output);
	a->errors = slice_dup(r->errors);
	a->output_cut = r->output_cut;
	memcpy(a->host_key, r->host_key, sizeof(a->host_key));
	memcpy(a->banner, r->banner, sizeof(a->banner));
}

static struct ssh_host at(unsigned port)
{
	return (struct ssh_host){"127.0.0.1", port, sshd_user(), house.key};
}

static struct ssh_request plain(const char *command)
{
	return (struct ssh_request){
		.target = at(house.server->port), .command = command, .deadline_ns = LONG};
}

static void wait_for(struct ask *a)
{
	loop_run_until(house.loop, &a->done);
	loop_run(house.loop); /* a second callback would come now */
	assert_int_equal(a->times, 1);
}

static void run(struct ask *a, const struct ssh_request *q)
{
	memset(a, 0, sizeof(*a));
	ssh_run(house.pool, q, on_done, a);
	assert_int_equal(a->times, 0);
	wait_for(a);
}

static void forget(struct ask *a)
{
	free(a->output);
	free(a->errors);
}

static void assert_fault(struct ask *a, enum fault expected)
{
	if (a->fault != expected)
		fail_msg("%s: %s; expected %s", fault_name(a->fault), a->detail,
			fault_name(expected));
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* --- what works --------------------------------------------------------------------------------
 */

static void a_command_says_what_it_says(void **state)
{
	struct ssh_request q = plain("echo out; echo err >&2; exit 7");
	struct ask a;

	run(&a, &q);
	assert_fault(&a, FAULT_EXIT_STATUS);
	assert_int_equal(a.exit_status, 7);
	assert_string_equal(a.output, "out\n");
	assert_string_equal(a.errors, "err\n");
	assert_false(a.output_cut);
	assert_int_equal(strncmp(a.host_key, "SHA256:", 7), 0);
	assert_non_null(strstr(a.banner, "OpenSSH"));
	forget(&a);
}

static void the_phases_add_up(void **state)
{
	struct ssh_request q = plain("true");
	struct ask a;

	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.detail, "");
	assert_int_equal(a.exit_status, 0);
	assert_int_equal(a.phases.resolve_ns, 0); /* an address needs no query */
	assert_true(a.phases.connect_ns > 0);
	assert_true(a.phases.tls_ns > 0);
	assert_true(a.phases.wait_ns > 0);
	assert_true(a.phases.body_ns > 0);
	assert_true(a.phases.connect_ns + a.phases.tls_ns + a.phases.wait_ns + a.phases.body_ns <=
		    a.phases.total_ns);
	forget(&a);
}

static void input_is_written_and_closed(void **state)
{
	struct ssh_request q = plain("wc -c");
	char *big = mem_new_array(300000, 1);
	struct ask a;

	memset(big, 'x', 300000);
	q.input = slice_from(big, 300000);
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.output, "300000\n");
	forget(&a);
	free(big);
}

static void input_nobody_reads_ends_with_the_command(void **state)
{
	struct ssh_request q = plain("exit 3");
	char *big = mem_new_array(8 << 20, 1);
	struct ask a;

	q.input = slice_from(big, 8 << 20);
	run(&a, &q);
	assert_fault(&a, FAULT_EXIT_STATUS);
	assert_int_equal(a.exit_status, 3);
	forget(&a);
	free(big);
}

static void output_over_the_limit_is_cut_and_said(void **state)
{
	struct ssh_request q = plain("head -c 500000 /dev/zero | tr '\\0' y; echo end >&2");
	struct ask a;

	q.output_max = 1000;
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_true(a.output_cut);
	assert_int_equal(strlen(a.output), 1000);
	assert_string_equal(a.errors, "end\n");
	forget(&a);
}

static void without_a_command_it_only_logs_in(void **state)
{
	struct ssh_request q = plain(NULL);
	struct ask a;

	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.output, "");
	assert_true(a.phases.wait_ns > 0);
	assert_int_equal(a.phases.body_ns, 0);
	forget(&a);
}

static void an_rsa_key_logs_in_too(void **state)
{
	struct ssh_request q = plain("echo hello");
	struct ask a;

	q.target.private_key = house.rsa;
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.output, "hello\n");
	forget(&a);
}

static void a_name_with_several_addresses_is_tried_through(void **state)
{
	struct ssh_request q = plain("echo hello");
	struct ask a;

	q.target.host = "localhost"; /* ::1, where nobody listens, and 127.0.0.1 */
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.output, "hello\n");
	forget(&a);
}

static void the_host_key_is_the_same_each_time_and_per_server(void **state)
{
	struct ssh_request q = plain(NULL);
	struct ask a, b, c;

	run(&a, &q);
	run(&b, &q);
	q.target.port = house.closed->port;
	run(&c, &q);
	assert_string_equal(a.host_key, b.host_key);
	assert_string_not_equal(a.host_key, c.host_key);
	forget(&a);
	forget(&b);
	forget(&c);
}

/* sshd says which connection a command came by. */
static char *connection(struct ssh_request q)
{
	struct ask a;
	q.command = "echo $SSH_CONNECTION";
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_true(a.host_key[0] && a.banner[0]);
	free(a.errors);
	return a.output;
}

static void assert_connections(
	bool same, const struct ssh_request *one, const struct ssh_request *two)
{
	char *a = connection(*one), *b = connection(*two);
	if (same)
		assert_string_equal(a, b);
	else
		assert_string_not_equal(a, b);
	free(a);
	free(b);
}

/* A pool of its own: what it keeps is gone with it, and other tests count descriptors. */
static int own_pool(void **state)
{
	*state = house.pool;
	house.pool = ssh_pool_new(house.loop, &house.err);
	return house.pool == NULL;
}

static int shared_pool(void **state)
{
	ssh_pool_free(house.pool);
	house.pool = *state;
	return 0;
}

static void what_is_kept_is_shared_by_who_goes_the_same_way(void **state)
{
	struct ssh_host way = at(house.server->port);
	struct ssh_request kept = plain(NULL), other = plain(NULL), closed, jumped;
	struct ask a;
	kept.keep = true;
	assert_connections(true, &kept, &kept);
	assert_connections(false, &kept, &other); /* one that does not ask for it */
	closed = kept;
	closed.target.port = house.closed->port;
	assert_connections(false, &kept, &closed);
	jumped = closed;
	jumped.via = &way;
	jumped.via_count = 1;
	assert_connections(false, &closed, &jumped);
	assert_connections(true, &jumped, &jumped);
	/* a command that fails leaves its session, and says what it says */
	kept.command = "echo out; exit 3";
	run(&a, &kept);
	assert_fault(&a, FAULT_EXIT_STATUS);
	assert_string_equal(a.output, "out\n");
	assert_true(a.phases.tls_ns == 0 && a.phases.body_ns > 0);
	forget(&a);
	/* two at once have one each */
	static struct ask asks[2];
	memset(asks, 0, sizeof(asks));
	kept.command = "sleep 0.2; echo $SSH_CONNECTION";
	ssh_run(house.pool, &kept, on_done, &asks[0]);
	ssh_run(house.pool, &kept, on_done, &asks[1]);
	loop_run(house.loop);
	assert_string_not_equal(asks[0].output, asks[1].output);
	forget(&asks[0]);
	forget(&asks[1]);
}

static void a_kept_session_that_dies_is_replaced(void **state)
{
	struct ssh_request kept =
		plain("(sleep 0.3; kill $PPID) >/dev/null 2>&1 & echo $SSH_CONNECTION");
	struct ask a;
	kept.keep = true;
	char *before = connection(kept);
	run(&a, &kept);
	assert_fault(&a, FAULT_NONE);
	assert_string_equal(a.output, before);
	forget(&a);
	struct ssh_request other = plain("sleep 0.6"); /* by another one, meanwhile */
	run(&a, &other);
	forget(&a);
	char *after = connection(kept);
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

static void many_at_once_all_come_back(void **state)
{
	static struct ask asks[24];
	struct ssh_request q = plain("echo $((6 * 7))");

	memset(asks, 0, sizeof(asks));
	for (size_t i = 0; i < array_len(asks); i++)
		ssh_run(house.pool, &q, on_done, &asks[i]);
	loop_run(house.loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_fault(&asks[i], FAULT_NONE);
		assert_string_equal(asks[i].output, "42\n");
		forget(&asks[i]);
	}
}

/* --- jump servers ------------------------------------------------------------------------------
 */

static void a_way_through_others_reaches_the_last(void **state)
{
	struct ssh_host way[] = {at(house.server->port), at(house.server->port)};
	struct ssh_request q = plain("cat; echo done >&2");
	char *big = mem_new_array(400000, 1);
	struct ask a;

	memset(big, 'z', 400000);
	q.via = way;
	q.via_count = 2;
	q.target.port = house.closed->port;
	q.input = slice_from(big, 400000);
	q.output_max = 1 << 20;
	run(&a, &q);
	assert_fault(&a, FAULT_NONE);
	assert_int_equal(strlen(a.output), 400000);
	assert_string_equal(a.errors, "done\n");
	forget(&a);
	free(big);
}

static void a_jump_server_that_forwards_nothing_is_named(void **state)
{
	struct ssh_host way = at(house.closed->port);
	struct ssh_request q = plain("true");
	struct ask a;

	q.via = &way;
	q.via_count = 1;
	run(&a, &q);
	assert_fault(&a, FAULT_REFUSED);
	assert_non_null(strstr(a.detail, "cannot reach 127.0.0.1 from there"));
	forget(&a);
}

static void a_target_that_refuses_the_jump_server_is_named(void **state)
{
	struct ssh_host way = at(house.server->port);
	struct ssh_request q = plain("true");
	struct ask a;

	q.via = &way;
	q.via_count = 1;
	q.target.port = peer_free_port();
	run(&a, &q);
	assert_fault(&a, FAULT_REFUSED);
	forget(&a);
}

static void a_jump_server_that_refuses_the_key_is_named(void **state)
{
	struct ssh_host way = at(house.server->port);
	struct ssh_request q = plain("true");
	struct ask a;

	way.private_key = house.other;
	way.host = "localhost";
	q.via = &way;
	q.via_count = 1;
	run(&a, &q);
	assert_fault(&a, FAULT_SSH_AUTH);
	assert_int_equal(strncmp(a.detail, "localhost: ", 11), 0);
	forget(&a);
}

static void a_key_that_is_none_leaves_nothing_open(void **state)
{
	struct secret *none = secret_new(SLICE("this is no key at all"));
	struct ssh_host way = at(house.server->port);
	struct ssh_request q = plain("true");
	int before = open_descriptors();
	struct ask a;

	q.target.private_key = none;
	run(&a, &q);
	assert_fault(&a, FAULT_SSH_AUTH);
	assert_non_null(strstr(a.detail, "cannot be read"));
	forget(&a);
	q.via = &way;
	q.via_count = 1;
	run(&a, &q);
	assert_fault(&a, FAULT_SSH_AUTH);
	forget(&a);
	assert_int_equal(open_descriptors(), before);
	secret_unref(none);
}

/* --- what goes wrong ---------------------------------------------------------------------------
 */

static void a_wrong_key_is_refused(void **state)
{
	struct ssh_request q = plain("true");
	struct ask a;

	q.target.private_key = house.other;
	run(&a, &q);
	assert_fault(&a, FAULT_SSH_AUTH);
	assert_non_null(strstr(a.detail, sshd_user()));
	assert_true(a.phases.wait_ns > 0);
	assert_int_equal(strncmp(a.host_key, "SHA256:", 7), 0); /* it is known all the same */
	forget(&a);
}

static void a_closed_port_refuses(void **state)
{
	struct ssh_request q = plain("true");
	struct ask a;

	q.target.port = peer_free_port();
	run(&a, &q);
	assert_fault(&a, FAULT_REFUSED);
	forget(&a);
	q.target.host = "localhost"; /* both addresses */
	run(&a, &q);
	assert_fault(&a, FAULT_REFUSED);
	forget(&a);
	q.target.host = "not a name";
	run(&a, &q);
	assert_fault(&a, FAULT_NXDOMAIN);
	forget(&a);
}

static void say_something_else(struct peer_connection *c)
{
	peer_say(c, "220 mail.example ESMTP\r\n");
}

static void another_kind_of_server_is_no_ssh(void **state)
{
	struct peer *p = peer_start(say_something_else, NULL, NULL);
	struct ssh_request q = plain("true");
	struct ask a;

	q.target.port = p->port;
	run(&a, &q);
	assert_fault(&a, FAULT_SSH_BANNER);
	forget(&a);
	peer_stop(p);
}

static void a_killed_command_has_no_status(void **state)
{
	struct ssh_request q = plain("kill -9 $$");
	struct ask a;

	run(&a, &q);
	assert_fault(&a, FAULT_EXIT_STATUS);
	assert_int_equal(a.exit_status, -1);
	assert_non_null(strstr(a.detail, "killed"));
	forget(&a);
}

/* How far a call comes when the server's side stops after so many bytes. The first two are in the
 * key exchange, the others somewhere in it or in the log-in. */
static const long limits[] = {0, 12, 45, 400, 1100, 1500, 1700, 1900, 2100, 2300, 2500, 3000};

static void a_deadline_ends_each_phase(void **state)
{
	int before = open_descriptors();

	for (size_t i = 0; i < array_len(limits); i++) {
		struct ssh_request q = plain("sleep 60");
		struct relay relay;
		struct ask a;

		relay_start(&relay, house.server->port, limits[i]);
		q.target.port = relay.peer->port;
		q.deadline_ns = 800 * NS_PER_MS;
		run(&a, &q);
		assert_fault(&a, limits[i] < 30 ? FAULT_SSH_BANNER : FAULT_TIMEOUT);
		assert_true(a.phases.total_ns >= q.deadline_ns);
		forget(&a);
		relay_stop(&relay);
	}
	assert_int_equal(open_descriptors(), before);
}

static void a_command_over_its_deadline_is_said(void **state)
{
	struct ssh_request q = plain("echo early; sleep 60");
	struct ask a;

	q.deadline_ns = 6 * NS_PER_S;
	run(&a, &q);
	assert_fault(&a, FAULT_TIMEOUT);
	assert_non_null(strstr(a.detail, "command"));
	assert_string_equal(a.output, "early\n");
	assert_true(a.phases.body_ns > 0);
	forget(&a);
}

struct later {
	struct ssh_call *call;
	struct timer timer;
	int again;
};

static void on_later(struct timer *t)
{
	struct later *l = t->arg;

	for (int i = 0; i <= l->again; i++)
		ssh_cancel(l->call);
}

static void cancelling_ends_each_phase_once(void **state)
{
	int before = open_descriptors();

	for (size_t i = 0; i <= array_len(limits); i++) {
		struct ssh_request q = plain("sleep 60");
		struct later later = {.again = i % 2};
		struct relay relay;
		struct ask a = {0};

		relay_start(&relay, house.server->port, i < array_len(limits) ? limits[i] : ALL);
		q.target.port = relay.peer->port;
		later.call = ssh_run(house.pool, &q, on_done, &a);
		timer_start(house.loop, &later.timer, 250 * NS_PER_MS, on_later, &later);
		wait_for(&a);
		assert_fault(&a, FAULT_CANCELLED);
		forget(&a);
		relay_stop(&relay);
	}
	assert_int_equal(open_descriptors(), before);
}

static void cancelling_at_once_calls_back_once(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "nowhere.invalid"};

	for (size_t i = 0; i < array_len(hosts); i++) {
		struct ssh_request q = plain("true");
		struct ask a = {0};
		struct ssh_call *call;

		q.target.host = hosts[i];
		call = ssh_run(house.pool, &q, on_done, &a);
		ssh_cancel(call);
		assert_int_equal(a.times, 0);
		wait_for(&a);
		assert_fault(&a, FAULT_CANCELLED);
		forget(&a);
	}
}

static void on_cut(struct timer *t)
{
	atomic_store(&((struct relay *)t->arg)->cut, true);
}

/* The relay stands before the first server of the way or before the last. */
static void a_connection_that_breaks_is_lost(void **state)
{
	for (int jump = 0; jump < 3; jump++) {
		struct relay relay;
		struct ssh_host way = at(house.server->port);
		struct ssh_request q = plain("sleep 60");
		struct timer timer = {0};
		struct ask a = {0};

		relay_start(&relay, house.server->port, ALL);
		if (jump != 1)
			q.target.port = relay.peer->port;
		else
			way.port = relay.peer->port;
		q.via = &way;
		q.via_count = jump > 0;
		ssh_run(house.pool, &q, on_done, &a);
		timer_start(house.loop, &timer, 4 * NS_PER_S, on_cut, &relay);
		wait_for(&a);
		assert_fault(&a, FAULT_CONNECTION_LOST);
		assert_true(a.phases.total_ns < LONG);
		forget(&a);
		relay_stop(&relay);
	}
}

/* --- the pool ----------------------------------------------------------------------------------
 */

static void freeing_the_pool_ends_what_is_under_way(void **state)
{
	struct ask asks[3] = {0};
	struct relay relay;
	struct ssh_request q = plain("sleep 60");
	struct ssh_pool *pool = ssh_pool_new(house.loop, &house.err);

	relay_start(&relay, house.server->port, 45);
	ssh_run(pool, &q, on_done, &asks[0]);
	q.target.host = "slow.invalid";
	ssh_run(pool, &q, on_done, &asks[1]);
	q.target.host = "127.0.0.1";
	q.target.port = relay.peer->port;
	ssh_run(pool, &q, on_done, &asks[2]);
	loop_stop(house.loop); /* as a signal handler does */
	ssh_pool_free(pool);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_true(asks[i].fault == FAULT_CANCELLED || i == 1);
		forget(&asks[i]);
	}
	relay_stop(&relay);
}

static void a_key_pair_has_the_form_that_was_asked(void **state)
{
	struct secret *private;
	char *public;
	struct error err = {0};

	assert_int_equal(strncmp(house.public, "ssh-ed25519 AAAA", 16), 0);
	assert_non_null(strstr(house.public, " first"));
	assert_int_equal(strncmp(house.rsa_public, "ssh-rsa AAAA", 12), 0);
	assert_non_null(strstr(secret_reveal(house.key), "PRIVATE KEY"));
	assert_string_not_equal(house.public, house.other_public);
	assert_false(ssh_keypair_new("dsa", NULL, &private, &public, &err));
	assert_non_null(strstr(err.msg, "ed25519"));
}

/* --- setting up --------------------------------------------------------------------------------
 */

static bool make_keys(void)
{
	return ssh_keypair_new("ed25519", "first", &house.key, &house.public, &house.err) &&
	       ssh_keypair_new("ed25519", "other", &house.other, &house.other_public, &house.err) &&
	       ssh_keypair_new("rsa", NULL, &house.rsa, &house.rsa_public, &house.err);
}

static int set_up(void **state)
{
	char *both;

	if (!sshd_exists())
		mem_panic("openssh-server is not installed: run tools/packages check");
	if (!make_keys())
		return -1;
	both = mem_printf("%s\n%s\n", house.public, house.rsa_public);
	house.server = sshd_start(both, "AllowTcpForwarding yes\n");
	house.closed = sshd_start(both, "AllowTcpForwarding no\n");
	free(both);
	house.loop = loop_new(NULL, &house.err);
	house.pool = ssh_pool_new(house.loop, &house.err);
	return house.pool ? 0 : -1;
}

static int tear_down(void **state)
{
	ssh_pool_free(house.pool);
	loop_free(house.loop);
	sshd_stop(house.server);
	sshd_stop(house.closed);
	secret_unref(house.key);
	secret_unref(house.other);
	secret_unref(house.rsa);
	free(house.public);
	free(house.other_public);
	free(house.rsa_public);
	return 0;
}

int test_ssh(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_says_what_it_says),
		cmocka_unit_test(the_phases_add_up),
		cmocka_unit_test(input_is_written_and_closed),
		cmocka_unit_test(input_nobody_reads_ends_with_the_command),
		cmocka_unit_test(output_over_the_limit_is_cut_and_said),
		cmocka_unit_test(without_a_command_it_only_logs_in),
		cmocka_unit_test(an_rsa_key_logs_in_too),
		cmocka_unit_test(a_name_with_several_addresses_is_tried_through),
		cmocka_unit_test(the_host_key_is_the_same_each_time_and_per_server),
		cmocka_unit_test_setup_teardown(
			what_is_kept_is_shared_by_who_goes_the_same_way, own_pool, shared_pool),
		cmocka_unit_test_setup_teardown(
			a_kept_session_that_dies_is_replaced, own_pool, shared_pool),
		cmocka_unit_test(many_at_once_all_come_back),
		cmocka_unit_test(a_way_through_others_reaches_the_last),
		cmocka_unit_test(a_jump_server_that_forwards_nothing_is_named),
		cmocka_unit_test(a_target_that_refuses_the_jump_server_is_named),
		cmocka_unit_test(a_jump_server_that_refuses_the_key_is_named),
		cmocka_unit_test(a_key_that_is_none_leaves_nothing_open),
		cmocka_unit_test(a_wrong_key_is_refused),
		cmocka_unit_test(a_closed_port_refuses),
		cmocka_unit_test(another_kind_of_server_is_no_ssh),
		cmocka_unit_test(a_killed_command_has_no_status),
		cmocka_unit_test(a_deadline_ends_each_phase),
		cmocka_unit_test(a_command_over_its_deadline_is_said),
		cmocka_unit_test(cancelling_ends_each_phase_once),
		cmocka_unit_test(cancelling_at_once_calls_back_once),
		cmocka_unit_test(a_connection_that_breaks_is_lost),
		cmocka_unit_test(freeing_the_pool_ends_what_is_under_way),
		cmocka_unit_test(a_key_pair_has_the_form_that_was_asked),
	};

	return cmocka_run_group_tests_name("ssh", tests, set_up, tear_down);
}
