#include "codes/page.h"
#include "base/macros.h"
#include <string.h>

void page_escape(struct bytes text, struct buffer *page)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.at[i]) {
		case '&':
			buffer_append_text(page, "&amp;");
			break;
		case '<':
			buffer_append_text(page, "&lt;");
			break;
		case '>':
			buffer_append_text(page, "&gt;");
			break;
		case '"':
			buffer_append_text(page, "&quot;");
			break;
		case '\'':
			buffer_append_text(page, "&#39;");
			break;
		default:
			buffer_append_char(page, text.at[i]);
		}
	}
}

static void put(struct buffer *page, const char *text)
{
	page_escape(bytes_of(text), page);
}

void page_file(const struct knowledge_entry *entry, struct buffer *name)
{
	buffer_clear(name);
	buffer_printf(name, "%s.html", entry->key);
}

/* put_prose - text in which codes that have a page become links, and commands code. A word is a
 * code if it has the form of one: an X.y.z or, in prose, never a bare number. */
static size_t status_length(struct bytes text)
{
	size_t len = 0;
	int status[3];

	while (len < text.len && ((text.at[len] >= '0' && text.at[len] <= '9') ||
	                          (text.at[len] == '.' && len + 1 < text.len &&
	                           text.at[len + 1] >= '0' && text.at[len + 1] <= '9')))
		len++;
	return knowledge_parse_status(bytes_first(text, len), status) ? len : 0;
}

static void put_link(struct buffer *page, const struct knowledge_entry *entry, struct bytes text)
{
	buffer_append_text(page, "<a href=\"");
	put(page, entry->key);
	buffer_append_text(page, ".html\">");
	page_escape(text, page);
	buffer_append_text(page, "</a>");
}

static void put_prose(struct buffer *page, const char *text, const struct knowledge_entry *own)
{
	struct bytes rest = bytes_of(text);
	bool at_word = true;

	while (rest.len > 0) {
		size_t len = at_word ? status_length(rest) : 0;
		const struct knowledge_entry *entry = len ? knowledge_find(bytes_first(rest, len))
		                                          : NULL;

		if (entry && entry != own) {
			put_link(page, entry, bytes_first(rest, len));
		} else {
			len = MAX(len, 1);
			page_escape(bytes_first(rest, len), page);
		}
		at_word = strchr(" (\"", rest.at[len - 1]) != NULL;
		rest = bytes_from(rest, len);
	}
}

