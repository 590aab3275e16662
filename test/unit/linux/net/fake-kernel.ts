import { IOVEC, MMSGHDR, SOCKADDR_IN, SYSCALL_NUMBERS } from '../../../../src/linux/layout.ts';
import { type Ffi, Libc } from '../../../../src/linux/libc.ts';

/** A datagram that left. */
interface Sent {
  readonly fd: number;
  readonly port: number;
  readonly data: string;
}

type Value = number | bigint | Uint8Array | string | null;

/** A C library with as much of a kernel behind it as datagrams need that are sent from memory. */
export class FakeKernel {
  readonly sent: Sent[] = [];
  /** Datagrams that each call of sendmmsg was given. */
  readonly calls: number[] = [];
  /** Errors of earlier datagrams (positive errnos): each fails whatever is sent next, once. */
  readonly pending: number[] = [];
  /** Why nothing can be sent to a port. */
  readonly closed: Map<number, number> = new Map();
  /** How often an address was translated. */
  translations = 0;
  /** Names of interfaces by their index. */
  readonly interfaces: Map<number, string> = new Map([[1, 'lo']]);
  readonly libc: Libc;
  readonly #arenas: { readonly start: number; readonly view: DataView }[] = [];
  #end = 4096;
  #errno = 0;

  constructor() {
    this.libc = new Libc(this.#ffi(), 'x64');
  }

  #ffi(): Ffi {
    const calls: Readonly<Record<string, (...values: Value[]) => number>> = {
      syscall: (number, fd, headers, count) => {
        if (number !== SYSCALL_NUMBERS.x64.sendmmsg) throw new Error(`system call ${String(number)}`);
        return this.#sendmmsg(Number(fd), Number(headers), Number(count));
      },
      inet_pton: (_family, text, into) => {
        this.translations += 1;
        // Enough of the notation: four numbers, or eight groups.
        const groups = String(text).split(/[.:]/u);
        const bytes = groups.length === 4 ? groups.map(Number) : groups.flatMap((group) => pairOf(group));
        (into as Uint8Array).set(bytes);
        return 1;
      },
      if_nametoindex: (name) => [...this.interfaces].find(([, known]) => known === name)?.[0] ?? 0,
    };
    const textCalls: Readonly<
      Record<string, (...values: (number | bigint | Uint8Array | null)[]) => string | null>
    > = {
      inet_ntop: (_family, address) => {
        this.translations += 1;
        const bytes = address as Uint8Array;
        if (bytes.length === 4) return bytes.join('.');
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        return [0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at).toString(16)).join(':');
      },
      if_indextoname: (index) => this.interfaces.get(Number(index)) ?? null,
    };
    return {
      func: (declaration) => calls[nameIn(declaration)] ?? ((): number => 0),
      textFunc: (declaration) => textCalls[nameIn(declaration)] ?? ((): null => null),
      address: (memory) => this.#addressOf(memory),
      errno: () => this.#errno,
    };
  }

  #addressOf({ buffer, byteOffset, byteLength }: Uint8Array): bigint {
    const start = this.#end;
    this.#arenas.push({ start, view: new DataView(buffer, byteOffset, byteLength) });
    this.#end += byteLength + 4096;
    return BigInt(start);
  }

  /** As sendmmsg(2): tells an error only if it is that of the first message. */
  #sendmmsg(fd: number, headers: number, count: number): number {
    this.calls.push(count);
    for (let index = 0; index < count; index++) {
      const sent = this.#read(headers + index * MMSGHDR.size, fd);
      this.#errno = this.pending.shift() ?? this.closed.get(sent.port) ?? 0;
      if (this.#errno !== 0) return index > 0 ? index : -1;
      this.sent.push(sent);
    }
    return count;
  }

  #read(header: number, fd: number): Sent {
    const name = this.#pointer(header + MMSGHDR.name);
    const vector = this.#pointer(header + MMSGHDR.vector);
    const [data, length] = [this.#pointer(vector + IOVEC.base), this.#pointer(vector + IOVEC.length)];
    const bytes = Array.from({ length }, (_, index) =>
      this.#at(data + index, (view, at) => view.getUint8(at)),
    );
    const port = this.#at(name + SOCKADDR_IN.port, (view, at) => view.getUint16(at, false));
    return { fd, port, data: Buffer.from(bytes).toString('latin1') };
  }

  #pointer(address: number): number {
    return Number(this.#at(address, (view, at) => view.getBigUint64(at, true)));
  }

  #at<Read>(address: number, read: (view: DataView, at: number) => Read): Read {
    const arena = this.#arenas.findLast(({ start }) => start <= address);
    if (!arena) throw new Error(`nothing lies at ${address}`);
    return read(arena.view, address - arena.start);
  }
}

function nameIn(declaration: string): string {
  return /(\w+)\(/u.exec(declaration)?.[1] ?? '';
}

function pairOf(group: string): number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
