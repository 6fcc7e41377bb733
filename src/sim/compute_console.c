/*
 * compute_console.c - what a guest writes on its serial console as it starts, and when it is up.
 *
 * The guest asks the metadata service for its key, name and user data. That request meets faults
 * too: a rule for the service "metadata" (path /openstack/latest/meta_data.json) that refuses or
 * loses it makes a guest that nobody can log in to.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

#define METADATA_PATH "/openstack/latest/meta_data.json"

static const char *hostname(const struct object *o)
{
	return object_str(o, "OS-EXT-SRV-ATTR:hostname");
}

/* --- what the guest asks for ----------------------------------------------------------------- */

/* Whether the metadata service answers, and how much later. */
static bool ask_metadata(struct object *o, int64_t *ret_late_ns)
{
	static const struct service metadata = {.name = "metadata"};
	struct call c = {.sim = o->sim,
		.service = &metadata,
		.method = "GET",
		.path = METADATA_PATH,
		.host = server_of(o)->host};
	bool good = true;

	*ret_late_ns = 0;
	mishaps_strike(o->sim, &c);
	VEC_EACH (&c.hits, struct mishap *, m) {
		if ((*m)->effect == MISHAP_LATENCY)
			*ret_late_ns += (*m)->time_ns;
		else
			good = false;
		mishap_unref(*m);
	}
	vec_fini(&c.hits);
	return good && server_of(o)->nics.n > 0; /* without a port there is no way to it */
}

/* --- what it writes -------------------------------------------------------------------------- */

static void write_kernel(struct buf *out, const struct object *o, const struct object *flavor)
{
	buf_printf(out,
		"[    0.000000] Linux version 6.1.0-28-cloud-amd64 (debian-kernel@lists.debian.org)\n"
		"[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz root=LABEL=root ro "
		"console=tty0 console=ttyS0,115200n8\n"
		"[    0.004000] Memory: %lldK/%lldK available\n"
		"[    0.210000] smp: Brought up 1 node, %lld CPU%s\n",
		(long long)json_int(flavor->doc, "ram", 0) * 1000,
		(long long)json_int(flavor->doc, "ram", 0) * 1024,
		(long long)json_int(flavor->doc, "vcpus", 1),
		json_int(flavor->doc, "vcpus", 1) > 1 ? "s" : "");
	VEC_EACH (&server_of(o)->disks, struct server_disk, d)
		if (*d->volume)
			buf_printf(out, "[    1.830000] virtio_blk %s: attached\n", d->device + 5);
	buf_add_str(out,
		"[    2.410000] EXT4-fs (vda1): mounted filesystem with ordered data mode.\n"
		"[    3.020000] systemd[1]: Detected virtualization kvm.\n");
}

static void write_addresses(struct buf *out, const struct object *o)
{
	unsigned n = 0;
	json_t *ip;
	size_t i;

	buf_printf(out,
		"ci-info: +++++++++++++++Net device info+++++++++++++++\n"
		"ci-info: | %-8s | %-4s | %-39s | %-17s |\n",
		"Device", "Up", "Address", "Hw-Address");
	VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
		const struct object *port = nic_port(o->sim, nic);
		json_array_foreach (port ? json_object_get(port->doc, "fixed_ips") : NULL, i, ip)
			buf_printf(out, "ci-info: | ens%-5u | %-4s | %-39s | %-17s |\n", 3 + n,
				"True", json_str(ip, "ip_address"),
				object_str(port, "mac_address"));
		n++;
	}
}

static void write_cloud_init(struct buf *out, const struct object *o)
{
	struct server *s = server_of(o);

	if (s->no_metadata) {
		buf_add_str(out,
			"cloud-init[412]: url_helper.py[WARNING]: Calling "
			"'http://169.254.169.254/openstack' failed [0/-1s]: bad status code\n"
			"cloud-init[412]: util.py[WARNING]: No active metadata service found\n"
			"cloud-init[412]: Cloud-init v. 22.4.2 finished. Datasource DataSourceNone. "
			"Used fallback datasource\n");
		return;
	}
	buf_printf(out,
		"cloud-init[412]: Cloud-init v. 22.4.2 running 'init'\n"
		"cloud-init[412]: Set hostname to <%s>\n",
		hostname(o));
	if (s->public_key)
		buf_printf(out,
			"ci-info: Authorized keys from /home/debian/.ssh/authorized_keys "
			"for user debian\nci-info: %.40s...\n",
			s->public_key);
	if (s->user_data && s->new_disk)
		buf_add_str(out, "cloud-init[520]: running user data\n");
	s->new_disk = false;
	buf_add_str(out,
		"cloud-init[560]: Cloud-init v. 22.4.2 finished. Datasource "
		"DataSourceOpenStackLocal [net,ver=2].\n");
}

static void on_booted(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);

	write_addresses(&s->console, o);
	write_cloud_init(&s->console, o);
	buf_printf(&s->console, "\nDebian GNU/Linux 12 %s ttyS0\n\n%s login: ",
		s->no_metadata ? "localhost" : hostname(o),
		s->no_metadata ? "localhost" : hostname(o));
	s->booted = true;
	s->up_ns = loop_now_ns(o->sim->loop);
	guests_changed(o->sim);
}

void guest_boot(struct object *o)
{
	struct server *s = server_of(o);
	int64_t late;

	s->boots++;
	s->booted = false;
	s->up_ns = INT64_MAX;
	s->no_metadata = !ask_metadata(o, &late);
	buf_clear(&s->console); /* libvirt begins a new log with each start */
	write_kernel(&s->console, o, flavor_find(o->sim, s->flavor));
	timer_start(o->sim->loop, &s->boot, draw_time_ns(&o->sim->draw, TIME_GUEST_BOOT) + late,
		on_booted, o);
	guests_changed(o->sim);
}

void guest_halt(struct object *o)
{
	struct server *s = server_of(o);

	timer_cancel(&s->boot);
	s->up_ns = INT64_MAX;
	guests_changed(o->sim);
}

/* One that was booting begins again. */
void guest_thaw(struct object *o)
{
	struct server *s = server_of(o);

	if (s->booted)
		s->up_ns = loop_now_ns(o->sim->loop);
	else
		timer_start(o->sim->loop, &s->boot, draw_time_ns(&o->sim->draw, TIME_GUEST_BOOT),
			on_booted, o);
	guests_changed(o->sim);
}

/* --- os-getConsoleOutput --------------------------------------------------------------------- */

/* The last `lines` lines. */
static const char *tail(const char *text, int64_t lines)
{
	const char *p = text + strlen(text);

	if (lines <= 0)
		return p;
	if (p > text && p[-1] == '\n')
		p--;
	for (; p > text; p--)
		if (p[-1] == '\n' && --lines == 0)
			break;
	return p;
}

void action_console(struct call *c, struct object *o)
{
	const json_t *in = body_console(c), *length = json_object_get(in, "length");
	const struct server *s = server_of(o);
	const int64_t power = json_int(o->doc, "OS-EXT-STS:power_state", 0);
	const char *text = buf_str(&s->console);

	if (!in)
		return;
	if (!*s->host) {
		call_fail(c, 409, NULL, "Instance %s is not ready", o->id);
		return;
	}
	if (power == POWER_SHUTDOWN) { /* suspended too */
		call_fail(c, 404, NULL, "Guest does not have a console available.");
		return;
	}
	if (json_is_integer(length) && json_integer_value(length) >= 0)
		text = tail(text, json_integer_value(length));
	else if (json_is_string(length))
		text = tail(text, strtoll(json_string_value(length), NULL, 10));
	call_json(c, 200, json_pack("{s:s}", "output", text));
}