static void put_head(struct buffer *page, const char *title, const char *about)
{
	buffer_append_text(page,
	                   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                   "<meta name=\"viewport\" content=\"width=device-width, "
	                   "initial-scale=1\">\n"
	                   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	put(page, title);
	buffer_append_text(page, "</title>\n<meta name=\"description\" content=\"");
	put(page, about);
	buffer_append_text(page, "\">\n<link rel=\"stylesheet\" href=\"" PAGE_STYLE_FILE
	                         "\">\n</head>\n<body>\n");
}

static void put_foot(struct buffer *page)
{
	buffer_append_text(page,
	                   "<footer><p>Written by <code>outlast code --html</code>; the same is "
	                   "printed by <code>outlast code</code>.</p></footer>\n"
	                   "</body>\n</html>\n");
}

/* What stands under the title: bounce, severity, category, standard. */
static void put_facts(struct buffer *page, const struct knowledge_entry *entry)
{
	const char *bounce = knowledge_bounce_name(entry->bounce);

	buffer_printf(page, "<p class=\"facts\"><span class=\"fact %s\">%s</span>", bounce,
	              entry->bounce == KNOWLEDGE_NO_BOUNCE ? "no bounce"
	              : entry->bounce == KNOWLEDGE_SOFT    ? "soft bounce"
	                                                   : "hard bounce");
	if (entry->bounce != KNOWLEDGE_NO_BOUNCE) {
		buffer_printf(page,
		              " <span class=\"fact\">severity %s</span> <span class=\"fact\">",
		              knowledge_severity_name(entry->severity));
		put(page, entry->category);
		buffer_append_text(page, "</span>");
	}
	buffer_append_text(page, " <span class=\"fact\">");
	put(page, *entry->standard ? entry->standard : "in no standard");
	buffer_append_text(page, "</span>");
	if (*entry->provider) {
		buffer_append_text(page, " <span class=\"fact\">");
		put(page, entry->provider);
		buffer_append_text(page, "</span>");
	}
	buffer_append_text(page, "</p>\n");
}

static void put_section(struct buffer *page, const struct knowledge_section *section,
                        const struct knowledge_entry *entry)
{
	const char *const *lines = section->lines(entry);
	bool is_prose = lines == entry->meaning;

	if (!*lines)
		return;
	buffer_printf(page, "<section id=\"%s\">\n<h2>", section->name);
	put(page, section->heading);
	buffer_printf(page, "</h2>\n%s", is_prose ? "" : "<ul>\n");
	for (; *lines; lines++) {
		buffer_append_text(page, is_prose ? "<p>" : "<li>");
		put_prose(page, *lines, entry);
		buffer_append_text(page, is_prose ? "</p>\n" : "</li>\n");
	}
	buffer_printf(page, "%s</section>\n", is_prose ? "" : "</ul>\n");
}

static void put_questions(struct buffer *page, const struct knowledge_entry *entry)
{
	if (!entry->questions->question)
		return;
	buffer_append_text(page, "<section id=\"questions\">\n<h2>Questions</h2>\n<dl>\n");
	for (const struct knowledge_question *q = entry->questions; q->question; q++) {
		buffer_append_text(page, "<dt>");
		put_prose(page, q->question, entry);
		buffer_append_text(page, "</dt>\n<dd>");
		put_prose(page, q->answer, entry);
		buffer_append_text(page, "</dd>\n");
	}
	buffer_append_text(page, "</dl>\n</section>\n");
}

/* One line of a list of codes: key, title behind `whose`, bounce. */
static void put_item(struct buffer *page, const char *whose, const struct knowledge_entry *entry)
{
	const char *bounce = knowledge_bounce_name(entry->bounce);

	buffer_append_text(page, "<li><a href=\"");
	put(page, entry->key);
	buffer_append_text(page, ".html\"><b>");
	put(page, entry->key);
	buffer_append_text(page, "</b> <span>");
	put(page, whose);
	buffer_append_text(page, *whose ? ": " : "");
	put(page, entry->title);
	buffer_printf(page, "</span> <i class=\"%s\">%s</i></a></li>\n", bounce,
	              entry->bounce == KNOWLEDGE_NO_BOUNCE ? "" : bounce);
}

static void put_related(struct buffer *page, const struct knowledge_entry *entry)
{
	buffer_append_text(page, "<section id=\"related\">\n<h2>Related codes</h2>\n"
	                         "<ul class=\"codes\">\n");
	for (const char *const *key = entry->related; *key; key++) {
		const struct knowledge_entry *other = knowledge_find(bytes_of(*key));

		if (other)
			put_item(page, other->provider, other);
	}
	buffer_append_text(page, "</ul>\n</section>\n");
}

/* A provider's page stands for a range of codes. */
static void put_aliases(struct buffer *page, const struct knowledge_entry *entry)
{
	if (!*entry->aliases)
		return;
	buffer_append_text(page, "<p class=\"also\">Also found by");
	for (const char *const *alias = entry->aliases; *alias; alias++) {
		buffer_append_text(page, alias == entry->aliases ? " " : ", ");
		put(page, *alias);
	}
	buffer_append_text(page, ".</p>\n");
}

static void put_replies(struct buffer *page, const struct knowledge_entry *entry)
{
	if (!*entry->replies)
		return;
	buffer_append_text(page, "<p class=\"replies\">Comes with reply code");
	for (const char *const *code = entry->replies; *code; code++) {
		const struct knowledge_entry *other = knowledge_find(bytes_of(*code));

		buffer_append_text(page, code == entry->replies ? " " : ", ");
		if (other)
			put_link(page, other, bytes_of(*code));
		else
			put(page, *code);
	}
	buffer_append_text(page, ".</p>\n");
}

void page_entry(const struct knowledge_entry *entry, struct buffer *page)
{
	struct buffer title = { 0 };

	buffer_printf(&title, "%s: %s", entry->key, entry->title);
	buffer_append_char(&title, '\0');
	put_head(page, title.at, entry->meaning[0]);
	buffer_deinit(&title);
	buffer_append_text(page,
	                   "<nav><a href=\"" PAGE_INDEX_FILE "\">All codes</a></nav>\n<main>\n"
	                   "<h1><b>");
	put(page, entry->key);
	buffer_append_text(page, "</b> ");
	put(page, entry->title);
	buffer_append_text(page, "</h1>\n");
	put_facts(page, entry);
	put_aliases(page, entry);
	for (const struct knowledge_section *section = knowledge_sections; section->heading;
	     section++) {
		put_section(page, section, entry);
		if (section == knowledge_sections)
			put_replies(page, entry);
	}
	put_questions(page, entry);
	put_related(page, entry);
	buffer_append_text(page, "</main>\n");
	put_foot(page);
}

/* The heading of the group that an entry stands in on the index. */
static void group_of(const struct knowledge_entry *entry, struct buffer *name)
{
	buffer_clear(name);
	if (entry->kind == KNOWLEDGE_REPLY)
		buffer_append_text(name, "Reply codes");
	else if (entry->kind == KNOWLEDGE_STATUS)
		buffer_printf(name, "X.%d %s", entry->subject, knowledge_subject(entry->subject));
	else
		buffer_append_text(name, entry->provider);
}

static void put_groups(struct buffer *page)
{
	struct buffer name = { 0 }, last = { 0 };
	int group = 0;

	for (size_t i = 0; i < knowledge_count(); i++) {
		group_of(knowledge_at(i), &name);
		if (!bytes_equal(buffer_bytes(&name), buffer_bytes(&last))) {
			buffer_printf(page, "%s<section id=\"g%d\">\n<h2>",
			              group ? "</ul>\n</section>\n" : "", group + 1);
			page_escape(buffer_bytes(&name), page);
			buffer_append_text(page, "</h2>\n<ul class=\"codes\">\n");
			buffer_clear(&last);
			buffer_append(&last, buffer_bytes(&name));
			group++;
		}
		put_item(page, "", knowledge_at(i));
	}
	buffer_append_text(page, group ? "</ul>\n</section>\n" : "");
	buffer_deinit(&name);
	buffer_deinit(&last);
}

static void put_contents(struct buffer *page)
{
	struct buffer name = { 0 }, last = { 0 };
	int group = 0;

	buffer_append_text(page, "<ul class=\"contents\">\n");
	for (size_t i = 0; i < knowledge_count(); i++) {
		group_of(knowledge_at(i), &name);
		if (bytes_equal(buffer_bytes(&name), buffer_bytes(&last)))
			continue;
		buffer_printf(page, "<li><a href=\"#g%d\">", ++group);
		page_escape(buffer_bytes(&name), page);
		buffer_append_text(page, "</a></li>\n");
		buffer_clear(&last);
		buffer_append(&last, buffer_bytes(&name));
	}
	buffer_append_text(page, "</ul>\n");
	buffer_deinit(&name);
	buffer_deinit(&last);
}

/* What the search of the index finds an entry by, beside what is to be seen: names, typical words
 * and category. In the order of the items, joined by line feeds. */
static void put_words(struct buffer *page)
{
	buffer_append_text(page, "<div id=\"words\" hidden>\n");
	for (size_t i = 0; i < knowledge_count(); i++) {
		const struct knowledge_entry *entry = knowledge_at(i);

		buffer_append_text(page, "<p>");
		put(page, entry->category);
		for (const char *const *alias = entry->aliases; *alias; alias++) {
			buffer_append_char(page, ' ');
			put(page, *alias);
		}
		for (const char *const *says = entry->says; *says; says++) {
			buffer_append_char(page, ' ');
			put(page, *says);
		}
		buffer_append_char(page, ' ');
		put(page, entry->provider);
		buffer_append_text(page, "</p>\n");
	}
	buffer_append_text(page, "</div>\n");
}

/* Hides what does not have all the words. Without a script the field is not shown, and the page is
 * the plain list. */
static const char script[] =
	"<script>\n"
	"(function () {\n"
	"  var field = document.getElementById('search'), form = field.form;\n"
	"  var items = document.querySelectorAll('main section li');\n"
	"  var words = document.querySelectorAll('#words p');\n"
	"  var sections = document.querySelectorAll('main section');\n"
	"  var contents = document.querySelector('.contents');\n"
	"  var none = document.getElementById('none');\n"
	"  var texts = [];\n"
	"  for (var i = 0; i < items.length; i++)\n"
	"    texts[i] = (items[i].textContent + ' ' + words[i].textContent).toLowerCase();\n"
	"  function show() {\n"
	"    var asked = field.value.toLowerCase().split(/\\s+/).filter(Boolean), any = false;\n"
	"    for (var i = 0; i < items.length; i++) {\n"
	"      var fits = asked.every(function (word) { return texts[i].indexOf(word) >= 0; });\n"
	"      items[i].hidden = !fits;\n"
	"      any = any || fits;\n"
	"    }\n"
	"    for (var s = 0; s < sections.length; s++)\n"
	"      sections[s].hidden = !sections[s].querySelector('li:not([hidden])');\n"
	"    contents.hidden = asked.length > 0;\n"
	"    none.hidden = any;\n"
	"  }\n"
	"  form.hidden = false;\n"
	"  field.addEventListener('input', show);\n"
	"  form.addEventListener('submit', function (event) {\n"
	"    event.preventDefault();\n"
	"    var first = document.querySelector('main section:not([hidden]) li:not([hidden]) a');\n"
	"    if (first) location.href = first.href;\n"
	"  });\n"
	"  show();\n"
	"})();\n"
	"</script>\n";

void page_index(struct buffer *page)
{
	put_head(page, "SMTP reply codes and bounces, explained",
	         "What each SMTP reply code and enhanced status code means, why it happens, and "
	         "what "
	         "sender, operator and recipient can do.");
	buffer_append_text(
		page, "<main>\n<h1>SMTP codes and bounces, explained</h1>\n"
		      "<p>Message late? Begin with <a href=\"4.4.7.html\">4.4.7</a> (still being "
		      "tried, or over) and <a href=\"5.4.7.html\">5.4.7</a> (over).</p>\n"
		      "<form hidden><label for=\"search\">A code, or words of the reply</label>\n"
		      "<input id=\"search\" type=\"search\" autocomplete=\"off\" "
		      "placeholder=\"5.1.1, TSS04, try again later\"></form>\n"
		      "<p id=\"none\" hidden>Nothing has all of these words.</p>\n");
	put_contents(page);
	put_groups(page);
	buffer_append_text(page, "</main>\n");
	put_words(page);
	put_foot(page);
	page->len -= strlen("</body>\n</html>\n");
	buffer_append_text(page, script);
	buffer_append_text(page, "</body>\n</html>\n");
}

struct bytes page_style(void)
{
	static const char style[] =
		":root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #57606a; "
		"--line: #d8dee4; --link: #0a58ca; --box: #f3f5f7; --warn: #8a5200; --bad: "
		"#b3261e; "
		"--good: #1a7f37; }\n"
		"@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0f1419; "
		"--soft: #9aa5b1; --line: #30363d; --link: #79b8ff; --box: #1b222b; --warn: "
		"#e3a84b; "
		"--bad: #ff8f87; --good: #6fd388; } }\n"
		"* { box-sizing: border-box; }\n"
		"[hidden] { display: none !important; }\n"
		"body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--paper); "
		"color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: "
		"anywhere; }\n"
		"a { color: var(--link); }\n"
		"nav { margin-bottom: .5rem; }\n"
		"h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }\n"
		"h1 b { display: block; font-size: 2rem; font-variant-numeric: tabular-nums; }\n"
		"h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; padding-top: .6rem; "
		"border-top: 1px solid var(--line); }\n"
		"ul { padding-left: 1.2rem; margin: .4rem 0; }\n"
		"li { margin: .25rem 0; }\n"
		"#says li { font-family: ui-monospace, monospace; font-size: .9rem; }\n"
		"code { font-family: ui-monospace, monospace; }\n"
		".facts { margin: .6rem 0 1rem; }\n"
		".also { color: var(--soft); margin: 0; }\n"
		".fact { display: inline-block; background: var(--box); border-radius: .4rem; "
		"padding: .1rem .55rem; margin: 0 .2rem .3rem 0; font-size: .9rem; }\n"
		".soft { color: var(--warn); } .hard { color: var(--bad); } "
		".none { color: var(--good); }\n"
		"dt { font-weight: 600; margin-top: .7rem; }\n"
		"dd { margin: .1rem 0 0; }\n"
		".codes { list-style: none; padding: 0; }\n"
		".codes li { margin: 0; border-bottom: 1px solid var(--line); }\n"
		".codes a { display: flex; gap: .7rem; align-items: baseline; padding: .45rem 0; "
		"color: inherit; text-decoration: none; }\n"
		".codes a:hover span, .codes a:focus span { text-decoration: underline; }\n"
		".codes b { min-width: 4.2rem; color: var(--link); "
		"font-variant-numeric: tabular-nums; }\n"
		".codes span { flex: 1; }\n"
		".codes i { font-style: normal; font-size: .85rem; }\n"
		".contents { list-style: none; padding: 0; display: flex; flex-wrap: wrap; "
		"gap: .3rem .9rem; margin-top: 1rem; }\n"
		".contents li { margin: 0; }\n"
		"label { display: block; color: var(--soft); margin-bottom: .2rem; }\n"
		"input { width: 100%; font: inherit; padding: .6rem .7rem; color: inherit; "
		"background: var(--box); border: 1px solid var(--line); border-radius: .5rem; }\n"
		"footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; "
		"border-top: 1px solid var(--line); }\n"
		"@media print { nav, form, footer { display: none; } }\n";

	return bytes_of(style);
}
