/**
 * Gets a backend ready for a transfer command: commands of our own, none of which the client ever sees.
 *
 *            229, 227 ──▶ connect ──▶ connected
 *   EPSV, PASV ┤                         │     REST again, if ours came between
 *            refused, broken, dead       ├──▶ ────────────────▶ ready
 *              ▼                         │
 *          next form ──▶ listen ──▶ PORT, EPRT: 2xx
 *
 * Rules
 *  1. EPSV comes first, because it names no address that somebody on the way could change; then PASV; then the active
 *     form, if it may be used. A form that has failed is not tried again for as long as another one is left.
 *  2. Only a reply to our own EPSV or PASV is read as an endpoint. A port of a PASV below 1024 is refused.
 *  3. Passive connections are open before the transfer command goes out: a server that has taken STOR has emptied the
 *     file. Active ones come after it, as the server likes.
 *  4. REST must be the last command in front of the transfer command (RFC 3659 section 5.1).
 */
import { encodeCommand } from './commands.ts';
import type { BackendDataAddress, DataAddress } from './effects.ts';
import { formatEprt, formatPort, parseEpsvReply, parsePasvReply } from './endpoints.ts';
import { parseAddress } from './addresses.ts';
import { encodeLines } from './lines.ts';
import { classOf, type Reply } from './replies.ts';
import type { SessionContext } from './session-context.ts';
import type { DataEvent, DataPair } from './session-data.ts';

/** How a backend's data connection is asked for. */
export type BackendForm = 'epsv' | 'pasv' | 'active';

type Step =
  /** A reply is owed to EPSV, PASV, PORT or EPRT. */
  | 'asking'
  | 'connecting'
  | 'listening'
  /** A reply is owed to REST. */
  | 'restarting'
  | 'ready'
  | 'failed';

/** Replies to a command of ours that are the client's business: to close, to log in. */
const refusalCodes: ReadonlySet<number> = new Set([421, 530]);

export class BackendLeg {
  readonly #context: SessionContext;
  readonly #pair: DataPair;
  readonly #forms: BackendForm[];
  #form: BackendForm = 'epsv';
  #step: Step = 'connecting';
  #refusal: Reply | undefined;

  constructor(context: SessionContext, pair: DataPair, now: number) {
    this.#context = context;
    this.#pair = pair;
    this.#forms = formsFor(context, pair);
    if (pair.backendLeg === 'open') {
      this.#step = 'ready';
      return;
    }
    // What a transfer that was refused has left behind.
    if (pair.backendLeg === 'opening') context.effects.dropBackendLeg(pair.generation);
    this.#next(now);
  }

  get isReady(): boolean {
    return this.#step === 'ready';
  }

  get hasFailed(): boolean {
    return this.#step === 'failed';
  }

  /** Whether the backend has not answered the last command of ours. */
  get isReplyOwed(): boolean {
    return this.#step === 'asking' || this.#step === 'restarting';
  }

  /** The backend's reason to refuse, where it is one for the client. */
  get refusal(): Reply | undefined {
    return this.#refusal;
  }

