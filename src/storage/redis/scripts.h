// Scripts: what Redis does in one step (Lua, https://redis.io/docs/manual/programmability/).
//
// All keys of a call are in one partition. Every key that a script may touch is among KEYS, so that
// a cluster refuses the whole call while it moves the slot; take alone learns names as it goes, and
// reads them before it writes. Numbers in ARGV are decimal, times Unix milliseconds.
#pragma once

#include "net/redis_client.h"

namespace otpd::storage::redis {

// A job is a string under its key, written once; where it stands is the member `id(16) lease(8)` of
// one of two sorted sets: `due`, by the time from which it may be taken, or `held`, by the time at
// which its lease ends. So a lease is checked and ended by one ZREM. A dead letter takes the job's
// place under its key, which keeps the id taken, and the job moves to a key that lives no longer
// than its code.

// One atomic step of the store: a state (or none), and what is written with it.
// KEYS: record (or any, without a state), events, due, held, those of the steps in order, and
//       `dead` last if there is a step x. Those at the end that no step needs are left out.
// ARGV: expected version ("" for none), new value ("" deletes), its life in ms ("" for no state),
//       most events that may wait ("" if there is no step e), channel to ring ("" for none), steps:
//   e event                        an audit event
//   n member due_at job life       a new job, unless its id is taken      (KEYS: job)
//   d member                       a job is done                          (KEYS: job)
//   r member again due_at          a job is given back as the member `again`
//   x member letter died_at life forget
//                                  a job is dead: its letter lives that long, what is in `dead`
//                                  since before `forget` is dropped       (KEYS: job, sealed)
// Answers 1; 0 if the version differs; 2 if too many events wait. Then nothing is written. A step
// of a member that is in neither set does nothing.
const net::RedisScript& write_script();

// Takes what is due. KEYS: due, held. ARGV: now, end of the lease, most jobs, the jobs' keys
// without their ids, first 2 bytes of the lease, last 4 bytes, "1" to end leases that ran out.
// Between them goes how often the job was taken, 2 bytes. Answers when the next one is due
// ("inf": none waits; "": unknown, since a job's key is just being moved to another node and it
// stays due), then member, due_at, job of each.
const net::RedisScript& take_script();

// Makes sure that what is shared by a partition is there and lives on. KEYS: events, due, held.
// ARGV: life in ms. The sets hold a member "-" at infinity, so that they are never empty and never
// lose their expiry.
const net::RedisScript& keep_script();

// KEYS: due, held, dead. ARGV: now, the oldest death that still counts. Answers how many wait,
// how many are held, how many are dead, and the oldest due time ("" if nothing is due).
const net::RedisScript& stats_script();

// The newest dead letters. KEYS: dead. ARGV: most letters, the letters' keys without their ids, the
// oldest death that still counts. Answers id, letter of each.
const net::RedisScript& letters_script();

// Makes a dead letter a job again. KEYS: dead, due, letter, sealed. ARGV: id, now, member, life in
// ms, channel to ring. Answers 1, or 0 if there is none or its job is gone.
const net::RedisScript& requeue_script();

}  // namespace otpd::storage::redis
