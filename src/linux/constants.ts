/** The kernel's numbers, the same on x64 and arm64 (include/uapi of Linux). */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCK_DGRAM = 2;
/** A connection of messages, none of which is ever cut or joined. */
export const SOCK_SEQPACKET = 5;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

/** There was no room for all control messages: descriptors are lost. */
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
/** No child process inherits the descriptors that come with a message. */
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** A control message of descriptors (unix(7)). */
export const SCM_RIGHTS = 1;

export const F_DUPFD_CLOEXEC = 1030;

export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
/** There is something to receive. */
export const EPOLLIN = 1;
/** There is room to send. */
export const EPOLLOUT = 4;
/** An error is pending, or the error queue is not empty. Always reported, whatever the interest. */
export const EPOLLERR = 8;

export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;

export const SOL_SOCKET = 1;
/** Who the peer of a unix socket was when it connected. */
export const SO_PEERCRED = 17;
export const SO_ATTACH_REUSEPORT_CBPF = 51;

export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
export const IP_RECVERR = 11;

export const IPPROTO_IPV6 = 41;
export const IPV6_RECVERR = 25;
export const IPV6_PKTINFO = 50;

export const EINTR = 4;
export const EAGAIN = 11;
export const EACCES = 13;
export const EINVAL = 22;
export const ENONET = 64;
export const EPROTO = 71;
export const EMSGSIZE = 90;
export const ENOPROTOOPT = 92;
export const EOPNOTSUPP = 95;
export const ENETUNREACH = 101;
export const ECONNREFUSED = 111;
export const EHOSTDOWN = 112;
export const EHOSTUNREACH = 113;
