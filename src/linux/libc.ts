import { AF_INET, AF_INET6 } from './constants.ts';
import { type Arch, EPOLL_EVENT, SYSCALL_NUMBERS } from './layout.ts';

/** What is passed for a pointer: an address from `addressOf`, memory that is needed during the call alone, or NULL. */
type Pointer = bigint | Uint8Array | null;

type Native = (...values: readonly (number | Pointer | string)[]) => number;
type NativeText = (...values: readonly (number | Pointer)[]) => string | null;

/** What the C library is reached through. Implementation: koffi. */
export interface Ffi {
  /** Binds the function that a C declaration names. Throws if there is none. */
  func(declaration: string): Native;
  /** As `func`, for one that returns a string or NULL. */
  textFunc(declaration: string): NativeText;
  address(memory: Uint8Array): bigint;
  errno(): number;
}

/** Bytes of an address of each family. */
const ADDRESS_SIZE: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };

/**
 * The C library, as thin as it gets: every call returns what the kernel returns, or the negative errno. The constructor
 * throws where a function is missing. Bytes that are too few are refused with RangeError before the call; whoever passes
 * an address answers for the memory behind it, so that src/linux alone may do so.
 */
export class Libc {
  readonly arch: Arch;
  readonly #ffi: Ffi;
  readonly #recvmmsgNumber: number;
  readonly #sendmmsgNumber: number;
  readonly #socket: Native;
  readonly #bind: Native;
  readonly #connect: Native;
  readonly #listen: Native;
  readonly #accept: Native;
  readonly #getsockname: Native;
  readonly #setsockopt: Native;
  readonly #getsockopt: Native;
  readonly #close: Native;
  readonly #fcntl: Native;
  readonly #epollCreate: Native;
  readonly #epollControl: Native;
  readonly #epollWait: Native;
  readonly #eventfd: Native;
  readonly #read: Native;
  readonly #write: Native;
  readonly #recvmsg: Native;
  readonly #sendmsg: Native;
  readonly #syscall: Native;
  readonly #inetPton: Native;
  readonly #inetNtop: NativeText;
  readonly #ifNametoindex: Native;
  readonly #ifIndextoname: NativeText;

  constructor(ffi: Ffi, arch: Arch) {
    this.arch = arch;
    this.#ffi = ffi;
    this.#recvmmsgNumber = SYSCALL_NUMBERS[arch].recvmmsg;
    this.#sendmmsgNumber = SYSCALL_NUMBERS[arch].sendmmsg;
    this.#socket = ffi.func('int socket(int, int, int)');
    this.#bind = ffi.func('int bind(int, void *, uint32_t)');
    this.#connect = ffi.func('int connect(int, void *, uint32_t)');
    this.#listen = ffi.func('int listen(int, int)');
    this.#accept = ffi.func('int accept4(int, void *, void *, int)');
    this.#getsockname = ffi.func('int getsockname(int, void *, void *)');
    this.#setsockopt = ffi.func('int setsockopt(int, int, int, void *, uint32_t)');
    this.#getsockopt = ffi.func('int getsockopt(int, int, int, void *, void *)');
    this.#close = ffi.func('int close(int)');
    this.#fcntl = ffi.func('int fcntl(int, int, int)');
    this.#epollCreate = ffi.func('int epoll_create1(int)');
    this.#epollControl = ffi.func('int epoll_ctl(int, int, int, void *)');
    this.#epollWait = ffi.func('int epoll_wait(int, void *, int, int)');
    this.#eventfd = ffi.func('int eventfd(unsigned int, int)');
    this.#read = ffi.func('int64_t read(int, void *, uint64_t)');
    this.#write = ffi.func('int64_t write(int, void *, uint64_t)');
    this.#recvmsg = ffi.func('int64_t recvmsg(int, void *, int)');
    this.#sendmsg = ffi.func('int64_t sendmsg(int, void *, int)');
    this.#syscall = ffi.func('int64_t syscall(int64_t, int, void *, uint32_t, int, void *)');
    this.#inetPton = ffi.func('int inet_pton(int, const char *, void *)');
    this.#inetNtop = ffi.textFunc('const char *inet_ntop(int, void *, void *, uint32_t)');
    this.#ifNametoindex = ffi.func('uint32_t if_nametoindex(const char *)');
    this.#ifIndextoname = ffi.textFunc('const char *if_indextoname(uint32_t, void *)');
  }

