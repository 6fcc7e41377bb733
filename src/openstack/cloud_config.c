/*
 * cloud_config.c - clouds.yaml, secure.yaml, clouds-public.yaml and OS_*, in openstacksdk's order.
 *
 * The files are merged as trees of marked nodes: a value remembers the file and line it came from,
 * so that an error about it can name them. Later layers win: profile, clouds.yaml, secure.yaml.
 */

#include "openstack/cloud_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/units.h"
#include "base/vec.h"
#include "net/dns.h"
#include "net/url.h"
#include "text/keys.h"
#include "text/yaml.h"

#define ENVIRONMENT "environment" /* the name of what OS_* say, in place of a file's */

struct layer { /* a map that values are looked up in */
	const struct yaml *map;
	const char *file;
};

struct loading {
	struct error_list *errors;
	VEC(struct yaml_file *) files;
	VEC(struct layer) layers; /* the most important first */
	struct cloud_config *config;
};

/* --- files ---------------------------------------------------------------------------------------
 */

static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	if (home && *home)
		return home;
	const struct passwd *pw = getpwuid(geteuid());
	return pw ? pw->pw_dir : "/";
}

/* openstacksdk's places, in order. Returns owned path of the first that exists, or NULL. */
static char *find_file(const char *base, const char *env)
{
	static const char *const ends[] = {".yaml", ".yml"};
	const char *named = env ? getenv(env) : NULL;
	if (named && *named)
		return mem_strdup(named);
	const char *xdg = getenv("XDG_CONFIG_HOME");
	char *dirs[] = {mem_strdup("."), xdg && *xdg ? mem_printf("%s/openstack", xdg) : NULL,
		mem_printf("%s/.config/openstack", home_dir()), mem_strdup("/etc/openstack")};
	char *found = NULL;
	for (size_t i = 0; i < array_len(dirs); i++) {
		for (size_t k = 0; dirs[i] && k < array_len(ends) && !found; k++) {
			char *path = mem_printf("%s/%s%s", dirs[i], base, ends[k]);
			if (access(path, F_OK) == 0)
				found = path;
			else
				free(path);
		}
		free(dirs[i]);
	}
	return found;
}

static const struct yaml *load(struct loading *l, char *path, const char *top)
{
	struct yaml_file *f = path ? yaml_load(path, l->errors) : NULL;
	free(path);
	if (!f)
		return NULL;
	vec_push(&l->files, f);
	const struct yaml *root = yaml_documents(f) ? yaml_root(f, 0) : NULL;
	const struct yaml *map = root ? yaml_get(root, top) : NULL;
	if (map && map->kind == YAML_MAP)
		return map;
	if (map)
		error_list_at(l->errors, yaml_name(f), map->line, map->col,
			"`%s` must be a map, not %s", top, yaml_kind_name(map));
	else
		error_list_at(l->errors, yaml_name(f), root ? root->line : 0, root ? root->col : 0,
			"`%s` is missing: it holds a map for each cloud", top);
	return NULL;
}

static const char *file_of(const struct loading *l, const struct yaml *top)
{
	for (size_t i = 0; i < l->files.n; i++)
		if (yaml_documents(l->files.p[i]) &&
			(yaml_get(yaml_root(l->files.p[i], 0), "clouds") == top ||
				yaml_get(yaml_root(l->files.p[i], 0), "public-clouds") == top))
			return yaml_name(l->files.p[i]);
	return "clouds.yaml";
}

/* --- values --------------------------------------------------------------------------------------
 */

static const struct yaml *lookup(
	const struct loading *l, const char *key, bool in_auth, const char **ret_file)
{
	for (size_t i = 0; i < l->layers.n; i++) {
		const struct layer *layer = &l->layers.p[i];
		const struct yaml *auth = in_auth ? yaml_get(layer->map, "auth") : NULL;
		const struct yaml *v = auth ? yaml_get(auth, key) : NULL;
		if (!v)
			v = yaml_get(layer->map, key);
		if (v && !yaml_is_null(v)) {
			*ret_file = layer->file;
			return v;
		}
	}
	return NULL;
}

/* An error about a value, where it stands; variables have no lines. */
static void wrong(struct loading *l, const char *file, const struct yaml *v, const char *fmt, ...)
	like_printf(4, 5);

