/** A configuration as a file, whatever it was given as: every key that counts, with defaults, in the schema's order. */
import { Document as Yaml } from 'yaml';

import { formatHostPort } from './address.ts';
import { dotted, type Document, type Path } from './document.ts';
import { branchFor, isRecord, jsonSchema, type SchemaNode } from './json-schema.ts';
import { listener } from './listener.ts';

const listenerField = listener();

/** Read again, the text is the same configuration, but for passwords, which it does not show. */
export function printConfig({ content }: Document): string {
  const hidden: Path[] = [];
  const yaml = new Yaml(new Printed(hidden).resolved(jsonSchema, content, []));
  const remarks = hidden.map((path) => ` ${dotted(path)} is set, and not shown`);
  if (remarks.length > 0) yaml.commentBefore = remarks.join('\n');
  return yaml.toString({ lineWidth: 0 });
}

class Printed {
  readonly #hidden: Path[];

  /** `hidden` is told what is left out. */
  constructor(hidden: Path[]) {
    this.#hidden = hidden;
  }

  /** What was said, with what it falls back to in place of what was not; undefined where that is nothing. */
  resolved(node: SchemaNode, said: unknown, path: Path): unknown {
    const { writeOnly, properties, additionalProperties, default: fallback, ...form } = branchFor(node, said);
    if (writeOnly === true) {
      if (said !== undefined) this.#hidden.push(path);
      return undefined;
    }
    if (properties) return this.#section(properties, said, path);
    if (additionalProperties) return this.#map(additionalProperties, said, path);
    return Array.isArray(said) ? said.map(compact) : typed(form, said ?? fallback);
  }

  #section(properties: Readonly<Record<string, SchemaNode>>, said: unknown, path: Path): unknown {
    const own = isRecord(said) ? said : {};
    const entries = Object.entries(properties).map(
      ([key, node]) => [key, this.resolved(node, own[key], [...path, key])] as const,
    );
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  #map(node: SchemaNode, said: unknown, path: Path): unknown {
    const own = isRecord(said) ? Object.entries(said) : [];
    return Object.fromEntries(own.map(([key, value]) => [key, this.resolved(node, value, [...path, key])]));
  }
}

/** A listener in parts as one text. */
function compact(entry: unknown): unknown {
  if (!isRecord(entry) || entry['address'] === undefined) return entry;
  const { address = '', port } = listenerField.safeParse(entry).data ?? {};
  return port === undefined ? address : formatHostPort(address, port);
}

/** Flags and variables say numbers and switches in texts. */
function typed({ type, anyOf = [] }: SchemaNode, said: unknown): unknown {
  const isSwitch = type === 'boolean' || anyOf.some((form) => form.const === false);
  if (isSwitch && (said === 'true' || said === 'false')) return said === 'true';
  const isNumber = type === 'integer' || anyOf.some((form) => form.type === 'integer');
  return isNumber && typeof said === 'string' && /^\d+$/.test(said) ? Number(said) : said;
}
