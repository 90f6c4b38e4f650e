/* migrate/opensmtpd.h - a message of OpenSMTPD 5.9 to 7.x: a file with its content, and one for
 * each recipient with "key: value" lines. Pure. */
#pragma once
#include "migrate/found.h"

/* opensmtpd_add - one recipient's file; the first one also gives sender and arrival. ERR_INVALID
 * with what is wrong. */
int opensmtpd_add(struct bytes envelope, struct found *found, struct err *err);

/* opensmtpd_finish - with the content, after every recipient. */
int opensmtpd_finish(struct bytes content, struct found *found, struct err *err);
