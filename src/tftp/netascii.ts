/**
 * Netascii, the text form on the wire (RFC 764): the end of a line is CR LF, a CR that ends no line is CR NUL.
 * Every other byte stands for itself, those above 127 too.
 */
const NUL = 0;
const LF = 10;
const CR = 13;

/** Local text (lines end in LF) to netascii. Every byte is translated by itself, so text may be cut anywhere. */
export function encodeNetascii(text: Uint8Array): Uint8Array {
  const out = new Uint8Array(text.length * 2);
  let length = 0;
  for (const byte of text) {
    if (byte === LF || byte === CR) {
      out[length++] = CR;
      out[length++] = byte === LF ? LF : NUL;
    } else {
      out[length++] = byte;
    }
  }
  return out.subarray(0, length);
}

/** Netascii to local text. A pair may be split between two calls. A CR with anything else behind it is kept. */
export class NetasciiDecoder {
  #afterCr = false;

  decode(bytes: Uint8Array): Uint8Array {
    const out = new Uint8Array(bytes.length + 1);
    let length = 0;
    for (const byte of bytes) {
      if (this.#afterCr && byte !== LF) out[length++] = CR;
      const endsPair = this.#afterCr && (byte === LF || byte === NUL);
      this.#afterCr = byte === CR;
      if (byte === LF || (byte !== CR && !endsPair)) out[length++] = byte;
    }
    return out.subarray(0, length);
  }

  /** What is left once all bytes are there: a CR that nothing followed. */
  end(): Uint8Array {
    const rest = this.#afterCr ? Uint8Array.of(CR) : new Uint8Array(0);
    this.#afterCr = false;
    return rest;
  }
}
