/*
 * helper_inside.h - the inside of the helper process and its minders; nothing of it runs in the
 * house. Thread: each process has one.
 */
#ifndef OBSERVE_EXEC_HELPER_INSIDE_H
#define OBSERVE_EXEC_HELPER_INSIDE_H

#include <sys/types.h>

#include "base/clock.h"
#include "observe/exec/helper.h"

#define HELPER_ROLE  "program-helper" /* the hidden command, and what ps shows */
#define HELPER_FD    3                /* the helper's descriptor to the house */
#define MINDER_LINES 16               /* connections of a program at once */
#define MINDER_HOME  32               /* "/tmp/glasshouse-XXXXXX" and NUL */

/* --- children.c */
/* Kills all children of this process but those `spared`. */
void children_kill(const pid_t *spared, size_t n);
/* Kills and reaps until none is left, `wait_ns` at most. */
void children_end(int64_t wait_ns);

/* --- minder.c */
/* One program, whose house is at the other end of the descriptor; the process is its own. It
 * removes its home ("": none could be made) at the end. */
void minder_run(int house, const char *home) __attribute__((noreturn));
void minder_remove_home(const char *home);

/* --- minder_start.c */
struct started { /* descriptors of ours, nonblocking; -1: none */
	pid_t pid;
	int out, err;
};
/* HELPER_EXITED: it runs; else why not, with errno in *ret_code. */
enum helper_how minder_start(const struct helper_request *r, const char *home, const char *socket,
	struct started *ret, uint32_t *ret_code);

/* --- minder_line.c */
struct line_peer {
	int fd; /* -1: free */
	struct buf got;
};
struct lines {
	int listener; /* -1: none */
	struct line_peer peers[MINDER_LINES];
	unsigned taken;
	void (*line)(void *arg, struct slice line);
	void *arg;
};
bool lines_open(struct lines *l, const char *path);
void lines_accept(struct lines *l);
/* What has come of it; closes one that has ended. */
void lines_read(struct lines *l, struct line_peer *p);
/* All that was sent before. */
void lines_close(struct lines *l);

#endif
