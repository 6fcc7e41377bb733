/*
 * pages.c - the web with a house that publishes one site of so many components, for pages.py:
 * prints {"port", "intake", "pid"} when the pages are there, then serves until its input ends.
 *
 *	bench-pages COMPONENTS THREADS
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../unit/web/models.h"
#include "base/json.h"
#include "base/mem.h"
#include "web/web.h"

static void refuse(void *arg, const char *what, const json_t *args, enum audience audience,
	struct web_answer *answer)
{
	json_t *c = strcmp(what, "component") == 0 ? model_component(MOOD_GOOD, false) : NULL;
	web_answer(answer, c ? 200 : 404, c);
}

static void refuse_command(void *arg, const char *what, const json_t *args, const char *principal,
	struct web_answer *answer)
{
	web_answer(answer, 404, NULL);
}

static struct web *web;
static struct loop *loop;
static struct timer look;

static void on_look(struct timer *t)
{
	const struct web_state s = web_state(web);
	if (!s.serving) {
		timer_start(loop, &look, 10 * NS_PER_MS, on_look, NULL);
		return;
	}
	printf("{\"port\": %u, \"intake\": %u, \"pid\": %d}\n", web_public_port(web),
		web_intake_port(web), s.pid);
	fflush(stdout);
}

static void on_input(uv_poll_t *p, int status, int events)
{
	uv_poll_stop(p);
	uv_close((uv_handle_t *)p, NULL);
	loop_stop(loop);
}

int main(int argc, char **argv)
{
	struct error err = {0};
	uv_poll_t input;
	mem_settle(); /* as the program does */
	if (argc > 1 && strcmp(argv[1], "web-serve") == 0)
		return web_serve_main(argc - 1, argv + 1);
	if (argc != 3)
		return 2;
	const size_t n = strtoul(argv[1], NULL, 10);
	loop = loop_new(NULL, &err);
	web = loop ? web_new(loop,
			     &(struct web_options){.public_address = "127.0.0.1:0",
				     .intake_address = "127.0.0.1:0",
				     .isolate = true,
				     .threads = (unsigned)strtoul(argv[2], NULL, 10)},
			     &(struct web_house){.query = refuse, .command = refuse_command}, &err)
		   : NULL;
	if (!web) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	web_publish(web, AUDIENCE_PUBLIC, model_site(MOOD_MIXED, n, false), NULL);
	web_publish(web, AUDIENCE_OPERATORS, model_site(MOOD_MIXED, n, true), NULL);
	timer_start(loop, &look, 0, on_look, NULL);
	uv_poll_init(loop_uv(loop), &input, STDIN_FILENO);
	uv_poll_start(&input, UV_READABLE | UV_DISCONNECT, on_input);
	loop_run(loop);
	timer_cancel(&look);
	web_free(web);
	loop_free(loop);
	return 0;
}
