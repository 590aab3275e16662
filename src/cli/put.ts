/** `tftp-lb put`: writes one file to a TFTP server. */
import type { Command } from 'commander';

import { upload } from '../tftp/client.ts';
import type { ByteSource } from '../tftp/source.ts';
import { quoted } from '../tftp/trace.ts';
import type { CliContext } from './context.ts';
import { addTransferOptions, requestOf, type TransferArguments } from './transfer-options.ts';
import { runTransfer } from './transfer-run.ts';
import { openOutgoing, type Outgoing } from './transfer-source.ts';
import { parseTftpUrl, type TftpUrl } from './transfer-url.ts';
import { Watch } from './transfer-watch.ts';

const afterword = `
The name goes out as it stands in the URL, in UTF-8; %XX stands for any byte.

Examples:
  tftp-lb put router.cfg tftp://192.0.2.1/backup/router.cfg
  tftp-lb put firmware.bin tftp://[2001:db8::1]:6969/firmware.bin --blksize 1428 --windowsize 16
  dmesg | tftp-lb put - tftp://tftp.example/dmesg.txt --mode netascii --trace
`;

export function registerPut(program: Command, context: CliContext): Command {
  const command = program
    .command('put')
    .description('write a file to a TFTP server')
    .argument('<file>', 'what is written; - is standard input')
    .argument('<url>', 'tftp://HOST[:PORT]/FILE');
  return addTransferOptions(command)
    .addHelpText('after', afterword)
    .action((file: string, url: string, args: TransferArguments) => putCommand(file, url, args, context));
}

/** Ends when the server has acknowledged all of the file. Throws CliError. */
export async function putCommand(
  file: string,
  text: string,
  args: TransferArguments,
  context: CliContext,
): Promise<void> {
  const url = parseTftpUrl(text);
  const outgoing = openOutgoing(file, context);
  try {
    await run(url, args, context, outgoing);
  } finally {
    outgoing.close();
  }
}

async function run(
  url: TftpUrl,
  args: TransferArguments,
  context: CliContext,
  { source, size }: Outgoing,
): Promise<void> {
  const net = context.net();
  const watch = new Watch(context, net, args.trace === true);
  watch.expect(size);
  const counting = counted(source, watch);
  const report = await runTransfer(url, net, (server, onAnswered) =>
    upload(
      net,
      { ...requestOf(args, url, server, size), ...watch.hooks(onAnswered), signal: context.signal },
      counting,
    ),
  ).finally(() => watch.end());
  context.stdout.write(`${watch.summaryOf(`wrote ${quoted(url.file)} to`, report)}\n`);
}

function counted(source: ByteSource, watch: Watch): ByteSource {
  if (source.kind === 'file') {
    return {
      ...source,
      read: (offset, into) => {
        watch.at(offset);
        return source.read(offset, into);
      },
    };
  }
  let bytes = 0;
  return {
    ...source,
    read: (into: Uint8Array) => {
      const length = source.read(into);
      bytes += Math.max(0, length);
      watch.at(bytes);
      return length;
    },
  };
}
