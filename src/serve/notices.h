/* serve/notices.h - makes the notices that the queue asks for, a few at a time: reads the original,
 * writes the notice, keeps it in the spool, then tells the queue. Keeper's thread only. */
#pragma once
#include "model/notice.h"

struct notices;
struct keeper;
struct job;

struct notices *notices_create(struct keeper *keeper);
void notices_destroy(struct notices *notices); /* takes NULL */
void notices_add(struct notices *notices, const struct notice *notice);

/* notices_add_relayed - NOTIFY=SUCCESS to a next hop without DSN: the `relayed` notice is due
 * (RFC 3461 5.2.2), and is kept before the queue hears of the delivery. Returns false if no
 * recipient of the job wants one; otherwise the job is reported once the notice is kept. */
bool notices_add_relayed(struct notices *notices, struct job *job);

/* notices_busy - how many are being made. */
int notices_busy(const struct notices *notices);
