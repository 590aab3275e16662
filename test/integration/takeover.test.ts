/** One balancer takes over from another while transfers and sessions run: what their clients see of it. */
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { noise, removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { stopAll } from '../helpers/processes.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';

const image = noise(5_000);

afterAll(async () => {
  await stopAll();
  removeFolders();
});

test('a transfer goes on in the new process', async () => {
  const socket = path.join(temporaryFolder('takeover'), 'admin.sock');
  const server = startEmbedded({ image });
  const old = await startBalancer([server], { flags: [`--admin-socket=${socket}`] });
  const held = await HeldDownload.begin(old.listener, 'image');
  setTimeout(() => console.log(old.program.stdout), 2500);
  const next: Balancer = await startBalancer([server], {
    flags: [`--admin-socket=${socket}`, `--tftp-port=${old.listener.port}`, '--takeover'],
  });
  console.log(old.program.stdout, next.program.stdout);
  expect(await old.program.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await held.finish()).toEqual(image);
  await next.ended(1);
});
