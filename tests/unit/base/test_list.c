#include "base/list.h"
#include "support/check.h"

struct item {
	struct list link;
	char letter;
};

static struct bytes letters(struct list *list, char text[8])
{
	size_t len = 0;

	LIST_EACH (node, list)
		text[len++] = CONTAINER_OF(node, struct item, link)->letter;
	return (struct bytes){ text, len };
}

static void test_order(void)
{
	struct item a = { .letter = 'a' }, b = { .letter = 'b' }, c = { .letter = 'c' };
	struct list list;
	char text[8];

	list_init(&list);
	CHECK_TRUE("empty", list_is_empty(&list) && list_take_first(&list) == NULL);
	list_append(&list, &b.link);
	list_append(&list, &c.link);
	list_prepend(&list, &a.link);
	CHECK_BYTES("order", letters(&list, text), bytes_of("abc"));
	list_remove(&b.link);
	list_remove(&b.link);
	CHECK_BYTES("removed", letters(&list, text), bytes_of("ac"));
	list_insert_before(&c.link, &b.link);
	CHECK_BYTES("inserted", letters(&list, text), bytes_of("abc"));
	CHECK_TRUE("first", list_take_first(&list) == &a.link);
	LIST_EACH_SAFE (node, &list)
		list_remove(node);
	CHECK_TRUE("emptied while walking", list_is_empty(&list));
}

TEST_MAIN(test_order)
