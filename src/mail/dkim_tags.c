#include "mail/dkim_tags.h"

bool dkim_tag_next(struct bytes *rest, struct dkim_tag *tag_out)
{
	struct bytes tag;

	do {
		if (!rest->at)
			return false;
		tag = bytes_trim(bytes_split(rest, ';'));
	} while (tag.len == 0);
	tag_out->value = tag;
	tag_out->name = bytes_trim(bytes_split(&tag_out->value, '='));
	if (tag_out->value.at)
		tag_out->value = bytes_trim(tag_out->value);
	else
		tag_out->name.len = 0;
	return true;
}

bool dkim_tag_find(struct bytes list, const char *name, struct bytes *value_out)
{
	struct dkim_tag tag;
	int count = 0;

	while (dkim_tag_next(&list, &tag)) {
		if (!bytes_equal(tag.name, bytes_of(name)))
			continue;
		*value_out = tag.value;
		count++;
	}
	return count == 1;
}