static void wrong(struct loading *l, const char *file, const struct yaml *v, const char *fmt, ...)
{
	const bool place = strcmp(file, ENVIRONMENT) != 0;
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_list_at(l->errors, file, place ? v->line : 0, place ? v->col : 0, "%s", text);
}

static char *text_of(struct loading *l, const char *key, bool in_auth)
{
	const char *file;
	const struct yaml *v = lookup(l, key, in_auth, &file);
	if (v && v->kind != YAML_SCALAR) {
		wrong(l, file, v, "%s must be text, not %s", key, yaml_kind_name(v));
		return NULL;
	}
	return v ? slice_dup(v->text) : NULL;
}

static struct secret *secret_of(struct loading *l, const char *key)
{
	char *text = text_of(l, key, true);
	struct secret *s = text ? secret_new(slice_of(text)) : NULL;
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	return s;
}

/* "10.1.0.0/16"; without a length, one address. */
static bool parse_v4(const char *text, uint32_t *ret, unsigned *ret_bits)
{
	const size_t n = strcspn(text, "/");
	char address[INET_ADDRSTRLEN];
	struct in_addr a;
	int64_t bits = 32;
	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = 0;
	if (inet_pton(AF_INET, address, &a) != 1 ||
		(text[n] && !units_parse_int(slice_of(text + n + 1), &bits)) || bits < 0 ||
		bits > 32)
		return false;
	*ret = ntohl(a.s_addr);
	*ret_bits = (unsigned)bits;
	return true;
}

/* A number that a port or such is; 0 when it is not there. */
static unsigned port_of(
	struct loading *l, const struct yaml *map, const char *file, const char *key)
{
	const struct yaml *v = yaml_get(map, key);
	int64_t n = 0;
	if (v && (!yaml_int(v, &n) || n < 0 || n > 65535))
		wrong(l, file, v, "reach: %s must be a port", key);
	return (unsigned)n;
}

static char *network_of(
	struct loading *l, const struct yaml *map, const char *file, const char *key)
{
	const struct yaml *v = yaml_get(map, key);
	uint32_t address;
	unsigned bits;
	if (v && (v->kind != YAML_SCALAR || !parse_v4(v->text.p, &address, &bits))) {
		wrong(l, file, v, "reach: %s must be an IPv4 network such as 127.77.0.0/16", key);
		v = NULL;
	}
	return v ? slice_dup(v->text) : NULL;
}

static void read_reach_ports(struct loading *l, const struct yaml *map, const char *file)
{
	struct reach *r = &l->config->reach;
	if (!map)
		return;
	if (map->kind != YAML_MAP) {
		wrong(l, file, map, "reach: ports must be a map such as {80: 34001}");
		return;
	}
	r->ports = mem_new_array(map->n, sizeof(*r->ports));
	for (size_t i = 0; i < map->n; i++) {
		int64_t port, mapped;
		/* as a text too: openstacksdk stumbles over keys that are numbers */
		if (!units_parse_int(map->keys[i]->text, &port) || port < 1 || port > 65535 ||
			!yaml_int(map->items[i], &mapped) || mapped < 1 || mapped > 65535)
			wrong(l, file, map->keys[i], "reach: ports maps a port to a port");
		else
			r->ports[r->port_count++] = (struct reach_port){
				.port = (unsigned)port, .mapped = (unsigned)mapped};
	}
}

