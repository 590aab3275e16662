/**
 * Asks an FTP server whether it lives.
 *
 *   connect ─ 220 ─┬─ no user ──────────────────────────────▶ QUIT ▶ alive
 *                  └─ USER, PASS ─ EPSV or PASV ─ LIST, 226 ─▶ QUIT ▶ alive
 *
 * What servers want in front of all that comes first: a header of the PROXY protocol, TLS. AUTH is for logins alone,
 * and so are PBSZ and PROT behind it.
 *
 * With a user it fetches a listing, so that a server that greets but can open no data connection is not called alive.
 */
import { parseEpsvReply, parsePasvReply } from '../ftp/endpoints.ts';
import { FtpProtocolError } from '../ftp/errors.ts';
import { classOf, type Reply } from '../ftp/replies.ts';
import { type Clock, type Endpoint, NetError } from '../net/net.ts';
import type { TcpNet, TcpSocket } from '../net/tcp.ts';
import type { TlsSession } from '../net/tls.ts';
import type { ProbeOutcome } from '../observe/events.ts';
import { DialogueLostError, FtpDialogue } from './ftp-dialogue.ts';
import type { Probe } from './probe.ts';
import { outcomeOfNetError, outcomeWithin, type ProbeRun } from './probe-run.ts';

export interface FtpLogin {
  /** One character a byte (latin1). */
  readonly user: string;
  readonly password: string;
}

export interface FtpProbeOptions {
  /** Milliseconds for the whole check. */
  readonly timeout: number;
  /** Undefined leaves it at the greeting. */
  readonly login: FtpLogin | undefined;
  /** What a connection begins with: a header of the PROXY protocol. */
  readonly preamble?: Uint8Array;
  readonly tls?: FtpProbeTls;
}

export interface FtpProbeTls {
  /** For one check. */
  openSession(backend: Endpoint): TlsSession;
  /** TLS begins with the connection. */
  readonly isImplicit: boolean;
  /** Whether a login in clear is no login. */
  readonly isRequired: boolean;
  /** Whether data connections are to be under TLS, too. */
  readonly isDataProtected: boolean;
}

/** A listing beyond this is proof enough, and nobody's memory. */
const maxListing = 1_048_576;

/** How a check ends early. */
class Verdict extends Error {
  readonly outcome: ProbeOutcome;

