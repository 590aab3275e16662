/** What we say in a backend's place. The codes are those of RFC 959 section 4.2, RFC 2428 and RFC 2389. */
import type { Answer } from './errors.ts';
import type { Reply } from './replies.ts';

/** Every transfer that does not end well and has no reply of the backend's that says so ends with one of these. */
export interface TransferFailure extends Answer {
  readonly code: 425 | 426;
}

export const noDataConnection: TransferFailure = { code: 425, text: 'Cannot open data connection.' };
export const transferAborted: TransferFailure = {
  code: 426,
  text: 'Connection closed; transfer aborted.',
};

export const noPassivePort: Answer = { code: 425, text: 'Cannot open passive connection.' };
export const pasvIsIpv4: Answer = { code: 425, text: 'PASV is for IPv4, use EPSV.' };
export const portIsIpv4: Answer = { code: 501, text: 'PORT is for IPv4, use EPRT.' };
export const portOfOthers: Answer = { code: 501, text: 'Data connections go to your own address alone.' };
export const privilegedPort: Answer = { code: 501, text: 'Data connections go to ports from 1024 alone.' };
export const extendedPassiveOnly: Answer = { code: 503, text: 'Not allowed after EPSV ALL.' };
export const useDataCommand: Answer = { code: 425, text: 'Use PASV, EPSV, PORT or EPRT first.' };
export const usePassive: Answer = { code: 425, text: 'Use PASV or EPSV first.' };
export const passiveOnly: Answer = { code: 502, text: 'Only passive mode is served, use PASV or EPSV.' };
export const notImplemented: Answer = { code: 502, text: 'Command not implemented.' };
export const notPermitted: Answer = { code: 550, text: 'Permission denied.' };
export const readOnly: Answer = { code: 550, text: 'Permission denied, this service is read-only.' };
export const notLoggedIn: Answer = { code: 530, text: 'Please login with USER and PASS.' };
export const ready: Answer = { code: 220, text: 'Service ready for new user.' };
export const hostNoted: Answer = { code: 220, text: 'Host noted.' };
export const noted: Answer = { code: 200, text: 'Noted.' };
export const nothingDone: Answer = { code: 200, text: 'Nothing done.' };
export const userFirst: Answer = { code: 503, text: 'Login with USER first.' };
export const tooMuchBeforeUser: Answer = { code: 503, text: 'Too much before USER, login first.' };
export const argumentMissing: Answer = { code: 501, text: 'Syntax error in parameters or arguments.' };
export const unknownUser: Answer = { code: 530, text: 'Not logged in.' };
export const unknownHost: Answer = { code: 530, text: 'Not logged in, the host is not served.' };
export const otherUser: Answer = { code: 530, text: 'Connect again to log in as another user.' };
export const epsvAllAccepted: Answer = { code: 200, text: 'EPSV ALL command successful.' };
export const abortSuccessful: Answer = { code: 226, text: 'Abort successful.' };
export const goodbye: Answer = { code: 221, text: 'Goodbye.' };

export const serviceClosing: Answer = {
  code: 421,
  text: 'Service not available, closing control connection.',
};
export const loginTimedOut: Answer = { code: 421, text: 'Login timed out, closing control connection.' };
export const idleTimedOut: Answer = {
  code: 421,
  text: 'No command for too long, closing control connection.',
};

export function targetAccepted(verb: string): Answer {
  return { code: 200, text: `${verb} command successful.` };
}

/** An answer of ours in the shape of a backend's. */
export function replyOf(answer: Answer): Reply {
  return { code: answer.code, lines: [`${answer.code} ${answer.text}`] };
}
