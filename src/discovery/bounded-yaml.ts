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
}

export interface YamlText {
  readonly document: Document.Parsed;
  /** The line, from 1 on, in which a part of the document begins. */
  readonly lineOf: (node: ParsedNode) => number;
}

/** The one document of a text, with at most `maxItems` in each of its lists and maps. Throws YamlError. */
export function parseYaml(text: string, maxItems: number): YamlText {
  const lines = new LineCounter();
  const [document, second] = compose(text, lines, maxItems);
  if (document === undefined || second !== undefined) throw new YamlError('expected one document');
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new YamlError(`line ${line}, column ${col}: ${error.message}`);
  }
  return { document, lineOf: ({ range }) => lines.linePos(range[0]).line };
}

/** No more than two of the documents. */
function compose(text: string, lines: LineCounter, maxItems: number): Document.Parsed[] {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ lineCounter: lines });
  const documents: Document.Parsed[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    checkSize(parser, maxItems);
    if (documents.length > 1) return documents;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  return documents;
}

function checkSize({ stack }: Parser, maxItems: number): void {
  if (stack.length > maxDepth) throw new YamlError('the nesting is too deep');
  for (const part of stack) {
    if ('items' in part && part.items.length > maxItems) {
      throw new YamlError(`more than ${maxItems} entries in a list or map`);
    }
  }
}
