/* queue/note.h - what is remembered of sites and destinations over a restart
 * (docs/formats/state.md). */
#pragma once
#include "base/buffer.h"
#include "queue/heart.h"

struct site;
struct destination;

void note_write_site(struct queue *queue, struct site *site);
void note_write_destination(struct queue *queue, struct destination *destination);
void note_remove_site(struct queue *queue, struct site *site);
void note_remove_destination(struct queue *queue, struct destination *destination);
void note_write_suspension(struct queue *queue); /* of all destinations */

/* note_load - takes in a note found at start-up; what is not one is ignored. */
void note_load(struct queue *queue, uint64_t key, struct bytes bytes);
