#include "base/alloc.h"
#include "base/units.h"
#include "cli/cli.h"
#include "runtime/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cli_print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
}

const char *cli_string(json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

int64_t cli_number(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

int64_t cli_time_us(json_t *object, const char *name)
{
	struct tm tm = { 0 };
	const char *rest = strptime(cli_string(object, name), "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		return 0;
	return timegm(&tm) * US_PER_SECOND +
	       (*rest == '.' ? strtol(rest + 1, NULL, 10) * US_PER_MS : 0);
}

void cli_format_span(int64_t us, char text_out[32])
{
	struct buffer text = { 0 };

	duration_format(&text, us);
	snprintf(text_out, 32, "%.*s", BYTES_FORMAT(buffer_bytes(&text)));
	buffer_deinit(&text);
}

void cli_table_add(struct cli_table *table, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 32 || *c == 127)
			*c = '?'; /* what strangers wrote must not steer a terminal */
	table->cells = alloc_resize(table->cells, (size_t)table->count + 1, sizeof *table->cells);
	table->cells[table->count++] = strdup(text);
}

void cli_table_print(struct cli_table *table)
{
	int widths[16] = { 0 };

	for (int i = 0; i < table->count; i++)
		widths[i % table->columns] = MAX(widths[i % table->columns],
		                                 (int)strlen(table->cells[i]));
	for (int i = 0; i < table->count; i++) {
		int column = i % table->columns;

		if (column == table->columns - 1)
			printf("%s\n", table->cells[i]);
		else
			printf("%-*s  ", widths[column], table->cells[i]);
		free(table->cells[i]);
	}
	alloc_free(table->cells);
	*table = (struct cli_table){ 0 };
}

void cli_progress(void *arg, int64_t done, int64_t all)
{
	struct cli_progress *progress = arg;
	int64_t now_us = clock_now_us();
	int width = all > 0 ? (int)(done * 40 / all) : 0;

	if (!isatty(STDERR_FILENO))
		return;
	if (progress->began_us == 0)
		progress->began_us = now_us;
	if (now_us - progress->began_us < US_PER_SECOND)
		return;
	progress->is_shown = true;
	fprintf(stderr, "\r%s [%.*s%*s] %3d %%", progress->what, width,
	        "########################################", 40 - width, "",
	        all > 0 ? (int)(done * 100 / all) : 0);
}

void cli_progress_end(struct cli_progress *progress)
{
	if (progress->is_shown)
		fputc('\n', stderr);
}
