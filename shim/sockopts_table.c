// SPDX-License-Identifier: MIT
/*
 * sockopts_table.c - the table of sockopts_table.h.
 *
 * An option that the running kernel does not know is passed over, so the table holds those of newer
 * kernels too, by number where the headers lack them. What is missing on purpose:
 *
 *	read only		SO_TYPE, SO_ERROR, SO_PEERNAME, IP_MTU, TCP_INFO ...
 *	SO_SNDBUF, SO_RCVBUF	read back doubled: sockopts.c copies them
 *	SO_INCOMING_CPU		reads the CPU of the latest packet, and steers listeners only
 *	SO_BUSY_POLL_BUDGET	cannot be read
 *	memberships		of multicast groups: nothing to TCP
 *	IP_MULTICAST_IF, _TTL	and IPv6's: refused on TCP
 *	IPV6_MTU, IPV6_PKTINFO	cannot be read back; TCP takes neither into account
 *	IPV6_FLOWLABEL_MGR	leases of flow labels: a private attempt asks for no label
 *	IP_XFRM_POLICY		and its relatives (the IPsec policy of one socket), TCP_MD5SIG: can
 *				neither be read nor be seen. A signature is bound to one peer's
 *				address, which no other candidate has
 *	TCP_MAXSEG		and TCP_WINDOW_CLAMP: once a socket connects, they read what the
 *				connection has, not what was set. sockopts_examine() bars the race
 *	TCP_FASTOPEN_KEY	for listeners
 *	TCP_TIMESTAMP		a clock
 *	TCP_REPAIR_*		a connection that is not new
 *	TCP_ULP			sockopts_examine() bars the race
 */
#include "shim/sockopts_table.h"

#include "shim/sys.h"

#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>

/* After <netinet/in.h>, whose definitions they then respect. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net_tstamp.h>

#define NAME_SO_RCVPRIORITY	 82 /* Linux 6.14 */
#define NAME_IP_LOCAL_PORT_RANGE 51 /* Linux 6.3 */
#define NAME_TCP_RTO_MAX_MS	 44 /* Linux 6.15 */
#define NAME_TCP_RTO_MIN_US	 45 /* Linux 6.17 */
#define NAME_TCP_DELACK_MAX_US	 46 /* Linux 6.17 */

#define SOCKET(name)                                                                               \
	{                                                                                          \
		SOL_SOCKET, name, false, sizeof(int)                                               \
	}
#define IP(name)                                                                                   \
	{                                                                                          \
		IPPROTO_IP, name, false, sizeof(int)                                               \
	}
#define IPV6(name)                                                                                 \
	{                                                                                          \
		IPPROTO_IPV6, name, false, sizeof(int)                                             \
	}
#define TCP(name)                                                                                  \
	{                                                                                          \
		IPPROTO_TCP, name, false, sizeof(int)                                              \
	}

/* A private attempt must never get a larger name through a narrower field. */
static_assert(IPV6_FREEBIND <= UINT8_MAX && SO_RCVMARK <= UINT8_MAX, "sockopt.name is too narrow");