  onReply(reply: Reply, now: number): boolean {
    if (!this.isReplyOwed) return false;
    if (classOf(reply.code) === 'preliminary') return true;
    if (this.#step === 'restarting') this.#onRestartReply(reply);
    else if (this.#form === 'active') this.#onPortReply(reply, now);
    else this.#onPassiveReply(reply, now);
    return true;
  }

  /** Takes the reply that is owed, whatever it is, and goes no further. */
  onLateReply(reply: Reply): boolean {
    if (!this.isReplyOwed) return false;
    if (classOf(reply.code) !== 'preliminary') this.#step = 'failed';
    return true;
  }

  onData(event: DataEvent, now: number): void {
    if (event.kind === 'backend-listening' && this.#step === 'listening') this.#sendPort(event.at, now);
    if (event.kind === 'backend-open' && this.#step === 'connecting') this.#onConnected(now);
    if (event.kind === 'backend-failed') this.#onLegFailed(now);
  }

  /** Only while no reply is owed: a backend that has not answered cannot be asked anything else. */
  onTimeout(now: number): void {
    this.#context.effects.dropBackendLeg(this.#pair.generation);
    this.#giveUpForm(now);
  }

  /** The backend never came to where it was told that we listen. */
  onNeverOpened(): void {
    this.#context.failedForms.add(this.#form);
  }

  #next(now: number): void {
    const { effects } = this.#context;
    const form = this.#forms.shift();
    if (form === undefined) {
      this.#fail();
      return;
    }
    this.#form = form;
    this.#pair.backendMode = form === 'active' ? 'active' : 'passive';
    this.#wait(now);
    if (form === 'active') {
      this.#step = 'listening';
      this.#pair.backendLeg = 'opening';
      effects.listenForBackend(this.#pair.generation);
      return;
    }
    this.#pair.backendLeg = 'closed';
    this.#step = 'asking';
    effects.toBackend(encodeCommand(form === 'epsv' ? 'EPSV' : 'PASV'));
  }

  #onPassiveReply(reply: Reply, now: number): void {
    if (refusalCodes.has(reply.code)) this.#refusal = reply;
    const at = this.#form === 'epsv' ? epsvAddress(reply) : this.#pasvAddress(reply);
    if (at === undefined) {
      this.#giveUpForm(now);
      return;
    }
    this.#step = 'connecting';
    this.#pair.backendLeg = 'opening';
    this.#wait(now);
    this.#context.effects.connectToBackend(this.#pair.generation, at);
  }

  #pasvAddress(reply: Reply): BackendDataAddress | undefined {
    const endpoint = reply.code === 227 ? parsePasvReply(reply) : undefined;
    if (endpoint === undefined) return undefined;
    const isTrusted = this.#context.options.backendPasvAddress === 'trust' && endpoint.address !== '0.0.0.0';
    return { address: isTrusted ? endpoint.address : undefined, port: endpoint.port };
  }

  #sendPort(at: DataAddress, now: number): void {
    const isIpv4 = parseAddress(at.address)?.family === 4;
    const command = isIpv4
      ? encodeCommand('PORT', formatPort(at.address, at.port))
      : encodeCommand('EPRT', formatEprt(at.address, at.port));
    this.#step = 'asking';
    this.#wait(now);
    this.#context.effects.toBackend(command);
  }

  #onPortReply(reply: Reply, now: number): void {
    if (refusalCodes.has(reply.code)) this.#refusal = reply;
    if (classOf(reply.code) === 'completion') {
      this.#onConnected(now);
      return;
    }
    this.#context.effects.dropBackendLeg(this.#pair.generation);
    this.#giveUpForm(now);
  }

  #onLegFailed(now: number): void {
    this.#pair.backendLeg = 'closed';
    if (this.#step === 'connecting' || this.#step === 'listening') {
      this.#giveUpForm(now);
      return;
    }
    // While a reply is owed nothing else can be asked: the leg that is closed shows when it comes.
    if (!this.isReplyOwed) this.#fail();
  }

  #onConnected(now: number): void {
    if (this.#pair.backendLeg === 'closed') {
      this.#fail();
      return;
    }
    const { restart } = this.#context.facts;
    if (restart === undefined) {
      this.#step = 'ready';
      return;
    }
    this.#step = 'restarting';
    this.#wait(now);
    this.#context.effects.toBackend(encodeLines([restart]));
  }

  #onRestartReply(reply: Reply): void {
    this.#step = reply.code < 400 && this.#pair.backendLeg !== 'closed' ? 'ready' : 'failed';
    if (reply.code >= 400) this.#refusal = reply;
  }

  #giveUpForm(now: number): void {
    this.#context.failedForms.add(this.#form);
    this.#pair.backendLeg = 'closed';
    if (this.#refusal === undefined) this.#next(now);
    else this.#fail();
  }

  #fail(): void {
    this.#step = 'failed';
  }

  #wait(now: number): void {
    this.#context.timers.set('work', now + this.#context.options.timeouts.dataConnect);
  }
}

function epsvAddress(reply: Reply): BackendDataAddress | undefined {
  const port = reply.code === 229 ? parseEpsvReply(reply) : undefined;
  return port === undefined ? undefined : { address: undefined, port };
}

/** In the order in which they are tried. */
function formsFor(context: SessionContext, pair: DataPair): BackendForm[] {
  const { backendData } = context.options;
  const isActive = pair.clientMode === 'active';
  const forms: BackendForm[] = [];
  if (backendData === 'passive' || (backendData === 'client' && !isActive)) forms.push('epsv', 'pasv');
  if (backendData === 'active' || isActive) forms.push('active');
  const left = forms.filter((form) => !context.failedForms.has(form));
  if (left.length > 0) return left;
  for (const form of forms) context.failedForms.delete(form);
  return forms;
}
