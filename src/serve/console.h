/* serve/console.h - the web console: the pages that tools/console.py built from web/ and put into
 * the binary. */
#pragma once
#include "admin/admin.h"

/* console_pages - all of them, ended by one without a path; none where the build had no Node. */
extern const struct admin_page console_pages[];

/* console_find - the page at `path` ("/" is the first), or NULL. */
const struct admin_page *console_find(const char *path);
