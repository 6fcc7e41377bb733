/*
 * test_door.c - frames as bytes, and questions that are answered exactly once whatever happens.
 *
 * Both ends are in this process, on one loop with a virtual clock.
 */
#include "web/door.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "base/vec.h"

/* --- frames --------------------------------------------------------------------------------------
 */

static void a_frame_is_read_as_it_was_written(void **state)
{
	struct buf b = BUF(BUF_PAGE);
	struct door_frame f;
	struct error err;
	assert_true(door_write(&b, &(struct door_frame){.kind = DOOR_COMMAND,
					   .audience = AUDIENCE_PUBLIC,
					   .status = 503,
					   .id = 0x89abcdef,
					   .name = SLICE("go"),
					   .who = SLICE("intake"),
					   .body = SLICE("{}")}));
	const size_t whole = b.n;
	buf_add_str(&b, "rest");
	assert_int_equal(door_read(buf_slice(&b), &f, &err), whole);
	assert_int_equal(f.kind, DOOR_COMMAND);
	assert_int_equal(f.audience, AUDIENCE_PUBLIC);
	assert_int_equal(f.status, 503);
	assert_int_equal(f.id, 0x89abcdef);
	assert_true(slice_is(f.name, "go") && slice_is(f.who, "intake") && slice_is(f.body, "{}"));
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(door_read(slice_from(b.p, n), &f, &err), 0);
	buf_fini(&b);
}

static void what_breaks_the_rules_is_refused(void **state)
{
	static const struct {
		size_t at;
		char value;
	} wrong[] = {{3, 1}, /* 16 MiB */
		{0, 11}, {4, 0}, {4, DOOR_KINDS}, {5, 3}, {12, 100}, {13, 100}, {14, 1}, {15, 1}};
	struct buf b = BUF(BUF_PAGE);
	struct door_frame f;
	assert_true(door_write(&b, &(struct door_frame){.kind = DOOR_SITE, .body = SLICE("{}")}));
	for (size_t i = 0; i < array_len(wrong); i++) {
		struct error err = {0};
		const char right = b.p[wrong[i].at];
		b.p[wrong[i].at] = wrong[i].value;
		assert_int_equal(door_read(buf_slice(&b), &f, &err), -1);
		assert_true(err.msg[0]);
		b.p[wrong[i].at] = right;
	}
	buf_clear(&b);
	char *large = mem_new_array(DOOR_BODY_MAX + 1, 1);
	struct door_frame too_large = {
		.kind = DOOR_SITE, .body = slice_from(large, DOOR_BODY_MAX + 1)};
	struct buf room = BUF(BUF_ANSWER);
	assert_false(door_write(&room, &too_large));
	too_large.body.n--;
	assert_true(door_write(&room, &too_large));
	too_large.name = slice_from(large, DOOR_WORD_MAX + 1);
	assert_false(door_write(&room, &too_large));
	free(large);
	buf_fini(&room);
	buf_fini(&b);
}

/* --- questions -----------------------------------------------------------------------------------
 */

struct pair {
	struct clock clock;
	struct loop *loop;
	struct door *asker, *house;
	int far; /* the house's end, when there is no door on it; -1 */
	bool deaf;
	VEC(uint32_t) ids;
	VEC(int) statuses;
	int asker_ended, house_ended;
	size_t body_n;
	bool free_when_answered;
};

static void house_frame(void *arg, const struct door_frame *f)
{
	struct pair *p = arg;
	vec_push(&p->ids, f->id);
	if (p->deaf)
		return;
	door_send(p->house, &(struct door_frame){.kind = DOOR_ANSWER,
				    .id = f->id,
				    .status = slice_is(f->name, "none") ? 404 : 200,
				    .body = f->body});
}

static void house_ended(void *arg, const struct error *err)
{
	((struct pair *)arg)->house_ended++;
}

static void asker_frame(void *arg, const struct door_frame *f)
{
}

static void asker_ended(void *arg, const struct error *err)
{
	assert_true(err->msg[0]);
	((struct pair *)arg)->asker_ended++;
}

static void on_answer(void *arg, int status, struct slice body)
{
	struct pair *p = arg;
	vec_push(&p->statuses, status);
	p->body_n = body.n;
	if (p->free_when_answered) {
		p->free_when_answered = false;
		door_free(p->asker);
		p->asker = NULL;
	}
}

static int set_up(void **state)
{
	struct pair *p = mem_new(struct pair);
	struct error err;
	int fds[2];
	clock_init_virtual(&p->clock, 0);
	p->loop = loop_new(&p->clock, &err);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->asker = door_new(p->loop, fds[0],
		&(struct door_options){.frame = asker_frame, .ended = asker_ended, .arg = p}, &err);
	p->far = fds[1];
	*state = p;
	return 0;
}

static void open_house(struct pair *p)
{
	struct error err;
	p->house = door_new(p->loop, p->far,
		&(struct door_options){.frame = house_frame, .ended = house_ended, .arg = p}, &err);
	p->far = -1;
}

static int tear_down(void **state)
{
	struct pair *p = *state;
	door_free(p->asker);
	door_free(p->house);
	if (p->far >= 0)
		close(p->far);
	loop_free(p->loop);
	vec_fini(&p->ids);
	vec_fini(&p->statuses);
	free(p);
	return 0;
}

static void ask(struct pair *p, const char *name, struct slice body)
{
	const size_t before = p->statuses.n;
	door_ask(p->asker,
		&(struct door_frame){.kind = DOOR_QUERY, .name = slice_of(name), .body = body},
		on_answer, p);
	assert_int_equal(p->statuses.n, before); /* never from inside */
}

