#include "runtime/mailbox.h"
#include "runtime/mailbox_own.h"

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
	struct mail *first = atomic_load_explicit(&mailbox->first, memory_order_relaxed);

	do {
		mail->next = first;
	} while (!atomic_compare_exchange_weak_explicit(
		&mailbox->first, &first, mail, memory_order_release, memory_order_relaxed));
	if (!first)
		mailbox->wake(mailbox->arg);
}

int mailbox_take_all(struct mailbox *mailbox)
{
	struct mail *newest = atomic_exchange_explicit(&mailbox->first, NULL, memory_order_acquire);
	struct mail *oldest = NULL;
	int count = 0;

	while (newest) {
		struct mail *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	for (; oldest; count++) {
		struct mail *mail = oldest;

		oldest = mail->next;
		mail->deliver(mail);
	}
	return count;
}
