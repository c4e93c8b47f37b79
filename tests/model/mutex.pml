/* SPDX-License-Identifier: GPL-2.0
 *
 * The mutex of libipcdemo, and the module that cares for who dies.
 *
 * Bugs: BUG_CLEARS BUG_NO_WAKE_ALL BUG_WALK_SILENT
 *
 * PROCESSES lock and unlock, the first of them ROUNDS times, as userspace/lib/mutex.c
 * does: a step here is one access to the word there, or one call.  Each may be killed before each of its
 * steps, DEATHS in all, and give up waiting, TIMEOUTS in all.  It is shown that
 *   - no two hold the mutex at once (the assertion);
 *   - nobody sleeps for ever: the search ends only where all are at their end, else it
 *     reports an invalid end state.
 * Memory is sequentially consistent here: all happens on one word.
 *
 * Each name in the line "Bugs" is a macro that plants one, which the search must find.
 */
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 1
#endif

/* The word. */
byte owner = 0;
bool waiters = false;
bool died = false;

/* Who sleeps on it, in the order in which they came, and who was woken. */
chan queue = [PROCESSES] of { byte };
bool woken[PROCESSES + 1];

byte holders = 0;
byte deaths = 0;
byte timeouts = 0;

#define LOAD	  so = owner; sw = waiters; sd = died
#define SAME	  (so == owner && sw == waiters && sd == died)
#define MAY_DIE	  if :: deaths < DEATHS -> deaths++; goto dead :: true fi
#define WAKE_ONE \
	if \
	:: nempty(queue) -> queue?other; woken[other] = true \
	:: empty(queue) -> skip \
	fi; \
	other = 0

proctype process(byte me)
{
	byte so, other, round = 0;
	bool sw, sd, slept, alone, idle = false, holds = false, next;

again:
	slept = false;
	MAY_DIE;
	atomic { LOAD };
look:
	MAY_DIE;
	if
	:: so == 0 ->
		alone = sw && !sd && idle && !slept;
		next = !alone && (sw || sd || slept);
		atomic {
			if
			:: SAME ->
				owner = me; waiters = next; died = false;
				holders++; holds = true;
				assert(holders == 1)
			:: else -> LOAD; goto look
			fi
		};
		if
		:: alone ->
			idle = false;
			MAY_DIE;
#ifndef BUG_NO_WAKE_ALL
			atomic {
				do
				:: nempty(queue) -> queue?other; woken[other] = true
				:: empty(queue) -> break
				od;
				other = 0
			}
#endif
		:: else -> skip
		fi
	:: else ->
		atomic {
			if
			:: SAME -> waiters = true; sw = true
			:: else -> LOAD; goto look
			fi
		};
		MAY_DIE;
		/* The kernel compares, and puts it on the queue */
		atomic {
			if
			:: SAME -> woken[me] = false; queue!me
			:: else -> LOAD; goto look
			fi
		};
		if
		:: woken[me] -> slept = true
		/* Who was woken is on the queue no more */
		:: atomic { !woken[me] && deaths < DEATHS -> queue??eval(me); deaths++ }; goto dead
		:: atomic { woken[me] && deaths < DEATHS -> deaths++ }; goto dead
		:: atomic { !woken[me] && timeouts < TIMEOUTS -> queue??eval(me); timeouts++ }; goto done
		fi;
		MAY_DIE;
		atomic { LOAD };
		goto look
	fi;

	/* It holds the mutex */
	MAY_DIE;
	atomic { LOAD };
unlock:
	MAY_DIE;
	atomic {
		if
		:: SAME ->
			owner = 0; died = false;
#ifdef BUG_CLEARS
			waiters = false;
#endif
			holders--; holds = false
		:: else -> LOAD; goto unlock
		fi
	};
	if
	:: sw ->
		MAY_DIE;
		atomic {
			idle = empty(queue);
			WAKE_ONE
		}
	:: else -> skip
	fi;
done:
	so = 0; sw = false; sd = false; slept = false; alone = false; next = false;
	round++;
	if
	:: me == 1 && round < ROUNDS -> goto again
	:: else -> goto end
	fi;

dead:
	/* The module: nobody kills it */
	atomic {
		if
		:: holds -> holders--; holds = false
		:: else -> skip
		fi;
		so = owner;
		if
		:: so == me -> owner = 0; died = true
		:: else -> skip
		fi
	};
#ifndef BUG_WALK_SILENT
	if
	:: so == me || so == 0 -> atomic { WAKE_ONE }
	:: else -> skip
	fi;
#else
	if
	:: so == me -> atomic { WAKE_ONE }
	:: else -> skip
	fi;
#endif
end:
	skip
}

init {
	byte i = 1;

	atomic {
		/* Fewer, too: who could still die would else not be seen to hang */
		do
		:: deaths < DEATHS -> deaths++
		:: timeouts < TIMEOUTS -> timeouts++
		:: break
		od;
		do
		:: i <= PROCESSES -> run process(i); i++
		:: else -> break
		od
	}
}
