#include "config/document.h"
#include "config/schema.h"
#include "support/check.h"
#include <stdlib.h>

#define PAGE "docs/config.md"

static void read_page(struct buffer *page)
{
	FILE *file = fopen(PAGE, "r");
	int c;

	CHECK_TRUE(PAGE, file != NULL);
	while (file && (c = fgetc(file)) != EOF)
		buffer_append_char(page, (char)c);
	if (file)
		fclose(file);
}

static void renew_page(const struct buffer *wanted)
{
	FILE *file = fopen(PAGE, "w");

	CHECK_TRUE(PAGE, file != NULL && fwrite(wanted->at, 1, wanted->len, file) == wanted->len);
	if (file)
		fclose(file);
}

/* With OUTLAST_RENEW=1 in the environment the page is written anew. */
static void test_page_is_current(void)
{
	struct buffer wanted = { 0 }, page = { 0 };

	config_document(&wanted);
	if (getenv("OUTLAST_RENEW"))
		renew_page(&wanted);
	read_page(&page);
	CHECK_TRUE("docs/config.md is current; if not: OUTLAST_RENEW=1 meson test document",
	           bytes_equal(buffer_bytes(&page), buffer_bytes(&wanted)));
	buffer_deinit(&wanted);
	buffer_deinit(&page);
}

static void test_every_key_is_documented(void)
{
	for (int id = 0; id < BLOCK_COUNT; id++) {
		const struct schema_block *block = schema_block((enum schema_block_id)id);

		CHECK_TRUE(block->name, block->doc != NULL);
		for (int i = 0; i < block->key_count; i++) {
			const struct schema_key *key = &block->keys[i];

			CHECK_TRUE(key->name, key->doc && (key->example || key->initial));
			CHECK_TRUE(key->name,
			           (key->type == SCHEMA_CHOICE) == (key->choices != NULL));
			CHECK_INT(key->name, schema_find_key(block, key->name), i);
		}
	}
}

TEST_MAIN(test_page_is_current, test_every_key_is_documented)
