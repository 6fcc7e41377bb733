#include "sim/guest_shell.h"

#include <stdarg.h>
#include <string.h>

void shell_fini(struct shell *sh)
{
	timer_cancel(&sh->timer);
	buf_fini(&sh->out);
	buf_fini(&sh->err);
	buf_fini(&sh->in);
	buf_fini(&sh->later_out);
	buf_fini(&sh->later_err);
	free(sh->line);
	sh->line = NULL;
}

/* --- output ------------------------------------------------------------------------------------
 */

static struct buf *err_of(struct shell *sh)
{
	return sh->err_to_out ? &sh->out : &sh->err;
}

void shell_out_text(struct shell *sh, const char *p, size_t n)
{
	if (!sh->drop_out)
		buf_add(&sh->out, p, n);
}

void shell_out(struct shell *sh, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!sh->drop_out)
		buf_vprintf(&sh->out, fmt, ap);
	va_end(ap);
}

void shell_err(struct shell *sh, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!sh->drop_err)
		buf_vprintf(err_of(sh), fmt, ap);
	va_end(ap);
}

/* --- a line ------------------------------------------------------------------------------------
 */

static int run_words(struct shell *sh, struct shell_words *w)
{
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	const struct command *command = shell_command(w->argv.p[0]);
	sh->drop_out = w->drop_out;
	sh->drop_err = w->drop_err;
	sh->err_to_out = w->err_to_out;
	if (!g) /* it went down under us; the session is about to end */
		return 255;
	if (command)
		return command->run(sh, g, w->argv.n, w->argv.p);
	shell_err(sh, "sh: %.200s: not found\n", w->argv.p[0]);
	return 127;
}

static void go_on(struct shell *sh)
{
	struct shell_words w;
	const char *wrong;
	while (sh->busy && !sh->leaving && shell_parse(&sh->rest, sh, &w, &wrong)) {
		const bool skipped = (sh->join == JOIN_AND && sh->status != 0) ||
				     (sh->join == JOIN_OR && sh->status == 0);
		sh->join = w.next;
		const int status = skipped ? sh->status : run_words(sh, &w);
		shell_words_fini(&w);
		if (status == SHELL_WAITS)
			return;
		sh->status = status;
	}
	sh->busy = false;
}

/* sh reads a whole line before it runs any of it. */
static bool is_understood(struct shell *sh, struct slice line)
{
	struct shell_words w;
	const char *wrong;
	while (shell_parse(&line, sh, &w, &wrong))
		shell_words_fini(&w);
	if (!wrong)
		return true;
	sh->drop_err = sh->err_to_out = false;
	shell_err(sh, "sh: syntax error: %s\n", wrong);
	sh->status = 2;
	return false;
}

void shell_run(struct shell *sh, struct slice line)
{
	sh->out.max = sh->err.max = SHELL_OUTPUT_MAX;
	if (line.n > SHELL_LINE_MAX || !is_understood(sh, line))
		return;
	free(sh->line);
	sh->line = slice_dup(line);
	sh->rest = slice_from(sh->line, line.n);
	sh->join = JOIN_ALWAYS;
	sh->busy = true;
	go_on(sh);
}

/* --- commands that wait ------------------------------------------------------------------------
 */

int shell_wait(struct shell *sh, enum shell_job job, int64_t ns, void (*next)(struct timer *t))
{
	sh->job = job;
	sh->next = next;
	sh->wait_ns = ns;
	if (next && !sh->in_script)
		timer_start(sh->loop, &sh->timer, ns, next, sh);
	return SHELL_WAITS;
}

void shell_job_done(struct shell *sh, int status)
{
	sh->job = JOB_NONE;
	sh->status = status;
	timer_cancel(&sh->timer);
	go_on(sh);
}

void shell_input(struct shell *sh, struct slice text)
{
	sh->in.max = SHELL_INPUT_MAX;
	buf_add_slice(&sh->in, text);
	sh->in_end |= text.n == 0;
	if (sh->job == JOB_REQUEST)
		shell_request(sh);
	if (sh->job == JOB_SCRIPT_INPUT && sh->in_end)
		shell_script(sh);
	if (sh->job != JOB_CAT)
		return;
	shell_out_text(sh, buf_str(&sh->in), sh->in.n);
	buf_clear(&sh->in);
	if (sh->in_end)
		shell_job_done(sh, 0);
}

void shell_interrupt(struct shell *sh)
{
	timer_cancel(&sh->timer);
	sh->job = JOB_NONE;
	sh->status = 130;
	sh->busy = false;
}
