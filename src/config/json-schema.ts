/** The schema as plain data: what editors take, and what help, docs and printed files are made from. */
import { z } from 'zod';

import { schema } from './schema.ts';

/** A JSON schema (draft 2020-12), as far as ours goes. */
export interface SchemaNode {
  readonly $schema?: string;
  /** How a value looks. */
  readonly title?: string;
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly type?: string;
  readonly const?: unknown;
  /** Not to be shown. */
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

export const jsonSchema: SchemaNode = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Configuration of tftp-lb',
  ...shaped(z.toJSONSchema(schema, { io: 'input' })),
};

/** What the schema has at a place of `content`, which tells the protocols of services; undefined if nothing. */
export function nodeAt(path: readonly PropertyKey[], content: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = jsonSchema;
  let value = content;
  for (const key of path) {
    value = isRecord(value) ? value[String(key)] : undefined;
    const next: SchemaNode | undefined =
      typeof key === 'number'
        ? node?.items
        : (node?.properties?.[String(key)] ?? (node?.additionalProperties || undefined));
    node = next && branchFor(next, value);
  }
  return node;
}

/** Of services of several protocols, the one that the value is. */
export function branchFor(node: SchemaNode, value: unknown): SchemaNode {
  const protocol = isRecord(value) ? value['protocol'] : undefined;
  return node.oneOf?.find(({ properties }) => properties?.['protocol']?.const === protocol) ?? node;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** With the forms of fields in place of what zod sees of them, and without defaults that only say that there are some. */
function shaped(node: unknown): Record<string, unknown> {
  if (!isRecord(node)) return {};
  const { form, type, anyOf, $schema: _, default: fallback, ...rest } = node;
  const own = {
    ...rest,
    ...(fallback !== undefined && !isRecord(fallback) && { default: fallback }),
    ...(isRecord(form)
      ? form
      : { ...(type !== undefined && { type }), ...(anyOf !== undefined && { anyOf }) }),
  };
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [key, shapedPart(key, value)]));
}

/** `value` stands behind the keyword `key`. */
function shapedPart(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return key === 'anyOf' || key === 'oneOf' ? value.map(shaped) : value;
  if (!isRecord(value)) return value;
  if (key !== 'properties') return shaped(value);
  return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, shaped(property)]));
}
