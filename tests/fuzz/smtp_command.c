/* What a client sends as a line: never read beyond, and parts lie within it. */
#include "base/assert.h"
#include "smtp/address.h"
#include "smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct bytes line, struct bytes part)
{
	ASSERT(part.len == 0 || (part.at >= line.at && part.at + part.len <= line.at + line.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes line = { (const char *)data, size };
	struct mailbox_parts parts;
	struct command command;

	if (command_parse(line, &command) != COMMAND_OK)
		return 0;
	check_within(line, command.argument);
	check_within(line, command.path);
	ASSERT(command.parameter_count <= COMMAND_PARAMETERS_MAX);
	for (int i = 0; i < command.parameter_count; i++) {
		check_within(line, command.parameters[i].name);
		check_within(line, command.parameters[i].value);
	}
	if (mailbox_parse(command.path, true, &parts) == MAILBOX_OK)
		ASSERT(parts.local.len <= 64 && parts.domain.len <= 255);
	return 0;
}
