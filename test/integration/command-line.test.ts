/** src/cli.ts as a process: signals, exit codes, and readers that go away. */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { Program, run, stopAll, until, type Exit } from '../helpers/processes.ts';

const root = path.join(import.meta.dirname, '../..');
const cli = path.join(root, 'src/cli.ts');
const node = { program: process.execPath, env: {} };

afterAll(stopAll);

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function silentSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

type Line = Readonly<Record<string, unknown>>;

function linesOf(program: Program): Line[] {
  const texts = program.stdout.split('\n').slice(0, -1);
  return texts.map((text) => JSON.parse(text) as Line);
}

async function line(program: Program, field: string, value: string): Promise<Line> {
  return until(`the log says ${field} ${value}`, () => {
    if (program.exit !== undefined) throw new Error(`it ended: ${program.stderr}`);
    return linesOf(program).find((found) => found[field] === value);
  });
}

/** A balancer in front of one server that never says a word. */
async function balancer(env: Readonly<Record<string, string>>, ...flags: string[]): Promise<Program> {
  const { port } = (await silentSocket()).address();
  const fixed = [
    '--vip=127.0.0.1',
    '--no-ftp',
    '--tftp-port=0',
    '--admin=127.0.0.1:0',
    '--health-interval=0',
  ];
  const program = new Program(node, [cli, ...fixed, `--backend=127.0.0.1:${port}`, ...flags], { env });
  await line(program, 'msg', 'serving');
  return program;
}

/** Begins a transfer that will not end soon. */
async function beginTransfer(program: Program): Promise<void> {
  const { listener } = await line(program, 'event', 'listener.up');
  const client = await silentSocket();
  client.send(
    encodeRequest(Opcode.rrq, 'file', 'octet'),
    Number(String(listener).split(':')[1]),
    '127.0.0.1',
  );
  await line(program, 'event', 'session.start');
}

const tftpLb = (...args: string[]): Promise<Exit> => run(node, [cli, ...args]);

