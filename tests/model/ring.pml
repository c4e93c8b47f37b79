/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bells of a ring of one cell, with two senders and a receiver: nobody sleeps on
 *
 * Each process has a store buffer, as processors do: what it stores into the cell may
 * become visible later, at the latest with its next read-modify-write.  The kernel
 * compares the bell and puts a process to sleep in one step.  If a wake-up is lost
 * somebody sleeps for ever, which spin calls an invalid end state.
 *
 * Bugs: SENDER_LOADS RECEIVER_LOADS NO_SECOND_LOOK
 *
 *   SENDER_LOADS	a sender reads the bell with a plain load
 *   RECEIVER_LOADS	the receiver does
 *   NO_SECOND_LOOK	who has made the bell odd sleeps without another look
 */
#define SENDERS	 2
#define RECEIVER SENDERS
#define EACH	 2

#define FREE	 0
#define CLAIMED	 1
#define READY	 2

#define TO_RECEIVER 0
#define TO_SENDERS  1

byte cell = FREE;
bool stored[SENDERS + 1];	/* in the buffer: READY, or FREE of the receiver */
byte bell[2];
bool asleep[SENDERS + 1];
byte received;

inline drain(who)
{
	if
	:: stored[who] ->
		if
		:: who == RECEIVER -> cell = FREE
		:: else -> cell = READY
		fi;
		stored[who] = false
	:: else
	fi
}

/* After a store into the cell. */
inline ring_bell(who, b, plain)
{
	atomic {
		if
		:: !plain -> drain(who)
		:: else
		fi;
		now = bell[b]
	}
	if
	:: now % 2 ->
		atomic {
			drain(who);
			if
			:: bell[b] == now ->
				bell[b] = now + 1;
				won = true
			:: else -> won = false
			fi
		}
		atomic {
			if
			:: won && b == TO_RECEIVER -> asleep[RECEIVER] = false
			:: won && b == TO_SENDERS ->
				asleep[0] = false;
				asleep[1] = false
			:: else
			fi
		}
	:: else
	fi
}

inline listen(who, b)
{
	atomic {
		drain(who);
		if
		:: bell[b] % 2 == 0 -> bell[b] = bell[b] + 1
		:: else
		fi;
		heard = bell[b]
	}
}

inline go_to_sleep(who, b)
{
	atomic {
		if
		:: bell[b] == heard -> asleep[who] = true
		:: else
		fi
	}
	!asleep[who]
}

inline claim(who)
{
	atomic {
		drain(who);
		if
		:: cell == FREE ->
			cell = CLAIMED;
			mine = true
		:: else -> mine = false
		fi
	}
}

proctype sender(byte me)
{
	byte sent, now, heard;
	bool won, mine;

	do
	:: sent == EACH -> break
	:: else ->
		claim(me);
		if
		:: !mine ->
			listen(me, TO_SENDERS);
#ifndef NO_SECOND_LOOK
			claim(me);
#endif
			if
			:: !mine -> go_to_sleep(me, TO_SENDERS)
			:: else
			fi
		:: else
		fi;
		if
		:: mine ->
			stored[me] = true;
			sent++;
#ifdef SENDER_LOADS
			ring_bell(me, TO_RECEIVER, true)
#else
			ring_bell(me, TO_RECEIVER, false)
#endif
		:: else
		fi
	od
}

proctype receiver()
{
	byte now, heard;
	bool won;

	do
	:: received == SENDERS * EACH -> break
	:: else ->
		if
		:: cell == READY && !stored[RECEIVER] ->
			received++;
			stored[RECEIVER] = true;
#ifdef RECEIVER_LOADS
			ring_bell(RECEIVER, TO_SENDERS, true)
#else
			ring_bell(RECEIVER, TO_SENDERS, false)
#endif
		:: else ->
			listen(RECEIVER, TO_RECEIVER);
			if
#ifndef NO_SECOND_LOOK
			:: cell == READY -> skip
#endif
			:: else -> go_to_sleep(RECEIVER, TO_RECEIVER)
			fi
		fi
	od
}

/* What is in a buffer becomes visible at any time. */
active proctype memory()
{
end:
	do
	:: atomic { stored[0] -> drain(0) }
	:: atomic { stored[1] -> drain(1) }
	:: atomic { stored[RECEIVER] -> drain(RECEIVER) }
	od
}

init {
	atomic {
		run sender(0);
		run sender(1);
		run receiver()
	}
}