const struct sockopt sockopts_table[] = {
	SOCKET(SO_DEBUG), /* CAP_NET_ADMIN */
	SOCKET(SO_REUSEADDR),
	SOCKET(SO_REUSEPORT),
	SOCKET(SO_DONTROUTE),
	SOCKET(SO_BROADCAST),
	SOCKET(SO_KEEPALIVE),
	SOCKET(SO_OOBINLINE),
	SOCKET(SO_NO_CHECK),
	SOCKET(SO_PRIORITY), /* IP_TOS changes it, so it comes once more after that one */
	{SOL_SOCKET, SO_LINGER, false, sizeof(struct linger)},
	SOCKET(SO_BSDCOMPAT),
	SOCKET(SO_PASSCRED), /* refused on TCP from Linux 6.16 on */
	SOCKET(SO_PASSSEC),
	SOCKET(SO_BUF_LOCK),
	SOCKET(SO_RCVLOWAT), /* raises an unlocked SO_RCVBUF, so it comes after SO_BUF_LOCK */
	/* The kernel's own struct timeval, two longs; the later forms of a 64-bit time_t name the
	 * same values. */
	{SOL_SOCKET, SO_RCVTIMEO_OLD, false, 2 * sizeof(long)},
	{SOL_SOCKET, SO_SNDTIMEO_OLD, false, 2 * sizeof(long)},
	SOCKET(SO_TIMESTAMP_OLD),
	SOCKET(SO_TIMESTAMPNS_OLD),
	SOCKET(SO_TIMESTAMP_NEW),
	SOCKET(SO_TIMESTAMPNS_NEW),
	/* The old form reads the flags of both, the new one only its own. */
	{SOL_SOCKET, SO_TIMESTAMPING_OLD, false, sizeof(struct so_timestamping)},
	{SOL_SOCKET, SO_TIMESTAMPING_NEW, false, sizeof(struct so_timestamping)},
	SOCKET(SO_MARK), /* CAP_NET_ADMIN; decides on routes */
	SOCKET(SO_RXQ_OVFL),
	SOCKET(SO_WIFI_STATUS),
	SOCKET(SO_PEEK_OFF), /* TCP: Linux 6.9 */
	SOCKET(SO_NOFCS),
	SOCKET(SO_LOCK_FILTER),
	SOCKET(SO_SELECT_ERR_QUEUE),
	SOCKET(SO_BUSY_POLL),
	SOCKET(SO_PREFER_BUSY_POLL),
	{SOL_SOCKET, SO_MAX_PACING_RATE, false, sizeof(unsigned long)},
	SOCKET(SO_ZEROCOPY),
	{SOL_SOCKET, SO_TXTIME, false, sizeof(struct sock_txtime)},
	SOCKET(SO_RESERVE_MEM),
	SOCKET(SO_TXREHASH),
	SOCKET(SO_RCVMARK),
	SOCKET(NAME_SO_RCVPRIORITY),

	/* An AF_INET6 socket has the options of IPv4 too: they hold for v4-mapped addresses. */
	IP(IP_TOS),
	SOCKET(SO_PRIORITY),
	IP(IP_TTL),
	{IPPROTO_IP, IP_OPTIONS, true, 44}, /* at most 40 bytes */
	IP(IP_RECVOPTS),
	IP(IP_RETOPTS),
	IP(IP_PKTINFO),
	IP(IP_MTU_DISCOVER),
	IP(IP_RECVERR),
	IP(IP_RECVTTL),
	IP(IP_RECVTOS),
	IP(IP_FREEBIND),
	IP(IP_PASSSEC),
	IP(IP_RECVORIGDSTADDR),
	IP(IP_MINTTL),
	IP(IP_CHECKSUM),
	IP(IP_BIND_ADDRESS_NO_PORT),
	IP(IP_RECVERR_RFC4884),
	IP(IP_MULTICAST_LOOP),
	IP(IP_MULTICAST_ALL),
	IP(IP_UNICAST_IF),
	IP(NAME_IP_LOCAL_PORT_RANGE),

	IPV6(IPV6_V6ONLY),
	IPV6(IPV6_2292PKTINFO),
	IPV6(IPV6_2292HOPOPTS),
	IPV6(IPV6_2292DSTOPTS),
	IPV6(IPV6_2292RTHDR),
	IPV6(IPV6_2292HOPLIMIT),
	IPV6(IPV6_FLOWINFO),
	IPV6(IPV6_UNICAST_HOPS),
	IPV6(IPV6_MULTICAST_LOOP),
	IPV6(IPV6_MTU_DISCOVER),
	IPV6(IPV6_RECVERR),
	IPV6(IPV6_MULTICAST_ALL),
	IPV6(IPV6_ROUTER_ALERT_ISOLATE),
	IPV6(IPV6_RECVERR_RFC4884),
	IPV6(IPV6_FLOWINFO_SEND),
	IPV6(IPV6_RECVPKTINFO),
	IPV6(IPV6_RECVHOPLIMIT),
	IPV6(IPV6_RECVHOPOPTS),
	/* Extension headers of every packet; the first and the last need CAP_NET_RAW. */
	{IPPROTO_IPV6, IPV6_HOPOPTS, true, SOCKOPT_SIZE_MAX},
	{IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, true, SOCKOPT_SIZE_MAX},
	{IPPROTO_IPV6, IPV6_RTHDR, true, SOCKOPT_SIZE_MAX},
	{IPPROTO_IPV6, IPV6_DSTOPTS, true, SOCKOPT_SIZE_MAX},
	IPV6(IPV6_RECVRTHDR),
	IPV6(IPV6_RECVDSTOPTS),
	IPV6(IPV6_RECVPATHMTU),
	IPV6(IPV6_DONTFRAG),
	IPV6(IPV6_RECVTCLASS),
	IPV6(IPV6_TCLASS),
	IPV6(IPV6_AUTOFLOWLABEL),
	IPV6(IPV6_ADDR_PREFERENCES),
	IPV6(IPV6_MINHOPCOUNT),
	IPV6(IPV6_RECVORIGDSTADDR),
	IPV6(IPV6_UNICAST_IF),
	IPV6(IPV6_RECVFRAGSIZE),
	IPV6(IPV6_FREEBIND),

	/* First: another algorithm may begin with other values of what follows. */
	{IPPROTO_TCP, TCP_CONGESTION, false, 16},
	TCP(TCP_NODELAY),
	TCP(TCP_CORK),
	TCP(TCP_KEEPIDLE),
	TCP(TCP_KEEPINTVL),
	TCP(TCP_KEEPCNT),
	TCP(TCP_SYNCNT),
	TCP(TCP_LINGER2),
	TCP(TCP_DEFER_ACCEPT), /* a client sends the last packet of the handshake later */
	TCP(TCP_QUICKACK),
	TCP(TCP_THIN_LINEAR_TIMEOUTS),
	TCP(TCP_THIN_DUPACK),
	TCP(TCP_USER_TIMEOUT),
	TCP(TCP_FASTOPEN),
	TCP(TCP_NOTSENT_LOWAT),
	TCP(TCP_SAVE_SYN),
	TCP(TCP_FASTOPEN_NO_COOKIE),
	TCP(TCP_INQ),
	TCP(TCP_TX_DELAY),
	TCP(NAME_TCP_RTO_MAX_MS),
	TCP(NAME_TCP_RTO_MIN_US),
	TCP(NAME_TCP_DELACK_MAX_US),
};

const unsigned sockopts_table_n = sizeof sockopts_table / sizeof *sockopts_table;
