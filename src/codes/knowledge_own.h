/* codes/knowledge_own.h - the table that tools/knowledge.py makes; for src/codes/knowledge*.c. */
#pragma once
#include "codes/knowledge.h"

struct knowledge_name {
	int subject, detail;
	const char *name; /* what the registry calls X.subject.detail */
};

extern const struct knowledge_entry knowledge_table[];
extern const size_t knowledge_table_count;
extern const struct knowledge_name knowledge_names[]; /* ends with a NULL name */
