/* SPDX-License-Identifier: Apache-2.0 */
/* A doubly linked list through its members: a member is on one list at most, leaving costs
 * nothing, and an empty list is one that points at itself. */
#ifndef RPCGATE_BASE_LIST_H
#define RPCGATE_BASE_LIST_H

#include "base/macros.h"

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_add_last(struct list *head, struct list *member)
{
    member->prev = head->prev;
    member->next = head;
    head->prev->next = member;
    head->prev = member;
}

static inline void list_add_first(struct list *head, struct list *member)
{
    member->next = head->next;
    member->prev = head;
    head->next->prev = member;
    head->next = member;
}

/* Leaves its list; a member that is on none (list_init) may leave, too. */
static inline void list_remove(struct list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    list_init(member);
}

/* Puts all members of `from` behind those of `head`. */
static inline void list_move_all(struct list *head, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = head->prev;
    from->prev->next = head;
    head->prev->next = from->next;
    head->prev = from->prev;
    list_init(from);
}

/* The object around the first member; the list must not be empty. */
#define LIST_FIRST(head, type, member) CONTAINER_OF((head)->next, type, member)

/* Walks the list; the current member may be removed or freed. */
#define LIST_EACH(head, at, following)                                                             \
    for (struct list *at = (head)->next, *following = at->next; at != (head);                      \
         at = following, following = at->next)

#endif
