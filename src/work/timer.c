/* SPDX-License-Identifier: Apache-2.0 */
#include "work/timer.h"

#include "base/clock.h"
#include "work/work.h"

#include <stddef.h>

/* The one that is due first has the other among its children. Both are without siblings. */
static struct timer *meld(struct timer *a, struct timer *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    struct timer *first = b->due_ms < a->due_ms ? b : a, *second = first == a ? b : a;
    second->next = first->child;
    if (first->child != NULL)
        first->child->before = second;
    second->before = first;
    first->child = second;
    return first;
}

/* The heap of siblings: first in pairs from left to right, then all of these from right to left. */
static struct timer *meld_all(struct timer *first)
{
    struct timer *pairs = NULL, *all = NULL;
    while (first != NULL) {
        struct timer *a = first, *b = a->next;
        first = b != NULL ? b->next : NULL;
        a->next = a->before = NULL;
        if (b != NULL)
            b->next = b->before = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs != NULL) {
        struct timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        all = meld(all, a);
    }
    return all;
}

static void cut(struct timer *t)
{
    if (t->before->child == t)
        t->before->child = t->next;
    else
        t->before->next = t->next;
    if (t->next != NULL)
        t->next->before = t->before;
    t->next = t->before = NULL;
}

void timer_stop(struct work *w, struct timer *t)
{
    if (!t->is_set)
        return;
    struct timer *rest = meld_all(t->child);
    if (t == w->timers) {
        w->timers = rest;
    } else {
        cut(t);
        w->timers = meld(w->timers, rest);
    }
    t->child = NULL;
    t->is_set = false;
}

void timer_set(struct work *w, struct timer *t, int64_t due_ms)
{
    timer_stop(w, t);
    if (due_ms == CLOCK_NEVER)
        return;
    t->due_ms = due_ms > w->timers_until_ms ? due_ms : w->timers_until_ms + 1;
    t->is_set = true;
    w->timers = meld(w->timers, t);
}

int64_t timers_deadline_ms(const struct work *w)
{
    return w->timers != NULL ? w->timers->due_ms : CLOCK_NEVER;
}

void timers_run(struct work *w)
{
    w->timers_until_ms = loop_now_ms(w->loop);
    while (timers_deadline_ms(w) <= w->timers_until_ms) {
        struct timer *t = w->timers;
        timer_stop(w, t);
        t->fire(t);
    }
    w->timers_until_ms = INT64_MIN;
}
