/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that make calls when they are told, and how it is known that all
 * are quiet
 *
 * A player gets an order over a socket, makes the call and answers.  It holds
 * descriptors in slots, under the same numbers in all players.  Players live as
 * long as the claim; between two plays they are cleared.
 *
 * Quiet: each player that was given an order has answered, or sleeps in its
 * call, and nobody is on the way to somebody else.  players_settle() waits for
 * that, and players_settle() alone: time says nothing.
 */
#ifndef SEMANTICS_PLAYER_H
#define SEMANTICS_PLAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vocabulary.h"

#define NR_PLAYERS	 4
#define NR_SLOTS	 4
#define ACTIVE_SLOT	 0

/* Signals that players catch: a call that one ends, and one that goes on. */
#define INTERRUPT_SIGNAL SIGUSR1
#define RESTART_SIGNAL	 SIGUSR2

/* Ordered beside the calls of the vocabulary. */
enum deed {
	DO_CALL,
	DO_NOTHING, /* but take the descriptor that comes along */
	DO_CLEAR, /* close all slots, reap the child */
	DO_CLOSE_SLOT,
	DO_DUP, /* slot to slot .number */
	DO_NONBLOCK, /* .number: on or off */
	DO_PACKETS,
	DO_ASYNC, /* .number: whose SIGIO, 0: off */
	DO_FORK, /* a child that holds the same descriptors */
	DO_REAP, /* the end of that child */
	DO_EPOLL, /* into slot .number, edge-triggered, for the slot */
	DO_EPOLL_WAIT,
};

struct order {
	enum deed deed;
	struct call call;
	int slot;
	long number;
	int flags; /* of an open */
	unsigned int target;
	char path[64]; /* to open, if the target has no name */
	uint64_t position; /* where in the stream written bytes are from */
};

struct answer {
	long ret;
	int err;
	unsigned int sigpipes;
	uint64_t hash; /* of the bytes that came */
	bool in_order; /* they are those at .position of the stream */
};

/* Begin: players run until the claim is over. */
void players_start(void);

/* @fd is passed along and goes into the slot, if it is not -1. */
void player_begin(int player, const struct order *order, int fd);

/* Waits for the answer: it must not depend on what others do. */
struct answer player_does(int player, const struct order *order, int fd);

void players_settle(void);

/* Until it has answered; for what may sleep elsewhere than in a pipe. */
void player_await(int player);

/* It sleeps in a call, as of the last players_settle(). */
bool player_is_asleep(int player);

/* It has answered since player_begin(); this takes the answer. */
bool player_has_ended(int player, struct answer *answer);

pid_t player_pid(int player);

/* Wakes all that sleep, by a signal, and takes everything from all. */
void players_clear(void);

/* The number that a slot's descriptor has in each player. */
int player_fd_number(int slot);

/* A descriptor of a player's slot, here. */
int player_fd(int player, int slot);

#endif /* SEMANTICS_PLAYER_H */
