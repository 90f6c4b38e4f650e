/* codes/page.h - the knowledge base as static HTML pages: an index and one page per entry, linked
 * with each other, nothing fetched from anywhere. Everything is escaped. Pure. */
#pragma once
#include "base/buffer.h"
#include "codes/knowledge.h"

/* page_file - the file name of an entry, "4.4.7.html"; borrowed until the next change of `name`. */
void page_file(const struct knowledge_entry *entry, struct buffer *name);

void page_entry(const struct knowledge_entry *entry, struct buffer *page);
void page_index(struct buffer *page);

#define PAGE_INDEX_FILE "index.html"
#define PAGE_STYLE_FILE "style.css"

/* page_style - the style sheet that all pages name; light and dark. */
struct bytes page_style(void);

/* page_escape - `text` as HTML text or attribute value: & < > " ' are written as references. */
void page_escape(struct bytes text, struct buffer *page);
