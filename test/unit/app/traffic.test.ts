/** What services share of what is known of their clients. */
import { afterAll, describe, expect, it } from 'vitest';
import { SharedTables } from '../../../src/app/shared-tables.ts';
import { trafficOf } from '../../../src/app/traffic.ts';
import type { ServiceConfig } from '../../../src/config/config.ts';
import { removeFolders } from '../../helpers/folders.ts';
import { configOf, loadFile } from '../config/scene.ts';

afterAll(removeFolders);

/** A service for each of these. */
function servicesOf(...rests: readonly string[]): readonly ServiceConfig[] {
  const texts = rests.map(
    (rest, at) => `  s${at}: { listeners: ["192.0.2.1:${at + 1}"], affinity: { duration: 1m }, ${rest} }\n`,
  );
  return configOf(loadFile(`services:\n${texts.join('')}`)).services;
}

function keysOf(...rests: readonly string[]): (number | undefined)[] {
  const tables = new SharedTables(() => 0.5);
  return servicesOf(...rests).map(
    (service, index) => trafficOf(service, tables, { index, rows: 100 }).affinity?.key,
  );
}

describe('affinity', () => {
  it.each([
    ['of the same names', 'protocol: tftp, backends: [a, b]', 'protocol: ftp, backends: [b, a]'],
    [
      'in one place of DNS',
      'protocol: tftp, discovery: { dns: a.b }',
      'protocol: ftp, discovery: { dns: a.b }',
    ],
    ['in one file', 'protocol: tftp, discovery: { file: a }', 'protocol: ftp, discovery: { file: a }'],
  ])('is shared by services with backends %s', (_what, one, other) => {
    const [first, second] = keysOf(one, other);
    expect(second).toBe(first);
  });

  it('is not shared by others', () => {
    const keys = keysOf(
      'protocol: tftp, backends: [a, b]',
      'protocol: tftp, backends: [a]',
      'protocol: tftp, discovery: { dns: a }',
      'protocol: tftp, discovery: { dns: b }',
      'protocol: tftp, discovery: { file: a }',
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is not there where users stay rather than clients', () => {
    expect(keysOf('protocol: ftp, backends: [a], policy: user-hash')).toEqual([undefined]);
  });

  it('is shared where a group says so', () => {
    const group = 'affinity: { duration: 1h, group: boot }';
    const services = configOf(
      loadFile(`services:
  a: { protocol: tftp, listeners: [192.0.2.1], backends: [a], ${group} }
  b: { protocol: ftp, listeners: [192.0.2.1], backends: [b], ${group} }
`),
    ).services;
    const tables = new SharedTables(() => 0.5);
    const [one, other] = services.map(
      (service) => trafficOf(service, tables, { index: 0, rows: 9 }).affinity,
    );
    expect(other).toEqual(one);
    expect(other?.table).toBe(one?.table);
  });
});

describe('rates', () => {
  it("are a service's own, and last until it is gone", () => {
    const rates = 'protocol: tftp, backends: [a], rates: { per-client: 1/s, per-prefix: 2/s }';
    const tables = new SharedTables(() => 0.5);
    const tablesOf = (): (SharedArrayBuffer | undefined)[] =>
      servicesOf(rates, rates).flatMap((service, index) => {
        const { rates } = trafficOf(service, tables, { index, rows: 100 });
        return [rates?.perClient?.table, rates?.perPrefix?.table];
      });
    const before = tablesOf();
    expect(new Set(before).size).toBe(4);
    expect(tablesOf().every((table, at) => table === before[at])).toBe(true);
    tables.forget('s0');
    expect(tablesOf().map((table, at) => table === before[at])).toEqual([false, false, true, true]);
  });
});

describe('routes', () => {
  it("have rows behind those of the services, which are no other service's", () => {
    const routes = 'protocol: tftp, backends: [a], routes: [{ op: read }, { op: write }]';
    const tables = new SharedTables(() => 0.5);
    const rows = servicesOf(routes, routes).flatMap((service, index) =>
      (trafficOf(service, tables, { index, rows: 320 }).routes ?? []).map(({ row }) => row),
    );
    expect(rows).toEqual([319, 318, 311, 310]);
  });
});
