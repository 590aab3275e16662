import { describe, expect, it } from 'vitest';
import { planReload, type ReloadPlan } from '../../../src/app/reload-plan.ts';
import { configOf, loadFile } from '../config/scene.ts';

/** A file with these services, each a name and the lines of its section, and lines about the process. */
function fileOf(services: Readonly<Record<string, string>>, process = ''): string {
  const sections = Object.entries(services).map(([name, rest]) => {
    const protocol = rest.includes('protocol') ? '' : 'protocol: tftp, ';
    const listeners = rest.includes('listeners') ? '' : 'listeners: [192.0.2.1], ';
    const backends = rest.includes('backends') ? '' : 'backends: [a, "b,weight=2"], ';
    return `  ${name}: { ${protocol}${listeners}${backends}${rest} }\n`;
  });
  return `services:\n${sections.join('')}${process}`;
}

function plan(before: string, after: string): ReloadPlan {
  return planReload(configOf(loadFile(before)), configOf(loadFile(after)));
}

/** What a change of one service from one section to another one amounts to. */
function changes(before: string, after: string): readonly string[] {
  return plan(fileOf({ pxe: before }), fileOf({ pxe: after })).changes;
}

const names = (services: readonly { readonly name: string }[]): string[] => services.map(({ name }) => name);

describe('a reload', () => {
  it('of the same changes nothing, and all services stay', () => {
    const file = fileOf({ one: 'port: 69', two: 'port: 70' });
    const { kept, ...rest } = plan(file, `# other words\n${file}`);
    expect(rest).toEqual({ refusals: [], added: [], removed: [], changes: [] });
    expect(names(kept)).toEqual(['one', 'two']);
  });

  it('knows services by their names', () => {
    const before = fileOf({ one: 'port: 69', two: 'port: 70' });
    const { added, removed, kept, ...rest } = plan(before, fileOf({ three: 'port: 69', two: 'port: 70' }));
    expect([names(added), names(removed), names(kept)]).toEqual([['three'], ['one'], ['two']]);
    expect(rest).toEqual({ refusals: [], changes: ['service one removed', 'service three added'] });
  });

  it('takes a service of another protocol for another one', () => {
    const { added, removed, kept, ...rest } = plan(
      fileOf({ one: 'protocol: tftp' }),
      fileOf({ one: 'protocol: ftp' }),
    );
    expect([added, removed, kept].map((services) => services.map(({ kind }) => kind))).toEqual([
      ['ftp'],
      ['tftp'],
      [],
    ]);
    expect(rest).toEqual({ refusals: [], changes: ['service one removed', 'service one added'] });
  });

  it.each<[string, string, string[]]>([
    ['', 'backends: [a]', ['backends']],
    ['', 'backends: ["b,weight=2", a]', ['backends']],
    ['', 'port: 70', ['listeners']],
    ['', 'policy: first', ['policy']],
    ['', 'limits: { max-sessions: 1 }', ['limits']],
    ['', 'health: { interval: 1s, file: x }', ['health']],
    ['', 'discovery: { resolve-interval: 1m }', ['discovery']],
    ['', 'discovery: { empty-grace: 5m, dns-servers: ["::1"] }', ['discovery']],
    ['', 'access: { deny: [10.0.0.0/8] }', ['access']],
    ['', 'rates: { per-client: 1/s }, affinity: { duration: 1m }', ['rates', 'affinity']],
    ['', 'routes: [{ op: read, rewrite: x }]', ['routes']],
    ['', 'tftp: { try-interval: 2s, single-port: true, max-blksize: 512 }', ['tftp']],
    ['', 'read-only: true', ['tftp']],
    [
      'protocol: ftp',
      'protocol: ftp, ftp: { deny: SITE, idle-timeout: 1s, xferlog: /x, modes: passive }',
      ['ftp'],
    ],
    ['', 'policy: first, limits: { max-sessions: 1 }', ['policy', 'limits']],
  ])('names the sections that differ between {%s} and {%s}', (before, after, sections) => {
    expect(changes(before, after)).toEqual([`service pxe: ${sections.join(', ')}`]);
    expect(changes(after, before)).toEqual([`service pxe: ${sections.join(', ')}`]);
  });

  it('may change log, drain time and admin endpoints', () => {
    const process = 'log: { level: debug }\ndrain-timeout: 1s\nadmin: { listen: false }\n';
    const { refusals, changes } = plan(fileOf({ pxe: '' }), fileOf({ pxe: '' }, process));
    expect([refusals, changes]).toEqual([[], ['admin', 'log', 'drain-timeout']]);
  });

  it('cannot change what threads are made with', () => {
    const before = fileOf({ pxe: '' }, 'workers: 2\nengine: portable\n');
    const after = fileOf({ pxe: 'policy: first' }, 'workers: 4\nengine: linux\nbusy-poll: 7\n');
    expect(plan(before, after).refusals).toEqual([
      'workers cannot change from 2 to 4 without a restart',
      'engine cannot change from portable to linux without a restart',
      'busy-poll cannot change from 100 to 7 without a restart',
    ]);
  });

  it.each([
    ['"0.0.0.0:69"', '192.0.2.1', '192.0.2.1:69', '0.0.0.0:69'],
    ['"[2001:db8::1]:69"', '"::"', '[::]:69', '[2001:db8::1]:69'],
  ])('cannot go from %s to %s, which want each other gone', (before, after, wanted, held) => {
    const [old, young] = [before, after].map((listener) => fileOf({ pxe: `listeners: [${listener}]` }));
    expect(plan(old ?? '', young ?? '').refusals).toEqual([
      `service pxe cannot listen on ${wanted} without a restart: the balancer listens on ${held}`,
    ]);
  });

  it.each([
    ['another port', 'listeners: ["0.0.0.0:69"]', 'listeners: ["192.0.2.1:70"]'],
    ['another address', 'listeners: ["192.0.2.1:69"]', 'listeners: ["192.0.2.2:69"]'],
    ['the other family', 'listeners: ["0.0.0.0:69"]', 'listeners: ["[::1]:69"]'],
    ['ports that the system chooses', 'listeners: ["0.0.0.0:0"]', 'listeners: ["192.0.2.1:0"]'],
    ['the other protocol', 'listeners: ["0.0.0.0:69"]', 'protocol: ftp, listeners: ["192.0.2.1:69"]'],
  ])('may go to %s', (_what, before, after) => {
    expect(plan(fileOf({ pxe: before }), fileOf({ pxe: after })).refusals).toEqual([]);
  });

  it('may give the listener of one service to another one', () => {
    expect(plan(fileOf({ one: '' }), fileOf({ two: '' })).refusals).toEqual([]);
  });
});
