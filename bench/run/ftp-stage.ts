import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { makeKeyPair } from '../../test/helpers/certificates.ts';
import { ftpServerSpecs } from '../../test/helpers/ftp-daemon-specs.ts';
import { requirePeer } from '../../test/helpers/peers.ts';
import { fileOf, sink } from '../ftp-messages.ts';
import { loopback } from '../messages.ts';
import { FtpControl } from '../wire/ftp-control.ts';
import { freeTcpPort } from '../wire/tcp-port.ts';
import { Child } from './child.ts';
import { type Ground, openFolder, openGround, startPart } from './stage.ts';

/** Where FTP is measured. */
export interface FtpStage extends Ground {
  readonly generator: Child;
  readonly server: Child;
  readonly serverPort: number;
  /** Whether the server has TLS for those who ask for it. */
  readonly isSecure: boolean;
  /** A file with a certificate and its key, if there is TLS. */
  readonly certificate: string;
}

/** Memory in the form of a file system: no disk takes part. */
const memory = '/dev/shm';
/** Bytes that a file is written in. */
const chunk = Buffer.alloc(1_048_576, 'tftp-lb');

/** Its server has files of these sizes, in bytes, and TLS if `isSecure`. Rejects where vsftpd is not installed. */
export async function openFtpStage(
  sizes: readonly number[],
  isUrgent: boolean,
  isSecure: boolean = false,
): Promise<FtpStage> {
  const vsftpd = requirePeer('vsftpd');
  const ground = openGround(isUrgent);
  const root = openFolder(existsSync(memory) ? memory : ground.folder);
  for (const size of sizes) writeFile(path.join(root, fileOf(size)), size);
  symlinkSync('/dev/null', path.join(root, sink));
  const etc = path.join(ground.folder, 'vsftpd');
  mkdirSync(etc);
  const port = await freeTcpPort();
  const { user } = ftpServerSpecs.vsftpd;
  const certificate = path.join(etc, 'certificate.pem');
  if (isSecure) writeCertificate(certificate);
  // As strict with uploads as vsftpd is by itself, and no more.
  const tls = isSecure ? { file: certificate, isLenient: true } : undefined;
  const place = { tls, address: loopback, isIPv6: false, port, root, etc, command: vsftpd, user };
  const server = new Child('vsftpd', vsftpd.program, ftpServerSpecs.vsftpd.launch(place), {
    core: ground.placement.server,
    isUrgent,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: vsftpd.env,
  });
  await greetingOf(server, port);
  const generator = startPart('ftp-load', ground.placement.generator, { isUrgent });
  return { ...ground, generator, server, serverPort: port, isSecure, certificate };
}

/** Waits until `program` greets at `port`. */
export async function greetingOf(program: Child, port: number): Promise<void> {
  await program.until('it greets', async () => {
    const control = new FtpControl(port);
    try {
      await control.expect('220');
      await control.leave();
      return true;
    } catch {
      return undefined;
    } finally {
      control.destroy();
    }
  });
}

function writeFile(file: string, size: number): void {
  for (let written = 0; written < size; written += chunk.length) {
    writeFileSync(file, chunk.subarray(0, size - written), { flag: 'a' });
  }
}

function writeCertificate(file: string): void {
  const { certificate, key } = makeKeyPair();
  writeFileSync(file, certificate + key, { mode: 0o600 });
}
