/**
 * Asks an FTP server whether it lives.
 *
 *   connect ─ 220 ─┬─ no user ──────────────────────────────▶ QUIT ▶ alive
 *                  └─ USER, PASS ─ EPSV or PASV ─ LIST, 226 ─▶ QUIT ▶ alive
 *
 * With a user it fetches a listing, so that a server that greets but can open no data connection is not called alive.
 */
import { parseEpsvReply, parsePasvReply } from '../ftp/endpoints.ts';
import { FtpProtocolError } from '../ftp/errors.ts';
import { classOf, type Reply } from '../ftp/replies.ts';
import { type Clock, type Endpoint, NetError } from '../net/net.ts';
import type { TcpNet, TcpSocket } from '../net/tcp.ts';
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
    const control = await this.#connect(this.#backend);
    const dialogue = new FtpDialogue(control);
    await expectGreeting(dialogue);
    const { login } = this.#options;
    if (login) {
      await logIn(dialogue, login);
      await this.#list(dialogue);
    }
    control.write(Buffer.from('QUIT\r\n'));
    control.end();
  }

  async #list(dialogue: FtpDialogue): Promise<void> {
    const data = await this.#connect(await passiveEndpoint(dialogue, this.#backend.address)).catch(() => {
      throw new Verdict('no-data');
    });
    const read = readToEnd(data);
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
