/*
 * import_program.c - importers that read documents: one file on standard output, or several in a
 * directory, and the report of every line.
 */

#include "cli/import_program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "cli/command.h"
#include "text/yaml_write.h"

struct import_options {
	const struct importer *importer;
	const char *out;
	bool json, quiet;
	VEC(const char *) targets; /* NULL-terminated */
};

/* --- files ------------------------------------------------------------------------------------ */

/* What is told of beside what is carried, as comments at the end. */
static void add_comments(const struct import_report *r, struct buf *out)
{
	struct buf lines = BUF(BUF_PAGE);
	import_write_lines(r, false, &lines);
	struct slice rest = buf_slice(&lines), line;
	if (rest.n)
		buf_add_str(out, "#\n# Beside what is carried as it was:\n");
	while (slice_next(&rest, '\n', &line))
		if (line.n)
			buf_printf(out, "#   %.*s\n", SLICE_ARG(line));
	buf_fini(&lines);
}

static void write_document(const struct import_options *o, const json_t *value,
	const struct import_report *r, struct buf *out)
{
	buf_printf(out, "# Made of %s by `glasshouse import %s`.\n", importer_program(o->importer),
		importer_name(o->importer));
	yaml_write(out, value);
	if (r)
		add_comments(r, out);
}

static bool write_file(const char *path, const struct buf *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t done = 0;
	bool good = fd >= 0 && !text->over;
	while (good && done < text->n) {
		const ssize_t n = write(fd, text->p + done, text->n - done);
		good = n > 0 || (n < 0 && errno == EINTR);
		done += n > 0 ? (size_t)n : 0;
	}
	if (!good)
		fprintf(stderr, "%s: %s\n", path,
			fd >= 0 && text->over ? "too large" : strerror(errno));
	if (fd >= 0)
		good = close(fd) == 0 && good;
	return good;
}

/* DIR/FOLDER/NAME.yaml. Nothing that is there is written over. */
static bool write_into(const struct import_options *o, const char *folder, const json_t *value,
	const struct import_report *r, json_t *files)
{
	struct buf text = BUF(BUF_PAGE * 4);
	char *directory = mem_printf("%s/%s", o->out, folder);
	char *path = mem_printf("%s/%s.yaml", directory, importer_name(o->importer));
	bool good = (mkdir(o->out, 0755) == 0 || errno == EEXIST) &&
		    (mkdir(directory, 0755) == 0 || errno == EEXIST);
	if (!good)
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
	write_document(o, value, r, &text);
	good = good && write_file(path, &text);
	if (good)
		json_array_append_new(files, json_string(path));
	free(path);
	free(directory);
	buf_fini(&text);
	return good;
}

/* conf.d/ is read beside a glasshouse.yaml only. */
static bool write_top(const struct import_options *o, json_t *files)
{
	struct buf text = BUF(BUF_LINE);
	struct stat st;
	char *path = mem_printf("%s/glasshouse.yaml", o->out);
	buf_add_str(&text, "# What is observed stands in conf.d/.\nsite: {}\n");
	const bool there = stat(path, &st) == 0;
	const bool good = there || write_file(path, &text);
	if (good && !there)
		json_array_append_new(files, json_string(path));
	free(path);
	buf_fini(&text);
	return good;
}

static bool write_files(const struct import_options *o, const struct import_made *made,
	const struct import_report *r, json_t *files)
{
	const struct import_report *comments = made->config ? NULL : r;
	return (!made->endpoints || write_into(o, "endpoints", made->endpoints, comments, files)) &&
	       (!made->config ||
		       (write_into(o, "conf.d", made->config, r, files) && write_top(o, files)));
}

/* --- what is told ----------------------------------------------------------------------------- */

