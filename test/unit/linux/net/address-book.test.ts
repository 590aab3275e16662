import { describe, expect, it } from 'vitest';
import { SOCKADDR_IN6 } from '../../../../src/linux/layout.ts';
import type { Libc } from '../../../../src/linux/libc.ts';
import { encodeName } from '../../../../src/linux/name-codec.ts';
import { AddressBook, type AddressName } from '../../../../src/linux/net/address-book.ts';
import { SocketNames } from '../../../../src/linux/socket-names.ts';
import { isLinuxSkipped, linuxLibc } from '../../../helpers/tid-nets.ts';
import { FakeKernel } from './fake-kernel.ts';

/** More than are remembered. */
const many = 100_000;

/** The interface in the name of a link-local address. */
function scopeOf(name: AddressName | undefined): number | undefined {
  return typeof name === 'number' ? undefined : name?.[SOCKADDR_IN6.scope];
}

class Scene {
  now = 0;
  readonly kernel: FakeKernel = new FakeKernel();
  readonly libc: Libc;
  readonly book: AddressBook;
  readonly names: SocketNames;

  constructor(libc?: Libc) {
    this.libc = libc ?? this.kernel.libc;
    this.book = new AddressBook(this.libc, { now: () => this.now });
    this.names = new SocketNames(this.libc, 1);
  }

  /** The text of an IPv4 address. */
  text4(address: number): string {
    this.names.set4(0, address, 69);
    return this.book.text(this.names, 0);
  }

  /** The text of an IPv6 address, from its four words and the index of its interface. */
  text6(words: readonly number[], scope = 0): string {
    const name = new Uint8Array(SOCKADDR_IN6.size);
    const view = new DataView(name.buffer);
    view.setUint16(0, 10, true);
    for (const [index, word] of words.entries()) view.setUint32(SOCKADDR_IN6.address + index * 4, word >>> 0);
    view.setUint32(SOCKADDR_IN6.scope, scope, true);
    this.names.set(0, name);
    return this.book.text(this.names, 0);
  }

  /** How many addresses `act` has the C library translate. */
  translationsOf(act: () => void): number {
    const before = this.kernel.translations;
    act();
    return this.kernel.translations - before;
  }
}

/** Different addresses with one hash. */
function alike(n: number): number[] {
  return [0x20010db8, 0, Math.imul(n, 31) ^ 0x1234, n];
}

function groupsOf(words: readonly number[]): string {
  return words.flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)]).join(':');
}

describe('an address book', () => {
  it('asks once for an address, in either direction', () => {
    const scene = new Scene();
    const asked = scene.translationsOf(() => {
      for (let round = 0; round < 3; round++) {
        expect(scene.text4(0xc0000201)).toBe('192.0.2.1');
        expect(scene.text4(0x7f000001)).toBe('127.0.0.1');
        expect(scene.text6([0x20010db8, 0, 0, 1])).toBe('2001:db8:0:0:0:0:0:1');
        expect(scene.text6([0xfe800000, 0, 0, 1], 1)).toBe('fe80:0:0:0:0:0:0:1%lo');
        expect(scene.book.name('192.0.2.1')).toBe(0xc0000201 | 0);
        expect(scopeOf(scene.book.name('fe80:0:0:0:0:0:0:1%lo'))).toBe(1);
      }
    });
    expect(asked).toBe(6);
  });

  it('tells addresses apart that differ in anything', () => {
    const scene = new Scene();
    scene.kernel.interfaces.set(2, 'eth0');
    const words = [
      [0xfe800000, 0, 0, 1],
      [0xfe800000, 0, 1, 0],
      [0xfe800000, 1, 0, 0],
      [0xfe800001, 0, 0, 0],
      [1, 0, 0, 0xfe800000],
    ];
    for (let round = 0; round < 2; round++) {
      for (const each of words) {
        expect(scene.text6(each)).toBe(groupsOf(each));
        expect(scene.text6(each, 1)).toBe(`${groupsOf(each)}%lo`);
        expect(scene.text6(each, 2)).toBe(`${groupsOf(each)}%eth0`);
      }
    }
  });

  it('has no name for what is no numeric address, or names no interface, and no text for no address', () => {
    const scene = new Scene();
    for (const address of ['', 'localhost', '1.2.3', '1.2.3.4.5', '[::1]', 'fe80::1%wlan7', '1.2.3.4%lo']) {
      expect(scene.book.name(address)).toBeUndefined();
    }
    scene.names.clear(0);
    expect(scene.book.text(scene.names, 0)).toBe('');
  });

  it('learns within a second that an interface has become another one', () => {
    const scene = new Scene();
    const [address, words] = ['fe80:0:0:0:0:0:0:1%lo', [0xfe800000, 0, 0, 1]];
    expect([scopeOf(scene.book.name(address)), scene.text6(words, 1)]).toEqual([1, address]);
    scene.kernel.interfaces.delete(1);
    scene.kernel.interfaces.set(5, 'lo').set(1, 'eth0');
    scene.now = 1_000;
    expect(scene.text6(words, 1)).toBe('fe80:0:0:0:0:0:0:1%eth0');
    expect([scopeOf(scene.book.name(address)), scene.text6(words, 5)]).toEqual([5, address]);
    scene.kernel.interfaces.delete(5);
    scene.now = 2_000;
    expect(scene.book.name(address)).toBeUndefined();
  });

  it.skipIf(isLinuxSkipped)('has the texts and the names of the C library', () => {
    const scene = new Scene(linuxLibc());
    for (const address of [
      '127.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '2001:db8::7',
      'fe80::1%lo',
      '::ffff:1.2.3.4',
    ]) {
      const encoded = encodeName(scene.libc, { address, port: 0 });
      const name = scene.book.name(address);
      scene.names.set(0, encoded);
      expect(name).toEqual(address.includes(':') ? encoded : scene.names.address4(0) | 0);
      for (let round = 0; round < 2; round++) expect(scene.book.text(scene.names, 0)).toBe(address);
    }
  });
});

describe('an address book under forged sources', () => {
  const floods: Readonly<Record<string, (scene: Scene, n: number) => void>> = {
    IPv4: (scene, n) => scene.text4(n),
    IPv6: (scene, n) => scene.text6([0x20010db8, 0, n % 7, n]),
    'link-local IPv6': (scene, n) => scene.text6([0xfe800000, 0, n % 7, n], 1),
    'IPv6 with one hash': (scene, n) => scene.text6(alike(n)),
    'the names of those that are answered': (scene, n) =>
      scene.book.name(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`),
  };

  it.each(Object.entries(floods))('forgets the first of them: %s', (_name, flood) => {
    const scene = new Scene();
    expect(scene.translationsOf(() => flood(scene, 0))).toBe(1);
    expect(scene.translationsOf(() => flood(scene, 0))).toBe(0);
    for (let n = 1; n < many; n++) flood(scene, n);
    expect(scene.translationsOf(() => flood(scene, 0))).toBe(1);
    expect(scene.translationsOf(() => flood(scene, 0))).toBe(0);
  });

  it('tells apart those with one hash, and remembers the latest of them', () => {
    const scene = new Scene();
    for (let n = 0; n < 1_000; n++) expect(scene.text6(alike(n))).toBe(groupsOf(alike(n)));
    const latest = [999, 998, 997, 996];
    expect(scene.translationsOf(() => latest.forEach((n) => scene.text6(alike(n))))).toBe(0);
    expect(scene.translationsOf(() => scene.text6(alike(0)))).toBe(1);
  });
});
