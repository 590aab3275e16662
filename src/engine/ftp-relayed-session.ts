/**
 * An FTP session with its sockets: tells the session machine (ftp/session.ts) what happens on them, and carries out
 * what it decides. The legs are told apart by whose they are, never by who connected.
 *
 *   client ◀──control──▶ client's leg │ machine │ backend's leg ◀──control──▶ backend
 *   client ◀──data──────────────────────▶ relay ◀─────────────────────data──▶ backend
 */
import type {
  BackendDataAddress,
  CloseHow,
  DataAddress,
  DataAbort,
  Direction,
  FtpEffects,
  FtpInputs,
  FtpRefusal,
  FtpSessionOptions,
  GreetingFailure,
  NoBackend,
  SessionRecord,
  TransferRecord,
} from '../ftp/effects.ts';
import { type Endpoint, formatEndpoint, type NetError } from '../net/net.ts';
import type { TcpSocket } from '../net/tcp.ts';
import type { TlsFacts, TlsSession } from '../net/tls.ts';
import type { FtpDataRefusal } from '../observe/events.ts';
import { ControlLeg } from './control-leg.ts';
import { type ControlEnds, type DataChannelsOwner, FtpDataChannels } from './ftp-data-channels.ts';
import type { FtpSessionHost, ServiceSession } from './ftp-session-host.ts';
import type { PassedClient } from './ftp-passthrough.ts';
import { FtpTries, type FtpTriesOwner } from './ftp-tries.ts';
import { FtpSessionTls, type Leg } from './ftp-session-tls.ts';
import { faultEvent, sessionEvent, transferEvent, type Whose } from './ftp-summary.ts';
import type { FtpService } from './snapshot.ts';
import { WheelEntry } from './timer-wheel.ts';

