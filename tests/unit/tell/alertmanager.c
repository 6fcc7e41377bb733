/* alertmanager.c - see alertmanager.h. */
#include "alertmanager.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../net/peer.h"
#include "base/mem.h"

#define PROGRAM "/usr/bin/prometheus-alertmanager"

extern char **environ;

bool alertmanager_exists(void)
{
	return access(PROGRAM, X_OK) == 0;
}

static bool answers(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	static const char ask[] = "GET /-/ready HTTP/1.0\r\n\r\n";
	char said[16] = "";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		    write(fd, ask, sizeof(ask) - 1) > 0 && read(fd, said, sizeof(said) - 1) > 12;

	close(fd);
	return good && !strncmp(said + 8, " 200", 4);
}

static char *write_config(const struct alertmanager *m)
{
	static const char text[] = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
	char *path = mem_printf("%s/config.yml", m->dir);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		mem_panic("cannot write %s", path);
	close(fd);
	return path;
}

static void spawn(struct alertmanager *m)
{
	char *path = write_config(m);
	char *config = mem_printf("--config.file=%s", path);
	char *storage = mem_printf("--storage.path=%s/data", m->dir);
	char *listen = mem_printf("--web.listen-address=127.0.0.1:%u", m->port);
	char *log = mem_printf("%s/log", m->dir);
	const char *argv[] = {PROGRAM, config, storage, listen, "--cluster.listen-address=", NULL};
	posix_spawn_file_actions_t files;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, log, O_CREAT | O_WRONLY, 0600);
	if (posix_spawn(&m->pid, PROGRAM, &files, NULL, (char *const *)(uintptr_t)argv, environ))
		mem_panic("cannot start %s", PROGRAM);
	posix_spawn_file_actions_destroy(&files);
	free(log);
	free(listen);
	free(storage);
	free(config);
	free(path);
}

struct alertmanager *alertmanager_start(void)
{
	struct alertmanager *m = mem_new(struct alertmanager);

	snprintf(m->dir, sizeof(m->dir), "/tmp/test-alertmanager-XXXXXX");
	if (!mkdtemp(m->dir))
		mem_panic("no folder for Alertmanager");
	m->port = peer_free_port();
	m->url = mem_printf("http://127.0.0.1:%u", m->port);
	spawn(m);
	for (int tries = 0; !answers(m->port); tries++) {
		if (tries > 3000 || waitpid(m->pid, NULL, WNOHANG) != 0)
			mem_panic("Alertmanager does not answer; see %s/log", m->dir);
		usleep(10000);
	}
	return m;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

void alertmanager_stop(struct alertmanager *m)
{
	kill(m->pid, SIGTERM);
	waitpid(m->pid, NULL, 0);
	nftw(m->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(m->url);
	free(m);
}
