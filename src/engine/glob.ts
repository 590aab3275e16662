/**
 * Patterns of file names: `*` stands for any text without a slash, `?` for one character that is no slash, `**` for any text,
 * and `**` with a slash behind it, at the front or behind a slash, for any number of folders, none included.
 *
 * Matching never goes back. A pattern is a row of characters; a set of bits says how many of them may have been read so far,
 * all possibilities at once, and each character of a name moves them on. The time is that of the name's length, whatever
 * pattern or name somebody thinks of.
 *
 *   bit n      the first n characters of the pattern have been read
 *   reads[c]   bits from which character c leads to the next one
 *   stays[c]   bits where a star stands that takes character c
 *   skips      bits from which the next character, a slash, may be left out
 */

const slash = 0x2f;

export class Glob {
  readonly #words: number;
  /** `#words` of them for each character. */
  readonly #reads: Int32Array;
  readonly #stays: Int32Array;
  readonly #skips: Int32Array;
  readonly #last: number;
  readonly #now: Int32Array;

  /** `pattern` has one character a byte (latin1), as names have. */
  constructor(pattern: string) {
    // Folders of any number, twice: one of them is enough, and leaves no slash behind another that may be left out.
    const steps = stepsOf(pattern.replaceAll(/(^|\/)(?:\*{2,}\/){2,}/g, '$1**/'));
    this.#last = steps.length;
    this.#words = (steps.length >> 5) + 1;
    this.#reads = new Int32Array(256 * this.#words);
    this.#stays = new Int32Array(256 * this.#words);
    this.#skips = new Int32Array(this.#words);
    this.#now = new Int32Array(this.#words);
    steps.forEach((step, at) => this.#add(step, at));
    const star = trailingStar(pattern);
    if (star !== 'none') this.#stay(star, steps.length);
  }

  /** `name` has one character a byte. */
  matches(name: string): boolean {
    this.#now.fill(0);
    this.#now[0] = 1;
    this.#skip();
    for (let at = 0; at < name.length; at += 1) this.#read(name.charCodeAt(at) & 0xff);
    return ((this.#now[this.#last >> 5] ?? 0) & (1 << (this.#last & 31))) !== 0;
  }

  #read(character: number): void {
    const from = character * this.#words;
    let carry = 0;
    let skipCarry = 0;
    for (let word = 0; word < this.#words; word += 1) {
      const now = this.#now[word] ?? 0;
      const moved = now & (this.#reads[from + word] ?? 0);
      const entered = (moved << 1) | carry;
      const skipped = entered & (this.#skips[word] ?? 0);
      this.#now[word] = entered | (now & (this.#stays[from + word] ?? 0)) | (skipped << 1) | skipCarry;
      carry = moved >>> 31;
      skipCarry = skipped >>> 31;
    }
  }

  /** What may be left out at the very front. */
  #skip(): void {
    const first = (this.#now[0] ?? 0) & (this.#skips[0] ?? 0);
    this.#now[0] = (this.#now[0] ?? 0) | (first << 1);
  }

  #add({ star, character, isOptional }: Step, at: number): void {
    if (star !== 'none') this.#stay(star, at);
    if (isOptional) set(this.#skips, 0, at);
    for (let code = 0; code < 256; code += 1) {
      const isRead = character === undefined ? code !== slash : code === character;
      if (isRead) set(this.#reads, code * this.#words, at);
    }
  }

  #stay(star: Star, at: number): void {
    for (let code = 0; code < 256; code += 1) {
      if (star === 'any' || code !== slash) set(this.#stays, code * this.#words, at);
    }
  }
}

type Star = 'none' | 'segment' | 'any';

/** One character of a pattern, with the star before it. */
interface Step {
  readonly star: Star;
  /** Undefined is any but a slash. */
  readonly character: number | undefined;
  /** A slash behind `**` that stands for no folder, too. */
  readonly isOptional: boolean;
}

function stepsOf(pattern: string): Step[] {
  const found = [...pattern.matchAll(/(\**)([^*])/g)];
  return found.map(([, stars = '', text = ''], at) => {
    const before = found[at - 1]?.[2];
    const isOptional = stars.length > 1 && text === '/' && (before === undefined || before === '/');
    return { star: starOf(stars), character: text === '?' ? undefined : text.charCodeAt(0), isOptional };
  });
}

function trailingStar(pattern: string): Star {
  return starOf(/\**$/.exec(pattern)?.[0] ?? '');
}

function starOf(stars: string): Star {
  if (stars === '') return 'none';
  return stars === '*' ? 'segment' : 'any';
}

function set(words: Int32Array, from: number, bit: number): void {
  const at = from + (bit >> 5);
  words[at] = (words[at] ?? 0) | (1 << (bit & 31));
}
