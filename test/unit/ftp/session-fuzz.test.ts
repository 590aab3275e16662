import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loggedIn, Scene } from './session-scene.ts';
import { bytes } from './streams.ts';

const replies = '120 150 200 211 220 226 227 229 230 331 350 421 426 550 999'.split(' ');
const commands =
  'USER x,USER y,HOST a,CLNT b,OPTS c,PASS x,PASV,EPSV,EPSV ALL,EPRT |1|192.0.2.7|5000|,REST 1,RETR f,STOR f,LIST,ABOR,STAT,QUIT,REIN,FEAT,AUTH TLS';
const ends = ['\r\n', '\r\n', '\n', '\r', '\0', ' ', '-'];
const others = [
  'PORT 192,0,2,7,19,136',
  'GET / HTTP/1.1',
  '\xff\xf4\xff\xf2',
  '(|||6000|)',
  '(1,2,3,4,23,112)',
  'x'.repeat(9_000),
];
const words = fc.constantFrom(...replies, ...commands.split(','), ...ends, ...others);

const chunk = fc.array(words, { maxLength: 8 }).map((parts) => parts.join(''));

/** Whether the engine has a reason for them or not. */
const happenings =
  'client listening,client full,client open,client failed,client drained,backend connected,backend unknown,backend listening,' +
  'backend full,backend open,backend failed,relay clean,relay client-reset';
const events = fc
  .tuple(fc.constantFrom(...happenings.split(',')), fc.integer({ min: 1, max: 4 }))
  .map(([what, generation]) => `${what} ${generation} 7`);

const inputs = fc.array(
  fc.oneof(
    chunk.map((text) => ({ kind: 'client', text }) as const),
    chunk.map((text) => ({ kind: 'backend', text }) as const),
    events.map((text) => ({ kind: 'event', text }) as const),
    fc.constant({ kind: 'event', text: 'wait 30000' } as const),
  ),
  { maxLength: 60 },
);

describe('a session', () => {
  it('throws nothing and ends in time, whatever it is told', () => {
    fc.assert(
      fc.property(fc.constantFrom('greeted', 'logged in', 'by user'), inputs, (state, inputs) => {
        const scene = state === 'logged in' ? loggedIn() : new Scene({ isByUser: state === 'by user' });
        for (const { kind, text } of inputs) {
          if (kind === 'event') scene.send(text);
          else if (kind === 'client') scene.session.onClientBytes(bytes(text), scene.now);
          else scene.session.onBackendBytes(bytes(text), scene.now);
        }
        scene.send('client reset');
        expect(scene.ends).toHaveLength(1);
        expect(scene.take().at(-1)).toBe(`session ${scene.ends[0]?.end}`);
        for (const record of scene.transfers) {
          expect(record.result === 'ok').toBe(record.code !== undefined && record.code < 300);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not care how its bytes are cut', () => {
    const said = 'USER a\r\nPASS b\nFEAT\r\nnope!\r\nQUIT\r\n';
    const answered = '331 p\r\n230-x\r\n230 in\r\n211-F\r\n AUTH TLS\r\n211 E\r\n221 bye\r\n'.split(
      /(?<=(?:331 p|230 in|211 E)\r\n)/,
    );
    const play = (cut: (text: string) => string[]): string[] => {
      const scene = new Scene();
      for (const input of ['backend connected', 'backend: 220 hello']) scene.send(input);
      for (const piece of cut(said)) scene.session.onClientBytes(bytes(piece), scene.now);
      for (const reply of answered) {
        for (const piece of cut(reply)) scene.session.onBackendBytes(bytes(piece), scene.now);
      }
      return scene.take();
    };
    const whole = play((text) => [text]);
    expect(whole.at(-1)).toBe('session quit');
    expect(play((text) => text.split(''))).toEqual(whole);
    expect(play((text) => text.split(/(?<=\r)/))).toEqual(whole);
  });
});
