/* mail/html.h - the text of an HTML notice: enough to read an address and a reply in it. Pure. */
#pragma once
#include "base/buffer.h"

/* html_text - appends the text: tags, comments, style and script are left out, blocks and rows
 * begin a new line, the usual entities are resolved. Never more bytes than `in` has. */
void html_text(struct bytes in, struct buffer *out);
