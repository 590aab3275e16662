/** Which end of a session spoke. */
export type Peer = 'client' | 'backend';

/** A reply of our own: one line. `text` has no CR, LF or NUL and is one character a byte (latin1). */
export interface Answer {
  readonly code: number;
  readonly text: string;
}

/**
 * A line that breaks the protocol. `peer` sent it; `answer` is what the client is told, whoever was at fault.
 * The message never quotes the line, because it may be a password.
 */
export class FtpProtocolError extends Error {
  override readonly name = 'FtpProtocolError';
  readonly code = 'TLB_ERR_FTP_PROTOCOL';
  readonly peer: Peer;
  readonly answer: Answer;

  constructor(peer: Peer, answer: Answer, message: string) {
    super(message);
    this.peer = peer;
    this.answer = answer;
  }
}

/** The client's line is not obeyed; its session goes on (RFC 959 section 4.2.1). */
export function clientError(text: string): FtpProtocolError {
  return new FtpProtocolError('client', { code: 500, text }, text);
}

/** The backend cannot be followed any further, and the session with it ends (RFC 959 section 5.4). */
export function backendError(message: string): FtpProtocolError {
  const answer = { code: 421, text: 'Service not available, closing control connection.' };
  return new FtpProtocolError('backend', answer, message);
}
