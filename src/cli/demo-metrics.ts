/** Text in the Prometheus format, before and after: what has changed. */

/** Lines of the balancer's own series that moved, with the value that they have now; histogram buckets are left out. */
export function movedMetrics(before: string, after: string): string {
  const old = seriesOf(before);
  const moved = [...seriesOf(after)].filter(([series, value]) => value !== (old.get(series) ?? '0'));
  return moved.map(([series, value]) => `  ${series} ${value}\n`).join('');
}

function seriesOf(text: string): Map<string, string> {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('tftplb_') && !line.includes('_bucket{'))
    .map((line): [string, string] => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), line.slice(cut + 1)];
    });
  return new Map(lines);
}