static void print_report(const struct import_options *o, const struct import_report *r)
{
	struct buf lines = BUF(BUF_PAGE * 4);
	import_write_lines(r, !o->quiet, &lines);
	fwrite(buf_str(&lines), 1, lines.n, stderr);
	fprintf(stderr, "%zu carried, %zu differently, %zu not needed any more, %zu not carried\n",
		import_count(r, IMPORT_CARRIED), import_count(r, IMPORT_CHANGED),
		import_count(r, IMPORT_NEEDLESS), import_count(r, IMPORT_DROPPED));
	buf_fini(&lines);
}

static void print_json(const struct import_made *made, const struct import_report *r, json_t *files)
{
	json_t *all = json_object();
	json_object_set(all, "config", made->config ? made->config : json_null());
	json_object_set(all, "endpoints", made->endpoints ? made->endpoints : json_null());
	json_object_set(all, "files", files);
	json_object_update_new(all, import_report_json(r));
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static bool print_document(const struct import_options *o, const struct import_made *made,
	const struct import_report *r)
{
	struct buf text = BUF(BUF_PAGE * 4);
	if (made->config && made->endpoints) {
		fputs("this becomes two files, a configuration and a table of endpoints: name a "
		      "directory for them with --out DIR\n",
			stderr);
		return false;
	}
	const json_t *value = made->config ? made->config : made->endpoints;
	if (!made->config && made->endpoints)
		buf_printf(&text, "# A table of endpoints: endpoints/%s.yaml\n",
			importer_name(o->importer));
	if (value)
		write_document(o, value, r, &text);
	const bool good = !text.over;
	if (good)
		fwrite(buf_str(&text), 1, text.n, stdout);
	else
		fputs("too large for one file: import less at once\n", stderr);
	buf_fini(&text);
	return good;
}

static int tell(const struct import_options *o, const struct import_made *made,
	const struct import_report *r)
{
	json_t *files = json_array();
	bool good = true;
	if (o->out)
		good = write_files(o, made, r, files);
	else if (!o->json)
		good = print_document(o, made, r);
	if (good && o->json)
		print_json(made, r, files);
	else if (good)
		print_report(o, r);
	json_decref(files);
	if (!good)
		return EXIT_COULD_NOT_RUN;
	return import_count(r, IMPORT_DROPPED) ? EXIT_NOT_FINE : EXIT_FINE;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool read_options(struct import_options *o, int argc, char **argv)
{
	enum { OUT = 256, JSON, QUIET, TARGET };
	static const struct option table[] = {{"out", required_argument, NULL, OUT},
		{"json", no_argument, NULL, JSON}, {"quiet", no_argument, NULL, QUIET},
		{"target", required_argument, NULL, TARGET}, {0}};
	int c;
	optind = 1;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case OUT: o->out = optarg; break;
		case JSON: o->json = true; break;
		case QUIET: o->quiet = true; break;
		case TARGET: vec_push(&o->targets, optarg); break;
		default: return false;
		}
	vec_push(&o->targets, NULL);
	if (optind == argc)
		fprintf(stderr,
			"expected files or directories of %s; see `glasshouse import --help`\n",
			importer_program(o->importer));
	return optind < argc;
}

int import_program(const struct importer *importer, int argc, char **argv)
{
	struct import_options o = {.importer = importer};
	struct import_report report = {0};
	struct import_made made = {0};
	struct error_list errors = {0};
	int code = EXIT_COULD_NOT_RUN;
	if (!read_options(&o, argc, argv)) {
		vec_fini(&o.targets);
		return code;
	}
	if (import_paths(importer, (const char *const *)argv + optind, (size_t)(argc - optind),
		    o.targets.p, &made, &report, &errors))
		code = tell(&o, &made, &report);
	for (size_t i = 0; i < errors.n; i++) {
		char text[2 * ERROR_TEXT];
		fprintf(stderr, "%s\n", error_text(&errors.p[i], text, sizeof(text)));
	}
	error_list_fini(&errors);
	import_made_fini(&made);
	import_report_fini(&report);
	vec_fini(&o.targets);
	return code;
}
