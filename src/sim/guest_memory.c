#include "sim/guest_memory.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FIRST_PID 300
#define SSH_PORT  22

static void forget(struct guest_memory *m)
{
	MAP_EACH (&m->files, e)
		free(e->value);
	MAP_EACH (&m->directories, e)
		free(e->value);
	VEC_EACH (&m->rules, char *, rule)
		free(*rule);
	map_fini(&m->files);
	map_fini(&m->directories);
	vec_fini(&m->programs);
	vec_fini(&m->addresses);
	vec_fini(&m->rules);
	*m = (struct guest_memory){.next_pid = FIRST_PID};
}

void guest_memories_fini(struct map *memories)
{
	MAP_EACH (memories, e) {
		forget(e->value);
		free(e->value);
	}
	map_fini(memories);
}

struct guest_memory *shell_memory(const struct shell *sh)
{
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	struct guest_memory *m = map_get(sh->memories, sh->guest);
	if (!m) {
		m = mem_new(struct guest_memory);
		m->next_pid = FIRST_PID;
		map_put(sh->memories, sh->guest, m);
	}
	if (g && m->boots != g->boots) {
		forget(m);
		m->boots = g->boots;
	}
	return m;
}

/* --- files that the system makes up -------------------------------------------------------------
 */

static void socket_line(struct buf *ret, unsigned n, unsigned port)
{
	buf_printf(ret,
		"%4u: 00000000:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000     "
		"0        0 1\n",
		n, port);
}

static void sockets(const struct shell *sh, const struct world_guest *g, struct buf *ret)
{
	unsigned ports[GUEST_SERVICES_MAX];
	const unsigned n =
		guest_service_ports(sh->services, g->id, g->boots, ports, array_len(ports));
	buf_add_str(ret,
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
		"retrnsmt   uid  timeout inode\n");
	socket_line(ret, 0, SSH_PORT);
	for (unsigned i = 0; i < n && i < array_len(ports); i++)
		socket_line(ret, i + 1, ports[i]);
}

/* /sys/class/net/ethN/address */
static void card_address(const struct world_guest *g, const char *path, struct buf *ret)
{
	char own[40];
	for (size_t i = 0; i < g->nics.n; i++) {
		snprintf(own, sizeof(own), GUEST_CARDS "/eth%zu/address", i);
		if (!strcmp(path, own))
			buf_printf(ret, "%s\n", g->nics.p[i].mac);
	}
	if (!strcmp(path, GUEST_CARDS "/lo/address"))
		buf_add_str(ret, "00:00:00:00:00:00\n");
}

static void made_file(
	const struct shell *sh, const struct world_guest *g, const char *path, struct buf *ret)
{
	const double up = (double)(clock_mono_ns(&clock_system) + sh->passed_ns - g->up_ns) /
			  (double)NS_PER_S;
	if (!strcmp(path, "/proc/uptime"))
		buf_printf(ret, "%.2f %.2f\n", up, up);
	else if (!strcmp(path, "/proc/stat"))
		buf_printf(ret, "cpu  %.0f 0 %.0f %.0f 0 0 0 %.0f 0 0\n", up * 20, up * 5, up * 74,
			up); /* in hundredths of a second, of which 1 % is stolen */
	else if (!strcmp(path, "/proc/net/tcp"))
		sockets(sh, g, ret);
	else if (!strcmp(path, "/proc/sys/net/ipv4/ip_forward"))
		buf_add_str(ret, "0\n");
	else if (!strcmp(path, "/etc/os-release"))
		buf_add_str(
			ret, "PRETTY_NAME=\"simulated guest\"\nNAME=\"simulated guest\"\nID=sim\n");
	else if (!strcmp(path, "/run/boot-finished"))
		buf_add_str(ret, "\n");
	else
		card_address(g, path, ret);
}

/* --- files --------------------------------------------------------------------------------------
 */

char *guest_path(const struct shell *sh, const char *path)
{
	char *whole = *path == '/' ? mem_strdup(path)
				   : mem_printf("%s/%s", *sh->directory ? sh->directory : "/root",
					     !strncmp(path, "./", 2) ? path + 2 : path);
	size_t n = strlen(whole);
	while (n > 1 && whole[n - 1] == '/')
		whole[--n] = 0;
	return whole;
}

bool guest_file_read(const struct shell *sh, const char *path, struct buf *ret)
{
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	char *whole = guest_path(sh, path);
	const char *text = map_get(&shell_memory(sh)->files, whole);
	const struct guest_file *f = g && !text ? guest_disk_file(g->disk, whole) : NULL;
	const size_t before = ret->n;
	if (text)
		buf_add_str(ret, text);
	else if (f)
		buf_add(ret, f->text, f->n);
	else if (g)
		made_file(sh, g, whole, ret);
	free(whole);
	return text || f || ret->n > before;
}

bool guest_file_exists(const struct shell *sh, const char *path)
{
	struct buf text = BUF(SHELL_OUTPUT_MAX);
	char *whole = guest_path(sh, path);
	const bool there =
		map_get(&shell_memory(sh)->directories, whole) || guest_file_read(sh, whole, &text);
	buf_fini(&text);
	free(whole);
	return there;
}

static bool may_write(const struct shell *sh, const char *path)
{
	return !strcmp(sh->user, "root") || !strncmp(path, "/tmp/", 5) ||
	       !strncmp(path, "/var/tmp/", 9) || !strncmp(path, "/home/", 6);
}

bool guest_file_write(struct shell *sh, const char *path, struct slice text, bool append)
{
	struct guest_memory *m = shell_memory(sh);
	char *whole = guest_path(sh, path);
	const bool good = may_write(sh, whole) &&
			  (m->files.n < MEMORY_FILES_MAX || map_get(&m->files, whole));
	if (good) {
		struct buf all = BUF(SHELL_OUTPUT_MAX);
		if (append)
			guest_file_read(sh, whole, &all);
		buf_add_slice(&all, text);
		free(map_put(&m->files, whole, buf_take(&all)));
	}
	free(whole);
	return good;
}

bool guest_file_remove(struct shell *sh, const char *path)
{
	struct guest_memory *m = shell_memory(sh);
	char *whole = guest_path(sh, path);
	char *inside = mem_printf("%s/", whole);
	struct map *const maps[] = {&m->files, &m->directories};
	bool any = false;
	for (size_t i = 0; i < array_len(maps); i++)
		MAP_EACH (maps[i], e) {
			if (strcmp(e->key, whole) && strncmp(e->key, inside, strlen(inside)))
				continue;
			any = true;
			free(map_remove(maps[i], e->key));
		}
	free(inside);
	free(whole);
	return any;
}
