#include "queue/action.h"
#include "base/alloc.h"
#include <string.h>

void actions_init(struct actions *actions)
{
	*actions = (struct actions){ .arena = arena_create(16384) };
}

void actions_deinit(struct actions *actions)
{
	actions_clear(actions);
	arena_destroy(actions->arena);
	alloc_free(actions->items);
	*actions = (struct actions){ 0 };
}

void actions_clear(struct actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		if (actions->items[i].kind == ACTION_DELIVER)
			route_release(actions->items[i].deliver.route);
	}
	actions->count = 0;
	arena_reset(actions->arena);
}

const struct outcome *actions_keep(struct actions *actions, const struct outcome *outcome)
{
	struct outcome *copy;

	if (!outcome)
		return NULL;
	copy = arena_alloc(actions->arena, sizeof *copy);
	*copy = *outcome;
	return copy;
}

struct action *actions_add(struct actions *actions, enum action_kind kind)
{
	struct action *action;

	if (actions->count == actions->capacity) {
		actions->capacity = actions->capacity ? actions->capacity * 2 : 16;
		actions->items = alloc_resize(actions->items, actions->capacity,
		                              sizeof *actions->items);
	}
	action = &actions->items[actions->count++];
	memset(action, 0, sizeof *action);
	action->kind = kind;
	return action;
}
