/*
 * web_child.c - the serving half as a process of its own, or as threads of this one; see web.h.
 *
 * The process is this program again, started by exec: nothing of our memory is in it, it gets its
 * end of the door and the listeners, an empty environment, and no other descriptor but stderr.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "web/page.h"
#include "web/web.h"
#include "web/web_inside.h"

#define FAR 400 /* above every number a descriptor of the child gets */

/* --- as threads ----------------------------------------------------------------------------------
 */

static void *thread_main(void *arg)
{
	struct child *c = arg;
	struct error err = {0};
	if (!serve_run(&c->o, &err))
		log_event(LOG_ERROR, "web_failed", "why", "%s", err.msg, NULL);
	return NULL;
}

static bool start_threads(struct child *c, struct error *err)
{
	const int rc = pthread_create(&c->thread, NULL, thread_main, c);
	if (rc)
		error_sys(err, rc, "cannot start a thread");
	return rc == 0;
}

/* --- as a process --------------------------------------------------------------------------------
 */

/* Copies of the descriptors the child gets, far from their numbers there. */
struct handed {
	int p[1 + 2 * SERVE_THREADS_MAX];
	unsigned n;
};

static bool hand(struct handed *h, int fd)
{
	const int far = fcntl(fd, F_DUPFD_CLOEXEC, FAR);
	if (far < 0)
		return false;
	h->p[h->n++] = far;
	return true;
}

static bool hand_all(struct handed *h, const struct serve_options *o)
{
	bool good = hand(h, o->door);
	for (unsigned i = 0; i < o->threads && o->public_fds; i++)
		good = good && hand(h, o->public_fds[i]);
	for (unsigned i = 0; i < o->threads && o->intake_fds; i++)
		good = good && hand(h, o->intake_fds[i]);
	return good;
}

static int spawn(struct child *c, const struct handed *h)
{
	char threads[16], connections[16];
	char name[] = "glasshouse", role[] = CHILD_NAME;
	char yes[] = "1", no[] = "0";
	char *argv[] = {name, role, threads, connections, c->o.public_fds ? yes : no,
		c->o.intake_fds ? yes : no, NULL};
	char *environment[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	snprintf(threads, sizeof(threads), "%u", c->o.threads);
	snprintf(connections, sizeof(connections), "%u", c->o.connections);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	for (unsigned i = 0; i < h->n; i++)
		posix_spawn_file_actions_adddup2(&files, h->p[i], CHILD_DOOR + (int)i);
	posix_spawn_file_actions_addclosefrom_np(&files, CHILD_DOOR + (int)h->n);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	const int rc =
		posix_spawn(&c->pid, "/proc/self/exe", &files, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static bool start_process(struct child *c, struct error *err)
{
	struct handed h = {0};
	const bool all = hand_all(&h, &c->o);
	const int rc = all ? spawn(c, &h) : errno;
	for (unsigned i = 0; i < h.n; i++)
		close(h.p[i]);
	close(c->o.door);
	if (rc) {
		c->pid = 0;
		error_sys(err, rc, "cannot start the web's process");
	}
	return rc == 0;
}

/* --- both ----------------------------------------------------------------------------------------
 */

int child_start(struct child *c, const struct serve_options *o, struct error *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		error_sys(err, errno, "cannot make a door");
		return -1;
	}
	*c = (struct child){.o = *o};
	c->o.door = pair[1];
	c->running = o->isolate ? start_process(c, err) : start_threads(c, err);
	if (c->running)
		return pair[0];
	if (!o->isolate)
		close(pair[1]);
	close(pair[0]);
	return -1;
}

void child_end(struct child *c)
{
	if (!c->running)
		return;
	c->running = false;
	if (!c->pid) {
		pthread_join(c->thread, NULL);
		return;
	}
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

/* --- the process's own main ----------------------------------------------------------------------
 */

static bool read_count(const char *text, unsigned max, unsigned *ret)
{
	int64_t n;
	if (!units_parse_int(slice_of(text), &n) || n < 0 || n > max)
		return false;
	*ret = (unsigned)n;
	return true;
}

int web_serve_main(int argc, char **argv)
{
	int sockets[2 * SERVE_THREADS_MAX];
	unsigned threads, connections, is_public, is_intake;
	struct error err = {0};
	if (argc != 5 || !read_count(argv[1], SERVE_THREADS_MAX, &threads) ||
		!read_count(argv[2], 10000000, &connections) ||
		!read_count(argv[3], 1, &is_public) || !read_count(argv[4], 1, &is_intake) ||
		threads == 0 || fcntl(CHILD_DOOR, F_GETFD) < 0) {
		fputs("glasshouse " CHILD_NAME ": started by `glasshouse run` only\n", stderr);
		return 2;
	}
	prctl(PR_SET_NAME, CHILD_NAME, 0, 0, 0);
	/* a terminal or a service manager means the house, which ends us */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (unsigned i = 0; i < threads * 2; i++)
		sockets[i] = CHILD_SOCKETS + (int)i;
	for (int fd = CHILD_DOOR; fd < CHILD_SOCKETS + (int)(threads * (is_public + is_intake));
		fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	const bool good =
		page_init(&err) &&
		serve_run(&(struct serve_options){.door = CHILD_DOOR,
				  .public_fds = is_public ? sockets : NULL,
				  .intake_fds =
					  is_intake ? sockets + (is_public ? threads : 0) : NULL,
				  .threads = threads,
				  .connections = connections,
				  .isolate = true},
			&err);
	if (!good)
		fprintf(stderr, "glasshouse " CHILD_NAME ": %s\n", err.msg);
	/* what exit() would run wants calls that are given up */
	_exit(good ? 0 : 2);
}
