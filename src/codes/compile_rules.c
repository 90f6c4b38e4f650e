/* compile_rules DATABASE SOURCE: run by the build. Compiles the patterns of the built-in rules into
 * the file DATABASE and writes an assembler SOURCE that puts it into the program. */
#include "codes/rules.h"
#include <stdio.h>
#include <stdlib.h>

/* What is made here is not there yet. */
extern const char rules_database[], rules_database_end[];
const char rules_database[1], rules_database_end[1];

static int write_file(const char *path, struct bytes data)
{
	FILE *file = fopen(path, "we");
	bool is_written = file && fwrite(data.at, 1, data.len, file) == data.len;

	if (!file || fclose(file) != 0 || !is_written) {
		perror(path);
		return ERR_SYSTEM;
	}
	return 0;
}

static int write_source(const char *path, const char *database)
{
	char text[1200];
	int len = snprintf(text, sizeof text,
	                   ".section .rodata\n"
	                   ".balign 64\n"
	                   ".globl rules_database, rules_database_end\n"
	                   "rules_database: .incbin \"%s\"\n"
	                   "rules_database_end: .byte 0\n"
	                   ".section .note.GNU-stack, \"\", %%progbits\n",
	                   database);

	return write_file(path, (struct bytes){ text, (size_t)len });
}

int main(int argc, char **argv)
{
	struct rules *rules = NULL;
	struct err err = { 0 };
	char *bytes = NULL, *path = NULL;
	size_t size = 0;
	int result = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: compile_rules DATABASE SOURCE\n");
		return 2;
	}
	if (rules_read(NULL, &rules, &err) < 0 ||
	    scan_compile(rules->patterns, rules->pattern_count, &rules->database, &err) < 0 ||
	    scan_save(rules->database, &bytes, &size, &err) < 0)
		fprintf(stderr, "compile_rules: %s\n", err.text);
	else if (write_file(argv[1], (struct bytes){ bytes, size }) == 0 &&
	         (path = realpath(argv[1], NULL)))
		result = write_source(argv[2], path);
	rules_destroy(rules);
	free(bytes);
	free(path);
	return result < 0;
}
