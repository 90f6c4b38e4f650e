#include "serve/console.h"
#include <string.h>

const struct admin_page *console_find(const char *path)
{
	for (const struct admin_page *page = console_pages; page->path; page++)
		if (strcmp(page->path, path) == 0)
			return page;
	return NULL;
}