static void read_reach(struct loading *l)
{
	static const char *const keys[] = {"map", "network", "ping", "ports", "ssh"};
	const char *file;
	const struct yaml *map = lookup(l, "reach", false, &file);
	struct reach *r = &l->config->reach;
	if (!map)
		return;
	if (map->kind != YAML_MAP) {
		wrong(l, file, map, "reach must be a map");
		return;
	}
	if (!yaml_get(map, "map"))
		wrong(l, file, map,
			"reach needs `map` (and `network`): networks such as 127.77.0.0/16");
	for (size_t i = 0; i < map->n; i++) {
		const struct slice key = map->keys[i]->text;
		bool known = false;
		for (size_t k = 0; k < array_len(keys); k++)
			known = known || slice_is(key, keys[k]);
		const char *near = known ? NULL : slice_nearest(key, keys, array_len(keys));
		if (!known)
			wrong(l, file, map->keys[i], "reach: unknown key \"%.60s\"%s%s%s", key.p,
				near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
	}
	r->map = network_of(l, map, file, "map");
	r->network = network_of(l, map, file, "network");
	if (!r->network)
		r->network = mem_strdup("0.0.0.0/0");
	r->ssh = port_of(l, map, file, "ssh");
	r->ping = port_of(l, map, file, "ping");
	read_reach_ports(l, yaml_get(map, "ports"), file);
}

static void read_dns(struct loading *l)
{
	const char *file;
	const struct yaml *list = lookup(l, "dns", false, &file);
	struct cloud_config *c = l->config;
	if (!list)
		return;
	if (list->kind != YAML_LIST) {
		wrong(l, file, list,
			"dns must be a list of name servers such as [\"192.0.2.1:53\"]");
		return;
	}
	c->dns = mem_new_array(list->n, sizeof(*c->dns));
	for (size_t i = 0; i < list->n; i++) {
		const struct yaml *v = list->items[i];
		char *host = NULL;
		unsigned port;
		if (v->kind != YAML_SCALAR || !dns_server_split(v->text.p, &host, &port))
			wrong(l, file, v, "dns: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT");
		else
			c->dns[c->dns_count++] = slice_dup(v->text);
		free(host);
	}
}

/* Keys such as network_endpoint_override and compute_api_version. */
static void read_suffixed(struct loading *l, const char *suffix, struct map *into)
{
	for (size_t i = 0; i < l->layers.n; i++) {
		const struct yaml *map = l->layers.p[i].map;
		for (size_t k = 0; k < map->n; k++) {
			const struct slice key = map->keys[k]->text;
			if (!slice_ends(key, suffix) || map->items[k]->kind != YAML_SCALAR)
				continue;
			const struct slice service = slice_sub(key, 0, key.n - strlen(suffix));
			if (!map_get_slice(into, service))
				map_put_slice(into, service, slice_dup(map->items[k]->text));
		}
	}
}

static void read_type(struct loading *l)
{
	struct cloud_config *c = l->config;
	const char *file = NULL;
	const struct yaml *v = lookup(l, "auth_type", false, &file);
	if (v && (slice_is(v->text, "v3applicationcredential")))
		c->auth_type = AUTH_APPLICATION_CREDENTIAL;
	else if (v && (slice_is(v->text, "token") || slice_is(v->text, "v3token")))
		c->auth_type = AUTH_TOKEN;
	else if (v && !slice_is(v->text, "password") && !slice_is(v->text, "v3password"))
		wrong(l, file, v,
			"auth_type \"%.60s\" is not known here: password, token, v3applicationcredential",
			v->kind == YAML_SCALAR ? v->text.p : yaml_kind_name(v));
	else if (!v && c->application_credential_secret)
		c->auth_type = AUTH_APPLICATION_CREDENTIAL;
	else if (!v && c->token && !c->password)
		c->auth_type = AUTH_TOKEN;
}

static void read_region(struct loading *l)
{
	const char *file;
	const struct yaml *v = lookup(l, "region_name", false, &file);
	if (v && v->kind == YAML_SCALAR) {
		l->config->region = slice_dup(v->text);
		return;
	}
	v = lookup(l, "regions", false, &file);
	const struct yaml *first = v && v->kind == YAML_LIST && v->n == 1 ? v->items[0] : NULL;
	if (first && first->kind == YAML_MAP)
		first = yaml_get(first, "name");
	if (first && first->kind == YAML_SCALAR)
		l->config->region = slice_dup(first->text);
}

/* As PyYAML reads them (YAML 1.1), since these files are its; quoted too, for OS_*. */
static bool flag_of(struct loading *l, const char *key, bool otherwise)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	const char *file;
	const struct yaml *v = lookup(l, key, false, &file);
	if (!v)
		return otherwise;
	for (size_t i = 0; i < array_len(words); i++)
		if (v->kind == YAML_SCALAR && !strcasecmp(v->text.p, words[i]))
			return i % 2;
	wrong(l, file, v, "%s must be true or false", key);
	return otherwise;
}

/* The path of a file; ~/ is the home directory, as openstacksdk has it. */
static char *path_of(struct loading *l, const char *key)
{
	char *path = text_of(l, key, false);
	if (!path || !slice_starts(slice_of(path), "~/"))
		return path;
	char *full = mem_printf("%s%s", home_dir(), path + 1);
	free(path);
	return full;
}

