// SPDX-License-Identifier: MIT
/*
 * trace_format.h - a trace file on paper: what a process under NOBLOCKDNS_TRACE writes, and the
 * command reads (tool/trace_read.h).
 *
 * One file a process image: FOLDER/noblockdns-PID-START.trace, START being the CLOCK_BOOTTIME of
 * its making in nanoseconds. A header of TRACE_HEADER_SIZE bytes, then cells of TRACE_CELL_SIZE.
 * The file is sparse and as large as it may ever be; cells from `used` on are not written yet.
 *
 * A record is one first cell and, where its text or list does not fit, more cells behind it:
 *
 *	1. its cells are reserved by an atomic add to `used`;
 *	2. the first cell's mark says at once how many they are, and that they are not finished;
 *	3. everything else is written, the mark of each further cell as well;
 *	4. the first cell's mark is written again, released, with the type: the record is there.
 *
 * So whatever kills the process, at any instruction, costs the records that its threads were just
 * writing, and no other. A reader skips what was reserved and not finished, and finds the next
 * record by the marks where not even the length is there. Records are in the order of their ends,
 * nearly. Counters in a TRACE_THREAD record go on changing while the process lives.
 *
 * Host byte order. All times are CLOCK_BOOTTIME in nanoseconds.
 */
#ifndef NOBLOCKDNS_TRACE_FORMAT_H
#define NOBLOCKDNS_TRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC	  "NBDTRACE" /* without a NUL */
#define TRACE_VERSION	  2u
#define TRACE_BYTE_ORDER  0x01020304u
#define TRACE_HEADER_SIZE 4096u
#define TRACE_CELL_SIZE	  64u
#define TRACE_FILE_SIZE	  (64u << 20)
#define TRACE_CELLS_MAX	  ((TRACE_FILE_SIZE - TRACE_HEADER_SIZE) / TRACE_CELL_SIZE)

struct trace_header {
	char magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint32_t header_size;
	uint32_t cell_size;
	uint32_t cells_max;
	uint32_t observe; /* 1: NOBLOCKDNS_MODE=observe */
	uint32_t pid, ppid;
	uint32_t spare;
	uint32_t argv_len;	/* bytes of `argv`; as long as it: cut */
	uint64_t start_boot_ns; /* when the file was made */
	uint64_t start_real_ns; /* the same moment by CLOCK_REALTIME */
	char exe[512];		/* NUL-terminated, or cut */
	char argv[2048];	/* each argument with its NUL */
	unsigned char reserved[1408];

	/* Apart from what never changes: written by all threads of the process. */
	uint64_t used;	  /* cells that were reserved; the last ones in vain, if any was dropped */
	uint64_t dropped; /* records for which there was no room */
	unsigned char rest[48];
};
_Static_assert(sizeof(struct trace_header) == TRACE_HEADER_SIZE, "one page");

/* The first word of each cell. 0: reserved, if anything. */
#define TRACE_MARK(state, type, ncells)                                                            \
	(0x5eu << 24 | (uint32_t)(state) << 20 | (uint32_t)(type) << 12 | (uint32_t)(ncells))
#define TRACE_MARK_IS(mark)	((mark) >> 24 == 0x5eu)
#define TRACE_MARK_STATE(mark)	((mark) >> 20 & 0xfu)
#define TRACE_MARK_TYPE(mark)	((mark) >> 12 & 0xffu)
#define TRACE_MARK_NCELLS(mark) ((mark)&0xfffu) /* TRACE_MORE: the how-maniest, from 1 */

enum trace_state {
	TRACE_WRITING = 1, /* the first cell of a record that is not finished */
	TRACE_DONE,	   /* the first cell of one that is */
	TRACE_MORE,	   /* a further cell */
};

enum trace_type {
	TRACE_LOOKUP = 1,
	TRACE_CONNECT,
	TRACE_RACE,   /* how the race of a connect() ended, told by the io thread */
	TRACE_TURN,   /* a loop turn: 1 ms and longer, or with a lookup or connect in it */
	TRACE_THREAD, /* a thread's first record is preceded by this; counts all its turns, and
		       * tells what it is in */
};

/* Which function of the program's was called. */
enum trace_function {
	TRACE_GETADDRINFO = 1,
	TRACE_GETHOSTBYNAME,
	TRACE_GETHOSTBYNAME2,
	TRACE_GETHOSTBYNAME_R,
	TRACE_GETHOSTBYNAME2_R,
	TRACE_GETADDRINFO_A,
	TRACE_GAI_SUSPEND,
	TRACE_CONNECT_CALL,
};

/* Where the answer to a lookup came from. */
enum trace_source {
	TRACE_SOURCE_UNKNOWN,
	TRACE_SOURCE_CACHE,
	TRACE_SOURCE_STALE, /* from the cache, expired (RFC 8767) */
	TRACE_SOURCE_UPSTREAM,
	TRACE_SOURCE_HOSTS,
	TRACE_SOURCE_LIBC,
};

