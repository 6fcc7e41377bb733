#include "sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/config.h"
#include "sim/dns.h"
#include "sim/guest.h"
#include "sim/seed.h"
#include "sim/state.h"

#define TOKEN_NS (4 * 3600 * NS_PER_S)

const char *const sim_zones[ZONE_COUNT] = {"az1", "az2"};

static bool listen_on(struct sim *s, const char *address, struct error *err)
{
	struct http_server_options o = {
		.address = address ? address : "127.0.0.1:0",
		.connections = 4000,
		.answer_ns = 3600 * NS_PER_S, /* faults may take long */
		.body_ns = 600 * NS_PER_S,
		.handle = call_arrive,
		.stream = call_stream,
		.piece = call_piece,
		.gone = call_gone,
		.arg = s,
	};

	s->server = http_server_new(s->loop, &o, err);
	if (!s->server)
		return false;
	s->port = http_server_port(s->server);
	size_t host = (size_t)(strrchr(o.address, ':') - o.address);
	bool any = host == 7 && !strncmp(o.address, "0.0.0.0", 7);
	s->url = mem_printf(
		"http://%.*s:%u", any ? 9 : (int)host, any ? "127.0.0.1" : o.address, s->port);
	return true;
}

struct sim *sim_new(struct loop *l, const struct sim_options *options, struct error *err)
{
	struct sim *s = mem_new(struct sim);

	s->loop = l;
	s->token_ns = options->token_ns > 0 ? options->token_ns : TOKEN_NS;
	s->started_ns = loop_now_ns(l);
	s->violations = json_array();
	s->deleted_servers = json_array();
	draw_init(&s->draw, options->seed, options->speed);
	config_defaults(s);
	if (!record_init(&s->record, options->log, err) ||
		(options->faults && !config_read(s, options->faults, err)) ||
		!listen_on(s, options->listen, err) || !(s->guests = guests_new(s, err)) ||
		!(s->name_server = name_server_new(s, err))) {
		sim_free(s);
		return NULL;
	}
	seed_cloud(s);
	return s;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	calls_fini(s);
	http_server_free(s->server);
	guests_free(s->guests);
	s->guests = NULL;
	name_server_free(s->name_server);
	tables_fini(s);
	tokens_fini(s);
	mishaps_fini(&s->mishaps);
	record_fini(&s->record);
	draw_fini(&s->draw);
	MAP_EACH (&s->instances, e)
		free(e->value);
	map_fini(&s->instances);
	json_decref(s->violations);
	json_decref(s->deleted_servers);
	free(s->url);
	free(s);
}

unsigned sim_port(const struct sim *s)
{
	return s->port;
}

unsigned sim_name_server_port(const struct sim *s)
{
	return name_server_port(s->name_server);
}

const char *sim_url(const struct sim *s)
{
	return s->url;
}

json_t *sim_violations(const struct sim *s)
{
	return json_deep_copy(s->violations);
}

json_t *sim_requests(const struct sim *s)
{
	return record_json(&s->record.requests);
}

bool sim_faults_add(struct sim *s, const json_t *faults, struct error *err)
{
	return mishaps_add(&s->mishaps, faults, err);
}

void sim_faults_clear(struct sim *s)
{
	mishaps_clear(&s->mishaps);
}

/* --- what is left ----------------------------------------------------------------------------- */

static const char *const makers[] = {
	"api", "nova", "neutron", "designate", "barbican", "heat", "octavia", "seed", "plant"};

static const char *project_name(struct sim *s, const char *id)
{
	const struct object *p = object_get(s, KIND_PROJECT, id);

	return p ? object_str(p, "name") : id;
}

static const char *object_name(const struct object *o)
{
	const char *name = json_str(o->doc, o->kind == KIND_STACK ? "stack_name" : "name");

	return name ? name : object_str(o, "floating_ip_address");
}

static void count_up(json_t *projects, const char *project, const char *kind)
{
	json_t *p = json_object_get(projects, project);

	if (!p)
		json_object_set_new(projects, project, p = json_object());
	json_object_set_new(p, kind, json_integer(json_int(p, kind, 0) + 1));
}

