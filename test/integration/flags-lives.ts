/** The options of how backends are checked and how they live, for flags-health.test.ts. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { encodeError, ErrorCode } from '../../src/tftp/packet.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { fetchFile, nobody, startEmbedded, storeFile } from '../helpers/embedded.ts';
import { sha256, temporaryFolder } from '../helpers/folders.ts';
import { ProbeCommand } from '../helpers/probe-command.ts';
import { until } from '../helpers/processes.ts';
import { UdpPeer } from '../helpers/udp-peer.ts';
import { runTftpLb } from './cli.ts';
import type { FlagTests } from './flags.ts';
import { startFtpBalancer, startFtpServer } from './ftp.ts';

/** How long a check takes is not what is tried here. */
const often = ['--health-interval=100ms', '--health-timeout=10s'];
const image = Buffer.from('image');

/** Waits until so many checks have had that outcome. */
async function checked(balancer: Balancer, outcome: string, times = 3): Promise<void> {
  await until(`checks are ${outcome}`, async () => {
    const count = await balancer.metric('tftplb_health_checks_total', { outcome });
    return count >= times || undefined;
  });
}

/** A command that notes what it is told and ends with the exit code that stands in the other file. */
function command(): {
  readonly program: string;
  readonly noted: string;
  readonly answer: (code: number) => void;
} {
  const folder = temporaryFolder('probe');
  const [program, noted, code] = ['check', 'noted', 'code'].map((name) => path.join(folder, name));
  if (program === undefined || noted === undefined || code === undefined) throw new Error('no folder');
  writeFileSync(code, '0');
  const lines = [
    '#!/bin/sh',
    `echo "$* $BACKEND_NAME" > ${noted}`,
    'echo it is checked',
    `exit $(cat ${code})`,
  ];
  writeFileSync(program, lines.join('\n'));
  chmodSync(program, 0o755);
  return { program, noted, answer: (value) => writeFileSync(code, String(value)) };
}

export function describeLives(): FlagTests {
  return {
    tftpHealthProbe: () => {
      test('tcp:PORT connects to that port', async () => {
        const [tcp, tftp] = [await startFtpServer(), startEmbedded({ image })];
        const alive = await startBalancer([{ ...tcp, port: tftp.port }], {
          flags: [...often, `--tftp-health-probe=tcp:${tcp.port}`],
        });
        await checked(alive, 'alive');
        const dead = await startBalancer([tftp], { flags: [...often, '--tftp-health-probe=tcp:9'] });
        await dead.said({ event: 'backend.state', to: 'down', reason: 'refused' });
        expect(tftp.requests).toEqual([]);
      });

      test('exec:COMMAND runs it, and goes by its exit code', async () => {
        const { program, noted, answer } = command();
        const probe = `--tftp-health-probe=exec:${program} {address} {port}`;
        const balancer = await startBalancer([nobody], { flags: [...often, probe, '--log-level=debug'] });
        await checked(balancer, 'alive');
        expect(readFileSync(noted, 'utf8')).toBe(`${nobody.address} ${nobody.port} b0\n`);
        await balancer.said({ event: 'health.output', level: 'debug', backend: 'b0', line: 'it is checked' });
        answer(1);
        await balancer.said({ event: 'backend.state', to: 'down', reason: 'command-failed' });
        answer(0);
        await balancer.said({ event: 'backend.state', to: 'up', reason: 'alive' });
      });

      test('a command that cannot be run keeps the balancer from starting', async () => {
        const flags = ['--vip=127.0.0.1', '--no-ftp', '--backend=192.0.2.11'];
        const exit = await runTftpLb([...flags, '--tftp-health-probe=exec:/no/such/check']);
        expect(exit.code).toBe(2);
        expect(exit.stderr).toMatch(/^tftp-lb: health checks cannot run \/no\/such\/check: [^\n]*\n$/);
      });
    },

    ftpHealthProbe: () => {
      test('tcp is content with a connection, and waits for no greeting', async () => {
        const server = await startFtpServer({ greeting: undefined });
        const balancer = await startFtpBalancer([server], ...often, '--ftp-health-probe=tcp');
        await checked(balancer, 'alive');
      });

      test('exec:COMMAND runs it', async () => {
        const { program } = command();
        const balancer = await startFtpBalancer([nobody], ...often, `--ftp-health-probe=exec:${program}`);
        await checked(balancer, 'alive');
      });
    },

    healthSha256: () => {
      test.each([
        ['the same content is life', image, 'alive'],
        ['other content is none', Buffer.from('another'), 'wrong-content'],
        ['no such file is none', undefined, 'wrong-content'],
      ])('%s', async (_what, content, outcome) => {
        const server = startEmbedded(content ? { health: content } : {});
        const balancer = await startBalancer([server], {
          flags: [...often, '--health-file=health', `--health-sha256=${sha256(image)}`],
        });
        await checked(balancer, outcome);
      });
    },

    ejectErrors: () => {
      const full = encodeError(ErrorCode.diskFull, 'disk full');

      test.each([
        ['2', 'is how many failures in a row eject a server'],
        ['0', 'ejects no server, however many there are'],
      ])('%s %s', async (limit) => {
        const [broken, other] = [await UdpPeer.open(), startEmbedded()];
        broken.onDatagram = ({ from }) => broken.send(full, from);
        const balancer = await startBalancer([broken, other], { flags: [`--eject-errors=${limit}`] });
        for (let n = 0; n < 8; n += 1) {
          await storeFile(balancer.listener, `file${n}`, image).catch(() => undefined);
        }
        await balancer.ended(8);
        const expected = limit === '0' ? 0 : 1;
        expect(await balancer.metric('tftplb_ejections_total', { backend: 'b0' })).toBe(expected);
        if (expected > 0) await balancer.said({ event: 'backend.state', to: 'ejected', reason: 'errors' });
      });
    },

    slowStart: () => {
      test.each([
        ['1h', 'warming', { b0: 3, b1: 24 }],
        ['200ms', 'up', { b0: 13, b1: 13 }],
      ])('%s is how long a server that was down takes to its whole share', async (time, state, shares) => {
        const probe = new ProbeCommand('b0');
        const balancer = await startBalancer([startEmbedded({ image }), startEmbedded({ image })], {
          flags: [...often, probe.flag, `--slow-start=${time}`],
        });
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'down' });
        probe.say('nobody');
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'up' });
        await until(
          `it is ${state}`,
          async () => (await balancer.backend('b0')).state === state || undefined,
        );
        const turns = shares.b0 + shares.b1;
        await until('every worker knows its weight', async () => {
          const before = balancer.sessions().length;
          for (let n = 0; n < turns; n += 1) await fetchFile(balancer.listener, 'image');
          const ended = (await balancer.ended(before + turns)).slice(before);
          return ended.filter(({ backend }) => backend === 'b0').length === shares.b0 || undefined;
        });
      });

      test('0, the default, gives it the whole share at once', async () => {
        const probe = new ProbeCommand('b0');
        const balancer = await startBalancer([startEmbedded(), startEmbedded()], {
          flags: [...often, probe.flag],
        });
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'down' });
        probe.say('nobody');
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'up' });
        expect(await balancer.backend('b0')).toMatchObject({ state: 'up', effectiveWeight: 1 });
      });
    },
  };
}
