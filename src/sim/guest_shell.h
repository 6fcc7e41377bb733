/*
 * guest_shell.h - what runs a command line on a guest: a sliver of sh, and the few commands of
 * docs/sim-guests.md.
 *
 * A line is a list of commands joined by `;`, `&&`, `||` or line ends. Most commands end at once;
 * some wait (sleep, ping, nc, cat of standard input) and go on by a timer. Thread: the guests'.
 */
#ifndef SIM_GUEST_SHELL_H
#define SIM_GUEST_SHELL_H

#include "base/buf.h"
#include "base/map.h"
#include "net/loop.h"
#include "sim/guest_service.h"
#include "sim/guest_world.h"

#define SHELL_LINE_MAX   (64u << 10)
#define SHELL_OUTPUT_MAX (256u << 10) /* of one line, each of both; more is dropped */
#define SHELL_INPUT_MAX  (256u << 10)
#define SHELL_WORDS_MAX  256
#define SHELL_WAIT_MAX   3600 /* s, of one command */

enum shell_job {
	JOB_NONE,
	JOB_SLEEP,
	JOB_PING,
	JOB_CONNECT,
	JOB_CAT,
	JOB_REQUEST,
	JOB_SCRIPT,
	JOB_SCRIPT_INPUT
};

/* How a command hangs on the status of the one before it. */
enum shell_join { JOIN_ALWAYS, JOIN_AND, JOIN_OR };

struct shell_ping {
	char name[64];
	struct ip to;
	unsigned count, sent, received;
	int64_t wait_ns, every_ns;
	double min_ms, max_ms, sum_ms;
	bool quiet;
};

struct shell {
	/* Set by the owner, which outlives it. */
	struct loop *loop;
	struct guest_world *const *world; /* of now; may change between two turns of the loop */
	struct guest_services *services;  /* of all guests */
	struct map *memories;             /* the same: guest_memory.h */
	char guest[ID_TEXT];
	char user[16];
	/* There is output, or the line has ended. By a timer only; may end the shell. */
	void (*wake)(void *arg);
	void *arg;

	/* To be taken by the owner. */
	struct buf out, err;
	int status;   /* of the last command */
	bool busy;    /* a line is under way */
	bool leaving; /* `exit` */

	/* Inside. */
	struct buf in;
	bool in_end;
	char *line;
	struct slice rest;
	enum shell_join join;                /* of what comes next in `rest` */
	bool drop_out, drop_err, err_to_out; /* redirections of the command that runs */
	struct timer timer;
	enum shell_job job;
	struct shell_ping ping;
	char directory[128]; /* `cd`; "": at home */
	/* of a script: what it said comes when its time has passed */
	struct buf later_out, later_err;
	int later_status;
	/* inside a script nothing really waits: shell_wait() notes what comes next, and when */
	bool in_script;
	void (*next)(struct timer *t);
	int64_t wait_ns, passed_ns; /* passed: since it began, in its own time */
	int64_t cpu_ns;             /* of what a script ran, for `times` */
	unsigned stays; /* the pid of a program that does not end by itself; 0: none was started */
};

void shell_fini(struct shell *sh);
/* Starts a line; `busy` afterwards tells whether it is still under way. Copies. */
void shell_run(struct shell *sh, struct slice line);
/* Standard input: more of it, or its end (n 0). */
void shell_input(struct shell *sh, struct slice text);
void shell_interrupt(struct shell *sh); /* as ^C does: status 130 */

/* --- between the files of the shell ---------------------------------------------------------- */

#define SHELL_WAITS (-1)

struct command {
	const char *name;
	/* Returns the exit status, or SHELL_WAITS when a job is under way. argv[0] is the name. */
	int (*run)(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
};

const struct command *shell_command(const char *name); /* NULL: there is none */
void shell_out(struct shell *sh, const char *fmt, ...) like_printf(2, 3);
void shell_err(struct shell *sh, const char *fmt, ...) like_printf(2, 3);
void shell_out_text(struct shell *sh, const char *p, size_t n);
/* Lets the job go on by `next` after a while (NULL: by input), which ends in sh->wake(). */
int shell_wait(struct shell *sh, enum shell_job job, int64_t ns, void (*next)(struct timer *t));
void shell_job_done(struct shell *sh, int status);

/* Standard input of `sh` is whole. */
void shell_script(struct shell *sh);
/* Notes a program that serves a port (0: none) and stays; its pid, 0 if there are too many. */
unsigned shell_stay(struct shell *sh, unsigned port);
void shell_list(struct shell *sh); /* names of all commands, as busybox --list */
struct guest_memory;
struct guest_memory *shell_memory(const struct shell *sh); /* of its guest, since it booted */

/* More of standard input, or its end, for a request that waits for its last line. */
void shell_request(struct shell *sh);
/* The metadata service's answer to an HTTP request of the guest. */
void guest_metadata(const struct world_guest *g, struct slice request, struct buf *out);

int command_bc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_busybox(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_cat(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_cd(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_cp(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_fio(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_grep(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_iperf3(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_iptables(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_kill(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_ls(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_mkdir(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_mktemp(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_printf(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_rm(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_setsid(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_sh(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_sudo(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_test(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_times(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_wc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_ping(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_nc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_ip(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);
int command_lsblk(struct shell *sh, const struct world_guest *g, size_t argc, char **argv);

/* The next command of *rest as words, owned, at most SHELL_WORDS_MAX. False at the end or, with
 * *ret_wrong set to what is not understood (static), on an error. */
struct shell_words {
	VEC(char *) argv;
	enum shell_join next; /* how what follows hangs on this one's status */
	bool drop_out, drop_err, err_to_out;
};
bool shell_parse(struct slice *rest, const struct shell *sh, struct shell_words *ret,
	const char **ret_wrong);
void shell_words_fini(struct shell_words *w);

#endif
