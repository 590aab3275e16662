import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetError, type Endpoint } from '../../../src/net/net.ts';
import {
  encodeProxyHeader,
  type HeaderRead,
  type ProxyHeader,
  ProxyHeaderReader,
} from '../../../src/net/proxy-header.ts';

const text = (line: string): Uint8Array => Buffer.from(line, 'latin1');

/** A header of version 2; `length` is what it says of itself. */
function binary(command: number, kind: number, body: readonly number[], length = body.length): Uint8Array {
  const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
  return Uint8Array.from([...signature, command, kind, length >> 8, length & 0xff, ...body]);
}

/** A line of version 1 that is so long. */
const lineOf = (length: number): Uint8Array => text(`${'PROXY UNKNOWN '.padEnd(length - 2, 'x')}\r\n`);

/** Has the pieces read until the header is whole. */
function readIn(...pieces: readonly Uint8Array[]): HeaderRead | undefined {
  const reader = new ProxyHeaderReader();
  for (const piece of pieces) {
    const read = reader.read(piece);
    if (read) return read;
  }
  return undefined;
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof NetError ? `${error.code} ${error.message}` : String(error);
  }
  return 'no error';
}

const proxied = (source: Endpoint, destination: Endpoint): ProxyHeader => ({
  kind: 'proxied',
  source,
  destination,
});
const ipv4Body = [192, 0, 2, 1, 198, 51, 100, 1, 0x9c, 0x40, 0, 21];
const ipv4Header = proxied({ address: '192.0.2.1', port: 40_000 }, { address: '198.51.100.1', port: 21 });
const ipv6Body = [
  [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9],
  [0, 1, 0xff, 0xff],
].flat();

describe('a header of version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.1 40000 21\r\n', ipv4Header],
    [
      'PROXY TCP6 2001:DB8:0:0::1 2001:db8::0002 0 65535\r\n',
      proxied({ address: '2001:db8::1', port: 0 }, { address: '2001:db8::2', port: 65_535 }),
    ],
    [
      'PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n',
      proxied({ address: '192.0.2.1', port: 1 }, { address: '::1', port: 2 }),
    ],
    ['PROXY UNKNOWN\r\n', { kind: 'own' }],
    ['PROXY UNKNOWN ffff::1 ::2 whatever it says\r\n', { kind: 'own' }],
  ])('is read: %j', (line, header) => {
    expect(readIn(text(`${line}USER a\r\n`))).toEqual({ header, rest: Buffer.from('USER a\r\n') });
  });

  it.each([
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000 21\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000 21 \r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000 21 22\r\n',
    'PROXY  TCP4 192.0.2.1 198.51.100.1 40000 21\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 040 21\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 -1 21\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 40000 21\r\n',
    'PROXY TCP4 ::1 ::1 40000 21\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.1 40000 21\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 40000 21\r\n',
    'PROXY TCP5 192.0.2.1 198.51.100.1 40000 21\r\n',
    'PROXY TCP4\r\n',
    'PROXY \r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.1 40000 21\r\n',
  ])('is refused: %j', (line) => {
    expect(faultOf(() => readIn(text(line)))).toMatch(
      /^TLB_ERR_PROXY_HEADER bad PROXY protocol header: its line /,
    );
  });

  it('has 107 bytes at most', () => {
    expect(readIn(lineOf(107))?.header).toEqual({ kind: 'own' });
    expect(faultOf(() => readIn(lineOf(108)))).toContain('longer than 107 bytes');
    expect(faultOf(() => readIn(lineOf(200).subarray(0, 107)))).toContain('longer than 107 bytes');
  });
});

describe('a header of version 2', () => {
  it.each([
    ['IPv4', binary(0x21, 0x11, ipv4Body), ipv4Header],
    [
      'IPv6',
      binary(0x21, 0x21, ipv6Body),
      proxied({ address: '2001:db8::1', port: 1 }, { address: '192.0.2.9', port: 65_535 }),
    ],
    ['with type-length-values', binary(0x21, 0x11, [...ipv4Body, 4, 0, 2, 7, 7, 1, 0, 0]), ipv4Header],
    ['LOCAL', binary(0x20, 0x00, []), { kind: 'own' }],
    ['LOCAL with addresses', binary(0x20, 0x11, ipv4Body), { kind: 'own' }],
    ['of an unspecified family', binary(0x21, 0x00, [1, 2, 3]), { kind: 'own' }],
    ['of UDP', binary(0x21, 0x12, ipv4Body), { kind: 'own' }],
    [
      'of a UNIX socket',
      binary(
        0x21,
        0x31,
        Array.from({ length: 216 }, () => 7),
      ),
      { kind: 'own' },
    ],
    [
      'of the largest size',
      binary(0x21, 0x11, [...ipv4Body, ...Array.from({ length: 4084 }, () => 9)]),
      ipv4Header,
    ],
  ])('is read: %s', (_name, bytes, header) => {
    const read = readIn(Buffer.concat([bytes, text('USER a\r\n')]));
    expect(read).toEqual({ header, rest: Buffer.from('USER a\r\n') });
  });

  it.each([
    ['another version', binary(0x11, 0x11, ipv4Body), 'it is of version 1'],
    ['another command', binary(0x22, 0x11, ipv4Body), 'its command is 2'],
    ['another family', binary(0x21, 0x41, ipv4Body), 'for connections of kind 65'],
    ['another transport', binary(0x21, 0x13, ipv4Body), 'for connections of kind 19'],
    ['too short for IPv4', binary(0x21, 0x11, ipv4Body.slice(1)), 'too short'],
    ['too short for IPv6', binary(0x21, 0x21, ipv4Body), 'too short'],
    ['too long', binary(0x21, 0x11, [], 4097), 'it has 4097 bytes'],
    ['longest', binary(0x21, 0x11, [], 65_535), 'it has 65535 bytes'],
  ])('is refused: %s', (_name, bytes, reason) => {
    expect(faultOf(() => readIn(bytes))).toMatch(/^TLB_ERR_PROXY_HEADER /);
    expect(faultOf(() => readIn(bytes))).toContain(reason);
  });
});

