#include "config/problems.h"

void problems_add(struct problems *problems, struct place place, const char *key,
                  const char *format, ...)
{
	va_list args;

	problems->count++;
	if (problems->count == PROBLEMS_MAX + 1)
		buffer_append_text(problems->out, "more problems are not shown\n");
	if (problems->count > PROBLEMS_MAX)
		return;
	buffer_append_text(problems->out, place.file);
	if (place.line > 0)
		buffer_printf(problems->out, ":%d", place.line);
	buffer_append_text(problems->out, ": ");
	if (key[0] != '\0')
		buffer_printf(problems->out, "%s: ", key);
	va_start(args, format);
	buffer_vprintf(problems->out, format, args);
	va_end(args);
	buffer_append_char(problems->out, '\n');
}
