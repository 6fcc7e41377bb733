/* exim.c - see exim.h. */
#include "exim.h"

#include <dirent.h>
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

#include "base/buf.h"

#define PROGRAM "/usr/sbin/exim4"
#define USER    "Debian-exim"

extern char **environ;

bool exim_exists(void)
{
	return access(PROGRAM, X_OK) == 0;
}

/* --- its files ---------------------------------------------------------------------------------
 */

static char *path_of(const struct exim *e, const char *name)
{
	return mem_printf("%s/%s", e->dir, name);
}

/* As root it changes to its own user, who must own what it writes. */
static void give(const struct exim *e, const char *name)
{
	char *path = path_of(e, name);
	const struct passwd *p = getpwnam(USER);

	if (getuid() == 0 && (!p || chown(path, p->pw_uid, p->pw_gid) != 0))
		mem_panic("cannot give %s to %s", path, USER);
	free(path);
}

static void make_folder(const struct exim *e, const char *name)
{
	char *path = path_of(e, name);

	if (mkdir(path, 0700) != 0)
		mem_panic("cannot make %s", path);
	free(path);
	give(e, name);
}

static void put_config(const struct exim *e, const char *name, const char *options)
{
	char *path = path_of(e, name);
	FILE *f = fopen(path, "w");

	if (!f)
		mem_panic("cannot write %s", path);
	fprintf(f,
		"primary_hostname = localhost\n"
		"keep_environment =\n"
		"notifier_socket =\n"
		"local_interfaces = 127.0.0.1\n"
		"host_lookup =\n"
		"rfc1413_query_timeout = 0s\n"
		"deliver_drop_privilege = true\n"
		"spool_directory = %s/spool\n"
		"log_file_path = %s/spool/log-%%s\n"
		"acl_smtp_rcpt = rcpt\n"
		"%s"
		"begin acl\n"
		"rcpt:\n"
		"  defer local_parts = full\n"
		"        message = 452 mailbox full\n"
		"  deny ! local_parts = a : b : c\n"
		"       message = 550 no such user here\n"
		"  accept\n"
		"begin routers\n"
		"here:\n"
		"  driver = accept\n"
		"  transport = file\n"
		"begin transports\n"
		"file:\n"
		"  driver = appendfile\n"
		"  directory = %s/mail/${if eq{$local_part}{a}{a}{${if eq{$local_part}{b}{b}{c}}}}\n"
		"  maildir_format\n"
		"  create_directory\n"
		"  return_path_add\n"
		"  envelope_to_add\n"
		"%s"
		"begin authenticators\n"
		"plain:\n"
		"  driver = plaintext\n"
		"  public_name = PLAIN\n"
		"  server_prompts = :\n"
		"  server_advertise_condition = ${if def:tls_in_cipher}\n"
		"  server_condition = ${if and{{eq{$auth2}{alice}}{eq{$auth3}{open sesame}}}}\n"
		"  server_set_id = $auth2\n",
		e->dir, e->dir, options, e->dir, getuid() == 0 ? "  user = " USER "\n" : "");
	fclose(f);
	free(path);
}

static void put_configs(const struct exim *e)
{
	char *options = mem_printf(
		"daemon_smtp_ports = %u : %u\n"
		"tls_on_connect_ports = %u\n"
		"tls_advertise_hosts = *\n"
		"pid_file_path = %s/spool/pid\n"
		"tls_certificate = %s/certificate\n"
		"tls_privatekey = %s/key\n",
		e->port, e->tls_port, e->tls_port, e->dir, e->dir, e->dir);

	put_config(e, "config", options);
	free(options);
	options = mem_printf(
		"daemon_smtp_ports = %u\n"
		"tls_advertise_hosts =\n"
		"pid_file_path = %s/spool/bare-pid\n",
		e->bare_port, e->dir);
	put_config(e, "bare-config", options);
	free(options);
}

/* --- its processes -----------------------------------------------------------------------------
 */

static pid_t spawn(const struct exim *e, const char *config)
{
	char *path = path_of(e, config), *log = path_of(e, "stderr");
	const char *argv[] = {PROGRAM, "-C", path, "-bdf", NULL};
	posix_spawn_file_actions_t files;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, log, O_CREAT | O_WRONLY | O_APPEND, 0600);
	if (posix_spawn(&pid, PROGRAM, &files, NULL, (char *const *)(uintptr_t)argv, environ))
		mem_panic("cannot start %s", PROGRAM);
	posix_spawn_file_actions_destroy(&files);
	free(log);
	free(path);
	return pid;
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

static void await(const struct exim *e, unsigned port, pid_t pid)
{
	for (int tries = 0; !answers(port); tries++) {
		if (tries > 1000 || waitpid(pid, NULL, WNOHANG) != 0)
			mem_panic("exim does not answer; see %s/stderr", e->dir);
		usleep(10000);
	}
}

struct exim *exim_start(const struct peer_certificate *certificate)
{
	struct exim *e = mem_new(struct exim);
	char *path;

	snprintf(e->dir, sizeof(e->dir), "/tmp/test-exim-XXXXXX");
	if (!mkdtemp(e->dir))
		mem_panic("no folder for exim");
	chmod(e->dir, 0755);
	e->port = peer_free_port();
	e->tls_port = peer_free_port();
	e->bare_port = peer_free_port();
	make_folder(e, "spool");
	make_folder(e, "mail");
	path = path_of(e, "certificate");
	peer_save_certificate(certificate, path);
	free(path);
	path = path_of(e, "key");
	peer_save_key(certificate, path);
	chmod(path, 0600);
	free(path);
	give(e, "certificate");
	give(e, "key");
	put_configs(e);
	e->pid = spawn(e, "config");
	e->bare_pid = spawn(e, "bare-config");
	await(e, e->port, e->pid);
	await(e, e->tls_port, e->pid);
	await(e, e->bare_port, e->bare_pid);
	return e;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

void exim_stop(struct exim *e)
{
	if (!e)
		return;
	kill(e->pid, SIGTERM);
	kill(e->bare_pid, SIGTERM);
	waitpid(e->pid, NULL, 0);
	waitpid(e->bare_pid, NULL, 0);
	nftw(e->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(e);
}

/* --- what arrived ------------------------------------------------------------------------------
 */

static char *first_mail(struct exim *e, const char *box)
{
	char *dir = mem_printf("%s/mail/%s/new", e->dir, box), *path = NULL;
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d && !path && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			path = mem_printf("%s/%s", dir, entry->d_name);
	if (d)
		closedir(d);
	free(dir);
	return path;
}

bool exim_has_mail(struct exim *e, const char *box)
{
	char *path = first_mail(e, box);

	free(path);
	return path != NULL;
}

char *exim_mail(struct exim *e, const char *box)
{
	struct buf text = BUF(BUF_PAGE);
	char *path, piece[4096];
	size_t n;
	FILE *f;

	for (int tries = 0; !(path = first_mail(e, box)); tries++) {
		if (tries > 3000)
			mem_panic("no mail for %s came; see %s", box, e->dir);
		usleep(10000);
	}
	f = fopen(path, "r");
	while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(&text, piece, n);
	if (f)
		fclose(f);
	remove(path);
	free(path);
	return buf_take(&text);
}
