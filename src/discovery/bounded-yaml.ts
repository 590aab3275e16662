/**
 * YAML (and JSON, which is YAML) of a bounded shape. The library builds whatever a text describes, in a time that grows
 * with the square of the keys of a map and with the depth of its nesting: a hundred kilobytes can stop this program for
 * seconds. Hence each step is checked before the next one.
 */
import { Composer, type Document, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml';

const maxDepth = 16;

/** A text is no YAML, or not of the shape that is taken. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly code = 'TLB_ERR_YAML';
  /** Both from 1 on. */
  readonly line: number;
  readonly column: number;
  /** What is wrong there. */
  readonly problem: string;

  constructor(line: number, column: number, problem: string) {
    super(`line ${line}, column ${column}: ${problem}`);
    this.line = line;
    this.column = column;
    this.problem = problem;
  }
}

export interface YamlText {
  readonly document: Document.Parsed;
  /** The line, from 1 on, in which a part of the document begins. */
  readonly lineOf: (node: ParsedNode) => number;
}

/** The one document of a text, with at most `maxItems` in each of its lists and maps. Throws YamlError. */
export function parseYaml(text: string, maxItems: number): YamlText {
  const { document, lines } = composeYaml(text, { maxItems });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new YamlError(line, col, error.message);
  }
  return { document, lineOf: ({ range }) => lines.linePos(range[0]).line };
}

export interface YamlBounds {
  /** Most entries of a list or map. */
  readonly maxItems: number;
  /** Whether `<<` takes the entries of another map; not so if left out. */
  readonly merge?: boolean;
}

export interface ComposedYaml {
  /** With the errors and warnings that it has. */
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** The one document of a text, whatever is wrong with it but its shape. Throws YamlError. */
export function composeYaml(text: string, { maxItems, merge = false }: YamlBounds): ComposedYaml {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ lineCounter: lines, merge });
  const documents: Document.Parsed[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    const problem = documents.length > 1 ? severalDocuments : problemOf(parser, maxItems);
    if (problem !== undefined) throw new YamlError(lines.lineStarts.length, 1, problem);
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  const [document, second] = documents;
  if (document === undefined || second !== undefined) {
    const { line, col } = lines.linePos(second?.range[0] ?? 0);
    throw new YamlError(line, col, severalDocuments);
  }
  return { document, lines };
}

const severalDocuments = 'expected one document';

function problemOf({ stack }: Parser, maxItems: number): string | undefined {
  if (stack.length > maxDepth) return 'the nesting is too deep';
  const isLong = stack.some((part) => 'items' in part && part.items.length > maxItems);
  return isLong ? `more than ${maxItems} entries in a list or map` : undefined;
}