export class FtpRelayedSession
  extends WheelEntry
  implements FtpEffects, FtpTriesOwner, DataChannelsOwner, ServiceSession
{
  readonly #host: FtpSessionHost;
  readonly #client: ControlLeg;
  readonly #tries: FtpTries;
  readonly #channels: FtpDataChannels;
  readonly #machine: FtpInputs;
  readonly #startedAt: number;
  readonly #vip: Endpoint;
  readonly #tls: FtpSessionTls;
  #backend: ControlLeg | undefined;
  #isOver = false;

  constructor(host: FtpSessionHost, { socket, vip, isImplicit }: PassedClient) {
    super();
    this.#host = host;
    this.#startedAt = host.net.now();
    this.#vip = vip;
    this.#tls = new FtpSessionTls(host, () => this.#whose);
    this.#client = new ControlLeg(host, socket, {
      onBytes: (bytes) => this.tell((machine, now) => machine.onClientBytes(bytes, now)),
      onEnd: () => this.tell((machine, now) => machine.onClientEnd(now)),
      onReset: (error) => {
        this.#tls.onBroken('client', 'control', error);
        this.tell((machine, now) => machine.onClientReset(now));
      },
      onDrain: () => this.tell((machine, now) => machine.onClientDrain(now)),
      onSecure: (facts) => this.#tls.onSecure('client', 'control', facts),
    });
    const isByUser = dependsOnUser(host.service);
    this.#tries = new FtpTries(host, this, { client: socket.remote, vip }, isByUser);
    this.#channels = new FtpDataChannels(host, this);
    this.#machine = host.createMachine(
      { ...optionsOf(host.service, socket.remote.address, isImplicit), isByUser },
      this,
    );
  }

  /** Numeric. */
  get clientAddress(): string {
    return this.#client.remote.address;
  }

  get clientEnds(): ControlEnds {
    const { local, remote } = this.#client;
    return { local, remote, reached: this.#vip };
  }

  get backendEnds(): ControlEnds | undefined {
    return this.#backend;
  }

  override get deadline(): number {
    return this.#machine.deadline;
  }

  start(): void {
    this.#tries.start();
    this.tell((machine, now) => machine.start(now));
  }

  drain(): void {
    this.tell((machine, now) => machine.drain(now));
  }

  shutdown(): void {
    this.tell((machine, now) => machine.shutdown(now));
  }

  override onDeadline(): void {
    this.tell((machine, now) => machine.onTimer(now));
  }

  /** A fault of the machine costs its own session and no other. */
  tell(input: (machine: FtpInputs, now: number) => void): void {
    if (this.#isOver) return;
    try {
      input(this.#machine, this.#host.net.now());
    } catch (error) {
      this.#onFault(error);
    }
    if (!this.#isOver) this.#host.wheel.schedule(this);
  }

  onConnected(socket: TcpSocket): void {
    const leg = new ControlLeg(this.#host, socket, {
      onBytes: (bytes) => this.tell((machine, now) => machine.onBackendBytes(bytes, now)),
      onEnd: () => this.tell((machine, now) => machine.onBackendEnd(now)),
      onReset: (error) => {
        this.#tls.onBroken('backend', 'control', error);
        this.tell((machine, now) => machine.onBackendReset(now));
      },
      onDrain: () => undefined,
      onSecure: (facts) => this.#tls.onSecure('backend', 'control', facts),
    });
    this.#backend = leg;
    this.#tls.forgetBackend();
    this.tell((machine, now) => machine.onBackendConnected(now));
  }

  onUnavailable(): void {
    this.tell((machine, now) => machine.onBackendUnavailable(now));
  }

  onNobody(reason: NoBackend): void {
    this.tell((machine, now) => machine.onNoBackend(reason, now));
  }

  onUnknownUser(): void {
    this.tell((machine, now) => machine.onUnknownUser(now));
  }

  onDataBytes(direction: Direction, count: number): void {
    const { backend } = this.#tries;
    const to = direction === 'download' ? 'client' : 'backend';
    if (backend) this.#host.backends.streamed(to, backend, count);
  }

  tlsOf(leg: Leg): TlsSession | undefined {
    return this.#tls.of(leg);
  }

  onDataSecure(leg: Leg, facts: TlsFacts): void {
    this.#tls.onSecure(leg, 'data', facts);
  }

  onDataFault(leg: Leg, error: NetError): void {
    this.#tls.onBroken(leg, 'data', error);
  }

  onDataRefused(leg: 'client' | 'backend', reason: FtpDataRefusal, peer?: Endpoint): void {
    const who = peer && { peer: formatEndpoint(peer.address, peer.port) };
    this.#host.emit({ kind: 'ftp.data-refused', ...this.#whose, leg, reason, ...who });
  }

  toClient(bytes: Uint8Array): boolean {
    return this.#client.write(bytes);
  }

  toBackend(bytes: Uint8Array): void {
    this.#backend?.write(bytes);
  }

  pauseClient(): void {
    this.#client.pause();
  }

  resumeClient(): void {
    this.#client.resume();
  }

  pauseBackend(): void {
    this.#backend?.pause();
  }

  resumeBackend(): void {
    this.#backend?.resume();
  }

  closeClient(how: CloseHow): void {
    this.#client.close(how);
  }

  closeBackend(how: CloseHow): void {
    this.#tries.cancel();
    this.#backend?.close(how);
    this.#backend = undefined;
  }

  secureClient(): void {
    this.#client.secure(this.#tls.openClient());
  }

  secureBackend(): void {
    const { backend } = this.#tries;
    this.#backend?.secure(this.#tls.openBackend(backend?.host ?? backend?.address ?? ''));
  }

  protectData(leg: Leg, isProtected: boolean): void {
    this.#channels.protectData(leg, isProtected);
  }

  connectBackend(user: string): void {
    const { userMapKey } = this.#host.service;
    void this.#tries.connect(user, userMapKey === 'user' ? user : this.#tls.subject);
  }

  listenForClient(generation: number, form: 'pasv' | 'epsv'): void {
    this.#channels.listenForClient(generation, form);
  }

  connectToClient(generation: number, to: DataAddress): void {
    this.#channels.connectToClient(generation, to);
  }

  listenForBackend(generation: number): void {
    this.#channels.listenForBackend(generation);
  }

  connectToBackend(generation: number, to: BackendDataAddress): void {
    this.#channels.connectToBackend(generation, to);
  }

  dropBackendLeg(generation: number): void {
    this.#channels.dropBackendLeg(generation);
  }

  startRelay(generation: number, direction: Direction): void {
    this.#channels.startRelay(generation, direction);
  }

  abortData(generation: number, _reason: DataAbort): number {
    return this.#channels.abortData(generation);
  }

  greetingFailed(reason: GreetingFailure): void {
    if (reason === 'tls') this.#tls.onRefused();
    this.closeBackend('reset');
    this.#tries.greetingFailed(reason);
  }

  /** The session counts for its backend since that was asked. */
  greeted(): void {
    this.#tries.found();
  }

  /** The records name the user. */
  loggedIn(): void {}

  refused(reason: FtpRefusal, verb: string): void {
    const { user } = this.#tries;
    const { subject } = this.#tls;
    const who = { ...(user !== '' && { user }), ...(subject !== undefined && { subject }) };
    this.#host.emit({ kind: 'ftp.refused', ...this.#whose, ...who, reason, command: verb });
  }

  transferEnded(record: TransferRecord): void {
    this.#host.emit(transferEvent(this.#whose, record));
  }

  sessionEnded(record: SessionRecord): void {
    const { summary } = this.#tls;
    this.#close();
    this.#host.emit({ ...sessionEvent(this.#whose, record), ...summary });
  }

  get #whose(): Whose {
    const { remote } = this.#client;
    return {
      service: this.#host.service.name,
      client: formatEndpoint(remote.address, remote.port),
      vip: formatEndpoint(this.#vip.address, this.#vip.port),
      backend: this.#tries.backend?.name ?? '',
    };
  }

  #onFault(error: unknown): void {
    if (this.#isOver) return;
    const duration = this.#host.net.now() - this.#startedAt;
    this.#close();
    this.#host.emit(faultEvent(this.#whose, duration, error));
  }

  /** What the machine has closed already is left as it is. */
  #close(): void {
    this.#isOver = true;
    this.#host.wheel.remove(this);
    this.#channels.close();
    this.#client.close('reset');
    this.closeBackend('reset');
    this.#tries.end();
    this.#host.onEnded(this);
  }
}

/** Whether a backend can be chosen only once the user is known. */
function dependsOnUser({ policy, userMap }: FtpService): boolean {
  return policy === 'user-hash' || userMap !== undefined;
}

function optionsOf(
  { data, commands, timing, tls }: FtpService,
  client: string,
  isImplicit: boolean,
): Omit<FtpSessionOptions, 'isByUser'> {
  const { clientModes, backendData, portAddress, backendPasvAddress } = data;
  return {
    client,
    clientModes,
    backendData,
    portAddress,
    backendPasvAddress,
    isReadOnly: commands.readOnly,
    denied: new Set(commands.denied),
    timeouts: timing,
    caps: commands.caps,
    maxWaiting: commands.maxWaiting,
    security: {
      ...tls.policy,
      client: isImplicit ? 'required' : tls.policy.client,
      isClientImplicit: isImplicit,
    },
  };
}
