/* sshd.c - see sshd.h. */
#include "sshd.h"

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/ssh.h"

#define PROGRAM "/usr/sbin/sshd"

extern char **environ;

bool sshd_exists(void)
{
	return access(PROGRAM, X_OK) == 0;
}

const char *sshd_user(void)
{
	const struct passwd *p = getpwuid(getuid());

	return p ? p->pw_name : "root";
}

static void put(const struct sshd *s, const char *name, mode_t mode, const char *text)
{
	char *path = mem_printf("%s/%s", s->dir, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		mem_panic("cannot write %s", path);
	close(fd);
	free(path);
}

static void put_host_key(const struct sshd *s)
{
	struct secret *private;
	char *public;
	struct error err = {0};

	if (!ssh_keypair_new("ed25519", "host", &private, &public, &err))
		mem_panic("%s", err.msg);
	put(s, "host_key", 0600, secret_reveal(private));
	secret_unref(private);
	free(public);
}

static void put_config(const struct sshd *s, const char *options)
{
	char *text = mem_printf(
		"ListenAddress 127.0.0.1:%u\n"
		"HostKey %s/host_key\n"
		"AuthorizedKeysFile %s/authorized\n"
		"PidFile none\n"
		"StrictModes no\n"
		"UsePAM no\n"
		"PasswordAuthentication no\n"
		"KbdInteractiveAuthentication no\n"
		"PermitRootLogin prohibit-password\n"
		"PrintMotd no\n"
		"PrintLastLog no\n"
		"MaxStartups 9:100:9\n" /* OpenSSH refuses by chance from 10 on */
		"%s",
		s->port, s->dir, s->dir, options ? options : "");

	put(s, "config", 0600, text);
	free(text);
}

static bool answers(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(fd);
	return good;
}

static void spawn(struct sshd *s)
{
	char *config = mem_printf("%s/config", s->dir), *log = mem_printf("%s/log", s->dir);
	const char *argv[] = {PROGRAM, "-D", "-E", log, "-f", config, NULL};

	/* as root it wants its empty folder, which the service's start makes otherwise */
	if (getuid() == 0)
		mkdir("/run/sshd", 0755);
	if (posix_spawn(&s->pid, PROGRAM, NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		mem_panic("cannot start %s", PROGRAM);
	free(log);
	free(config);
}

struct sshd *sshd_start(const char *authorized, const char *options)
{
	struct sshd *s = mem_new(struct sshd);

	snprintf(s->dir, sizeof(s->dir), "/tmp/test-sshd-XXXXXX");
	if (!mkdtemp(s->dir))
		mem_panic("no folder for sshd");
	chmod(s->dir, 0755);
	s->port = peer_free_port();
	put_host_key(s);
	put(s, "authorized", 0644, authorized);
	put_config(s, options);
	spawn(s);
	for (int tries = 0; !answers(s->port); tries++) {
		if (tries > 1000 || waitpid(s->pid, NULL, WNOHANG) != 0)
			mem_panic("sshd does not answer; see %s/log", s->dir);
		usleep(10000);
	}
	return s;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

void sshd_stop(struct sshd *s)
{
	if (!s)
		return;
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
}

/* --- the relay ---------------------------------------------------------------------------------
 */

static int dial(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* How many bytes went over; 0 at the end of either side. */
static long pass(int from, int to, size_t max)
{
	char p[16384];
	ssize_t n = recv(from, p, max < sizeof(p) ? max : sizeof(p), 0);

	return n > 0 && send(to, p, (size_t)n, MSG_NOSIGNAL) == n ? n : 0;
}

static void relay_serve(struct peer_connection *c)
{
	struct relay *r = c->peer->arg;
	int server = dial(r->to);
	long passed = 0;

	while (server >= 0 && !atomic_load(&c->peer->stopping) && !atomic_load(&r->cut)) {
		long left = atomic_load(&r->down_max) - passed, n = 1;
		struct pollfd p[] = {{.fd = c->fd, .events = POLLIN},
			{.fd = left > 0 ? server : -1, .events = POLLIN}};

		if (poll(p, 2, 20) <= 0)
			continue;
		if (p[0].revents && pass(c->fd, server, SIZE_MAX) == 0)
			break;
		if (p[1].revents)
			n = pass(server, c->fd, (size_t)left);
		if (n == 0)
			break;
		passed += p[1].revents ? n : 0;
	}
	if (server >= 0)
		close(server);
}

void relay_start(struct relay *r, unsigned to, long down_max)
{
	memset(r, 0, sizeof(*r));
	r->to = to;
	atomic_store(&r->down_max, down_max);
	r->peer = peer_start(relay_serve, r, NULL);
}

void relay_stop(struct relay *r)
{
	peer_stop(r->peer);
}
