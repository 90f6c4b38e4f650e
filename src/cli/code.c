/* code: the knowledge base on a terminal, as JSON, and as static pages. */
#include "serve/code.h"
#include "base/arena.h"
#include "cli/cli.h"
#include "codes/knowledge.h"
#include "codes/page.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WIDTH       84 /* of a line of text */
#define FOUND_MAX   20
#define NEAREST_MAX 5

/* print_wrapped - `text` in lines of at most WIDTH letters, the first behind `first`, the others as
 * far in. */
static void print_wrapped(const char *first, const char *text)
{
	int indent = (int)strlen(first), column = indent;
	struct bytes rest = bytes_of(text);

	printf("%s", first);
	while (rest.len > 0) {
		struct bytes word = bytes_split(&rest, ' ');

		if (column > indent && column + 1 + (int)word.len > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", BYTES_FORMAT(word));
		column += (int)word.len;
	}
	putchar('\n');
}

static void print_list(const char *heading, const char *const *lines, const char *bullet)
{
	if (!*lines)
		return;
	printf("\n%s\n", heading);
	for (; *lines; lines++)
		print_wrapped(bullet, *lines);
}

static void print_keys(const char *heading, const char *const *keys)
{
	if (!*keys)
		return;
	printf("\n%s\n ", heading);
	for (; *keys; keys++)
		printf(" %s", *keys);
	putchar('\n');
}

static void print_facts(const struct knowledge_entry *entry)
{
	if (entry->bounce == KNOWLEDGE_NO_BOUNCE)
		printf("  no bounce");
	else
		printf("  %s bounce | severity %s | %s", knowledge_bounce_name(entry->bounce),
		       knowledge_severity_name(entry->severity), entry->category);
	printf(" | %s", *entry->standard ? entry->standard : "in no standard");
	printf("%s%s\n", *entry->provider ? " | " : "", entry->provider);
}

static void print_entry(const struct knowledge_entry *entry)
{
	printf("%s  %s\n", entry->key, entry->title);
	print_facts(entry);
	print_keys("Also found by", entry->aliases);
	for (const struct knowledge_section *section = knowledge_sections; section->heading;
	     section++)
		print_list(section->heading, section->lines(entry),
		           section->lines(entry) == entry->meaning ? "  " : "  - ");
	if (entry->questions->question)
		printf("\nQuestions\n");
	for (const struct knowledge_question *q = entry->questions; q->question; q++) {
		print_wrapped("  ", q->question);
		print_wrapped("    ", q->answer);
	}
	print_keys("Comes with reply code", entry->replies);
	print_keys("Related", entry->related);
}

static void print_line(const struct knowledge_entry *entry)
{
	printf("%-14s %-5s %-16s %s%s%s\n", entry->key,
	       entry->bounce == KNOWLEDGE_NO_BOUNCE ? "-" : knowledge_bounce_name(entry->bounce),
	       entry->category, entry->provider, *entry->provider ? ": " : "", entry->title);
}

static int show_found(const struct knowledge_entry *const *found, size_t count, bool is_json)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (is_json)
			json_array_append_new(list, code_json(found[i]));
		else
			print_line(found[i]);
	}
	if (is_json)
		cli_print_json(list);
	json_decref(list);
	return count > 0 ? 0 : 1;
}

static int search(const struct cli_options *options)
{
	const struct knowledge_entry *found[FOUND_MAX];
	size_t max = options->limit > 0 && options->limit < FOUND_MAX ? (size_t)options->limit
	                                                              : FOUND_MAX;
	size_t count = knowledge_search(bytes_of(options->search), found, max);

	if (count == 0)
		fprintf(stderr, "outlast: no code has a word of \"%s\"\n", options->search);
	return show_found(found, count, options->is_json);
}

static int show_all(bool is_json)
{
	json_t *list = json_array();

	for (size_t i = 0; i < knowledge_count(); i++) {
		if (is_json)
			json_array_append_new(list, code_json(knowledge_at(i)));
		else
			print_line(knowledge_at(i));
	}
	if (is_json)
		cli_print_json(list);
	json_decref(list);
	return 0;
}

static int say_unknown(const char *key)
{
	const struct knowledge_entry *nearest[NEAREST_MAX];
	size_t count = knowledge_nearest(bytes_of(key), nearest, NEAREST_MAX);

	fprintf(stderr, "outlast: there is no code \"%s\"%s\n", key,
	        count ? "; perhaps one of these was meant:" : "; try outlast code --search");
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "  %-14s %s\n", nearest[i]->key, nearest[i]->title);
	return 1;
}