static void read_values(struct loading *l)
{
	struct cloud_config *c = l->config;
	c->auth_url = text_of(l, "auth_url", true);
	c->username = text_of(l, "username", true);
	c->user_id = text_of(l, "user_id", true);
	c->user_domain_name = text_of(l, "user_domain_name", true);
	c->user_domain_id = text_of(l, "user_domain_id", true);
	c->project_name = text_of(l, "project_name", true);
	c->project_id = text_of(l, "project_id", true);
	if (!c->project_name && !c->project_id)
		c->project_name = text_of(l, "tenant_name", true);
	c->project_domain_name = text_of(l, "project_domain_name", true);
	c->project_domain_id = text_of(l, "project_domain_id", true);
	c->domain_name = text_of(l, "domain_name", true);
	c->domain_id = text_of(l, "domain_id", true);
	c->system_scope = text_of(l, "system_scope", true);
	c->application_credential_id = text_of(l, "application_credential_id", true);
	c->application_credential_name = text_of(l, "application_credential_name", true);
	c->password = secret_of(l, "password");
	c->token = secret_of(l, "token");
	c->application_credential_secret = secret_of(l, "application_credential_secret");
	read_region(l);
	c->interface = text_of(l, "interface", false);
	if (!c->interface)
		c->interface = text_of(l, "endpoint_type", false);
	if (!c->interface)
		c->interface = mem_strdup("public");
	if (slice_ends(slice_of(c->interface), "URL"))
		c->interface[strlen(c->interface) - 3] = 0;
	c->ca_file = path_of(l, "cacert");
	c->cert_file = path_of(l, "cert");
	c->key_file = path_of(l, "key");
	c->verify = flag_of(l, "verify", true) && !flag_of(l, "insecure", false);
	read_suffixed(l, "_endpoint_override", &c->endpoint_override);
	read_suffixed(l, "_api_version", &c->api_version);
	read_reach(l);
	read_dns(l);
	read_type(l);
}

/* --- what must be there ----------------------------------------------------------------------- */

/* A value that is there but of a wrong type has its error already. */
static void missing(struct loading *l, const char *key, const char *what)
{
	const struct cloud_config *c = l->config;
	const char *file;
	if (!lookup(l, key, true, &file))
		error_list_at(l->errors, c->file, c->line, c->col, "cloud %s: %s is missing",
			c->name, what);
}

static void check(struct loading *l)
{
	struct cloud_config *c = l->config;
	if (!c->auth_url)
		missing(l, "auth_url", "auth.auth_url");
	else if (!slice_starts(slice_of(c->auth_url), "http://") &&
		 !slice_starts(slice_of(c->auth_url), "https://"))
		error_list_at(l->errors, c->file, c->line, c->col,
			"cloud %s: auth_url \"%.200s\" must begin with http:// or https://",
			c->name, c->auth_url);
	if (c->auth_type == AUTH_PASSWORD) {
		if (!c->username && !c->user_id)
			missing(l, "username", "auth.username");
		if (!c->password)
			missing(l, "password", "auth.password (in clouds.yaml or secure.yaml)");
	} else if (c->auth_type == AUTH_TOKEN && !c->token) {
		missing(l, "token", "auth.token");
	} else if (c->auth_type == AUTH_APPLICATION_CREDENTIAL) {
		if (!c->application_credential_secret)
			missing(l, "application_credential_secret",
				"auth.application_credential_secret");
		if (!c->application_credential_id &&
			!(c->application_credential_name && (c->username || c->user_id)))
			missing(l, "application_credential_id",
				"auth.application_credential_id (or its name and the user)");
	}
	if (c->ca_file && access(c->ca_file, R_OK) != 0)
		error_list_at(l->errors, c->file, c->line, c->col,
			"cloud %s: cannot read cacert %s: %s", c->name, c->ca_file,
			strerror(errno));
	/* Keystone wants a domain with every name. */
	if (!c->user_domain_name && !c->user_domain_id)
		c->user_domain_name = mem_strdup("Default");
	if (!c->project_domain_name && !c->project_domain_id)
		c->project_domain_name = mem_strdup("Default");
}

/* --- which cloud ------------------------------------------------------------------------------ */

static void add_layer(struct loading *l, const struct yaml *map, const char *file)
{
	if (map && map->kind == YAML_MAP) {
		const struct layer layer = {map, file};
		vec_push(&l->layers, layer);
	}
}