  /** Valid for as long as the memory is referenced and, being shared memory, never moved or detached. */
  addressOf(memory: Uint8Array<SharedArrayBuffer>): bigint {
    return this.#ffi.address(memory);
  }

  socket(family: number, type: number, protocol: number): number {
    return this.#settled(this.#socket(family, type, protocol));
  }

  bind(fd: number, name: Uint8Array): number {
    return this.#settled(this.#bind(fd, name, name.byteLength));
  }

  connect(fd: number, name: Uint8Array): number {
    return this.#settled(this.#connect(fd, name, name.byteLength));
  }

  listen(fd: number, backlog: number): number {
    return this.#settled(this.#listen(fd, backlog));
  }

  /** Who has connected is not asked for. */
  accept(fd: number, flags: number): number {
    return this.#settled(this.#accept(fd, null, null, flags));
  }

  /** The size of the address, of which `name` gets as much as it has room for. */
  getsockname(fd: number, name: Uint8Array): number {
    const length = new Uint32Array([name.byteLength]);
    const result = this.#settled(this.#getsockname(fd, name, new Uint8Array(length.buffer)));
    return result < 0 ? result : (length[0] ?? 0);
  }

  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number {
    return this.#settled(this.#setsockopt(fd, level, option, value, value.byteLength));
  }

  getsockopt(fd: number, level: number, option: number, value: Uint8Array): number {
    const length = new Uint32Array([value.byteLength]);
    return this.#settled(this.#getsockopt(fd, level, option, value, new Uint8Array(length.buffer)));
  }

  close(fd: number): number {
    return this.#settled(this.#close(fd));
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.#settled(this.#fcntl(fd, command, argument));
  }

  epollCreate(flags: number): number {
    return this.#settled(this.#epollCreate(flags));
  }

  epollControl(epoll: number, operation: number, fd: number, event: Uint8Array): number {
    requireBytes(event, EPOLL_EVENT[this.arch].size);
    return this.#settled(this.#epollControl(epoll, operation, fd, event));
  }

  /** `events` is the address of `capacity` epoll_events. */
  epollWait(epoll: number, events: bigint, capacity: number, timeout: number): number {
    return this.#settled(this.#epollWait(epoll, events, capacity, timeout));
  }

  eventfd(initial: number, flags: number): number {
    return this.#settled(this.#eventfd(initial, flags));
  }

  read(fd: number, into: Uint8Array): number {
    return this.#settled(this.#read(fd, into, into.byteLength));
  }

  write(fd: number, data: Uint8Array): number {
    return this.#settled(this.#write(fd, data, data.byteLength));
  }

  /** `header` is the address of a msghdr. */
  recvmsg(fd: number, header: bigint, flags: number): number {
    return this.#settled(this.#recvmsg(fd, header, flags));
  }

  /** `header` is the address of a msghdr. */
  sendmsg(fd: number, header: bigint, flags: number): number {
    return this.#settled(this.#sendmsg(fd, header, flags));
  }

  /** `headers` is the address of `count` mmsghdrs. */
  recvmmsg(fd: number, headers: bigint, count: number, flags: number): number {
    return this.#settled(this.#syscall(this.#recvmmsgNumber, fd, headers, count, flags, null));
  }

  /** As `recvmmsg`. The wrapper of musl would make one call for each message. */
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number {
    return this.#settled(this.#syscall(this.#sendmmsgNumber, fd, headers, count, flags, null));
  }

  /** Writes 4 or 16 bytes to `into`. False if `text` is no numeric address of this family. */
  inetPton(family: number, text: string, into: Uint8Array): boolean {
    requireBytes(into, ADDRESS_SIZE[family]);
    return this.#inetPton(family, text, into) === 1;
  }

  inetNtop(family: number, address: Uint8Array): string {
    requireBytes(address, ADDRESS_SIZE[family]);
    const text = new Uint8Array(64);
    return this.#inetNtop(family, address, text, text.byteLength) ?? '';
  }

  /** 0 if there is no such interface. */
  ifNametoindex(name: string): number {
    return this.#ifNametoindex(name);
  }

  /** '' if there is no such interface. */
  ifIndextoname(index: number): string {
    return this.#ifIndextoname(index, new Uint8Array(32)) ?? '';
  }

  #settled(result: number): number {
    return result === -1 ? -this.#ffi.errno() : result;
  }
}

function requireBytes(bytes: Uint8Array, size: number = Number.POSITIVE_INFINITY): void {
  if (bytes.byteLength < size) throw new RangeError(`${bytes.byteLength} bytes where there must be ${size}`);
}
