/** How much clients and servers may say, each time up to the limit and one more. */
import { expect, test } from 'vitest';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { loginTo, startFtpBalancer, startFtpServer } from './ftp.ts';
import type { FlagTests } from './flags.ts';

/** A client of a server that answers HELP with `sound`, and every other time with `excessive`. */
async function clientOf(flag: string, sound: string, excessive: string): Promise<FtpClient> {
  let asked = 0;
  const server = await startFtpServer({
    handlers: {
      HELP: (session) => {
        asked += 1;
        session.say(asked === 1 ? sound : excessive);
      },
    },
  });
  return loginTo((await startFtpBalancer([server], flag)).listener);
}

async function expectLimit(flag: string, sound: string, excessive: string): Promise<void> {
  const client = await clientOf(flag, sound, excessive);
  client.send('HELP');
  for (const line of sound.split('\r\n')) expect(await client.line()).toBe(line);
  expect(await client.ask('HELP')).toMatch(/^421 /);
}

/** A reply of `lines` lines and `bytes` bytes, ends of lines counted. */
function reply(lines: number, bytes: number): string {
  const inner = lines - 2;
  const room = bytes - 2 * '214-\r\n'.length - 2 * inner;
  const line = '.'.repeat(Math.floor(room / inner));
  return ['214-', ...Array.from({ length: inner }, () => line), `214 ${'.'.repeat(room % inner)}`].join(
    '\r\n',
  );
}

export const sizeTests: FlagTests = {
  ftpMaxLine: () => {
    test('is how long a command may be', async () => {
      const server = await startFtpServer({ handlers: { SITE: (session) => session.say('200 fine') } });
      const client = await loginTo((await startFtpBalancer([server], '--ftp-max-line=600')).listener);
      // With the CR in front of the LF.
      expect(await client.ask(`SITE ${'x'.repeat(594)}`)).toBe('200 fine');
      expect(await client.ask(`SITE ${'x'.repeat(595)}`)).toBe('500 Command line too long.');
      expect(await client.ask('SITE x')).toBe('200 fine');
    });
  },

  ftpMaxReplyLine: () => {
    test('is how long a line of a server may be', () =>
      expectLimit('--ftp-max-reply-line=600', `214 ${'x'.repeat(595)}`, `214 ${'x'.repeat(596)}`));
  },

  ftpMaxReply: () => {
    test('is how many bytes a reply may have', () =>
      expectLimit('--ftp-max-reply=70000', reply(1_000, 70_000), reply(1_000, 70_001)));
  },

  ftpMaxReplyLines: () => {
    test('is how many lines a reply may have', () =>
      expectLimit('--ftp-max-reply-lines=300', reply(300, 2_000), reply(301, 2_000)));
  },
};
