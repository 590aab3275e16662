/** Bars as SVG: panels side by side, each with a scale of its own that begins at 0. */

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands behind the bar. */
  readonly text: string;
  /** As in CSS. */
  readonly color: string;
}

export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** All in pixels. */
const panelWidth = 440;
const labelWidth = 150;
const barWidth = 210;
const rowHeight = 18;
const titleHeight = 30;
const margin = 16;
const panelsPerRow = 2;

/** An SVG document. */
export function plot(title: string, panels: readonly Panel[]): string {
  const rows = Array.from({ length: Math.ceil(panels.length / panelsPerRow) }, (_, row) =>
    panels.slice(row * panelsPerRow, (row + 1) * panelsPerRow),
  );
  let top = margin;
  const drawn = rows.flatMap((row) => {
    const pieces = row.map((panel, at) => drawPanel(panel, margin + at * panelWidth, top));
    top += Math.max(...row.map(heightOf)) + margin;
    return pieces;
  });
  const width = 2 * margin + panelsPerRow * panelWidth;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}"
  role="img" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<title>${escape(title)}</title>
<rect width="${width}" height="${top}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function heightOf({ bars }: Panel): number {
  return titleHeight + bars.length * rowHeight;
}

function drawPanel({ title, bars }: Panel, left: number, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.map((bar, at) => drawBar(bar, most, top + titleHeight + at * rowHeight));
  return `<g transform="translate(${left} 0)">
<text y="${top + 14}" font-weight="600">${escape(title)}</text>
${drawn.join('\n')}
</g>`;
}

function drawBar({ label, value, text, color }: Bar, most: number, top: number): string {
  const width = most === 0 ? 0 : Math.round((value / most) * barWidth);
  const baseline = top + rowHeight - 5;
  return (
    `<text x="${labelWidth - 8}" y="${baseline}" text-anchor="end">${escape(label)}</text>` +
    `<rect x="${labelWidth}" y="${top + 2}" width="${width}" height="${rowHeight - 4}" fill="${color}"/>` +
    `<text x="${labelWidth + width + 6}" y="${baseline}">${escape(text)}</text>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
