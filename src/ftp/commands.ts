/** Commands of a client (RFC 959 section 5.3): a verb, and an argument that is bytes. */
import { clientError } from './errors.ts';
import { encodeLines } from './lines.ts';

export interface Command {
  /** In upper case. */
  readonly verb: string;
  /** All behind the one space after the verb, one character a byte; empty if there is none. */
  readonly argument: string;
  /** The line as the client sent it: what is forwarded. */
  readonly text: string;
}

/** Three letters at least, then letters and digits (XSHA256); and the one odd verb that some servers know. */
const verbForm = /^(?:[a-z]{3}[a-z0-9]{0,5}|p@sw)$/i;

/** Reads a sound line. Throws FtpProtocolError with 500 for the client. */
export function parseCommand(text: string): Command {
  const space = text.indexOf(' ');
  const verb = space < 0 ? text : text.slice(0, space);
  if (!verbForm.test(verb)) throw clientError('Syntax error, command unrecognized.');
  return { verb: verb.toUpperCase(), argument: space < 0 ? '' : text.slice(space + 1), text };
}

/** A command of our own for a backend; `encodeLines` forwards a client's. Refuses CR, LF and NUL with a RangeError. */
export function encodeCommand(verb: string, argument?: string): Uint8Array {
  return encodeLines([argument === undefined ? verb : `${verb} ${argument}`]);
}

/** They open a data connection. */
export const transferVerbs: ReadonlySet<string> = verbs('RETR STOR STOU APPE LIST NLST MLSD');

/** They may pass while a transfer runs (RFC 959 section 4.1). */
export const urgentVerbs: ReadonlySet<string> = verbs('ABOR STAT QUIT');

/** They turn channels into ciphertext (RFC 2228, RFC 4217): no backend ever sees one of a client. */
export const securityVerbs: ReadonlySet<string> = verbs('AUTH PBSZ PROT CCC ADAT');

/** They open data ports that nobody would relay, or in an order that we do not know: always 502. */
export const refusedVerbs: ReadonlySet<string> = verbs('P@SW CPSV SPSV LPRT LPSV');

/** They change nothing on a server: what passes where nothing may be written. */
export const readingVerbs: ReadonlySet<string> = verbs(
  `USER PASS ACCT REIN QUIT HOST LANG CLNT CSID AUTH PBSZ PROT CCC ADAT
  CWD XCWD CDUP XCUP PWD XPWD SYST STAT HELP NOOP FEAT OPTS
  PORT EPRT PASV EPSV TYPE STRU MODE REST RANG ABOR RETR LIST NLST MLSD MLST
  SIZE MDTM AVBL HASH XCRC XMD5 XSHA XSHA1 XSHA256 XSHA512`,
);

/** MDTM with a time in front of the name sets that time; a name that begins like one is not worth the risk. */
const settingMdtm = /^\s*\d{8}\S*\s/;

/** Whether a command may pass where nothing may be written. A verb that nobody knows may write. */
export function isReading(command: Command): boolean {
  if (command.verb === 'MDTM' && settingMdtm.test(command.argument)) return false;
  return readingVerbs.has(command.verb);
}

/** Version 1 of the PROXY protocol: whoever sends it without being trusted wants to be taken for somebody else. */
export function isProxyHeader(text: string): boolean {
  return /^proxy(?: |$)/i.test(text);
}

const httpRequest =
  /^(?:get|head|post|put|delete|options|trace|connect|patch|pri)(?: |$)| http\/\d(?:\.\d)?$/i;

/** A browser was made to talk to us: as the first line of a session that ends it. Browsers may make up methods. */
export function isHttpRequest(text: string): boolean {
  return httpRequest.test(text);
}

function verbs(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}
