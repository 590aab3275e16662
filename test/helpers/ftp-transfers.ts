/** Whole transfers through a balancer, of one file with known content. */
import { expect } from 'vitest';
import { formatEprt, formatPort } from '../../src/ftp/endpoints.ts';
import type { FtpClient, Heard } from './ftp-client.ts';
import type { FtpServer } from './ftp-server.ts';

export const content: Uint8Array = new Uint8Array(200_000).map((_, at) => (at * 17) % 253);

/** How a client asks for a data connection. */
export type Way = 'EPSV' | 'PASV' | 'PORT' | 'EPRT';

/** Agrees on a data connection; returns what opens it once the transfer command is out. */
async function agree(client: FtpClient, way: Way): Promise<() => Promise<Heard>> {
  if (way === 'EPSV' || way === 'PASV') {
    const at = way === 'EPSV' ? await client.epsv() : await client.pasv();
    return () => client.connect(at);
  }
  const { at, accepted } = await client.listen();
  const argument = way === 'PORT' ? formatPort(at.address, at.port) : formatEprt(at.address, at.port);
  expect(await client.ask(`${way} ${argument}`)).toMatch(/^200 /);
  return accepted;
}

/** The server has `content` as `file`. */
export async function download(client: FtpClient, way: Way): Promise<Heard> {
  const open = await agree(client, way);
  client.send('RETR file');
  const data = await open();
  await client.until('the end of data', () => data.ear.events.includes('end'));
  data.socket.end();
  expect([await client.line(), await client.line()]).toEqual(['150 here it comes', '226 done']);
  expect(Buffer.concat(data.ear.chunks).equals(content)).toBe(true);
  return data;
}

export async function upload(client: FtpClient, way: Way, server: FtpServer): Promise<Heard> {
  const open = await agree(client, way);
  client.send('STOR copy');
  const data = await open();
  data.socket.write(content);
  data.socket.end();
  expect([await client.line(), await client.line()]).toEqual(['150 go on', '226 done']);
  expect(isContent(server.files.get('copy'))).toBe(true);
  return data;
}

export function isContent(file: Uint8Array | undefined): boolean {
  return file !== undefined && Buffer.compare(file, content) === 0;
}
