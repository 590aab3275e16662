import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run, stopAll } from '../helpers/processes.ts';

const source = path.join(import.meta.dirname, '../../src/cli.ts');

afterAll(stopAll);

test('the demo moves 20 downloads and 4 uploads over both servers and ends well', async () => {
  const { code, stdout, stderr } = await run({ program: process.execPath, env: {} }, [source, 'demo']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rows = stdout.split('\n').filter((line) => / (read|write) +(alpha|beta) /.test(line));
  for (const row of rows) expect(row).toMatch(/ ok, same SHA-256$/);
  const count = (text: string): number => rows.filter((row) => row.includes(text)).length;
  expect([' read ', ' write ', ' alpha ', ' beta '].map(count)).toEqual([20, 4, 12, 12]);
  expect(stdout).toContain('tftplb_sessions_ended_total{service="tftp",backend="alpha",result="ok"} 12');
  expect(stdout).toContain('All 24 transfers arrived');
});
