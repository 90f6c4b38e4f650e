/* mail/dkim_tags.h - tag lists, "v=1; a=rsa-sha256; ..." (RFC 6376 3.2). Pure. */
#pragma once
#include "base/bytes.h"

struct dkim_tag {
	struct bytes name, value; /* trimmed; the value may still hold folds */
};

/* dkim_tag_next - the next tag of `*rest`; false at the end. What is no tag has an empty name. */
bool dkim_tag_next(struct bytes *rest, struct dkim_tag *tag_out);

/* dkim_tag_find - false if there is none, or more than one. */
bool dkim_tag_find(struct bytes list, const char *name, struct bytes *value_out);
