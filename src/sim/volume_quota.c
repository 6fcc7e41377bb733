/*
 * volume_quota.c - cinder's quotas and limits: what is used, and the refusals.
 */

#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

struct usage {
	int64_t volumes, snapshots, backups;
	int64_t gigabytes; /* of volumes and snapshots */
	int64_t backup_gigabytes;
};

static void count(struct sim *s, enum kind k, const char *project, int64_t *n, int64_t *gib)
{
	OBJECT_EACH (s, k, o)
		if (!strcmp(o->project, project)) {
			++*n;
			*gib += json_int(o->doc, "size", 0);
		}
}

static void count_snapshots(const struct object *volume, int64_t *n, int64_t *gib)
{
	OBJECT_EACH (volume->sim, KIND_SNAPSHOT, o)
		if (!strcmp(object_str(o, "volume_id"), volume->id)) {
			++*n;
			*gib += json_int(o->doc, "size", 0);
		}
}

static struct usage used(const struct call *c)
{
	struct usage u = {0};

	count(c->sim, KIND_VOLUME, c->project, &u.volumes, &u.gigabytes);
	count(c->sim, KIND_SNAPSHOT, c->project, &u.snapshots, &u.gigabytes);
	count(c->sim, KIND_BACKUP, c->project, &u.backups, &u.backup_gigabytes);
	return u;
}

static bool over(int64_t limit, int64_t have, int64_t more)
{
	return limit >= 0 && have + more > limit;
}

static bool refuse_size(struct call *c, const char *what, int64_t gib, int64_t limit, int64_t have)
{
	call_header(c, "Retry-After", "0");
	call_fail(c, 413, NULL,
		"%s quota. Requested %lldG, quota is %lldG and %lldG has been consumed.", what,
		(long long)gib, (long long)limit, (long long)have);
	return false;
}

static bool refuse_count(
	struct call *c, const char *type, const char *what, int64_t limit, const char *tail)
{
	call_header(c, "Retry-After", "0");
	call_fail(c, 413, NULL, "%s: Maximum number of %s allowed (%lld) exceeded%s", type, what,
		(long long)limit, tail);
	return false;
}

bool volume_quota_grow(struct call *c, int64_t gib)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = used(c);

	return !over(q->gigabytes, u.gigabytes, gib) ||
	       refuse_size(c,
		       "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds "
		       "allowed gigabytes",
		       gib, q->gigabytes, u.gigabytes);
}

bool volume_quota(struct call *c, int64_t gib)
{
	const struct quota *q = &c->sim->quota;

	if (!volume_quota_grow(c, gib))
		return false;
	if (!over(q->volumes, used(c).volumes, 1) && !call_hit(c, MISHAP_QUOTA))
		return true;
	return refuse_count(
		c, "VolumeLimitExceeded", "volumes", q->volumes, " for quota 'volumes'.");
}

bool snapshot_quota(struct call *c, int64_t gib)
{
	const struct quota *q = &c->sim->quota;

	if (!volume_quota_grow(c, gib))
		return false;
	if (!over(q->snapshots, used(c).snapshots, 1) && !call_hit(c, MISHAP_QUOTA))
		return true;
	return refuse_count(c, "SnapshotLimitExceeded", "snapshots", q->snapshots, "");
}

bool backup_quota(struct call *c, int64_t gib)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = used(c);

	if (over(q->backup_gigabytes, u.backup_gigabytes, gib))
		return refuse_size(c,
			"VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed "
			"Backup gigabytes",
			gib, q->backup_gigabytes, u.backup_gigabytes);
	if (!over(q->backups, u.backups, 1) && !call_hit(c, MISHAP_QUOTA))
		return true;
	return refuse_count(c, "BackupLimitExceeded", "backups", q->backups, "");
}

/* --- what is told ------------------------------------------------------------------------------
 */

void volume_limits(struct call *c)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = used(c);
	const struct {
		const char *name;
		int64_t n;
	} all[] = {{"maxTotalVolumes", q->volumes}, {"maxTotalSnapshots", q->snapshots},
		{"maxTotalVolumeGigabytes", q->gigabytes}, {"maxTotalBackups", q->backups},
		{"maxTotalBackupGigabytes", q->backup_gigabytes}, {"totalVolumesUsed", u.volumes},
		{"totalGigabytesUsed", u.gigabytes}, {"totalSnapshotsUsed", u.snapshots},
		{"totalBackupsUsed", u.backups}, {"totalBackupGigabytesUsed", u.backup_gigabytes}};
	json_t *absolute = json_object();

	for (size_t i = 0; i < array_len(all); i++)
		json_object_set_new(absolute, all[i].name, json_integer(all[i].n));
	call_json(c, 200, json_pack("{s:{s:[], s:o}}", "limits", "rate", "absolute", absolute));
}

static json_t *quota_view(int64_t limit, int64_t have, bool usage)
{
	return usage ? json_pack("{s:I, s:I, s:i}", "limit", (json_int_t)limit, "in_use",
			       (json_int_t)have, "reserved", 0)
		     : json_integer(limit);
}

/* Each type has quotas of its own, without limits here: "gigabytes_files". */
static void add_types(const struct call *c, json_t *set, bool usage)
{
	OBJECT_EACH (c->sim, KIND_VOLUME_TYPE, t) {
		static const char *const names[] = {"volumes", "gigabytes", "snapshots"};
		int64_t n[array_len(names)] = {0};
		OBJECT_EACH (c->sim, KIND_VOLUME, v)
			if (!strcmp(v->project, c->project) &&
				!strcmp(object_str(v, "volume_type_id"), t->id)) {
				n[0]++;
				n[1] += json_int(v->doc, "size", 0);
				count_snapshots(v, &n[2], &n[1]);
			}
		for (size_t i = 0; i < array_len(names); i++) {
			char *key = mem_printf("%s_%s", names[i], object_str(t, "name"));
			json_object_set_new(set, key, quota_view(-1, n[i], usage));
			free(key);
		}
	}
}

void volume_quota_show(struct call *c)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = used(c);
	const struct {
		const char *name;
		int64_t limit, used;
	} all[] = {{"volumes", q->volumes, u.volumes}, {"per_volume_gigabytes", -1, 0},
		{"snapshots", q->snapshots, u.snapshots}, {"gigabytes", q->gigabytes, u.gigabytes},
		{"backups", q->backups, u.backups},
		{"backup_gigabytes", q->backup_gigabytes, u.backup_gigabytes}, {"groups", 10, 0}};
	const char *usage = call_query(c, "usage");
	const bool wants_usage = usage && !strcasecmp(usage, "true");
	json_t *set = json_object();

	if (strcmp(c->params[1], c->project)) {
		json_decref(set);
		volume_forbid(c, "volume_extension:quotas:show");
		return;
	}
	for (size_t i = 0; i < array_len(all); i++)
		json_object_set_new(
			set, all[i].name, quota_view(all[i].limit, all[i].used, wants_usage));
	add_types(c, set, wants_usage);
	json_object_set_new(set, "id", json_string(c->project));
	call_json(c, 200, json_pack("{s:o}", "quota_set", set));
}