/* explain_classes - "X.4.7" stands for all classes of it. */
static int explain_classes(const char *key, json_t *list)
{
	static const char classes[] = "245";
	char copy[16];
	int explained = 0;

	for (const char *class = classes; *class && strlen(key) < sizeof copy; class ++) {
		const struct knowledge_entry *entry;

		snprintf(copy, sizeof copy, "%c%s", *class, key + 1);
		entry = knowledge_find(bytes_of(copy));
		if (!entry)
			continue;
		if (explained++ > 0 && !list)
			putchar('\n');
		if (list)
			json_array_append_new(list, code_json(entry));
		else
			print_entry(entry);
	}
	return explained > 0 ? 0 : say_unknown(key);
}

/* explain - adds the entry to `list`, or prints it when that is NULL. */
static int explain(const char *key, json_t *list)
{
	struct bytes plain = bytes_from(bytes_of(key), key[0] == '#' ? 1 : 0);
	const struct knowledge_entry *entry = knowledge_find(plain);
	struct arena *arena = arena_create(0);
	struct knowledge_entry composed;
	int status[3];

	if (!entry && knowledge_parse_status(plain, status)) {
		knowledge_compose(arena, status, &composed);
		entry = &composed;
	}
	if (entry && list)
		json_array_append_new(list, code_json(entry));
	else if (entry)
		print_entry(entry);
	arena_destroy(arena);
	return entry ? 0 : say_unknown(key);
}

static int explain_any(const char *key, json_t *list)
{
	if (bytes_starts_with_nocase(bytes_of(key), bytes_of("x.")))
		return explain_classes(key, list);
	return explain(key, list);
}

static int explain_each(int argc, char **argv, const struct cli_options *options)
{
	json_t *list = options->is_json ? json_array() : NULL;
	int result = 0;

	for (int i = options->first; i < argc; i++) {
		if (i > options->first && !list)
			putchar('\n');
		if (explain_any(argv[i], list) != 0)
			result = 1;
	}
	if (list && json_array_size(list) > 0)
		cli_print_json(json_array_size(list) == 1 ? json_array_get(list, 0) : list);
	json_decref(list);
	return result;
}

static int write_file(const char *directory, const char *name, struct bytes content)
{
	struct buffer path = { 0 };
	size_t written = 0;
	int result = -1;
	FILE *file;

	buffer_printf(&path, "%s/%s", directory, name);
	buffer_append_char(&path, '\0');
	file = fopen(path.at, "w");
	if (file) {
		written = fwrite(content.at, 1, content.len, file);
		result = fclose(file) == 0 && written == content.len ? 0 : -1;
	}
	if (result < 0)
		fprintf(stderr, "outlast: cannot write %s: %s\n", path.at, strerror(errno));
	buffer_deinit(&path);
	return result;
}

static int write_pages(const char *directory)
{
	struct buffer page = { 0 }, name = { 0 };
	int result;

	if (mkdir(directory, 0777) < 0 && errno != EEXIST) {
		fprintf(stderr, "outlast: cannot make the directory %s: %s\n", directory,
		        strerror(errno));
		return 1;
	}
	page_index(&page);
	result = write_file(directory, PAGE_INDEX_FILE, buffer_bytes(&page));
	if (result == 0)
		result = write_file(directory, PAGE_STYLE_FILE, page_style());
	for (size_t i = 0; i < knowledge_count() && result == 0; i++) {
		buffer_clear(&page);
		page_entry(knowledge_at(i), &page);
		page_file(knowledge_at(i), &name);
		buffer_append_char(&name, '\0');
		result = write_file(directory, name.at, buffer_bytes(&page));
	}
	buffer_deinit(&page);
	buffer_deinit(&name);
	if (result == 0)
		printf("%zu pages are in %s; begin with %s/%s\n", knowledge_count() + 1, directory,
		       directory, PAGE_INDEX_FILE);
	return result == 0 ? 0 : 1;
}

int cli_code(int argc, char **argv)
{
	struct cli_options options;

	if (cli_parse(argc, argv, "search all html limit", &options) < 0)
		return 2;
	if (options.html)
		return write_pages(options.html);
	if (options.search)
		return search(&options);
	if (options.is_all)
		return show_all(options.is_json);
	if (options.first == argc)
		return cli_usage(argv[0],
		                 "which code? Or --search \"words of the reply\", or --all");
	return explain_each(argc, argv, &options);
}
