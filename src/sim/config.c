#include "sim/config.h"

#include "base/units.h"
#include "sim/state.h"
#include "text/keys.h"
#include "text/yaml.h"

struct file {
	const struct yaml *faults, *times, *quota, *services;
	double spread;
};

static const struct key file_keys[] = {
	{"faults", KEY_LIST, offsetof(struct file, faults), .help = "rules, see docs/sim.md"},
	{"times", KEY_MAP, offsetof(struct file, times), .help = "medians of drawn times"},
	{"quota", KEY_MAP, offsetof(struct file, quota), .help = "limits of each project"},
	{"services", KEY_MAP, offsetof(struct file, services), .help = "what the cloud has"},
	{"spread", KEY_REAL, offsetof(struct file, spread),
		.help = "sigma of the logarithm of drawn times"},
};

#define QUOTA(name)                                                                                \
	{                                                                                          \
#name, KEY_INT, offsetof(struct quota, name), .min = -1, .max = 1000000000000      \
	}
static const struct key quota_keys[] = {QUOTA(instances), QUOTA(cores), QUOTA(ram),
	QUOTA(key_pairs), QUOTA(server_groups), QUOTA(server_group_members), QUOTA(network),
	QUOTA(subnet), QUOTA(port), QUOTA(router), QUOTA(floatingip), QUOTA(security_group),
	QUOTA(security_group_rule), QUOTA(volumes), QUOTA(gigabytes), QUOTA(snapshots),
	QUOTA(backups), QUOTA(backup_gigabytes), QUOTA(zones), QUOTA(zone_recordsets),
	QUOTA(zone_records), QUOTA(recordset_records), QUOTA(containers), QUOTA(object_bytes),
	QUOTA(secrets), QUOTA(secret_containers), QUOTA(orders), QUOTA(load_balancer),
	QUOTA(listener), QUOTA(pool), QUOTA(member), QUOTA(health_monitor), QUOTA(l7policy),
	QUOTA(l7rule), QUOTA(stacks)};
#undef QUOTA

static const struct key service_keys[] = {
	{"backup", KEY_BOOL, offsetof(struct sim, has_backup), .help = "cinder-backup runs"},
	{"host_href", KEY_BOOL, offsetof(struct sim, has_host_href),
		.help = "barbican knows its own address"},
	{"ovn", KEY_BOOL, offsetof(struct sim, ovn),
		.help = "floating IPs get ACTIVE when a server takes their port"},
};

void config_defaults(struct sim *s)
{
	/* those of the lab */
	s->quota = (struct quota){.instances = 60,
		.cores = 100,
		.ram = 204800,
		.key_pairs = 100,
		.server_groups = 20,
		.server_group_members = 10,
		.network = 100,
		.subnet = 100,
		.port = 500,
		.router = 50,
		.floatingip = 60,
		.security_group = 100,
		.security_group_rule = 1000,
		.volumes = 100,
		.gigabytes = 2000,
		.snapshots = 10,
		.backups = 10,
		.backup_gigabytes = 1000,
		.zones = 10,
		.zone_recordsets = 500,
		.zone_records = 500,
		.recordset_records = 20,
		.containers = -1,
		.object_bytes = -1,
		.secrets = -1,
		.secret_containers = -1,
		.orders = -1,
		.load_balancer = -1,
		.listener = -1,
		.pool = -1,
		.member = -1,
		.health_monitor = -1,
		.l7policy = -1,
		.l7rule = -1,
		.stacks = 512};
	s->has_backup = true;
	s->has_host_href = true;
}

static void read_times(
	struct sim *s, const struct yaml *map, const char *path, struct error_list *errors)
{
	for (size_t i = 0; map && i < map->n; i++) {
		const struct yaml *k = map->keys[i], *v = map->items[i];
		int64_t ns;

		if (v->kind != YAML_SCALAR || !units_parse_time(v->text, &ns) || ns < 0)
			error_list_at(errors, path, v->line, v->col,
				"expected a time with a unit, like 2s");
		else if (!draw_set_median(&s->draw, k->text, ns))
			error_list_at(
				errors, path, k->line, k->col, "unknown time \"%s\"", k->text.p);
	}
}

static void read_faults(
	struct sim *s, const struct yaml *list, const char *path, struct error_list *errors)
{
	for (size_t i = 0; list && i < list->n; i++) {
		const struct yaml *item = list->items[i];
		json_t *rule = yaml_json(item);
		struct error err = {0};

		if (!mishaps_add(&s->mishaps, rule, &err))
			error_list_at(errors, path, item->line, item->col, "%s", err.msg);
		json_decref(rule);
	}
}

static void read_root(
	struct sim *s, const struct yaml *root, const char *path, struct error_list *errors)
{
	struct file file = {.spread = s->draw.spread};

	keys_read(root, path, "the faults file", file_keys, array_len(file_keys), &file, errors);
	if (file.quota)
		keys_read(file.quota, path, "quota", quota_keys, array_len(quota_keys), &s->quota,
			errors);
	if (file.services)
		keys_read(file.services, path, "services", service_keys, array_len(service_keys), s,
			errors);
	read_times(s, file.times, path, errors);
	read_faults(s, file.faults, path, errors);
	s->draw.spread = file.spread;
}

bool config_read(struct sim *s, const char *path, struct error *err)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_load(path, &errors);
	bool good;

	if (f && yaml_documents(f) > 0)
		read_root(s, yaml_root(f, 0), path, &errors);
	good = errors.n == 0;
	if (!good && err)
		*err = errors.p[0];
	error_list_fini(&errors);
	yaml_free(f);
	return good;
}
