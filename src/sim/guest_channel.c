/*
 * guest_channel.c - commands and shells: what an SSH channel asks for, and the bytes in and out.
 */

#include <string.h>

#include "sim/guest_session.h"

#define WIRE_MAX    (1u << 20)
#define WIRE_FILLED (64u << 10) /* no more is put in while so much has not gone out */
#define TURN        64          /* pieces of input, then others have their turn */
#define CTRL_C      3
#define CTRL_D      4
#define BACKSPACE   8
#define DELETE      127

/* --- requests: only noted ----------------------------------------------------------------------
 */

static int on_exec(ssh_session ssh, ssh_channel channel, const char *command, void *arg)
{
	struct channel *c = arg;
	if (c->asked || strlen(command) > SHELL_LINE_MAX)
		return SSH_ERROR;
	c->asked = true;
	c->command = mem_strdup(command);
	return SSH_OK;
}

static int on_shell(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct channel *c = arg;
	if (c->asked)
		return SSH_ERROR;
	c->asked = true;
	return SSH_OK;
}

static int on_tty(ssh_session ssh, ssh_channel channel, const char *term, int width, int height,
	int px_width, int px_height, void *arg)
{
	struct channel *c = arg;
	c->tty = true;
	return SSH_OK;
}

static int on_resized(ssh_session ssh, ssh_channel channel, int width, int height, int px_width,
	int px_height, void *arg)
{
	return SSH_OK;
}

static int on_environment(
	ssh_session ssh, ssh_channel channel, const char *name, const char *value, void *arg)
{
	return SSH_OK; /* taken and not used */
}

static int on_subsystem(ssh_session ssh, ssh_channel channel, const char *name, void *arg)
{
	return SSH_ERROR; /* no sftp here */
}

static void on_wake(void *arg)
{
	const struct channel *c = arg;
	guest_session_step(c->session);
}

struct channel *guest_channel_new(struct session *s, ssh_channel ssh)
{
	struct channel *c = mem_new(struct channel);
	c->session = s;
	c->ssh = ssh;
	c->pump = -1;
	c->typed.max = c->edit.max = SHELL_LINE_MAX;
	c->wire[0].max = c->wire[1].max = WIRE_MAX;
	c->shell = (struct shell){.loop = s->server->loop,
		.world = &s->server->world,
		.services = s->server->services,
		.memories = &s->server->memories,
		.wake = on_wake,
		.arg = c};
	snprintf(c->shell.guest, sizeof(c->shell.guest), "%s", s->guest);
	snprintf(c->shell.user, sizeof(c->shell.user), "%s", s->user);
	c->callbacks.userdata = c;
	c->callbacks.channel_exec_request_function = on_exec;
	c->callbacks.channel_shell_request_function = on_shell;
	c->callbacks.channel_pty_request_function = on_tty;
	c->callbacks.channel_pty_window_change_function = on_resized;
	c->callbacks.channel_env_request_function = on_environment;
	c->callbacks.channel_subsystem_request_function = on_subsystem;
	ssh_callbacks_init(&c->callbacks);
	ssh_set_channel_callbacks(ssh, &c->callbacks);
	vec_push(&s->channels, c);
	return c;
}

void guest_channel_free(struct channel *c)
{
	guest_forward_close(c);
	shell_fini(&c->shell);
	buf_fini(&c->typed);
	buf_fini(&c->edit);
	buf_fini(&c->wire[0]);
	buf_fini(&c->wire[1]);
	free(c->command);
	/* libssh keeps the channel until the client has closed it too, and would call back into
	 * nothing */
	ssh_remove_channel_callbacks(c->ssh, &c->callbacks);
	ssh_channel_free(c->ssh);
	free(c);
}

bool guest_channel_busy(const struct channel *c)
{
	return c->shell.busy;
}

/* --- output ------------------------------------------------------------------------------------
 */

bool guest_channel_flush(struct channel *c, struct buf *b, size_t *sent, bool is_error)
{
	while (*sent < b->n) {
		const uint32_t window = ssh_channel_window_size(c->ssh);
		const size_t left = b->n - *sent, n = left < window ? left : window;
		const char *p = buf_str(b) + *sent;
		const int done = n == 0     ? 0
				 : is_error ? ssh_channel_write_stderr(c->ssh, p, (uint32_t)n)
					    : ssh_channel_write(c->ssh, p, (uint32_t)n);
		if (done <= 0)
			return false;
		*sent += (size_t)done;
	}
	buf_clear(b);
	*sent = 0;
	return true;
}

/* What the command wrote goes onto the wire; a terminal wants returns, and both in one. */
static void collect(struct channel *c, struct buf *from, unsigned wire)
{
	struct buf *to = &c->wire[c->tty ? 0 : wire];
	if (!from->n || to->n - c->sent[c->tty ? 0 : wire] > WIRE_FILLED)
		return;
	for (size_t i = 0; c->tty && i < from->n; i++) {
		if (from->p[i] == '\n')
			buf_add_char(to, '\r');
		buf_add_char(to, from->p[i]);
	}
	if (!c->tty)
		buf_add_slice(to, buf_slice(from));
	buf_clear(from);
}

static bool flush(struct channel *c)
{
	collect(c, &c->shell.out, 0);
	collect(c, &c->shell.err, 1);
	const bool out = guest_channel_flush(c, &c->wire[0], &c->sent[0], false);
	const bool err = guest_channel_flush(c, &c->wire[1], &c->sent[1], true);
	return out && err && !c->shell.out.n && !c->shell.err.n;
}

