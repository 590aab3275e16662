/** What the names of files tell the server of the bench. Each has a number, which tells a new request from a repeated one. */

const digits = 8;
/** In front of it stand the opcode and a letter. */
const digitsAt = 3;

/** Begins the names of files of one short block. */
export const oneBlockLetter: number = 'f'.charCodeAt(0);
export const oneBlockFile: string = `f${'0'.repeat(digits)}`;

export const endlessFile = 'endless';

/** A file of so many blocks. */
export function fileOf(blocks: number): string {
  return `b${'0'.repeat(digits)}-${blocks}`;
}

/** Blocks of a file that the server was asked for; 0 of one without an end. */
export function blocksOf(file: string): number {
  return Number(/^b\d+-(\d+)$/u.exec(file)?.[1] ?? 0);
}

/** Writes `number` into the name of the file that `request` asks for. */
export function numberRequest(request: Uint8Array, number: number): void {
  let rest = number;
  for (let at = digitsAt + digits - 1; at >= digitsAt; at--) {
    request[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
