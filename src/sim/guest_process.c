/*
 * guest_process.c - commands that run others, and programs that stay.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "sim/guest_memory.h"
#include "sim/script.h"

#define TEXT_MAX 65536 /* served */

/* --- sh, sudo, setsid, timeout ------------------------------------------------------------------
 */

static void end_script(struct timer *t)
{
	struct shell *sh = t->arg;
	buf_add_slice(&sh->out, buf_slice(&sh->later_out));
	buf_add_slice(&sh->err, buf_slice(&sh->later_err));
	buf_fini(&sh->later_out);
	buf_fini(&sh->later_err);
	shell_job_done(sh, sh->later_status);
	sh->wake(sh->arg);
}

/* A script of its own, in the shell of a line or of another script. */
static int run_text(struct shell *sh, struct slice text)
{
	struct shell sub = *sh;
	int64_t took_ns;
	sub.out = BUF(SHELL_OUTPUT_MAX);
	sub.err = BUF(SHELL_OUTPUT_MAX);
	sub.in = BUF(SHELL_INPUT_MAX);
	sub.timer = (struct timer){0};
	sub.drop_out = sub.drop_err = sub.err_to_out = false;
	sub.job = JOB_NONE;
	sub.busy = false;
	sub.line = NULL;
	sub.later_out = sub.later_err = (struct buf){0};
	const int status = script_run(&sub, text, &took_ns);
	buf_fini(&sub.in);
	sh->later_out.max = sh->later_err.max = SHELL_OUTPUT_MAX;
	buf_clear(&sh->later_out);
	buf_clear(&sh->later_err);
	if (!sh->drop_out)
		buf_add_slice(&sh->later_out, buf_slice(&sub.out));
	if (!sh->drop_err)
		buf_add_slice(
			sh->err_to_out ? &sh->later_out : &sh->later_err, buf_slice(&sub.err));
	buf_fini(&sub.out);
	buf_fini(&sub.err);
	sh->later_status = status;
	return shell_wait(sh, JOB_SCRIPT, took_ns, end_script);
}

void shell_script(struct shell *sh)
{
	struct buf text = sh->in;
	sh->in = BUF(SHELL_INPUT_MAX);
	run_text(sh, buf_slice(&text));
	buf_fini(&text);
}

int command_sh(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-c"))
		return run_text(sh, slice_of(argv[2]));
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "-s"))) {
		shell_err(sh, "sh: only `sh`, `sh -s` and `sh -c TEXT` are known here\n");
		return 2;
	}
	if (!sh->in_end) /* the rest of the script has not come yet */
		return shell_wait(sh, JOB_SCRIPT_INPUT, 0, NULL);
	shell_script(sh);
	return SHELL_WAITS;
}

static int run_argv(
	struct shell *sh, const struct world_guest *g, const char *what, size_t argc, char **argv)
{
	const struct command *command = argc ? shell_command(argv[0]) : NULL;
	if (command)
		return command->run(sh, g, argc, argv);
	shell_err(sh, "%s: %.200s: not found\n", what, argc ? argv[0] : "");
	return 127;
}

/* Whoever logs in may do all, without a password. */
int command_sudo(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	char user[sizeof(sh->user)];
	const size_t skip = argc > 1 && !strcmp(argv[1], "-n") ? 2 : 1;
	memcpy(user, sh->user, sizeof(user));
	snprintf(sh->user, sizeof(sh->user), "root");
	const int status = run_argv(sh, g, "sudo", argc - skip, argv + skip);
	if (status != SHELL_WAITS || sh->in_script)
		memcpy(sh->user, user, sizeof(user));
	return status;
}

int command_setsid(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	return run_argv(sh, g, "setsid", argc - 1, argv + 1);
}

/* --- programs that stay -------------------------------------------------------------------------
 */

unsigned shell_stay(struct shell *sh, unsigned port)
{
	struct guest_memory *m = shell_memory(sh);
	if (m->programs.n == MEMORY_PROGRAM_MAX)
		return 0;
	const struct program p = {.pid = m->next_pid++, .port = port};
	vec_push(&m->programs, p);
	sh->stays = p.pid;
	return p.pid;
}

static int serve(struct shell *sh, const struct world_guest *g, int64_t port, const char *directory)
{
	struct buf text = BUF(TEXT_MAX);
	char *path = mem_printf("%s/index.html", directory);
	guest_file_read(sh, path, &text);
	free(path);
	const bool may = port >= 1024 || !strcmp(sh->user, "root");
	const bool good = may && guest_service_start(sh->services, g->id, g->boots, (unsigned)port,
					 buf_str(&text));
	if (good)
		shell_stay(sh, (unsigned)port);
	else
		shell_err(sh, "httpd: bind: %s\n",
			may ? "Address already in use" : "Permission denied");
	buf_fini(&text);
	return !good;
}

int command_busybox(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	int64_t port = 80;
	const char *directory = sh->directory;
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		shell_list(sh);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "httpd")) {
		shell_err(sh, "busybox: only --list and httpd are known here\n");
		return 127;
	}
	for (size_t i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-p") && i + 1 < argc &&
			units_parse_int(slice_of(argv[i + 1]), &port))
			i++;
		else if (!strcmp(argv[i], "-h") && i + 1 < argc)
			directory = argv[++i];
		else if (strcmp(argv[i], "-f")) {
			shell_err(sh, "httpd: only `-f -p PORT -h DIRECTORY` is known here\n");
			return 1;
		}
	}
	if (port < 1 || port > 65535) {
		shell_err(sh, "httpd: bad port\n");
		return 1;
	}
	return serve(sh, g, port, directory);
}

/* --- kill ---------------------------------------------------------------------------------------
 */

static bool end_program(struct shell *sh, const struct world_guest *g, int64_t pid, bool only_look)
{
	struct guest_memory *m = shell_memory(sh);
	for (size_t i = 0; i < m->programs.n; i++) {
		const struct program p = m->programs.p[i];
		if (p.pid != pid)
			continue;
		if (!only_look) {
			if (p.port)
				guest_service_stop(sh->services, g->id, g->boots, p.port);
			vec_remove(&m->programs, i);
		}
		return true;
	}
	return false;
}

int command_kill(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	bool look = false;
	int status = 0;
	for (size_t i = 1; i < argc; i++) {
		const char *word = argv[i];
		int64_t pid;
		if (i == 1 && (!strcmp(word, "-0") || !strcmp(word, "-TERM") ||
				      !strcmp(word, "-KILL") || !strcmp(word, "-9"))) {
			look = word[1] == '0';
			continue;
		}
		if (!units_parse_int(slice_of(*word == '-' ? word + 1 : word), &pid) ||
			!end_program(sh, g, pid, look)) {
			shell_err(sh, "sh: can't kill pid %.20s: No such process\n", word);
			status = 1;
		}
	}
	return status;
}