#define TRACE_ADDRS_MAX	   8	    /* addresses of a lookup that are kept */
#define TRACE_NAME_MAX	   255	    /* bytes of a name; longer ones are cut */
#define TRACE_TURN_NS	   1000000u /* turns shorter than this are counted only */
#define TRACE_TURN_BUCKETS 7
#define TRACE_INLINE_MAX   28 /* bytes of a lookup's tail in its first cell */
#define TRACE_MORE_MAX	   60 /* bytes of a tail in each further cell */
#define TRACE_NAME_HEAD	   48 /* bytes of the name of a lookup under way in its first cell */

/*
 * A lookup. Its tail is the name (name_len bytes, no NUL) and then n_kept addresses of 16 bytes,
 * IPv4 ones as v4-mapped, in the order in which the program was given them.
 */
struct trace_lookup {
	uint8_t source;	 /* enum trace_source */
	uint8_t n_kept;	 /* TRACE_ADDRS_MAX at most */
	uint16_t naddrs; /* that the program was given; of nodes in a row with the same one, one */
	char tail[TRACE_INLINE_MAX];
};

/* connect() to an Internet address. Whose it is, earlier lookups tell. */
struct trace_connect {
	int32_t fd;
	uint16_t port;	/* host order */
	uint8_t family; /* of the socket address: AF_INET or AF_INET6 */
	uint8_t reserved[9];
	uint8_t addr[16]; /* IPv4 as v4-mapped */
};

enum trace_race_end { TRACE_RACE_WON, TRACE_RACE_LOST, TRACE_RACE_STOPPED };

/* start_ns: of connect(), to the millisecond; duration: until it was decided; tid: who told, mostly
 * the io thread. A further cell begins with the winner's address, 16 bytes as `asked`; 0: none. */
struct trace_race {
	uint8_t end;	       /* enum trace_race_end */
	uint8_t attempts;      /* that were made, the first one included */
	uint8_t winner_family; /* AF_INET or AF_INET6; 0: nobody has won */
	uint8_t own_won;       /* 1: the winner is the socket that the program called with */
	uint8_t blocking;      /* 1: that socket blocks */
	uint8_t reserved;
	uint16_t port;	   /* host order */
	uint8_t asked[16]; /* what the program connects to; IPv4 as v4-mapped */
	uint64_t reserved2;
};

/* From the return of epoll_wait(), poll() or select() to the thread's next call of one. */
struct trace_turn {
	uint64_t blocked_ns; /* of it, in lookups and connects */
	uint32_t lookups, connects;
	uint64_t reserved[2];
};

/* Four further cells: struct trace_histogram, the name (name_len bytes), struct trace_under_way and
 * the rest of its name. start_ns: first seen. */
#define TRACE_THREAD_CELLS     5u
#define TRACE_THREAD_UNDER_WAY 3u

struct trace_thread {
	uint64_t turns;	     /* that are over */
	uint64_t busy_ns;    /* all of them together */
	uint64_t longest_ns; /* of them */
	uint64_t waits_ns;   /* in epoll_wait() and its kin, between them */
};

/* Bounds in ns of what is counted in all buckets but the last one, which has no bound. */
#define TRACE_TURN_BOUNDS_NS                                                                       \
	{                                                                                          \
		1000, 4000, 16000, 64000, 256000, TRACE_TURN_NS                                    \
	}

struct trace_cell {
	uint32_t mark;
	uint32_t tid;
	uint64_t start_ns;
	uint64_t duration_ns;
	int32_t result;	   /* of a lookup EAI_*; of a connect or a race errno; 0 in both: success */
	uint16_t name_len; /* 0: no name */
	uint8_t function;  /* enum trace_function */
	uint8_t family;	   /* that a lookup asked for: AF_UNSPEC, AF_INET, AF_INET6 */
	union {
		struct trace_lookup lookup;
		struct trace_connect connect;
		struct trace_race race;
		struct trace_turn turn;
		struct trace_thread thread;
	};
};
_Static_assert(sizeof(struct trace_cell) == TRACE_CELL_SIZE, "one cell");

struct trace_more {
	uint32_t mark;
	char bytes[TRACE_MORE_MAX];
};
_Static_assert(sizeof(struct trace_more) == TRACE_CELL_SIZE, "one cell");

/* The second cell of a TRACE_THREAD record. */
struct trace_histogram {
	uint32_t mark;
	uint32_t reserved;
	uint64_t turns[TRACE_TURN_BUCKETS];
};
_Static_assert(sizeof(struct trace_histogram) == TRACE_CELL_SIZE, "one cell");

/*
 * The lookup or connect that the thread is in, so that one from which it never came back is known
 * of. `type` is written last, released, and is 0 again before its own record is written. A call in
 * a signal handler, or of a module of libc's in the middle of a lookup, takes its place; one that
 * is left by siglongjmp() stays until the next.
 */
struct trace_under_way {
	uint32_t mark;
	uint8_t type; /* enum trace_type: TRACE_LOOKUP, TRACE_CONNECT; 0: none */
	uint8_t reserved;
	uint16_t number; /* bytes of the name, which is cut to what has room; of a connect, the port
			  */
	uint64_t start_ns;
	char bytes[TRACE_NAME_HEAD]; /* of the name; of a connect, the address as in trace_connect
				      */
};
_Static_assert(sizeof(struct trace_under_way) == TRACE_CELL_SIZE, "one cell");

#endif