describe('the process', () => {
  it('prints its version and its help', async () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(await tftpLb('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(await tftpLb('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--vip'),
      stderr: '',
    });
  });

  it('ends with 2 and a line for each fault where it is asked for wrongly', async () => {
    expect(await tftpLb('--vip=x', '--backend=a', '--nonsense')).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'tftp-lb: --nonsense: unknown flag\ntftp-lb: --vip "x": expected an IPv4 or IPv6 address in numbers\n',
    });
    expect(await tftpLb('get')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^tftp-lb: .*\n$/) });
  });

  it('checks a file, with every fault at its place, and prints it whole', async () => {
    const file = path.join(temporaryFolder('config'), 'lab.yaml');
    const good = 'services:\n  pxe: { protocol: tftp, listeners: [192.0.2.1], backends: [192.0.2.11] }\n';
    writeFileSync(file, `${good}worker: 1\nengine: fast\n`);
    expect(await tftpLb('check', file)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: [
        `tftp-lb: ${file}:3:1: worker "1": unknown key; did you mean workers?\n`,
        `tftp-lb: ${file}:4:1: engine "fast": expected one of auto, portable, linux\n`,
      ].join(''),
    });
    writeFileSync(file, good);
    expect(await tftpLb('check', file)).toMatchObject({ code: 0, stdout: 'the configuration is valid\n' });
    const { stdout: whole } = await tftpLb('check', '--print', file);
    writeFileSync(file, whole);
    expect(await tftpLb('check', '--print', '--config', file)).toMatchObject({ code: 0, stdout: whole });
  });

  it('checks the user maps of a file, too', async () => {
    const folder = temporaryFolder('config');
    const [file, map] = ['lab.yaml', 'users.yaml'].map((name) => path.join(folder, name)) as [string, string];
    const service = `{ protocol: ftp, listeners: [192.0.2.1], backends: [192.0.2.11], ftp: { user-map: ${map} } }`;
    writeFileSync(file, `services:\n  mirror: ${service}\n`);
    expect(await tftpLb('check', file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`services.mirror.ftp.user-map: cannot use the user map ${map}: ENOENT`),
    });
    writeFileSync(map, 'alice: 192.0.2.11\nbob: 192.0.2.12\n');
    expect(await tftpLb('check', file)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${map} has users of "192.0.2.12", and service mirror has no such`),
    });
  });

  it('checks the other files that a file names, all of them', async () => {
    const file = path.join(temporaryFolder('config'), 'lab.yaml');
    const places = 'listeners: [192.0.2.1], backends: [192.0.2.11]';
    const lines = [
      'services:',
      `  pxe: { protocol: tftp, ${places}, health: { probe: exec:/nowhere/probe } }`,
      `  mirror: { protocol: ftp, ${places}, health: { user: a, password-file: /nowhere/password } }`,
      'admin: { token-file: /nowhere/token }',
    ];
    writeFileSync(file, lines.join('\n'));
    const { code, stderr } = await tftpLb('check', file);
    expect([code, ...stderr.trimEnd().split('\n')]).toEqual([
      2,
      expect.stringContaining('admin.token-file: cannot read --admin-token-file: ENOENT'),
      expect.stringContaining('services.pxe.health.probe: health checks cannot run /nowhere/probe: ENOENT'),
      expect.stringContaining('services.mirror.health.password-file: cannot read the password'),
    ]);
  });

  it('checks all certificates, and warns of what clients will not like', async () => {
    const folder = temporaryFolder('config');
    const { certificate, key } = makeKeyPair({ isExpired: true });
    const [file, own, ownKey] = ['lab.yaml', 'own.pem', 'own.key'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(own, certificate);
    writeFileSync(ownKey, key, { mode: 0o644 });
    const configure = (clientCa: string, backendCa: string, keys: string): void => {
      const tls = `{ mode: required, certificates: [${own}, ${own}], keys: [${keys}], client-ca: ${clientCa} }`;
      const ftp = `{ tls: ${tls}, backend-tls: { mode: required, ca: ${backendCa} } }`;
      const service = `{ protocol: ftp, listeners: [192.0.2.1], backends: [192.0.2.11], ftp: ${ftp} }`;
      writeFileSync(file, `services:\n  mirror: ${service}\n`);
    };
    configure('/nowhere/a', '/nowhere/b', `${ownKey}, /nowhere/key`);
    const faulty = await tftpLb('check', file);
    expect([faulty.code, ...faulty.stderr.trimEnd().split('\n')]).toEqual([
      2,
      expect.stringMatching(/mirror\.ftp\.tls\.certificates: .* cannot read \/nowhere\/key: ENOENT/),
      expect.stringMatching(/mirror\.ftp\.tls\.client-ca: .* cannot read \/nowhere\/a: ENOENT/),
      expect.stringMatching(/mirror\.ftp\.backend-tls\.ca: .* cannot read \/nowhere\/b: ENOENT/),
    ]);
    configure(own, own, `${ownKey}, ${ownKey}`);
    const { code, stderr } = await tftpLb('check', file);
    expect([code, ...new Set(stderr.trimEnd().split('\n'))]).toEqual([
      0,
      expect.stringMatching(/warning: .*own\.pem has expired at .*, and clients refuse it: renew it/),
      expect.stringMatching(/warning: every user of this machine can read the private key in .*own\.key/),
    ]);
  });

  it('reads its environment', async () => {
    const env = { TFTP_LB_VIP: '192.0.2.1', TFTP_LB_BACKEND: 'a', TFTP_LB_NONSENSE: '1' };
    expect(await run(node, [cli, 'check'], { env })).toMatchObject({
      code: 2,
      stderr: 'tftp-lb: TFTP_LB_NONSENSE: unknown variable\n',
    });
  });

  it('ends with 1 and one line where its port is taken', async () => {
    const socket = await silentSocket();
    const { port } = socket.address();
    const exit = await tftpLb(
      '--vip=127.0.0.1',
      '--no-ftp',
      `--tftp-port=${port}`,
      '--backend=192.0.2.1',
      '--no-admin',
      '--log-level=fatal',
    );
    expect(exit).toMatchObject({ code: 1, stdout: '' });
    expect(exit.stderr).toMatch(
      new RegExp(`^tftp-lb: [^\\n]*127\\.0\\.0\\.1[^\\n]*${port}[^\\n]*; stop the program[^\\n]*\\n$`),
    );
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and ends with 0', async (signal) => {
    const program = await balancer({});
    program.signal(signal);
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(program)).toContainEqual(expect.objectContaining({ msg: 'stopping', outcome: 'drained' }));
  });

  it('ends with 3 on a second signal, though a transfer is running', async () => {
    const program = await balancer({}, '--log-level=trace', '--try-interval=1m');
    await beginTransfer(program);
    program.signal('SIGTERM');
    await line(program, 'msg', 'draining');
    program.signal('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 3, stderr: '' });
    expect(linesOf(program)).toContainEqual(expect.objectContaining({ msg: 'stopping', outcome: 'forced' }));
  });

  it('ends with 3 where the time to drain is over', async () => {
    const program = await balancer({}, '--log-level=trace', '--try-interval=1m', '--drain-timeout=0');
    await beginTransfer(program);
    program.signal('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 3, stderr: '' });
    expect(linesOf(program)).toContainEqual(
      expect.objectContaining({ msg: 'stopping', outcome: 'timed-out' }),
    );
  });

  it('tells of a defect in one line, and ends with 1', async () => {
    const preload = `data:text/javascript,process.on('SIGUSR2',()=>{throw new TypeError('broken')})`;
    const program = await balancer({ NODE_OPTIONS: `--import "${preload}"` });
    program.signal('SIGUSR2');
    const exit = await program.ended;
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/^tftp-lb: unexpected error: TypeError: broken [^\n]*\n$/);
  });

  it('logs at the start what is probably wrong', async () => {
    const program = await balancer({});
    expect(linesOf(program)).toContainEqual(
      expect.objectContaining({ level: 'warn', finding: 'health-off' }),
    );
    await program.stop();
  });
});

describe('a reader that goes away', () => {
  it('gets no complaint', async () => {
    const child = spawn(process.execPath, [cli, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  });

  it('costs the balancer its log and nothing else', async () => {
    const flags = [
      '--vip=127.0.0.1',
      '--no-ftp',
      '--tftp-port=0',
      '--backend=192.0.2.1',
      '--health-interval=0',
      '--admin=127.0.0.1:0',
    ];
    const child = spawn(process.execPath, [cli, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      let log = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
      await until('it serves', () => (log.includes('"serving"') ? true : undefined));
      child.stdout.destroy();
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
