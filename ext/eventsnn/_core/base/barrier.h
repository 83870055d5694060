/* A place where threads wait for each other: eventsnn_barrier_wait returns in all of them when the last has come.
 *
 * Windows are short, so those that wait look again at once, `looks` times; then they give their turn away, since there
 * may be more threads than processors. What a thread has written before it comes is seen by the others when they go on.
 */

#ifndef EVENTSNN_BARRIER_H
#define EVENTSNN_BARRIER_H

typedef struct {
    int n;
    int looks;
    volatile int come;
    volatile int times;
} eventsnn_barrier;

#if defined(_MSC_VER)
#include <intrin.h>
__declspec(dllimport) int __stdcall SwitchToThread(void);
#define eventsnn_add(place) (_InterlockedIncrement((volatile long *)(place)))
#define eventsnn_get(place) ((int)_InterlockedOr((volatile long *)(place), 0))
#define eventsnn_set(place, value) (_InterlockedExchange((volatile long *)(place), (value)))
#define eventsnn_give_way() ((void)SwitchToThread())
#define eventsnn_pause() _mm_pause()
#else
#include <sched.h>
#define eventsnn_add(place) __atomic_add_fetch((place), 1, __ATOMIC_ACQ_REL)
#define eventsnn_get(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
#define eventsnn_set(place, value) __atomic_store_n((place), (value), __ATOMIC_RELEASE)
#define eventsnn_give_way() ((void)sched_yield())
#if defined(__x86_64__) || defined(__i386__)
#define eventsnn_pause() __builtin_ia32_pause()
#else
#define eventsnn_pause() ((void)0)
#endif
#endif

static inline void eventsnn_barrier_wait(eventsnn_barrier *b)
{
    int times = eventsnn_get(&b->times);
    if (eventsnn_add(&b->come) == b->n) {
        eventsnn_set(&b->come, 0);
        eventsnn_set(&b->times, (int)((unsigned)times + 1u));
        return;
    }
    for (int looks = 0; eventsnn_get(&b->times) == times; looks++) {
        if (looks < b->looks) {
            eventsnn_pause();
        } else {
            eventsnn_give_way();
        }
    }
}

#endif
