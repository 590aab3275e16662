import { formatEndpoint } from '../net/net.ts';
import type { SessionEnd } from '../observe/events.ts';
import { Opcode } from '../tftp/packet.ts';
import { decodeOack, optionRecord, type TftpRequest } from '../tftp/request.ts';
import type { TftpSession } from '../tftp/session.ts';

/** What is known of a session at its end and is not in its machine. */
export interface SessionFacts {
  readonly service: string;
  readonly vip: { readonly address: string; readonly port: number };
  readonly clientPort: number;
  readonly clientAddress: string;
  readonly backend: string;
  readonly request: TftpRequest;
  /** The name that backends were asked for. */
  readonly forwarded: string;
  /** The OACK, one character a byte; '' if there was none. */
  readonly granted: string;
  readonly openedAt: number;
  readonly error: SessionEnd['error'];
}

/** The one report of a session. */
export function summarize(facts: SessionFacts, machine: TftpSession, now: number): SessionEnd {
  const { vip, request, error } = facts;
  return {
    kind: 'session.end',
    service: facts.service,
    client: formatEndpoint(facts.clientAddress, facts.clientPort),
    vip: formatEndpoint(vip.address, vip.port),
    backend: facts.backend,
    op: request.opcode === Opcode.rrq ? 'read' : 'write',
    file: request.file,
    ...(facts.forwarded !== request.file && { forwarded: facts.forwarded }),
    mode: request.mode,
    asked: optionRecord(request.options),
    granted: optionRecord(decodeOack(Buffer.from(facts.granted, 'latin1'))),
    bytes: machine.bytes,
    blocks: machine.blocks,
    repeats: machine.repeats,
    tries: machine.tries,
    duration: now - facts.openedAt,
    result: machine.result ?? 'error',
    ...(error && { error }),
  };
}
