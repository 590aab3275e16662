/**
 * What a control connection has of Telnet (RFC 854, RFC 959 section 4.1.3, RFC 1123 section 4.1.2.10): a client that
 * interrupts a transfer sends IAC IP IAC DM in front of ABOR, and IAC in a file name is doubled. A name stays as the
 * client sent it, since servers differ in whether they halve the IAC.
 *
 * One or two of these bytes are sent as urgent data, which is lost on the way to us. So the interrupt may look like
 * any mix of IAC, IP and DM.
 */

/** IAC (255), WILL, WONT, DO or DONT (251 to 254) and an option; or any one of IAC, IP (244) and DM (242). */
const commands = /^(?:\xff[\xfb-\xfe][^]?|[\xff\xf4\xf2])+/;
const negotiation = /\xff[\xfb-\xfe][^]?/g;

export interface WithoutTelnet {
  readonly text: string;
  /** An interrupt stood in front of the text. */
  readonly interrupted: boolean;
}

/** Takes the Telnet commands off the front of a whole line. What stands behind its first other byte is not touched. */
export function stripTelnet(line: string): WithoutTelnet {
  const front = commands.exec(line)?.[0] ?? '';
  return { text: line.slice(front.length), interrupted: front.replace(negotiation, '') !== '' };
}
