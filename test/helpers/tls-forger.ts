/**
 * A TLS client of Node whose records are made by hand once the handshake is done, for what no library sends: renegotiation
 * again and again, key updates, alerts, records of nothing.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TlsVersion } from '../../src/net/tls.ts';

/** RFC 8446 section 5.1. */
export const recordType = { alert: 21, handshake: 22, data: 23 } as const;
/** RFC 8446 section 4.6.3, with a wish for the same of the other side. */
export const keyUpdate: Uint8Array = Uint8Array.of(24, 0, 0, 1, 1);
/** A ClientHello of nothing, which asks for another handshake. */
export const helloAgain: Uint8Array = Uint8Array.of(1, 0, 0, 0);

const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256';
const [keyLength, tagLength] = [16, 16];

interface Keys {
  readonly key: Buffer;
  /** 12 bytes in TLS 1.3, the first 4 of them in TLS 1.2. */
  readonly iv: Buffer;
}

/** The socket as Node sees it; what it hears is written down until the handshake is done. */
class Tap extends Duplex {
  readonly heard: Buffer[] = [];
  /** From then on what Node says is not passed on: the records are counted. */
  isMuted = false;
  /** Resolves when something was said to what was heard: all of the handshake that is ours. */
  readonly answered: Promise<void>;
  readonly #onAnswered: () => void;
  readonly #raw: Socket;

  constructor(raw: Socket) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.answered = promise;
    this.#onAnswered = resolve;
    this.#raw = raw;
    raw.on('data', (data: Buffer) => {
      this.heard.push(data);
      this.push(data);
    });
  }

  override _read(): void {}

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.isMuted) this.#raw.write(data);
    if (this.heard.length > 0) setImmediate(this.#onAnswered);
    done();
  }
}

export class TlsForger {
  readonly raw: Socket;
  /** What was read within TLS. */
  heard = '';
  readonly #version: TlsVersion;
  #secret: Buffer;
  #keys: Keys;
  #sequence: number;

  private constructor(raw: Socket, version: TlsVersion, secret: Buffer, randoms: Buffer) {
    this.raw = raw;
    this.#version = version;
    this.#secret = secret;
    this.#keys = version === 'TLSv1.3' ? keysOf(secret) : oldKeysOf(secret, randoms);
    // Of an older version the client's Finished was the first.
    this.#sequence = version === 'TLSv1.3' ? 0 : 1;
  }

  /** Shakes hands on a connection. Nothing is to be written by anybody else then. */
  static async on(raw: Socket, version: TlsVersion, options: ConnectionOptions = {}): Promise<TlsForger> {
    const tap = new Tap(raw);
    const limits = { minVersion: version, maxVersion: version, ciphers } as const;
    const tls = connect({ socket: tap, rejectUnauthorized: false, ...limits, ...options });
    const secrets = new Map<string, readonly string[]>();
    tls.on('keylog', (line) => {
      const [label = '', ...values] = line.toString('latin1').trim().split(' ');
      secrets.set(label, values);
    });
    tls.on('error', () => undefined);
    await Promise.all([once(tls, 'secureConnect'), tap.answered]);
    tap.isMuted = true;
    const label = version === 'TLSv1.3' ? 'CLIENT_TRAFFIC_SECRET_0' : 'CLIENT_RANDOM';
    const [random = '', secret = ''] = secrets.get(label) ?? [];
    // Behind the header of the record, that of the handshake and a version.
    const theirs = Buffer.concat(tap.heard).subarray(11, 43);
    const randoms = Buffer.concat([theirs, Buffer.from(random, 'hex')]);
    const forger = new TlsForger(raw, version, Buffer.from(secret, 'hex'), randoms);
    tls.on('data', (data: Buffer) => (forger.heard += data.toString('latin1')));
    return forger;
  }

  /** A record, as it goes over the wire. */
  record(type: number, content: Uint8Array): Buffer {
    return this.#version === 'TLSv1.3' ? this.#newRecord(type, content) : this.#oldRecord(type, content);
  }

  line(text: string): Buffer {
    return this.record(recordType.data, Buffer.from(`${text}\r\n`, 'latin1'));
  }

  /** The next key, as it holds behind a record that updates it. */
  update(): Buffer {
    const record = this.record(recordType.handshake, keyUpdate);
    this.#secret = expand(this.#secret, 'traffic upd', 32);
    this.#keys = keysOf(this.#secret);
    this.#sequence = 0;
    return record;
  }

  #newRecord(type: number, content: Uint8Array): Buffer {
    const nonce = Buffer.from(this.#keys.iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence) >>> 0, 8);
    this.#sequence += 1;
    const length = content.length + 1 + tagLength;
    const header = Uint8Array.of(recordType.data, 3, 3, length >> 8, length & 0xff);
    return Buffer.concat([header, seal(this.#keys.key, nonce, header, content, Uint8Array.of(type))]);
  }

  #oldRecord(type: number, content: Uint8Array): Buffer {
    const sequence = Buffer.alloc(8);
    sequence.writeUInt32BE(this.#sequence, 4);
    this.#sequence += 1;
    const { length } = content;
    const bound = Buffer.concat([sequence, Uint8Array.of(type, 3, 3, length >> 8, length & 0xff)]);
    const nonce = Buffer.concat([this.#keys.iv, sequence]);
    const sealed = Buffer.concat([sequence, seal(this.#keys.key, nonce, bound, content)]);
    return Buffer.concat([Uint8Array.of(type, 3, 3, sealed.length >> 8, sealed.length & 0xff), sealed]);
  }
}

/** Makes what a peer is to be sent. */
export type Forge = (forger: TlsForger) => Uint8Array;

/** The same many times over, in one piece. */
export function times(count: number, forge: Forge): Forge {
  return (forger) => Buffer.concat(Array.from({ length: count }, () => forge(forger)));
}

function seal(key: Buffer, nonce: Buffer, bound: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(bound);
  return Buffer.concat([...parts.map((part) => cipher.update(part)), cipher.final(), cipher.getAuthTag()]);
}

/** RFC 8446 section 7.3. */
function keysOf(secret: Buffer): Keys {
  return { key: expand(secret, 'key', keyLength), iv: expand(secret, 'iv', 12) };
}

/** RFC 8446 section 7.1, for lengths of one hash at most. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([Uint8Array.of(0, length, name.length), name, Uint8Array.of(0, 1)]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/** RFC 5246 sections 5 and 6.3; `randoms` are the server's and the client's. */
function oldKeysOf(secret: Buffer, randoms: Buffer): Keys {
  const seed = Buffer.concat([Buffer.from('key expansion', 'latin1'), randoms]);
  const hash = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
  const first = hash(seed);
  const second = hash(first);
  const block = Buffer.concat([first, second].map((link) => hash(Buffer.concat([link, seed]))));
  return { key: block.subarray(0, keyLength), iv: block.subarray(2 * keyLength, 2 * keyLength + 4) };
}
