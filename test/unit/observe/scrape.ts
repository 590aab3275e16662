/** Reads the text of a scrape the way Prometheus does. */

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Names of labels over all samples, those of a histogram's buckets left out. */
  readonly labels: readonly string[];
}

/** Values by series, as `name{label="value",...}` with the labels in the order of the text. */
export function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** The families whose names begin with `prefix`, in the order of the text. */
export function familiesOf(text: string, prefix: string): Family[] {
  const families = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
  return families
    .map(([, name = '', help = '', type = '']) => ({ name, help, type, labels: labelsOf(text, name) }))
    .filter(({ name }) => name.startsWith(prefix));
}

function labelsOf(text: string, family: string): string[] {
  const series = [...samplesOf(text).keys()].filter((name) =>
    new RegExp(`^${family}(_bucket)?[{]`).test(name),
  );
  const labels = series.flatMap((name) => [...name.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label));
  return [...new Set(labels)].filter((label) => label !== 'le');
}
