/* base/list.h - intrusive doubly linked list. A list head is a node of its own; zeroed memory is
 * not a list. */
#pragma once
#include "base/macros.h"
#include <stdbool.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *list)
{
	list->next = list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_before(struct list *place, struct list *node)
{
	node->next = place;
	node->prev = place->prev;
	place->prev->next = node;
	place->prev = node;
}

static inline void list_append(struct list *list, struct list *node)
{
	list_insert_before(list, node);
}

static inline void list_prepend(struct list *list, struct list *node)
{
	list_insert_before(list->next, node);
}

/* list_remove - takes a node out; it may be removed again (no effect) or inserted elsewhere. */
static inline void list_remove(struct list *node)
{
	node->next->prev = node->prev;
	node->prev->next = node->next;
	list_init(node);
}

/* list_take_first - removes and returns the first node, NULL if the list is empty. */
static inline struct list *list_take_first(struct list *list)
{
	struct list *first = list->next;

	if (first == list)
		return NULL;
	list_remove(first);
	return first;
}

/* The head is any expression; the loop declares `node`. */
#define LIST_EACH(node, head) \
	for (struct list *node = (head)->next; node != (head); node = node->next)
#define LIST_EACH_SAFE(node, head)                                                        \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
	     node = node##_next, node##_next = node->next)
