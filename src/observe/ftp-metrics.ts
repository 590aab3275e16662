/** Metrics of FTP, counted event by event. Series exist, at 0, from the moment in which their service is added. */
import { Counter, Gauge, type Registry } from 'prom-client';

import {
  ftpDataRefusals,
  type FtpEvent,
  ftpRefusals,
  ftpSessionEnds,
  type FtpTransfer,
  ftpTransferResults,
} from './events.ts';
import { certificateResults, type CertificatesLoaded, ftpTlsFaults } from './ftp-tls-events.ts';
import { userMapResults } from './user-map-events.ts';

/** Of the file, seen from the backend. */
export const ftpDirections = ['download', 'upload'] as const;
export const ftpLegs = ['client', 'backend'] as const;
export const ftpChannels = ['control', 'data'] as const;

/** The ports that passive clients are told, of one service. */
export interface PassivePortUse {
  readonly service: string;
  readonly used: number;
  /** Undefined where the system chooses them. */
  readonly size: number | undefined;
}

export class FtpMetrics {
  readonly #families: ReturnType<typeof familiesIn>;

  /** `passivePorts` is asked at each scrape. */
  constructor(registry: Registry, passivePorts: () => readonly PassivePortUse[]) {
    this.#families = familiesIn(registry);
    registerPassivePorts(registry, passivePorts);
  }

  addService(service: string): void {
    const { sessions, ended, transfers, bytes, refused, dataRefused, userMaps } = this.#families;
    const { certificates, handshakes, tlsFaults } = this.#families;
    sessions.inc({ service }, 0);
    for (const end of ftpSessionEnds) ended.inc({ service, end }, 0);
    for (const reason of ftpRefusals) refused.inc({ service, reason }, 0);
    for (const direction of ftpDirections) {
      bytes.inc({ service, direction }, 0);
      for (const result of ftpTransferResults) transfers.inc({ service, direction, result }, 0);
    }
    for (const result of userMapResults) userMaps.inc({ service, result }, 0);
    for (const result of certificateResults) certificates.inc({ service, result }, 0);
    for (const leg of ftpLegs) {
      for (const reason of ftpDataRefusals) dataRefused.inc({ service, leg, reason }, 0);
      for (const channel of ftpChannels) {
        for (const resumed of ['true', 'false']) handshakes.inc({ service, leg, channel, resumed }, 0);
        for (const reason of ftpTlsFaults) tlsFaults.inc({ service, leg, channel, reason }, 0);
      }
    }
  }

  forgetService(service: string): void {
    const { sessions, ended, transfers, bytes, refused, dataRefused, userMaps } = this.#families;
    const { certificates, expiry, handshakes, tlsFaults } = this.#families;
    sessions.remove({ service });
    expiry.remove({ service });
    for (const end of ftpSessionEnds) ended.remove({ service, end });
    for (const reason of ftpRefusals) refused.remove({ service, reason });
    for (const direction of ftpDirections) {
      bytes.remove({ service, direction });
      for (const result of ftpTransferResults) transfers.remove({ service, direction, result });
    }
    for (const result of userMapResults) userMaps.remove({ service, result });
    for (const result of certificateResults) certificates.remove({ service, result });
    for (const leg of ftpLegs) {
      for (const reason of ftpDataRefusals) dataRefused.remove({ service, leg, reason });
      for (const channel of ftpChannels) {
        for (const resumed of ['true', 'false']) handshakes.remove({ service, leg, channel, resumed });
        for (const reason of ftpTlsFaults) tlsFaults.remove({ service, leg, channel, reason });
      }
    }
  }

  count(event: FtpEvent): void {
    const { service } = event;
    switch (event.kind) {
      case 'ftp.session.start':
        return this.#families.sessions.inc({ service });
      case 'ftp.session.end':
        return this.#families.ended.inc({ service, end: event.end });
      case 'ftp.transfer':
        return this.#countTransfer(event);
      case 'ftp.refused':
        return this.#families.refused.inc({ service, reason: event.reason });
      case 'ftp.users.loaded':
        return this.#families.userMaps.inc({ service, result: 'loaded' });
      case 'ftp.users.failed':
        return this.#families.userMaps.inc({ service, result: 'failed' });
      case 'ftp.certificates.loaded':
        return this.#onCertificates(event);
      case 'ftp.certificates.failed':
        return this.#families.certificates.inc({ service, result: 'failed' });
      case 'ftp.tls': {
        const { leg, channel, isResumed } = event;
        return this.#families.handshakes.inc({ service, leg, channel, resumed: String(isResumed) });
      }
      case 'ftp.tls-failed': {
        const { leg, channel, reason } = event;
        return this.#families.tlsFaults.inc({ service, leg, channel, reason });
      }
      case 'ftp.data-refused':
        return this.#families.dataRefused.inc({ service, leg: event.leg, reason: event.reason });
    }
  }

  #onCertificates({ service, expiresAt }: CertificatesLoaded): void {
    this.#families.certificates.inc({ service, result: 'loaded' });
    if (expiresAt !== undefined) this.#families.expiry.set({ service }, expiresAt / 1_000);
  }

  #countTransfer({ service, direction, result, bytes }: FtpTransfer): void {
    this.#families.transfers.inc({ service, direction, result });
    this.#families.bytes.inc({ service, direction }, bytes);
  }
}

function familiesIn(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `tftplb_ftp_${name}_total`, help, labelNames, registers });
  return {
    sessions: counter('sessions_started', 'FTP sessions that began.', ['service']),
    ended: counter('sessions_ended', 'FTP sessions by why they ended.', ['service', 'end']),
    transfers: counter('transfers', 'FTP files and listings by how they ended.', [
      'service',
      'direction',
      'result',
    ]),
    bytes: counter('transferred_bytes', 'Payload of FTP transfers.', ['service', 'direction']),
    refused: counter('refused_commands', 'FTP commands that were answered here.', ['service', 'reason']),
    userMaps: counter('user_maps', 'Changed user maps by whether they could be used.', ['service', 'result']),
    expiry: new Gauge({
      name: 'tftplb_ftp_certificate_expiry_timestamp_seconds',
      help: 'When the first certificate of the service expires.',
      labelNames: ['service'],
      registers,
    }),
    certificates: counter('certificates', 'Certificates that were read by whether they could be used.', [
      'service',
      'result',
    ]),
    handshakes: counter('tls_handshakes', 'TLS handshakes of FTP by whether they resumed a session.', [
      'service',
      'leg',
      'channel',
      'resumed',
    ]),
    tlsFaults: counter('tls_faults', 'FTP connections that TLS ended, by why.', [
      'service',
      'leg',
      'channel',
      'reason',
    ]),
    dataRefused: counter('refused_data_connections', 'FTP data connections that did not come about.', [
      'service',
      'leg',
      'reason',
    ]),
  };
}

function registerPassivePorts(registry: Registry, uses: () => readonly PassivePortUse[]): void {
  const measures = [
    ['used', 'tftplb_ftp_passive_ports_used', 'Ports that passive FTP clients may connect to now.'],
    ['size', 'tftplb_ftp_passive_ports', 'Ports of --passive-ports; none where the system chooses.'],
  ] as const;
  for (const [measure, name, help] of measures) {
    const gauge: Gauge<'service'> = new Gauge({
      name,
      help,
      labelNames: ['service'],
      registers: [registry],
      collect() {
        gauge.reset();
        for (const use of uses()) {
          const value = use[measure];
          if (value !== undefined) gauge.set({ service: use.service }, value);
        }
      },
    });
  }
}
