/*
 * embed.c - writes files as C: embed OUT ROOT FILE...
 *
 * OUT defines web_files and web_file_count of web/pages/files.h; each FILE is a path below ROOT. A
 * program of the build, not of the product.
 */
#include <stdio.h>

static int embed(FILE *out, const char *root, const char *name, int i)
{
	char path[4096];
	int c, n = 0;
	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *in = fopen(path, "rb");
	if (!in) {
		perror(path);
		return 0;
	}
	/* the zero at the end is not counted: an empty file has an array too */
	fprintf(out, "static const unsigned char file_%d[] = {", i);
	while ((c = getc(in)) != EOF)
		fprintf(out, "%s%d,", n++ % 24 ? "" : "\n\t", c);
	fputs("\n\t0};\n\n", out);
	const int good = !ferror(in);
	fclose(in);
	return good;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("embed OUT ROOT FILE...\n", stderr);
		return 2;
	}
	FILE *out = fopen(argv[1], "wb");
	if (!out) {
		perror(argv[1]);
		return 1;
	}
	fputs("#include \"web/pages/files.h\"\n\n", out);
	for (int i = 3; i < argc; i++)
		if (!embed(out, argv[2], argv[i], i))
			return 1;
	fputs("const struct web_file web_files[] = {\n", out);
	for (int i = 3; i < argc; i++)
		fprintf(out, "\t{\"%s\", file_%d, sizeof(file_%d) - 1},\n", argv[i], i, i);
	fprintf(out, "};\nconst size_t web_file_count = %d;\n", argc - 3);
	return fclose(out) ? 1 : 0;
}
