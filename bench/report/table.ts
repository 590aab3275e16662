export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

const gap = '  ';

/** Lines of text in columns as wide as their widest cell, under a rule. A missing cell is empty. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const [cell, width] = [cells[at] ?? '', widths[at] ?? 0];
        return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(gap)
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join(gap);
  return [line(columns.map(({ title }) => title)), rule, ...rows.map((row) => line(row))];
}
