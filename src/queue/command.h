/* queue/command.h - what operators ask for: of one message at once, by filter slice by slice. */
#pragma once
#include "queue/heart.h"

void command_take(struct queue *queue, const struct event_command *command);

/* command_rearm_all - the configuration changed: every timer is set anew, slice by slice. */
void command_rearm_all(struct queue *queue);
void command_run_sweeps(struct queue *queue);
void command_destroy_all(struct queue *queue);
