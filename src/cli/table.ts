/** Columns of text, each as wide as its widest cell; the first row is the heading. Ends with a line break. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [heading = [], ...body] = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [heading, rule, ...body].map((row) => `${row.join('  ').trimEnd()}\n`).join('');
}
