/* asked.c - see asked.h. */
#include "asked.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/buf.h"
#include "base/random.h"

extern char **environ;

#define RUN_NS (20 * NS_PER_S)

int asked_set_up(void **state)
{
	struct asked *a = mem_new(struct asked);
	struct error err = {0};

	a->loop = loop_new(NULL, &err);
	a->resolver = resolver_new(a->loop, NULL, &err);
	a->tools = (struct probe_tools){
		.loop = a->loop, .resolver = a->resolver, .random = &random_system, .location = ""};
	*state = a;
	return a->resolver ? 0 : -1;
}

int asked_tear_down(void **state)
{
	struct asked *a = *state;

	json_decref(a->measured);
	resolver_free(a->resolver);
	loop_free(a->loop);
	free(a);
	return 0;
}

static void on_done(void *arg, const struct probe_report *r)
{
	struct asked *a = arg;

	a->done = true;
	a->fault = r->fault;
	a->warned = r->warned;
	a->status = r->status;
	a->phases = r->phases;
	snprintf(a->detail, sizeof(a->detail), "%s", r->detail);
	snprintf(a->address, sizeof(a->address), "%s", r->address);
	json_decref(a->measured);
	a->measured = json_deep_copy(r->measured);
}

static struct probe_config *read_item(
	const char *item, struct yaml_file **ret_file, struct error_list *errors)
{
	char *text = mem_printf("{name: x, %s}", item);
	struct yaml_file *f = yaml_parse(slice_of(text), "test.yaml", errors);

	if (!f)
		fail_msg("%s: %s", text, errors->p[0].msg);
	free(text);
	*ret_file = f;
	return probe_config_read(yaml_root(f, 0), "test.yaml", errors);
}

static enum fault run_item(
	struct asked *a, const char *item, void (*between)(struct asked *a, void *arg), void *arg)
{
	struct error_list errors = {0};
	struct yaml_file *f;
	struct probe_config *c = read_item(item, &f, &errors);

	if (!c)
		fail_msg("%s: %s", item, errors.p[0].msg);
	for (int i = 0; i < (between ? 2 : 1); i++) {
		if (i)
			between(a, arg);
		a->done = false;
		assert_non_null(probe_run_once(&a->tools, c, AF_UNSPEC, RUN_NS, on_done, a));
		assert_true(loop_run_until(a->loop, &a->done));
	}
	probe_config_free(c);
	yaml_free(f);
	error_list_fini(&errors);
	return a->fault;
}

enum fault ask(struct asked *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *item = mem_vprintf(fmt, ap);
	va_end(ap);
	const enum fault fault = run_item(a, item, NULL, NULL);
	free(item);
	return fault;
}

enum fault ask_again(struct asked *a, void (*between)(struct asked *a, void *arg), void *arg,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *item = mem_vprintf(fmt, ap);
	va_end(ap);
	const enum fault fault = run_item(a, item, between, arg);
	free(item);
	return fault;
}

static void on_time(struct timer *t)
{
	*(bool *)t->arg = true;
}

void ask_and_stop(struct asked *a, unsigned ms, const char *fmt, ...)
{
	struct error_list errors = {0};
	struct yaml_file *f;
	struct timer timer = {0};
	bool now = false;
	va_list ap;

	va_start(ap, fmt);
	char *item = mem_vprintf(fmt, ap);
	va_end(ap);
	struct probe_config *c = read_item(item, &f, &errors);
	assert_non_null(c);
	a->done = false;
	struct probe_call *call = probe_run_once(&a->tools, c, AF_UNSPEC, RUN_NS, on_done, a);
	timer_start(a->loop, &timer, ms * NS_PER_MS, on_time, &now);
	assert_true(loop_run_until(a->loop, &now));
	if (a->done)
		fail_msg("%s ended before it was stopped: %s, %s", item, fault_name(a->fault),
			a->detail);
	probe_run_cancel(call);
	assert_true(loop_run_until(a->loop, &a->done));
	assert_int_equal(a->fault, FAULT_CANCELLED);
	loop_run(a->loop); /* what it left in other hands */
	free(item);
	probe_config_free(c);
	yaml_free(f);
}

char *ask_wrong(const char *fmt, ...)
{
	struct error_list errors = {0};
	struct buf out = BUF(BUF_LINE);
	struct yaml_file *f;
	va_list ap;

	va_start(ap, fmt);
	char *item = mem_vprintf(fmt, ap);
	va_end(ap);
	if (read_item(item, &f, &errors))
		fail_msg("%s is not wrong", item);
	for (size_t i = 0; i < errors.n; i++)
		buf_printf(&out, "%s\n", errors.p[i].msg);
	free(item);
	yaml_free(f);
	error_list_fini(&errors);
	return buf_take(&out);
}

const char *asked_text(const struct asked *a, const char *name)
{
	const char *text = json_string_value(json_object_get(a->measured, name));

	return text ? text : "";
}

int64_t asked_int(const struct asked *a, const char *name)
{
	return json_integer_value(json_object_get(a->measured, name));
}

void assert_detail(const struct asked *a, const char *part)
{
	if (!strstr(a->detail, part))
		fail_msg("\"%s\" is not in \"%s\"", part, a->detail);
}

void assert_text(const struct asked *a, const char *name, const char *part)
{
	if (!strstr(asked_text(a, name), part))
		fail_msg("\"%s\" is not in %s: \"%s\"", part, name, asked_text(a, name));
}

/* --- servers -----------------------------------------------------------------------------------
 */

#define ARGS_MAX 12

bool served_start(struct served *s, const char *const *args)
{
	char *argv[ARGS_MAX + 3] = {
		mem_strdup("/usr/bin/python3"), mem_strdup("tests/unit/observe/servers.py")};
	int in[2], out[2];
	posix_spawn_file_actions_t files;
	char line[100] = "";
	size_t n = 2;

	while (*args && n < ARGS_MAX + 2)
		argv[n++] = mem_strdup(*args++);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	assert_int_equal(posix_spawn(&s->pid, argv[0], &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	FILE *said = fdopen(out[0], "r");
	const bool good = fgets(line, sizeof(line), said) && strncmp(line, "missing", 7) != 0;
	fclose(said);
	s->port = (unsigned)strtoul(line, NULL, 10);
	if (!good || !s->port) {
		served_stop(s);
		if (strncmp(line, "missing", 7) != 0)
			fail_msg("a server of the test did not start");
		print_message("%s", line);
		return false;
	}
	return true;
}

void served_stop(struct served *s)
{
	close(s->in);
	waitpid(s->pid, NULL, 0);
}