static void no_such_cloud(struct loading *l, const struct yaml *clouds, const char *name)
{
	const char *names[64];
	size_t n = 0;
	struct buf all = BUF(BUF_LINE);
	for (size_t i = 0; clouds && i < clouds->n; i++) {
		buf_printf(&all, "%s%s", i ? ", " : "", clouds->keys[i]->text.p);
		if (n < array_len(names))
			names[n++] = clouds->keys[i]->text.p;
	}
	const char *near = slice_nearest(slice_of(name), names, n);
	if (!clouds)
		error_list_at(l->errors, "", 0, 0,
			"no cloud \"%s\": there is no clouds.yaml here, in ~/.config/openstack or in"
			" /etc/openstack, and OS_CLIENT_CONFIG_FILE names none",
			name);
	else
		error_list_at(l->errors, file_of(l, clouds), clouds->line, clouds->col,
			"no cloud \"%s\"%s%s%s; there are: %.400s", name,
			near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "",
			buf_str(&all));
	buf_fini(&all);
}

static void load_cloud(struct loading *l, const struct yaml *clouds, const char *name)
{
	const struct yaml *cloud = yaml_get(clouds, name);
	struct cloud_config *c = l->config;
	if (!cloud) {
		no_such_cloud(l, clouds, name);
		return;
	}
	if (cloud->kind != YAML_MAP) {
		error_list_at(l->errors, file_of(l, clouds), cloud->line, cloud->col,
			"cloud %s must be a map, not %s", name, yaml_kind_name(cloud));
		return;
	}
	c->file = mem_strdup(file_of(l, clouds));
	c->line = cloud->line;
	c->col = cloud->col;
	const struct yaml *secure = load(l, find_file("secure", "OS_CLIENT_SECURE_FILE"), "clouds");
	if (secure)
		add_layer(l, yaml_get(secure, name), file_of(l, secure));
	add_layer(l, cloud, c->file);
	const struct yaml *profile = yaml_get(cloud, "profile");
	if (!profile)
		profile = yaml_get(cloud, "cloud");
	if (profile && profile->kind == YAML_SCALAR) {
		const struct yaml *public = load(
			l, find_file("clouds-public", "OS_CLIENT_VENDOR_FILE"), "public-clouds");
		const struct yaml *found = yaml_get(public, profile->text.p);
		if (found)
			add_layer(l, found, file_of(l, public));
		else
			error_list_at(l->errors, c->file, profile->line, profile->col,
				"no profile \"%.60s\" in clouds-public.yaml", profile->text.p);
	}
	read_values(l);
	check(l);
}

/* --- OS_* ------------------------------------------------------------------------------------- */

extern char **environ;

