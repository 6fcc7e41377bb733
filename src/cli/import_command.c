/*
 * import_command.c - `glasshouse import`: the configuration of another program, as ours.
 */

#include "cli/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/import_program.h"
#include "import/oshm.h"
#include "import/shell.h"
#include "text/yaml_write.h"

const char import_usage[] =
	"usage: glasshouse import oshm 'OPTIONS'|FILE\n"
	"       glasshouse import cloudmon|gatus|blackbox|uptime-kuma [OPTION]... PATH...\n"
	"\n"
	"Prints the glasshouse.yaml that does what another program does.\n"
	"\n"
	"oshm: what OpenStack Health Monitor does when it is started with these options (variables may\n"
	"stand in front of them), or by this start script. What became of each option and variable\n"
	"stands in comments at its end; what has no equivalent is told on stderr too, with the reason.\n"
	"\n"
	"The others read configurations: CloudMon's (EPmon, GlobalMon, APImon, load balancers, catalog),\n"
	"Gatus's, blackbox.yml with prometheus.yml, a backup of Uptime Kuma. A directory stands for the\n"
	".yaml, .yml and .json files in it. Each line is told of on stderr: carried, carried\n"
	"differently and why, needless, or not carried and why. Secrets are never printed: a reference\n"
	"stands in their place, and the report says what to put there.\n"
	"\n"
	"  --out DIR           write DIR/conf.d/PROGRAM.yaml and DIR/endpoints/PROGRAM.yaml, never over\n"
	"                      what is there\n"
	"  --json              what was made, and the report, as one JSON document on stdout\n"
	"  --quiet             do not tell of what is carried as it was\n"
	"  --target TARGET     ask this with every module of blackbox that no job of Prometheus names;\n"
	"                      several add up\n"
	"\n"
	"example: glasshouse import oshm run_mycloud.sh > glasshouse.yaml\n"
	"         glasshouse import oshm 'OS_CLOUD=mycloud -O -C -D -n 8 -LL -b -B -S mycloud'\n"
	"         glasshouse import gatus config/ > glasshouse.yaml\n"
	"         glasshouse import cloudmon --out /etc/glasshouse config.yaml epmon/ globalmon/\n"
	"exit: 0 everything is carried over, 1 something is not, 2 could not run\n";

/* A file's text, owned, or NULL with errno; 0 when there is no file of that name. */
static char *read_script(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	char *text = mem_new_array(SHELL_TEXT_MAX + 2, 1);
	*ret_n = fread(text, 1, SHELL_TEXT_MAX + 1, f);
	const int sys = ferror(f) ? errno : 0;
	fclose(f);
	if (!sys)
		return text;
	free(text);
	errno = sys;
	return NULL;
}

static void print_dropped(const struct import_report *r, const char *name)
{
	VEC_EACH (&r->notes, const struct import_note, n) {
		if (n->fate != IMPORT_DROPPED)
			continue;
		if (n->line)
			fprintf(stderr, "%s:%u:%u: ", name, n->line, n->col);
		fprintf(stderr, "%s: %s\n", n->what, n->text);
	}
	fprintf(stderr, "%zu carried over, %zu not needed any more, %zu without an equivalent\n",
		import_count(r, IMPORT_CARRIED), import_count(r, IMPORT_NEEDLESS),
		import_count(r, IMPORT_DROPPED));
}

static int import_text(struct slice text, const char *name)
{
	struct import_report report = {0};
	struct error err = {0};
	json_t *config = oshm_import(text, name, &report, &err);
	int code = EXIT_COULD_NOT_RUN;
	if (config) {
		struct buf out = BUF(BUF_PAGE);
		buf_printf(&out, "# What OpenStack Health Monitor does as %s.\n",
			strcmp(name, "options") ? name : "its options say");
		yaml_write(&out, config);
		import_write_notes(&report, &out);
		fwrite(buf_str(&out), 1, out.n, stdout);
		buf_fini(&out);
		print_dropped(&report, name);
		code = import_count(&report, IMPORT_DROPPED) ? EXIT_NOT_FINE : EXIT_FINE;
	} else {
		char place[2 * ERROR_TEXT];
		fprintf(stderr, "%s\n", error_text(&err, place, sizeof(place)));
	}
	json_decref(config);
	import_report_fini(&report);
	return code;
}

int import_main(int argc, char **argv)
{
	static const struct option table[] = {{0}};
	const struct importer *importer = argc > 1 ? importer_find(argv[1]) : NULL;
	if (importer)
		return import_program(importer, argc - 1, argv + 1);
	if (getopt_long(argc, argv, "+", table, NULL) != -1)
		return EXIT_COULD_NOT_RUN;
	if (argc != 3 || strcmp(argv[1], "oshm") != 0) {
		fputs("expected `oshm` and its options or a start script, or `cloudmon`, `gatus`, "
		      "`blackbox`, `uptime-kuma` and files; see `glasshouse import --help`\n",
			stderr);
		return EXIT_COULD_NOT_RUN;
	}
	struct stat st;
	if (*argv[2] == '-' || stat(argv[2], &st) != 0) {
		if (!strchr(argv[2], ' ') && *argv[2] != '-') {
			fprintf(stderr, "%s: %s\n", argv[2], strerror(ENOENT));
			return EXIT_COULD_NOT_RUN;
		}
		return import_text(slice_of(argv[2]), "options");
	}
	size_t n;
	char *text = read_script(argv[2], &n);
	if (!text) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return EXIT_COULD_NOT_RUN;
	}
	const int code = import_text(slice_from(text, n), argv[2]);
	free(text);
	return code;
}
