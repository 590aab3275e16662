/** Where the configuration comes from, and when it is read. */
import { unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { ConfiguredBalancer, fileOf } from '../helpers/configured.ts';
import { type EmbeddedServer, fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { stopAll } from '../helpers/processes.ts';
import { describeFlags } from './flags.ts';

afterAll(stopAll);

function servers(): [EmbeddedServer, EmbeddedServer] {
  return [startEmbedded({ file: Buffer.from('one') }), startEmbedded({ file: Buffer.from('two') })];
}

/** What the file is at a server, as the balancer hands it on. */
async function fetched(listener: Endpoint): Promise<string> {
  const { bytes } = await fetchFile(listener, 'file');
  return bytes.toString();
}

/** One service, which takes the first backend for as long as it can. */
function pxe(...backends: readonly Endpoint[]): string {
  return fileOf({ pxe: { backends, more: 'policy: first' } });
}

describeFlags('Configuration', {
  config: () => {
    test('is the file of the services', async () => {
      const [one, two] = servers();
      const site = await ConfiguredBalancer.start(
        fileOf({ first: { backends: [one] }, second: { backends: [two] } }),
      );
      const listeners = [await site.listener('first'), await site.listener('second')];
      expect(await Promise.all(listeners.map(fetched))).toEqual(['one', 'two']);
    });

    test('says less than flags', async () => {
      const [one] = servers();
      const site = await ConfiguredBalancer.start(`${pxe(one)}workers: 2\nengine: portable\n`, [
        '--workers=1',
      ]);
      expect((await site.balancer.status()).workers).toHaveLength(1);
    });
  },

  watch: () => {
    test('reloads when the file is written or replaced, and tells when it is gone', async () => {
      const [one, two] = servers();
      const site = await ConfiguredBalancer.start(pxe(one), ['--watch']);
      const listener = await site.listener('pxe');
      site.write(pxe(two));
      expect(await site.outcome(0)).toMatchObject({
        event: 'config.applied',
        changes: ['service pxe: backends'],
      });
      expect(await fetched(listener)).toBe('two');
      writeFileSync(site.file, pxe(one, two));
      expect(await site.outcome(1)).toMatchObject({ changes: ['service pxe: backends'] });
      unlinkSync(site.file);
      expect(await site.outcome(2)).toMatchObject({ event: 'config.refused' });
      expect(await fetched(listener)).toBe('one');
    });
  },
});
