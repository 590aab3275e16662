/** `tftp-lb get`: reads one file from a TFTP server. */
import { realpathSync, statSync } from 'node:fs';

import type { Command } from 'commander';

import { download } from '../tftp/client.ts';
import type { ByteSink } from '../tftp/sink.ts';
import type { Upload } from '../tftp/store.ts';
import { quoted } from '../tftp/trace.ts';
import { CliError, type CliContext, ExitCode } from './context.ts';
import { type BytePath, IncomingFile, openSpecial } from './transfer-files.ts';
import { addTransferOptions, modeOf, requestOf, type TransferArguments } from './transfer-options.ts';
import { localFailure, runTransfer } from './transfer-run.ts';
import { Watch } from './transfer-watch.ts';
import { streamSink } from './transfer-streams.ts';
import { parseTftpUrl, type TftpUrl } from './transfer-url.ts';

export interface GetArguments extends TransferArguments {
  /** A path, or `-` for standard output. */
  readonly output?: string;
}

const afterword = `
The name goes out as it stands in the URL, in UTF-8; %XX stands for any byte. The file gets its local name
when it is complete, and not before.

Examples:
  tftp-lb get tftp://192.0.2.1/pxelinux.0
  tftp-lb get tftp://[2001:db8::1]:6969/images/kernel -o vmlinuz --blksize 1428 --windowsize 16
  tftp-lb get tftp://tftp.example/motd --mode netascii -o - --trace
`;

export function registerGet(program: Command, context: CliContext): Command {
  const command = program
    .command('get')
    .description('read a file from a TFTP server')
    .argument('<url>', 'tftp://HOST[:PORT]/FILE')
    .option('-o, --output <file>', 'where it goes; - is standard output (default: its name, in this folder)');
  return addTransferOptions(command)
    .addHelpText('after', afterword)
    .action((url: string, args: GetArguments) => getCommand(url, args, context));
}

/** Ends when the file is there and its server has no more questions. Throws CliError. */
export async function getCommand(text: string, args: GetArguments, context: CliContext): Promise<void> {
  const url = parseTftpUrl(text);
  if (modeOf(args, url) === 'mail') {
    context.stderr.write(
      'tftp-lb: warning: mail mode is for writing alone, and a server should refuse this\n',
    );
  }
  const output = openOutput(args.output, url, context);
  try {
    await run(url, args, context, output);
  } finally {
    output.discard();
  }
}

async function run(url: TftpUrl, args: GetArguments, context: CliContext, output: Upload): Promise<void> {
  const net = context.net();
  const watch = new Watch(context, net, args.trace === true);
  const dallying = new AbortController();
  const sink = counted(output, watch);
  const report = await runTransfer(url, net, (server, onAnswered) =>
    download(
      net,
      {
        ...requestOf(args, url, server, 0),
        ...watch.hooks(onAnswered),
        signal: AbortSignal.any([context.signal, dallying.signal]),
      },
      sink,
    ),
  ).finally(() => watch.end());
  const summary = watch.summaryOf(`read ${quoted(url.file)} from`, report);
  (args.output === '-' ? context.stderr : context.stdout).write(`${summary}\n`);
  // Where no packet got lost, the last ACK was not lost either: nobody is kept waiting.
  if (report.repeats === 0) dallying.abort();
  await report.closed;
}

function counted(output: Upload, watch: Watch): ByteSink {
  let bytes = 0;
  return {
    write: (part) => {
      bytes += part.length;
      watch.at(bytes);
      return output.write(part);
    },
    end: () => output.end(),
    onReady: (callback) => output.onReady?.(callback),
  };
}

function openOutput(output: string | undefined, url: TftpUrl, context: CliContext): Upload {
  if (output === '-') return { ...streamSink(context.stdout), discard: () => {} };
  const path = output === undefined ? localName(url) : Buffer.from(output);
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing === undefined) return new IncomingFile(path, { replace: true });
    if (!existing.isFile()) return openSpecial(path);
    // What a symbolic link points to is replaced, not the link.
    return new IncomingFile(realpathSync.native(path, 'buffer'), {
      replace: true,
      permissions: existing.mode & 0o777,
    });
  } catch (error) {
    throw localFailure(error);
  }
}

function localName({ file }: TftpUrl): BytePath {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (name === '' || name === '.' || name === '..') {
    throw new CliError(ExitCode.usage, `${quoted(file)} gives no name for the local file: use --output`);
  }
  return Buffer.from(name, 'latin1');
}
