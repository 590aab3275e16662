/** The transfers of the demo: which there are, and how each of them went. */
import { download, upload } from '../tftp/client.ts';
import type { TftpOptions } from '../tftp/negotiation.ts';
import type { FileSource } from '../tftp/source.ts';
import { type DemoLab, digest, randomContent } from './demo-lab.ts';

export interface PlannedTransfer {
  readonly op: 'read' | 'write';
  readonly file: string;
  readonly mode: 'octet' | 'netascii';
  readonly options: TftpOptions;
  /** What the file has, or will have, on the server. */
  readonly content: Uint8Array;
}

export interface TransferOutcome {
  readonly plan: PlannedTransfer;
  /** Undefined where the client is content and the file is the same at both ends. */
  readonly fault: string | undefined;
}

const shapes: readonly TftpOptions[] = [
  {},
  { tsize: 0 },
  { blksize: 1_428, tsize: 0 },
  { blksize: 8_192, tsize: 0 },
  { blksize: 1_428, windowsize: 16, tsize: 0 },
  { timeout: 2 },
];
const sizes = [0, 1, 511, 512, 513, 5_120, 65_536, 300_000];
const downloads = 20;
const uploads = 4;
const retry = { timeout: 1_000, retries: 5 };
const textLine = Buffer.from('A line of text, ended as this system ends lines.\n');

/** Twenty downloads of different sizes, options and modes, and four uploads. */
export function planTransfers(): PlannedTransfer[] {
  return [
    ...Array.from({ length: downloads }, (_, n) => planDownload(n)),
    ...Array.from({ length: uploads }, (_, n) => planUpload(n)),
  ];
}

function planDownload(n: number): PlannedTransfer {
  const number = String(n + 1).padStart(2, '0');
  const shape = shapes[n % shapes.length] ?? {};
  if (n % 7 === 6) {
    const content = Buffer.concat(Array.from({ length: n * 20 }, () => textLine));
    // Nobody knows beforehand how long a text is on the wire.
    const { tsize: _, ...options } = shape;
    return { op: 'read', file: `text-${number}.txt`, mode: 'netascii', options, content };
  }
  const content = randomContent(sizes[n % sizes.length] ?? 0);
  return { op: 'read', file: `image-${number}.bin`, mode: 'octet', options: shape, content };
}

function planUpload(n: number): PlannedTransfer {
  const content = randomContent(sizes[(n * 2 + 1) % sizes.length] ?? 0);
  const shape = shapes[n + 1] ?? {};
  const options = shape.tsize === undefined ? shape : { ...shape, tsize: content.length };
  return { op: 'write', file: `upload-${n + 1}.cfg`, mode: 'octet', options, content };
}

/** Runs one of them through the balancer. Never rejects. */
export async function runTransfer(
  lab: DemoLab,
  plan: PlannedTransfer,
  signal: AbortSignal,
): Promise<TransferOutcome> {
  const { file, mode, options } = plan;
  const request = { server: lab.vip('tftp'), file, mode, options, retry, dally: 0, signal };
  try {
    const arrived =
      plan.op === 'read'
        ? await digestOfDownload(lab, request)
        : await digestOfUpload(lab, request, plan.content);
    const isSame = arrived === digest(plan.content);
    return { plan, fault: isSame ? undefined : 'the content differs' };
  } catch (error) {
    return { plan, fault: error instanceof Error ? error.message : String(error) };
  }
}

type Request = Parameters<typeof download>[1];

async function digestOfDownload(lab: DemoLab, request: Request): Promise<string> {
  const parts: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => {
      parts.push(new Uint8Array(bytes));
      return true;
    },
    end: () => {},
  };
  const { closed } = await download(lab.net, request, sink);
  await closed;
  return digest(Buffer.concat(parts));
}

async function digestOfUpload(
  lab: DemoLab,
  request: Request,
  content: Uint8Array,
): Promise<string | undefined> {
  await upload(lab.net, request, sourceOf(content));
  return lab.uploaded(request.file);
}

function sourceOf(content: Uint8Array): FileSource {
  return {
    kind: 'file',
    size: content.length,
    read: (offset, into) => {
      const part = content.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}
