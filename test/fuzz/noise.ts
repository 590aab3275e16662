/** Datagrams that no peer of good will sends, and some that one would, drawn by a seed. */
import { createSeededRandom } from '../../src/net/memory-random.ts';
import { encodeAck, encodeData, encodeError, Opcode } from '../../src/tftp/packet.ts';

/** The most that UDP over IPv4 carries. */
const maxDatagram = 65_507;

const modes = ['octet', 'octet', 'OCTET', 'netascii', 'mail', 'binary', '', 'o'.repeat(600)];
const optionNames = [
  'blksize',
  'BLKSIZE',
  'blksize2',
  'windowsize',
  'timeout',
  'tsize',
  'multicast',
  'rollover',
  '__proto__',
  'constructor',
  'toString',
  '\u001B[2J',
  'x'.repeat(300),
];
const optionValues = [
  '0',
  '1',
  '8',
  '512',
  '1428',
  '65464',
  '65535',
  '4294967296',
  '999999999999999',
  '9'.repeat(40),
  '-1',
  '1e9',
  '0x10',
  '',
  ' 5',
  '\r\n',
];
const names = [
  'file',
  'f',
  'honest/../evil',
  '..',
  '\u001B]0;title\u0007\u001B[31m',
  'line\r\nline',
  '{"json":true}',
  '%s%n%x',
  '\u00FF\u00FE\u0080',
  '/'.repeat(900),
  'deep/'.repeat(300),
  'n'.repeat(5_000),
  '__proto__',
];

export class Noise {
  readonly #random: () => number;
  readonly #optionNames: readonly string[];

  /** `without`: an option that is never asked for nor granted. */
  constructor(seed: number, without = '') {
    this.#random = createSeededRandom(seed);
    this.#optionNames = optionNames.filter((name) => name !== without);
  }

  /** Both inclusive. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T;
  pick<T>(choices: readonly T[]): T | undefined;
  pick<T>(choices: readonly T[]): T | undefined {
    return choices[this.int(0, choices.length - 1)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }

  /** Anything that may come to a UDP port. */
  datagram(): Uint8Array {
    switch (this.int(0, 6)) {
      case 0:
        return this.bytes(this.int(0, 40));
      case 1:
        return this.bytes(this.int(0, 1_500));
      case 2:
        return this.mutated(this.request());
      case 3:
        return this.mutated(this.transferPacket());
      case 4:
        return this.request();
      default:
        return this.transferPacket();
    }
  }

  /** RRQ or WRQ: legal, odd, or as large as a datagram can be. */
  request(): Uint8Array {
    const count = this.chance(0.05) ? this.int(1_000, 4_000) : this.int(0, 6);
    const opcode = this.chance(0.7) ? Opcode.rrq : Opcode.wrq;
    const name = this.chance(0.5) ? `file-${this.int(0, 5)}` : (this.pick(names) ?? '');
    return this.#strings(opcode, [name, this.pick(modes) ?? '', ...this.#options(count)]);
  }

  /** A packet of a transfer, with a number that may be any. */
  transferPacket(): Uint8Array {
    const block = this.chance(0.8) ? this.int(0, 3) : this.int(0, 65_535);
    switch (this.int(0, 5)) {
      case 0:
        return encodeAck(block);
      case 1:
        return encodeError(this.chance(0.8) ? this.int(0, 8) : block, this.#message());
      case 2:
        return this.oack();
      case 3:
        return encodeData(block, new Uint8Array(this.int(0, 511)));
      case 4:
        return encodeData(block, new Uint8Array(this.chance(0.1) ? maxDatagram - 4 : 1_428));
      default:
        return encodeData(block, new Uint8Array(512));
    }
  }

  oack(): Uint8Array {
    const count = this.chance(0.05) ? this.int(1_000, 4_000) : this.int(0, 5);
    return this.#strings(Opcode.oack, this.#options(count));
  }

  /** The same with bytes changed, cut off, put in or doubled. */
  mutated(packet: Uint8Array): Uint8Array {
    const copy = [...packet.subarray(0, 2_000)];
    for (let changes = this.int(1, 4); changes > 0; changes--) this.#change(copy);
    return Uint8Array.from(copy);
  }

  #change(bytes: number[]): void {
    const at = this.int(0, Math.max(0, bytes.length - 1));
    switch (this.int(0, 4)) {
      case 0:
        bytes[at] = this.int(0, 255);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.int(0, 7));
        break;
      case 2:
        bytes.length = at;
        break;
      case 3:
        bytes.splice(at, 0, ...this.bytes(this.int(1, 8)));
        break;
      default:
        bytes.push(...bytes.slice(at));
    }
  }

  #options(count: number): string[] {
    return Array.from({ length: count }, () => [
      this.pick(this.#optionNames) ?? '',
      this.pick(optionValues) ?? '',
    ]).flat();
  }

  #message(): string {
    return this.pick(['', 'no', '\u001B[2J\r\n', 'long '.repeat(800)]) ?? '';
  }

  #strings(opcode: number, strings: readonly string[]): Uint8Array {
    const body = Buffer.from(
      `\0${String.fromCharCode(opcode)}${strings.map((s) => `${s}\0`).join('')}`,
      'latin1',
    );
    return new Uint8Array(body.subarray(0, maxDatagram));
  }
}
