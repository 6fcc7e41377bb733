#include "sim/seed.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute.h"
#include "sim/image.h"
#include "sim/network.h"
#include "sim/state.h"
#include "sim/volume.h"

static struct object *seed(struct sim *s, enum kind k, const char *id, const char *name)
{
	char hex[PROJECT_TEXT];

	if (!id && (k == KIND_PROJECT || k == KIND_USER))
		id = draw_hex32(&s->draw, kind_word(k), hex);
	struct object *o = object_new(s, k, id, NULL, NULL);
	o->made_by = MADE_BY_SEED;
	object_set_str(o, "id", o->id);
	object_set_str(o, "name", name);
	return o;
}

static struct object *seed_project(struct sim *s, const char *name)
{
	struct object *o = seed(s, KIND_PROJECT, NULL, name);

	object_set_str(o, "domain_id", SEED_DOMAIN);
	object_set_str(o, "parent_id", SEED_DOMAIN);
	object_set_str(o, "description", "");
	object_set(o, "enabled", json_true());
	object_set(o, "is_domain", json_false());
	object_set(o, "tags", json_array());
	object_set(o, "options", json_object());
	snprintf(o->project, sizeof(o->project), "%s", o->id);
	return o;
}

/* `projects`: ids of the projects in which the user is a member. */
static struct object *seed_user(
	struct sim *s, const char *name, const struct object *const *projects, size_t n)
{
	struct object *o = seed(s, KIND_USER, NULL, name);
	json_t *member = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(member, json_string(projects[i]->id));
	object_set_str(o, "domain_id", SEED_DOMAIN);
	object_set(o, "enabled", json_true());
	object_set(o, "options", json_object());
	object_set(o, "password_expires_at", json_null());
	object_set(o, ".projects", member); /* keys with a dot are never shown */
	return o;
}

static void seed_identity(struct sim *s)
{
	const struct object *demo = seed_project(s, "demo"), *second = seed_project(s, "second"),
			    *other = seed_project(s, "other");
	const struct object *both[] = {demo, second};
	struct object *user = seed_user(s, "demo", both, 2);

	seed_user(s, "demo-b", &demo, 1);
	seed_user(s, "other", &other, 1);

	struct object *a = seed(s, KIND_APP_CREDENTIAL, SEED_APP_CREDENTIAL, "sim-app");
	snprintf(a->project, sizeof(a->project), "%s", demo->id);
	snprintf(a->user, sizeof(a->user), "%s", user->id);
	object_set_str(a, "description", NULL);
	object_set_str(a, "project_id", demo->id);
	object_set(a, "expires_at", json_null());
	object_set(a, "unrestricted", json_false());
	object_set_str(a, ".secret", SEED_APP_SECRET);
}

void seed_cloud(struct sim *s)
{
	seed_identity(s);
	network_seed(s);
	compute_seed(s);
	volume_seed(s);
	image_seed(s);
}
