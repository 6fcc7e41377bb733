/*
 * guest_command.c - the commands that end at once, and the table of all; docs/sim-guests.md lists
 * them for users. What they say follows busybox and util-linux.
 */

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"
#include "sim/guest_shell.h"

#define KERNEL  "6.1.0-sim"
#define VERSION "#1 SMP"

static int command_true(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	return 0;
}

static int command_false(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	return 1;
}

static int command_exit(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	int64_t status = sh->status;
	if (argc > 1 && !units_parse_int(slice_of(argv[1]), &status)) {
		shell_err(sh, "sh: exit: Illegal number: %.100s\n", argv[1]);
		status = 2;
	}
	sh->leaving = true;
	return (int)(status & 0xff);
}

/* In place of the shell: what stands behind it on the line is never run. */
static int command_exec(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (argc < 2)
		return 0;
	const struct command *command = shell_command(argv[1]);
	sh->leaving = true;
	if (command)
		return command->run(sh, g, argc - 1, argv + 1);
	shell_err(sh, "sh: exec: %.200s: not found\n", argv[1]);
	return 127;
}

static int command_command(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "-v")) {
		shell_err(sh, "sh: command: only -v NAME is known here\n");
		return 2;
	}
	if (!shell_command(argv[2]))
		return 127;
	shell_out(sh, "%s\n", argv[2]);
	return 0;
}

static int command_echo(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const bool line = argc < 2 || strcmp(argv[1], "-n") != 0;
	for (size_t i = line ? 1 : 2; i < argc; i++)
		shell_out(sh, "%s%s", argv[i], i + 1 < argc ? " " : "");
	if (line)
		shell_out(sh, "\n");
	return 0;
}

static int command_hostname(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (argc > 1) {
		shell_err(sh, "hostname: sethostname: Operation not permitted\n");
		return 1;
	}
	shell_out(sh, "%s\n", g->disk->hostname);
	return 0;
}

static int command_whoami(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	shell_out(sh, "%s\n", sh->user);
	return 0;
}

static int command_id(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const int n = strcmp(sh->user, "root") ? 1000 : 0;
	if (argc > 1 && !strcmp(argv[1], "-un"))
		return command_whoami(sh, g, 1, argv);
	if (argc > 1 && strcmp(argv[1], "-u") && strcmp(argv[1], "-g")) {
		shell_err(sh, "id: unknown option: %.100s\n", argv[1]);
		return 1;
	}
	if (argc > 1)
		shell_out(sh, "%d\n", n);
	else
		shell_out(sh, "uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", n, sh->user, n, sh->user, n,
			sh->user);
	return 0;
}

static int command_uname(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct utsname real;
	const char *machine = uname(&real) == 0 ? real.machine : "x86_64";
	const char *const parts[] = {
		"Linux", g->disk->hostname, KERNEL, VERSION, machine, "GNU/Linux"};
	static const char letters[] = "snrvmo";
	bool shown[array_len(parts)] = {argc < 2};
	for (size_t i = 1; i < argc; i++)
		for (const char *c = argv[i] + (*argv[i] == '-'); *c; c++) {
			const char *at = strchr(letters, *c);
			if (!at && *c != 'a') {
				shell_err(sh, "uname: invalid option -- '%c'\n", *c);
				return 1;
			}
			for (size_t k = 0; k < array_len(parts); k++)
				shown[k] |= *c == 'a' || at == letters + k;
		}
	const char *space = "";
	for (size_t k = 0; k < array_len(parts); k++)
		if (shown[k]) {
			shell_out(sh, "%s%s", space, parts[k]);
			space = " ";
		}
	shell_out(sh, "\n");
	return 0;
}

static int64_t up_ns(const struct world_guest *g)
{
	return clock_mono_ns(&clock_system) - g->up_ns;
}

static int command_uptime(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const int64_t minutes = up_ns(g) / (60 * NS_PER_S);
	const time_t now = (time_t)(clock_unix_us(&clock_system) / 1000000);
	struct tm tm;
	char time[16], up[48];
	gmtime_r(&now, &tm);
	strftime(time, sizeof(time), "%H:%M:%S", &tm);
	if (minutes < 60)
		snprintf(up, sizeof(up), "%d min", (int)minutes);
	else
		snprintf(up, sizeof(up), "%d:%02d", (int)(minutes / 60), (int)(minutes % 60));
	shell_out(sh, " %s up %s,  0 users,  load average: 0.00, 0.00, 0.00\n", time, up);
	return 0;
}

/* --- sleep -------------------------------------------------------------------------------------
 */

static void on_slept(struct timer *t)
{
	struct shell *sh = t->arg;
	shell_job_done(sh, 0);
	sh->wake(sh->arg);
}

static int command_sleep(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	double seconds = 0;
	if (argc != 2 || !units_parse_real(slice_of(argv[1]), &seconds) || seconds < 0) {
		shell_err(sh, "sleep: invalid number '%.100s'\n", argc > 1 ? argv[1] : "");
		return 1;
	}
	if (seconds > SHELL_WAIT_MAX) {
		shell_err(sh, "sleep: at most %d s here\n", SHELL_WAIT_MAX);
		return 1;
	}
	return shell_wait(sh, JOB_SLEEP, (int64_t)(seconds * (double)NS_PER_S), on_slept);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static const struct command commands[] = {
	{":", command_true},
	{"[", command_test},
	{"bc", command_bc},
	{"busybox", command_busybox},
	{"cat", command_cat},
	{"cd", command_cd},
	{"command", command_command},
	{"cp", command_cp},
	{"echo", command_echo},
	{"exec", command_exec},
	{"exit", command_exit},
	{"false", command_false},
	{"fio", command_fio},
	{"grep", command_grep},
	{"hostname", command_hostname},
	{"id", command_id},
	{"ip", command_ip},
	{"iperf3", command_iperf3},
	{"iptables", command_iptables},
	{"kill", command_kill},
	{"ls", command_ls},
	{"lsblk", command_lsblk},
	{"mkdir", command_mkdir},
	{"mktemp", command_mktemp},
	{"nc", command_nc},
	{"ping", command_ping},
	{"printf", command_printf},
	{"rm", command_rm},
	{"setsid", command_setsid},
	{"sh", command_sh},
	{"sleep", command_sleep},
	{"sudo", command_sudo},
	{"test", command_test},
	{"times", command_times},
	{"true", command_true},
	{"uname", command_uname},
	{"uptime", command_uptime},
	{"wc", command_wc},
	{"whoami", command_whoami},
};

const struct command *shell_command(const char *name)
{
	for (size_t i = 0; i < array_len(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

void shell_list(struct shell *sh)
{
	for (size_t i = 0; i < array_len(commands); i++)
		shell_out(sh, "%s\n", commands[i].name);
	shell_out(sh, "httpd\n");
}
