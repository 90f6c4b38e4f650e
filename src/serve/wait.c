#include "serve/wait.h"
#include <errno.h>

void wait_for(struct wait *wait, struct mailbox *mailbox, void (*deliver)(struct mail *mail))
{
	sem_init(&wait->answered, 0, 0);
	wait->mail.deliver = deliver;
	mailbox_post(mailbox, &wait->mail);
	while (sem_wait(&wait->answered) < 0 && errno == EINTR)
		;
	sem_destroy(&wait->answered);
}

void wait_answer(struct wait *wait)
{
	sem_post(&wait->answered);
}
