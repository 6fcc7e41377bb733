/*
 * embed.c - writes files as C: embed OUT ROOT FILE...
 *
 * OUT defines web_files and web_file_count of web/pages/files.h; each FILE is a path below ROOT.
 * What stands at the top of ROOT is served as it is, so it is packed here, once and as small as can
 * be, instead of at each start. A program of the build, not of the product.
 */
#include <brotli/encode.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define FILE_MAX (1u << 20)

static void array(FILE *out, const char *what, int i, const unsigned char *p, size_t n)
{
	/* the zero at the end is not counted: an empty file has an array too */
	fprintf(out, "static const unsigned char %s_%d[] = {", what, i);
	for (size_t k = 0; k < n; k++)
		fprintf(out, "%s%d,", k % 24 ? "" : "\n\t", p[k]);
	fputs("\n\t0};\n\n", out);
}

/* 0: not packed, or not worth it, as encode_body() has it. */
static size_t to_gzip(const unsigned char *plain, size_t n, unsigned char *p, size_t room)
{
	z_stream z = {.next_in = (Bytef *)plain,
		.avail_in = (uInt)n,
		.next_out = p,
		.avail_out = (uInt)room};
	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	const size_t made = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : 0;
	deflateEnd(&z);
	return made;
}

static size_t to_brotli(const unsigned char *plain, size_t n, unsigned char *p, size_t room)
{
	size_t made = room;
	if (!BrotliEncoderCompress(11, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, n, plain, &made, p))
		return 0;
	return made;
}

static int embed(FILE *out, const char *root, const char *name, int i)
{
	static unsigned char plain[FILE_MAX], packed[FILE_MAX];
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *in = fopen(path, "rb");
	if (!in) {
		perror(path);
		return 0;
	}
	const size_t n = fread(plain, 1, sizeof(plain), in);
	const int good = !ferror(in) && n < sizeof(plain);
	fclose(in);
	if (!good) {
		fprintf(stderr, "%s: cannot be read, or is too large\n", path);
		return 0;
	}
	const size_t room = strchr(name, '/') ? 0 : n - n / 20;
	array(out, "plain", i, plain, n);
	array(out, "gzip", i, packed, room ? to_gzip(plain, n, packed, room) : 0);
	array(out, "brotli", i, packed, room ? to_brotli(plain, n, packed, room) : 0);
	return 1;
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
	fputs("#include \"web/pages/files.h\"\n\n"
	      "#define BYTES(a) {(const char *)(a), sizeof(a) - 1}\n\n",
		out);
	for (int i = 3; i < argc; i++)
		if (!embed(out, argv[2], argv[i], i))
			return 1;
	fputs("const struct web_file web_files[] = {\n", out);
	for (int i = 3; i < argc; i++)
		fprintf(out, "\t{\"%s\", BYTES(plain_%d), BYTES(gzip_%d), BYTES(brotli_%d)},\n",
			argv[i], i, i, i);
	fprintf(out, "};\nconst size_t web_file_count = %d;\n", argc - 3);
	return fclose(out) ? 1 : 0;
}
