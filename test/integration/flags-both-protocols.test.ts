/** What TFTP and FTP have in common. */
import { afterAll, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { fetchFile, startEmbedded, storeFile } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { download, upload } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { describeFlags } from './flags.ts';
import { loginTo, startFtpBalancer, startFtpServer, verbsOf } from './ftp.ts';

const image = noise(5_000);

afterAll(stopAll);

describeFlags('Both protocols', {
  readOnly: () => {
    test('refuses uploads, and no server hears of them', async () => {
      const server = startEmbedded({ image });
      const { listener } = await startBalancer([server], { flags: ['--read-only'] });
      await expect(storeFile(listener, 'new', image)).rejects.toMatchObject({ remoteCode: 2 });
      expect((await fetchFile(listener, 'image')).bytes).toEqual(image);
      expect(server.requests.map(({ op }) => op)).toEqual(['read']);
    });

    test('refuses what writes by FTP, and no server hears of it', async () => {
      const server = await startFtpServer();
      const { listener } = await startFtpBalancer([server], '--read-only');
      const client = await loginTo(listener);
      for (const command of ['STOR new', 'DELE file', 'MKD folder', 'SITE CHMOD 777 file']) {
        expect(await client.ask(command)).toBe('550 Permission denied, this service is read-only.');
      }
      await download(client, 'EPSV');
      expect(verbsOf(server)).toEqual(['EPSV', 'RETR']);
    });

    test('is off by default', async () => {
      const server = startEmbedded();
      const { listener } = await startBalancer([server]);
      await storeFile(listener, 'new', image);
      expect(server.files.get('new')).toEqual(new Uint8Array(image));

      const ftp = await startFtpServer();
      await upload(await loginTo((await startFtpBalancer([ftp])).listener), 'EPSV', ftp.server);
    });
  },
});
