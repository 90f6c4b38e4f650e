/* Any bytes as an event log: either there is a sentence, or a world whose mail is in order and goes
 * to domains that are there. */
#include "simulate/recording.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene *scene = NULL;
	struct err err = { 0 };
	int result = recording_parse("log", (struct bytes){ (const char *)data, size }, &scene,
	                             &err);

	ASSERT((result < 0) == (err.text[0] != '\0') && (result < 0) == (scene == NULL));
	for (uint32_t i = 0; scene && i < scene->mail_count; i++) {
		const struct mail *mail = &scene->mails[i];

		ASSERT(mail->domain < scene->domain_count && mail->arrived_us >= 0);
		ASSERT(i == 0 || mail->arrived_us >= mail[-1].arrived_us);
	}
	scene_destroy(scene);
	return 0;
}
