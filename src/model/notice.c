#include "model/notice.h"

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, bytes_of(text)).at : NULL;
}

static struct notice_recipient copy_recipient(struct arena *arena,
                                              const struct notice_recipient *recipient)
{
	struct notice_recipient copy = *recipient;
	struct outcome *outcome;

	copy.status = copy_text(arena, recipient->status);
	copy.text = copy_text(arena, recipient->text);
	if (recipient->site_outcome) {
		outcome = arena_alloc(arena, sizeof *outcome);
		*outcome = *recipient->site_outcome;
		copy.site_outcome = outcome;
	}
	return copy;
}

struct notice notice_copy(struct arena *arena, const struct notice *notice)
{
	struct notice copy = *notice;

	copy.recipients = arena_alloc(arena, notice->count * sizeof *copy.recipients);
	for (uint32_t i = 0; i < notice->count; i++)
		copy.recipients[i] = copy_recipient(arena, &notice->recipients[i]);
	return copy;
}