describe('any header', () => {
  const headers = [
    text('PROXY TCP4 192.0.2.1 198.51.100.1 40000 21\r\n'),
    text('PROXY UNKNOWN\r\n'),
    binary(0x21, 0x21, [...ipv6Body, 4, 0, 1, 0]),
    binary(0x20, 0x00, []),
  ];

  it.each(headers)('may come in two pieces, split anywhere (%#)', (bytes) => {
    const rest = text('AUTH TLS\r\n');
    const all = Buffer.concat([bytes, rest]);
    const whole = readIn(all);
    for (let at = 1; at < all.length; at++) {
      const read = readIn(all.subarray(0, at), all.subarray(at));
      expect(read?.header).toEqual(whole?.header);
      // What is not in the piece that ends the header comes by itself.
      const left = at < bytes.length ? rest.length : at - bytes.length;
      expect(read?.rest).toEqual(rest.subarray(0, left));
    }
  });

  it.each(headers)('may come byte by byte, and nothing of what follows is taken (%#)', (bytes) => {
    const reader = new ProxyHeaderReader();
    for (const byte of bytes.subarray(0, -1)) expect(reader.read(Uint8Array.of(byte))).toBeUndefined();
    const read = reader.read(Uint8Array.of(bytes.at(-1) ?? 0, 0x55));
    expect(read?.header).toEqual(readIn(bytes)?.header);
    expect([...(read?.rest ?? [])]).toEqual([0x55]);
  });

  it.each(['USER a\r\n', '\r\n\r\nQ', 'PROXYTCP4', 'proxy tcp4', 'GET / HTTP/1.1\r\n', '\0'])(
    'is missed at the first byte that is wrong: %j',
    (start) => {
      expect(faultOf(() => readIn(...Array.from(text(start), (byte) => Uint8Array.of(byte))))).toContain(
        'does not begin with one',
      );
    },
  );

  it('of random bytes is read, or is a fault with a code, or is not whole', () => {
    const start = fc.constantFrom(
      text(''),
      text('PROXY '),
      text('PROXY TCP4 '),
      binary(0x21, 0x11, []).subarray(0, 14),
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (start, bytes) => {
        const outcome = faultOf(() => readIn(start, bytes));
        expect(outcome).toMatch(/^(no error|TLB_ERR_PROXY_HEADER .*)$/);
      }),
    );
  });
});

describe('encodeProxyHeader', () => {
  it('has the bytes of the specification', () => {
    const { source, destination } = ipv4Header as Extract<ProxyHeader, { kind: 'proxied' }>;
    expect(Buffer.from(encodeProxyHeader(1, source, destination)).toString()).toBe(
      'PROXY TCP4 192.0.2.1 198.51.100.1 40000 21\r\n',
    );
    expect([...encodeProxyHeader(2, source, destination)]).toEqual([...binary(0x21, 0x11, ipv4Body)]);
  });

  it('says nothing of ends of different families', () => {
    const [four, six] = [
      { address: '192.0.2.1', port: 1 },
      { address: '2001:db8::1', port: 2 },
    ];
    expect(Buffer.from(encodeProxyHeader(1, four, six)).toString()).toBe('PROXY UNKNOWN\r\n');
    expect([...encodeProxyHeader(2, four, six)]).toEqual([...binary(0x20, 0, [])]);
  });

  it('leaves zones out, which mean nothing elsewhere', () => {
    const end = { address: 'fe80::1%eth0', port: 21 };
    for (const version of [1, 2] as const) {
      const plain = { address: 'fe80::1', port: 21 };
      expect(readIn(encodeProxyHeader(version, end, end))?.header).toEqual(proxied(plain, plain));
    }
  });

  it('is read back as what it was', () => {
    const port = fc.integer({ min: 0, max: 65_535 });
    const ends = (address: fc.Arbitrary<string>): fc.Arbitrary<[Endpoint, Endpoint]> => {
      const end = fc.record({ address, port });
      return fc.tuple(end, end);
    };
    const any = fc.oneof(ends(fc.ipV4()), ends(fc.ipV6()));
    fc.assert(
      fc.property(fc.constantFrom(1, 2), any, (version, [source, destination]) => {
        const first = readIn(encodeProxyHeader(version, source, destination))?.header;
        expect(first?.kind).toBe('proxied');
        if (first?.kind !== 'proxied') return;
        expect([first.source.port, first.destination.port]).toEqual([source.port, destination.port]);
        const isMapped = [first.source, first.destination].some(({ address }) => address.includes('.'));
        if (isMapped && source.address.includes(':')) return;
        expect(readIn(encodeProxyHeader(version, first.source, first.destination))?.header).toEqual(first);
      }),
    );
  });
});
