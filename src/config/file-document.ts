/** A configuration file in YAML (or JSON, which is YAML too), with the line and column of every part. */
import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';

import { composeYaml, type ComposedYaml, YamlError } from '../discovery/bounded-yaml.ts';
import { dotted, type Document, isSecret, type Path, placesOf, problemOf } from './document.ts';
import { ConfigError, type Fault } from './fault.ts';
import { setAt } from './flag-document.ts';
import { isRecord } from './json-schema.ts';
import type { OptionInfo } from './options.ts';
import type { Complaint } from './section.ts';
import type { Said } from './sources.ts';

/** Bytes of memory that aliases may make of one. */
const maxAliases = 1000;
/** Of a list or section: more backends than the balancer can know. */
const maxItems = 1_024;

export class FileDocument implements Document {
  readonly content: Record<string, unknown> = {};
  readonly #name: string;
  readonly #yaml: ComposedYaml['document'];
  readonly #lines: ComposedYaml['lines'];
  /** What was said elsewhere, by path. */
  readonly #overridden = new Map<string, Said>();

  /** `name` is what the file is called in messages. Throws ConfigError if the text is no YAML. */
  constructor(name: string, text: string) {
    this.#name = name;
    const { document, lines } = this.#compose(text);
    this.#lines = lines;
    this.#yaml = document;
    const { errors, warnings } = document;
    if (errors.length + warnings.length > 0) {
      throw new ConfigError(
        [...errors, ...warnings].map(({ pos, message }) => this.#fault(pos[0], '', message)),
      );
    }
    const content = this.#read();
    if (!isRecord(content)) throw new ConfigError([this.#fault(0, '', 'expected a section with services')]);
    Object.assign(this.content, content);
  }

  /** An option of the command line or of the environment counts before the file. */
  override({ to }: OptionInfo, said: Said): void {
    for (const path of to) {
      setAt(this.content, path, said.value);
      this.#overridden.set(dotted(path), said);
    }
  }

  faultsOf(complaints: readonly Complaint[]): Fault[] {
    const found = complaints.map((complaint) => this.#faultOf(complaint));
    return found.toSorted((a, b) => a.offset - b.offset).map(({ fault }) => fault);
  }

  nameOf(path: Path): string {
    return this.#overridden.get(dotted(path))?.source ?? dotted(path);
  }

  #compose(text: string): ComposedYaml {
    try {
      return composeYaml(text, { maxItems, merge: true });
    } catch (cause) {
      if (!(cause instanceof YamlError)) throw cause;
      const { line, column, problem } = cause;
      const source = `${this.#name}:${line}:${column}`;
      throw new ConfigError([{ source, value: undefined, problem }], { cause });
    }
  }

  #read(): unknown {
    try {
      return this.#yaml.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new ConfigError([this.#fault(0, '', problem)]);
    }
  }

  #faultOf(complaint: Complaint): { readonly offset: number; readonly fault: Fault } {
    const places = placesOf(complaint);
    const [first = []] = places;
    const problem = problemOf(complaint, this);
    const value = places.length === 1 && !isSecret(first, this.content) ? this.#textAt(first) : undefined;
    const said = this.#overridden.get(dotted(first));
    if (said) return { offset: -1, fault: { source: said.source, value, problem } };
    const names = [dotted(first), ...places.slice(1).map((path) => dotted(path.slice(-1)))];
    const offset = this.#offsetOf(first);
    return { offset, fault: { ...this.#fault(offset, names.join(' and '), problem), value } };
  }

  #fault(offset: number, place: string, problem: string): Fault {
    const { line, col } = this.#lines.linePos(offset);
    const at = `${this.#name}:${line}:${col}`;
    return { source: place === '' ? at : `${at}: ${place}`, value: undefined, problem };
  }

  /** What stands there, if it is one word or number. */
  #textAt(path: Path): string | undefined {
    const value = path.reduce<unknown>(
      (whole, key) => (typeof whole === 'object' && whole !== null ? Reflect.get(whole, key) : undefined),
      this.content,
    );
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
  }

  /** Where the place begins, or the nearest one that holds it: a key where there is one, else an entry of a list. */
  #offsetOf(path: Path): number {
    let node: unknown = this.#yaml.contents;
    let offset = startOf(node) ?? 0;
    for (const key of path) {
      const whole = isAlias(node) ? node.resolve(this.#yaml) : node;
      const pair = isMap(whole)
        ? whole.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
        : undefined;
      node = isSeq(whole) ? whole.items[Number(key)] : pair?.value;
      const start = startOf(pair?.key ?? node);
      if (start === undefined) return offset;
      offset = start;
    }
    return offset;
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