/* Ids of what it belongs to, as far as its document names them. */
static json_t *parents(const struct object *o)
{
	static const char *const keys[] = {"device_id", "network_id", "security_group_id"};
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(keys); i++)
		if (*object_str(o, keys[i]))
			json_array_append_new(list, json_string(object_str(o, keys[i])));
	return list;
}

static void add_left(struct sim *s, struct object *o, json_t *objects, json_t *projects)
{
	const char *project = project_name(s, o->project);

	json_array_append_new(
		objects, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o}", "kind",
				 kind_word(o->kind), "id", o->id, "name", object_name(o), "project",
				 project, "made_by", makers[o->made_by], "mark", o->mark,
				 "instance", o->instance, "parents", parents(o)));
	count_up(projects, project, kind_word(o->kind));
}

json_t *sim_left(const struct sim *cs)
{
	struct sim *s = (struct sim *)cs;
	json_t *objects = json_array(), *projects = json_object(), *touched = json_array();
	int intact = 0;

	for (int k = 0; k < KIND_COUNT; k++)
		OBJECT_EACH (s, k, o) {
			if (o->made_by == MADE_BY_SEED || (o->gone && o->made_by != MADE_BY_PLANT))
				continue;
			if (o->made_by != MADE_BY_PLANT)
				add_left(s, o, objects, projects);
			else if (o->touched)
				json_array_append_new(touched, json_string(o->id));
			else
				intact++;
		}
	return json_pack("{s:o, s:o, s:{s:i, s:o}}", "objects", objects, "projects", projects,
		"planted", "intact", intact, "touched", touched);
}

/* --- clouds.yaml ------------------------------------------------------------------------------ */

static void add_cloud(
	const struct sim *s, struct buf *b, const char *name, const char *user, const char *project)
{
	buf_printf(b,
		"  %s:\n"
		"    auth:\n"
		"      auth_url: %s/identity\n",
		name, s->url);
	if (project)
		buf_printf(b,
			"      username: %s\n"
			"      password: %s\n"
			"      user_domain_name: Default\n"
			"      project_name: %s\n"
			"      project_domain_name: Default\n",
			user, SEED_PASSWORD, project);
	else
		buf_printf(b,
			"      application_credential_id: %s\n"
			"      application_credential_secret: %s\n"
			"    auth_type: v3applicationcredential\n",
			SEED_APP_CREDENTIAL, SEED_APP_SECRET);
	buf_printf(b,
		"    region_name: %s\n"
		"    reach: {network: %s, map: %s, ssh: %u, ping: %u, ports: {",
		SIM_REGION, SEED_PUBLIC_CIDR, GUEST_MAP_CIDR, guests_ssh_port(s->guests),
		guests_ping_port(s->guests));
	for (size_t i = 0; i < WORLD_PORTS; i++) /* openstacksdk wants keys to be texts */
		buf_printf(b, "%s\"%u\": %u", i ? ", " : "", world_ports[i],
			guests_tcp_port(s->guests, i));
	buf_printf(b, "}}\n    dns: [\"127.0.0.1:%u\"]\n", name_server_port(s->name_server));
}

char *sim_clouds_text(const struct sim *s)
{
	struct buf b = BUF(BUF_LINE);

	buf_add_str(&b, "clouds:\n");
	add_cloud(s, &b, "sim", "demo", "demo");
	add_cloud(s, &b, "sim-b", "demo-b", "demo");
	add_cloud(s, &b, "sim-other", "other", "other");
	add_cloud(s, &b, "sim-second", "demo", "second");
	add_cloud(s, &b, "sim-app", NULL, NULL);
	return buf_take(&b);
}

bool sim_clouds_yaml(const struct sim *s, const char *path, struct error *err)
{
	char *text = sim_clouds_text(s), *temp = mem_printf("%s.%d", path, (int)getpid());
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(text);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		good = close(fd) == 0 && good;
	good = good && rename(temp, path) == 0;
	if (!good) {
		error_sys(err, errno, "cannot write %s", path);
		unlink(temp);
	}
	free(temp);
	free(text);
	return good;
}
