#include "config/document.h"
#include "config/presets.h"
#include "config/schema.h"
#include "config/value.h"

static const char *const type_names[] = {
	[SCHEMA_STRING] = "text",      [SCHEMA_CHOICE] = "choice",
	[SCHEMA_SWITCH] = "yes or no", [SCHEMA_NUMBER] = "number",
	[SCHEMA_SIZE] = "size",        [SCHEMA_DURATION] = "duration",
	[SCHEMA_STRINGS] = "texts",    [SCHEMA_DURATIONS] = "durations",
};

static const char introduction[] =
	"# Configuration\n\n"
	"One file (`/etc/outlast/outlast.conf`) in a small block language:\n\n"
	"    hostname mail.example.com;           # a key, its value, a semicolon\n"
	"    receive {                            # a block\n"
	"            relay_from 127.0.0.0/8 ::1;  # some keys take several values\n"
	"    }\n"
	"    destination \"example.com\" {          # a block with an argument\n"
	"            lifetime 3d;\n"
	"    }\n"
	"    include \"conf.d/*.conf\";             # relative to this file\n\n"
	"Values that hold blanks or one of `{ } ; \" #` stand in double quotes, with the escapes\n"
	"`\\\"`, `\\\\`, `\\n` and `\\t`. A block without an argument may be given several times: "
	"its\n"
	"parts count together. A key may be set once.\n\n"
	"- **duration**: `250ms`, `90s`, `30m`, `1h30m`, `5d`, `2w`; a bare number is seconds\n"
	"- **size**: `4096`, `64K`, `50M`, `2G`; powers of 1024\n\n"
	"`outlast config check` finds mistakes and `outlast config show` prints every value with "
	"the\n"
	"line that set it. After `outlast config reload` (or SIGHUP) the new file is in force for "
	"what\n"
	"begins then; a file with mistakes changes nothing.\n\n"
	"This page is made from the program's table of keys.\n";

static void write_range(const struct schema_key *key, struct buffer *out)
{
	struct bytes rest = bytes_of(key->choices);

	if (key->max > 0) {
		value_format_exact(key->type, key->min, out);
		buffer_append_text(out, " to ");
		value_format_exact(key->type, key->max, out);
	}
	while (rest.at) {
		struct bytes choice = bytes_split(&rest, ' ');

		buffer_printf(out, "`%.*s`%s", BYTES_FORMAT(choice), rest.at ? ", " : "");
	}
}

static void write_key(const struct schema_key *key, struct buffer *out)
{
	const char *example = key->example ? key->example : key->initial;

	buffer_printf(out, "| `%s` | %s | ", key->name, type_names[key->type]);
	write_range(key, out);
	if (key->initial)
		buffer_printf(out, " | `%s`", key->initial);
	else
		buffer_append_text(out, " | -");
	buffer_printf(out, " | %s | `%s %s;` |\n", key->doc, key->name, example);
}

static void write_block(const struct schema_block *block, struct buffer *out)
{
	if (block->name[0] == '\0')
		buffer_append_text(out, "\n## (no block)\n\n");
	else if (block->argument)
		buffer_printf(out, "\n## %s \"%s\" { }\n\n", block->name, block->argument);
	else
		buffer_printf(out, "\n## %s { }\n\n", block->name);
	buffer_printf(out, "%s.\n", block->doc);
	if (block == schema_block(BLOCK_DESTINATION) || block == schema_block(BLOCK_PRESET))
		return;
	buffer_append_text(out, "\n| key | type | range | default | meaning | example |\n"
	                        "|---|---|---|---|---|---|\n");
	for (int i = 0; i < block->key_count; i++)
		write_key(&block->keys[i], out);
}

void config_document(struct buffer *out)
{
	struct bytes presets = bytes_of(presets_text());

	buffer_append_text(out, introduction);
	for (int id = 0; id < BLOCK_COUNT; id++)
		write_block(schema_block((enum schema_block_id)id), out);
	buffer_append_text(out, "\n## Built-in presets\n\n");
	while (presets.len > 0) {
		struct bytes line = bytes_split(&presets, '\n');

		buffer_printf(out, "    %.*s\n", BYTES_FORMAT(line));
	}
}