/* --- a person's shell --------------------------------------------------------------------------
 */

static void prompt(struct channel *c)
{
	const struct world_guest *g = world_guest(c->session->server->world, c->session->guest);
	if (c->tty)
		buf_printf(&c->wire[0], "%s@%s:~%s ", c->session->user, g ? g->disk->hostname : "",
			strcmp(c->session->user, "root") ? "$" : "#");
}

/* After the command, and after all that it wrote. */
static void end_line(struct channel *c)
{
	collect(c, &c->shell.out, 0);
	collect(c, &c->shell.err, 1);
	if (!c->prompt_due || c->shell.busy || c->shell.leaving || c->shell.out.n || c->shell.err.n)
		return;
	c->prompt_due = false;
	prompt(c);
}

static void enter_line(struct channel *c)
{
	char *line = buf_take(&c->edit);
	if (c->tty)
		buf_add_str(&c->wire[0], "\r\n");
	shell_run(&c->shell, slice_of(line));
	free(line);
	c->prompt_due = true;
	end_line(c);
}

static void interrupt(struct channel *c)
{
	shell_interrupt(&c->shell);
	buf_clear(&c->edit);
	buf_add_str(&c->wire[0], "^C\r\n");
	c->prompt_due = true;
	end_line(c);
}

static void type(struct channel *c, unsigned char key)
{
	if (key == '\n' || (c->tty && key == '\r')) {
		enter_line(c);
	} else if (!c->tty) {
		buf_add_char(&c->edit, (char)key);
	} else if (key == CTRL_C) {
		interrupt(c);
	} else if (key == CTRL_D && !c->edit.n) {
		c->shell.leaving = true;
	} else if ((key == BACKSPACE || key == DELETE) && c->edit.n) {
		buf_cut(&c->edit, c->edit.n - 1);
		buf_add_str(&c->wire[0], "\b \b");
	} else if (key >= ' ' && key != DELETE) {
		buf_add_char(&c->edit, (char)key);
		buf_add_char(&c->wire[0], (char)key);
	}
}

/* Keys wait while a command runs, but for ^C, which is for the command. */
static void take_typed(struct channel *c)
{
	const char *stop = c->shell.busy && c->tty && c->typed.n
				   ? memchr(c->typed.p, CTRL_C, c->typed.n)
				   : NULL;
	size_t n = stop ? (size_t)(stop - c->typed.p) + 1 : 0;
	if (stop)
		interrupt(c);
	while (n < c->typed.n && !c->shell.busy && !c->shell.leaving &&
		c->wire[0].n - c->sent[0] < WIRE_FILLED)
		type(c, (unsigned char)c->typed.p[n++]);
	if (!n)
		return;
	memmove(c->typed.p, c->typed.p + n, c->typed.n - n);
	buf_cut(&c->typed, c->typed.n - n);
}

/* --- one step ----------------------------------------------------------------------------------
 */

static void begin(struct channel *c)
{
	c->begun = true;
	if (c->command)
		shell_run(&c->shell, slice_of(c->command));
	else
		prompt(c);
	/* What a person types is for the shell, never for its commands. */
	c->shell.in_end = !c->command;
}

/* True if anything came. */
static bool read_input(struct channel *c)
{
	char piece[4096];
	bool came = false;
	/* No faster than it is used, nor than what comes of it goes out. */
	while (!c->input_ended && c->typed.n < SHELL_LINE_MAX / 2 &&
		c->shell.in.n < SHELL_INPUT_MAX / 2 && !c->shell.out.n) {
		const int n = ssh_channel_read_nonblocking(c->ssh, piece, sizeof(piece), 0);
		if (n <= 0) {
			c->input_ended = ssh_channel_is_eof(c->ssh);
			if (c->input_ended && c->command)
				shell_input(&c->shell, slice_of(""));
			return came || c->input_ended;
		}
		came = true;
		if (!c->command)
			buf_add(&c->typed, piece, (size_t)n);
		else if (c->tty && memchr(piece, CTRL_C, (size_t)n))
			shell_interrupt(&c->shell);
		else
			shell_input(&c->shell, slice_from(piece, (size_t)n));
	}
	return came;
}

static void take_lines(struct channel *c)
{
	end_line(c);
	take_typed(c);
	if (c->input_ended && !c->typed.n && c->edit.n && !c->shell.busy)
		enter_line(c); /* the last line has no end */
}

static bool is_over(const struct channel *c)
{
	if (c->shell.busy)
		return false;
	return c->command || c->shell.leaving || (c->input_ended && !c->typed.n && !c->edit.n);
}

bool guest_channel_step(struct channel *c)
{
	if (c->pump >= 0)
		return guest_forward_step(c);
	if (ssh_channel_is_closed(c->ssh))
		return false;
	if (!c->asked)
		return true;
	if (!c->begun)
		begin(c);
	bool came = true, flushed = true;
	for (int n = 0; came && flushed && n < TURN; n++) {
		came = read_input(c);
		if (!c->command)
			take_lines(c);
		flushed = flush(c);
	}
	c->session->again |= came && flushed;
	if (!flushed || !is_over(c))
		return true;
	ssh_channel_request_send_exit_status(c->ssh, c->shell.status);
	ssh_channel_send_eof(c->ssh);
	ssh_channel_close(c->ssh);
	return false;
}
