#include "lab/manners.h"
#include <string.h>

static const char *const listen_names[] = {
	[LISTEN_ACCEPT] = "accept", [LISTEN_REFUSE] = "refuse", [LISTEN_BLACKHOLE] = "blackhole",
	[LISTEN_SILENT] = "silent", [LISTEN_RESET] = "reset",
};

const char *listen_manner_name(enum listen_manner manner)
{
	return listen_names[manner];
}

void manners_make_healthy(struct manners *manners)
{
	memset(manners, 0, sizeof *manners);
	manners->extensions = EXTENSIONS_ALL;
}

const struct action *action_take(struct action *action)
{
	if (action->kind == ACTION_NONE || action->left == 0)
		return NULL;
	if (action->left > 0)
		action->left--;
	return action;
}

bool pattern_match(struct bytes pattern, struct bytes text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && char_lower(pattern.at[p]) == char_lower(text.at[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}