/* OS_PROJECT_NAME=x becomes `project_name: "x"`, read like any other file. */
static void load_environment(struct loading *l)
{
	struct buf text = BUF(YAML_SIZE_MAX);
	const size_t before = l->errors->n;
	for (char **e = environ; *e; e++) {
		const char *eq = strchr(*e, '=');
		/* An empty one is not set: openrc files leave such behind. */
		if (strncmp(*e, "OS_", 3) != 0 || !eq || eq == *e + 3 || !eq[1])
			continue;
		if (!utf8_valid(slice_of(eq + 1))) {
			error_list_at(l->errors, ENVIRONMENT, 0, 0, "%.*s is not UTF-8",
				(int)(eq - *e), *e);
			continue;
		}
		for (const char *p = *e + 3; p < eq; p++)
			buf_add_char(&text, (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
		json_t *value = json_string(eq + 1);
		char *quoted = json_dumps(value, JSON_ENCODE_ANY);
		buf_printf(&text, ": %s\n", quoted);
		explicit_bzero(quoted, strlen(quoted));
		free(quoted);
		json_decref(value);
	}
	const bool good = l->errors->n == before;
	struct yaml_file *f = good ? yaml_parse(buf_slice(&text), ENVIRONMENT, l->errors) : NULL;
	if (text.p)
		explicit_bzero(text.p, text.n);
	buf_fini(&text);
	if (!f)
		return;
	vec_push(&l->files, f);
	l->config->file = mem_strdup(ENVIRONMENT);
	if (yaml_documents(f))
		add_layer(l, yaml_root(f, 0), ENVIRONMENT);
	read_values(l);
	check(l);
}

struct cloud_config *cloud_config_load(const char *name, struct error_list *errors)
{
	struct loading l = {.errors = errors, .config = mem_new(struct cloud_config)};
	const size_t before = errors->n;
	const char *env = getenv("OS_CLOUD");
	if (!name && env && *env)
		name = env;
	const bool from_env = name ? !strcmp(name, "envvars") : getenv("OS_AUTH_URL") != NULL;
	const struct yaml *clouds = NULL;
	if (!from_env) {
		clouds = load(&l, find_file("clouds", "OS_CLIENT_CONFIG_FILE"), "clouds");
		if (!name && clouds && clouds->n == 1)
			name = clouds->keys[0]->text.p;
	}
	l.config->name = mem_strdup(from_env ? "envvars" : name ? name : "");
	if (from_env)
		load_environment(&l);
	else if (errors->n == before && !name)
		error_list_at(errors, "", 0, 0, "which cloud? Name one with --cloud or OS_CLOUD");
	else if (errors->n == before)
		load_cloud(&l, clouds, name);
	for (size_t i = 0; i < l.files.n; i++)
		yaml_free(l.files.p[i]);
	vec_fini(&l.files);
	vec_fini(&l.layers);
	if (errors->n == before)
		return l.config;
	cloud_config_free(l.config);
	return NULL;
}

char **cloud_config_names(void)
{
	struct error_list errors = {0};
	struct loading l = {.errors = &errors};
	const struct yaml *clouds =
		load(&l, find_file("clouds", "OS_CLIENT_CONFIG_FILE"), "clouds");
	const size_t n = clouds ? clouds->n : 0;
	char **names = mem_new_array(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = slice_dup(clouds->keys[i]->text);
	for (size_t i = 0; i < l.files.n; i++)
		yaml_free(l.files.p[i]);
	vec_fini(&l.files);
	error_list_fini(&errors);
	return names;
}

static void free_texts(struct map *m)
{
	MAP_EACH (m, e) {
		free(e->value);
	}
	map_fini(m);
}

void cloud_config_free(struct cloud_config *c)
{
	if (!c)
		return;
	free(c->reach.ports);
	for (size_t i = 0; i < c->dns_count; i++)
		free(c->dns[i]);
	free(c->dns);
	char *texts[] = {c->name, c->file, c->auth_url, c->username, c->user_id,
		c->user_domain_name, c->user_domain_id, c->project_name, c->project_id,
		c->project_domain_name, c->project_domain_id, c->domain_name, c->domain_id,
		c->system_scope, c->application_credential_id, c->application_credential_name,
		c->region, c->interface, c->ca_file, c->cert_file, c->key_file, c->reach.network,
		c->reach.map};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	secret_unref(c->password);
	secret_unref(c->token);
	secret_unref(c->application_credential_secret);
	free_texts(&c->endpoint_override);
	free_texts(&c->api_version);
	free(c);
}

/* --- reach ------------------------------------------------------------------------------------ */

static unsigned reach_port(const struct reach *r, unsigned port)
{
	for (size_t i = 0; i < r->port_count; i++)
		if (r->ports[i].port == port)
			return r->ports[i].mapped;
	return port;
}

char *reach_address(const struct reach *r, const char *address, unsigned *port, bool ping)
{
	uint32_t a, network, to;
	unsigned bits, network_bits, to_bits;
	if (!r->map || !parse_v4(address, &a, &bits) || bits != 32 ||
		!parse_v4(r->network, &network, &network_bits) || !parse_v4(r->map, &to, &to_bits))
		return mem_strdup(address);
	const uint32_t mask = network_bits ? ~0u << (32 - network_bits) : 0;
	const uint32_t host = to_bits < 32 ? ~0u >> to_bits : 0;
	if ((a & mask) != (network & mask))
		return mem_strdup(address);
	struct in_addr mapped = {.s_addr = htonl((to & ~host) | (a & host))};
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &mapped, text, sizeof(text));
	if (ping)
		*port = r->ping;
	else if (*port == 22 && r->ssh)
		*port = r->ssh;
	else
		*port = reach_port(r, *port);
	return mem_strdup(text);
}

char *reach_peer(const struct reach *r, const char *url)
{
	struct url u;
	if (!url_parse(slice_of(url), &u, NULL))
		return NULL;
	unsigned port = u.port;
	char *host = slice_dup(u.host), *address = reach_address(r, host, &port, false);
	char *peer = strcmp(host, address) != 0 || port != u.port
			     ? mem_printf("%s:%u", address, port)
			     : NULL;
	free(host);
	free(address);
	return peer;
}
