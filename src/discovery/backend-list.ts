/**
 * A list of backends as text, in YAML or JSON:
 *
 *   - 192.0.2.1
 *   - boot2.example.com:6969,weight=2
 *   - { host: 192.0.2.3, port: 69, weight: 5, name: rack-3 }
 */
import { type Document, isSeq, type ParsedNode } from 'yaml';
import { readEntry } from './backend-entry.ts';
import type { BackendSpec } from './backend-spec.ts';
import { parseYaml, type YamlText } from './bounded-yaml.ts';

const maxBackends = 1_024;
/** Faults that are told in one go. */
const maxFaults = 5;

/** A text is no list of backends, with all that is wrong with it. */
export class BackendListError extends Error {
  override readonly name = 'BackendListError';
  readonly code = 'TLB_ERR_BACKEND_LIST';
}

export interface BackendListOptions {
  /** Where the text is from, for messages. */
  readonly source: string;
  /** Of entries without one. */
  readonly port: number;
}

/** Throws BackendListError. */
export function parseBackendList(text: string, { source, port }: BackendListOptions): BackendSpec[] {
  const { document, lineOf } = readYaml(text, source);
  const { contents } = document;
  if (!isSeq(contents)) throw new BackendListError(`${source}: expected a list of backends`);
  const faults: string[] = [];
  const specs = contents.items.flatMap((item) => {
    const spec = readEntry(valueOf(item, document), port);
    if (typeof spec !== 'string') return [spec];
    faults.push(`line ${lineOf(item)}: ${spec}`);
    return [];
  });
  if (faults.length > 0) throw new BackendListError(`${source}: ${summaryOf(faults)}`);
  return specs;
}

function readYaml(text: string, source: string): YamlText {
  try {
    return parseYaml(text, maxBackends);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendListError(`${source}: ${reason}`, { cause });
  }
}

/** Aliases, with which a small text can stand for a huge value, are left out, so that their entry is none. */
function valueOf(item: ParsedNode, document: Document.Parsed): unknown {
  try {
    return item.toJS(document, { maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

function summaryOf(faults: readonly string[]): string {
  const more = faults.length - maxFaults;
  return [...faults.slice(0, maxFaults), ...(more > 0 ? [`${more} more`] : [])].join('; ');
}
