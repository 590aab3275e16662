/** The loads of the tftp suite, by the names that its user gives them. */
import type { ThroughputLoad } from '../questions/throughput.ts';

/** A million bytes in blocks of 1,428. */
const megabyte = 701;

const lockStep = (sessions: number): ThroughputLoad => ({ kind: 'blocks', sessions, windowsize: 1 });
const windowed = (sessions: number): ThroughputLoad => ({ kind: 'blocks', sessions, windowsize: 16 });
const files = (sessions: number, blocks: number): ThroughputLoad => ({ kind: 'transfers', sessions, blocks });

/** Sessions and windowsize, or what is read. */
export const throughputLoads: Readonly<Record<string, ThroughputLoad>> = {
  '1x1': lockStep(1),
  '8x1': lockStep(8),
  '64x1': lockStep(64),
  '512x1': lockStep(512),
  '8x16': windowed(8),
  '64x16': windowed(64),
  'one-block': files(64, 1),
  megabyte: files(8, megabyte),
};