static void turn(struct pair *p)
{
	for (int i = 0; i < 200; i++)
		loop_advance(p->loop, 0);
}

static void questions_are_answered(void **state)
{
	struct pair *p = *state;
	open_house(p);
	for (int i = 0; i < 100; i++)
		ask(p, i % 2 ? "none" : "some", SLICE("{}"));
	turn(p);
	assert_int_equal(p->statuses.n, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p->statuses.p[i], i % 2 ? 404 : 200);
	loop_advance(p->loop, 60 * NS_PER_S);
	assert_int_equal(p->statuses.n, 100);
	assert_int_equal(p->asker_ended, 0);
}

static void a_large_document_comes_whole(void **state)
{
	struct pair *p = *state;
	char *large = mem_new_array(DOOR_BODY_MAX, 1);
	open_house(p);
	ask(p, "some", slice_from(large, DOOR_BODY_MAX));
	for (int i = 0; i < 100 && !p->statuses.n; i++)
		turn(p);
	assert_int_equal(p->statuses.n, 1);
	assert_int_equal(p->statuses.p[0], 200);
	assert_int_equal(p->body_n, DOOR_BODY_MAX);
	free(large);
}

static void who_does_not_answer_is_not_waited_for(void **state)
{
	struct pair *p = *state;
	p->deaf = true;
	open_house(p);
	ask(p, "some", SLICE("{}"));
	loop_advance(p->loop, 5 * NS_PER_S);
	ask(p, "some", SLICE("{}"));
	loop_advance(p->loop, 5 * NS_PER_S - 1);
	assert_int_equal(p->statuses.n, 0);
	loop_advance(p->loop, 1);
	assert_int_equal(p->statuses.n, 1);
	loop_advance(p->loop, 5 * NS_PER_S);
	assert_int_equal(p->statuses.n, 2);
	assert_int_equal(p->statuses.p[0], 504);
	/* an answer that comes after all finds nobody, not even who has the place now */
	assert_int_equal(p->ids.n, 2);
	ask(p, "some", SLICE("{}"));
	for (size_t i = 0; i < 2; i++)
		door_send(p->house, &(struct door_frame){
					    .kind = DOOR_ANSWER, .id = p->ids.p[i], .status = 200});
	turn(p);
	assert_int_equal(p->statuses.n, 2);
	p->deaf = false;
}

static void an_end_answers_everybody(void **state)
{
	struct pair *p = *state;
	p->deaf = true;
	open_house(p);
	for (int i = 0; i < 5; i++)
		ask(p, "some", SLICE("{}"));
	turn(p);
	door_free(p->house);
	p->house = NULL;
	turn(p);
	assert_int_equal(p->asker_ended, 1);
	assert_int_equal(p->statuses.n, 5);
	assert_int_equal(p->statuses.p[4], 503);
	ask(p, "some", SLICE("{}")); /* nobody is there any more */
	loop_advance(p->loop, 0);
	assert_int_equal(p->statuses.n, 6);
	assert_int_equal(p->statuses.p[5], 503);
}

static void freeing_answers_everybody(void **state)
{
	struct pair *p = *state;
	for (int i = 0; i < 5; i++)
		ask(p, "some", SLICE("{}"));
	door_free(p->asker);
	p->asker = NULL;
	assert_int_equal(p->statuses.n, 5);
	assert_int_equal(p->asker_ended, 0);
}

static void a_door_may_be_freed_by_an_answer(void **state)
{
	struct pair *p = *state;
	open_house(p);
	p->free_when_answered = true;
	for (int i = 0; i < 5; i++)
		ask(p, "some", SLICE("{}"));
	turn(p);
	assert_int_equal(p->statuses.n, 5);
	assert_int_equal(p->statuses.p[0], 200);
	assert_int_equal(p->statuses.p[4], 503);
	assert_int_equal(p->house_ended, 1);
}

static void nonsense_ends_the_door(void **state)
{
	struct pair *p = *state;
	ask(p, "some", SLICE("{}"));
	assert_int_equal(write(p->far, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	turn(p);
	assert_int_equal(p->asker_ended, 1);
	assert_int_equal(p->statuses.n, 1);
	assert_int_equal(p->statuses.p[0], 503);
}

static void who_does_not_listen_gets_only_so_much(void **state)
{
	struct pair *p = *state;
	char *large = mem_new_array(DOOR_BODY_MAX, 1);
	const struct door_frame site = {
		.kind = DOOR_SITE, .body = slice_from(large, DOOR_BODY_MAX)};
	int sent = 0;
	while (sent < 100 && door_send(p->asker, &site))
		sent++;
	assert_true(sent >= 3 && sent <= 6);
	ask(p, "some", SLICE("{}"));
	loop_advance(p->loop, 0);
	assert_int_equal(p->statuses.n, 1);
	assert_int_equal(p->statuses.p[0], 503);
	free(large);
}

int test_door(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_read_as_it_was_written),
		cmocka_unit_test(what_breaks_the_rules_is_refused),
		t(questions_are_answered),
		t(a_large_document_comes_whole),
		t(who_does_not_answer_is_not_waited_for),
		t(an_end_answers_everybody),
		t(freeing_answers_everybody),
		t(a_door_may_be_freed_by_an_answer),
		t(nonsense_ends_the_door),
		t(who_does_not_listen_gets_only_so_much),
	};
#undef t
	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