  constructor(outcome: ProbeOutcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

export class FtpProbe implements Probe {
  readonly #net: TcpNet & Clock;
  readonly #options: FtpProbeOptions;

  constructor(net: TcpNet & Clock, options: FtpProbeOptions) {
    this.#net = net;
    this.#options = options;
  }

  check(address: Endpoint, signal: AbortSignal): Promise<ProbeOutcome> {
    const run = new Dialing(this.#net, address, this.#options);
    return outcomeWithin(this.#net, this.#options.timeout, run, signal);
  }
}

class Dialing implements ProbeRun {
  readonly #net: TcpNet;
  readonly #backend: Endpoint;
  readonly #options: FtpProbeOptions;
  readonly #stop = new AbortController();
  readonly #sockets: TcpSocket[] = [];
  /** Of the control connection; undefined while that is in clear. */
  #session: TlsSession | undefined;
  #isDataProtected = false;
  #isDone = false;

  constructor(net: TcpNet, backend: Endpoint, options: FtpProbeOptions) {
    this.#net = net;
    this.#backend = backend;
    this.#options = options;
  }

  async outcome(): Promise<ProbeOutcome> {
    try {
      await this.#talk();
      this.#isDone = true;
      return 'alive';
    } catch (error) {
      return outcomeOf(error);
    }
  }

  close(): void {
    this.#stop.abort();
    for (const socket of this.#sockets) {
      // A server that is well gets its QUIT and a proper end.
      if (this.#isDone) socket.release();
      else socket.reset();
    }
  }

  async #talk(): Promise<void> {
    const { login, preamble, tls } = this.#options;
    let control = await this.#connect(this.#backend);
    if (preamble) control.write(preamble);
    if (tls?.isImplicit === true) control = this.#secure(control, tls);
    let dialogue = new FtpDialogue(control);
    await expectGreeting(dialogue);
    if (login) {
      if (tls?.isImplicit === false && (await agreesToTls(dialogue, tls))) {
        control = this.#secure(control, tls);
        dialogue = new FtpDialogue(control);
      }
      await this.#protect(dialogue);
      await logIn(dialogue, login);
      await this.#list(dialogue);
    }
    control.write(Buffer.from('QUIT\r\n'));
    control.end();
  }

  #secure(control: TcpSocket, tls: FtpProbeTls): TcpSocket {
    this.#session = tls.openSession(this.#backend);
    const secured = this.#session.secure(control, { channel: 'control', eof: 'lenient' });
    this.#sockets.push(secured);
    return secured;
  }

  async #protect(dialogue: FtpDialogue): Promise<void> {
    const { tls } = this.#options;
    if (this.#session === undefined || tls?.isDataProtected !== true) return;
    await dialogue.ask('PBSZ', '0');
    const reply = await dialogue.ask('PROT', 'P');
    this.#isDataProtected = classOf(reply.code) === 'completion';
    if (!this.#isDataProtected && tls.isRequired) throw new Verdict('no-data');
  }

  async #list(dialogue: FtpDialogue): Promise<void> {
    const plain = await this.#connect(await passiveEndpoint(dialogue, this.#backend.address)).catch(() => {
      throw new Verdict('no-data');
    });
    const session = this.#isDataProtected ? this.#session : undefined;
    const read = readToEnd(session?.secure(plain, { channel: 'data', eof: 'lenient' }) ?? plain);
    let reply = await dialogue.ask('LIST');
    while (classOf(reply.code) === 'preliminary') reply = await dialogue.reply();
    if (classOf(reply.code) !== 'completion' || !(await read)) throw new Verdict('no-data');
  }

  async #connect(to: Endpoint): Promise<TcpSocket> {
    const { timeout } = this.#options;
    const socket = await this.#net.connectTcp(to, { timeout, signal: this.#stop.signal });
    this.#sockets.push(socket);
    if (this.#stop.signal.aborted) socket.reset();
    return socket;
  }
}

/** 120 says to wait, 230 that no login is needed (RFC 959 section 5.4). */
async function expectGreeting(dialogue: FtpDialogue): Promise<void> {
  let reply = await dialogue.reply();
  while (reply.code === 120) reply = await dialogue.reply();
  if (reply.code === 220 || reply.code === 230) return;
  throw new Verdict(reply.code >= 400 ? 'refused' : 'malformed');
}

async function agreesToTls(dialogue: FtpDialogue, { isRequired }: FtpProbeTls): Promise<boolean> {
  const reply = await dialogue.ask('AUTH', 'TLS');
  if (reply.code === 234) return true;
  if (isRequired) throw new Verdict('login-refused');
  return false;
}

async function logIn(dialogue: FtpDialogue, { user, password }: FtpLogin): Promise<void> {
  let reply = await dialogue.ask('USER', user);
  if (classOf(reply.code) === 'intermediate') reply = await dialogue.ask('PASS', password);
  if (classOf(reply.code) !== 'completion') throw new Verdict('login-refused');
}

/** The address is that of the control connection, whatever a 227 says. */
async function passiveEndpoint(dialogue: FtpDialogue, address: string): Promise<Endpoint> {
  const extended = await dialogue.ask('EPSV');
  const port = extended.code === 229 ? parseEpsvReply(extended) : undefined;
  if (port !== undefined) return { address, port };
  const plain: Reply = await dialogue.ask('PASV');
  const endpoint = plain.code === 227 ? parsePasvReply(plain) : undefined;
  if (!endpoint) throw new Verdict('no-data');
  return { address, port: endpoint.port };
}

/** Whether the server ended its data with a FIN. */
function readToEnd(socket: TcpSocket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let length = 0;
  socket.handle({
    onData: (data) => {
      length += data.length;
      if (length > maxListing) resolve(true);
    },
    onEnd: () => {
      socket.end();
      resolve(true);
    },
    onDrain: () => {},
    onClose: () => resolve(false),
  });
  return promise;
}

function outcomeOf(error: unknown): ProbeOutcome {
  if (error instanceof Verdict) return error.outcome;
  if (error instanceof FtpProtocolError) return 'malformed';
  if (error instanceof DialogueLostError) return 'refused';
  return error instanceof NetError ? outcomeOfNetError(error) : 'failed';
}
