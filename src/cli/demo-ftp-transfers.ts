/** The FTP sessions of the demo: what each of them transfers, and how that went. */
import { formatEndpoint } from '../net/net.ts';
import { type DataForm, dataForms, DemoFtpClient } from './demo-ftp-client.ts';
import { type DemoLab, digest, randomContent } from './demo-lab.ts';

export interface FtpTransferPlan {
  readonly form: DataForm;
  readonly command: 'RETR' | 'STOR' | 'NLST';
  readonly path: string;
  /** What a file has or will have on the server; of a listing its names, sorted. */
  readonly content: Uint8Array;
}

export interface FtpTransferOutcome {
  readonly plan: FtpTransferPlan;
  /** Where its session came from, as reports name it; undefined if there was none. */
  readonly client: string | undefined;
  /** Undefined where the client is content and what arrived is the same as what was sent. */
  readonly fault: string | undefined;
}

const folder = 'pub';
const sizes: Readonly<Record<DataForm, number>> = { PASV: 4_194_304, EPSV: 0, PORT: 300_000, EPRT: 65_537 };

/** One session for each way to open data connections: a download, an upload and a listing. */
export function planFtpSessions(): FtpTransferPlan[][] {
  const listing = namesIn(dataForms.map(downloadOf).join('\r\n'));
  return dataForms.map((form) => [
    { form, command: 'RETR', path: `${folder}/${downloadOf(form)}`, content: randomContent(sizes[form]) },
    { form, command: 'STOR', path: `from-${form.toLowerCase()}.bin`, content: randomContent(sizes[form]) },
    { form, command: 'NLST', path: folder, content: listing },
  ]);
}

function downloadOf(form: DataForm): string {
  return `for-${form.toLowerCase()}.bin`;
}

/** Runs the transfers of one session through the balancer; what follows one that has failed is not tried. Never rejects. */
export async function runFtpSession(
  lab: DemoLab,
  plans: readonly FtpTransferPlan[],
  signal: AbortSignal,
): Promise<FtpTransferOutcome[]> {
  let client: DemoFtpClient | undefined;
  const outcomes: FtpTransferOutcome[] = [];
  const add = (plan: FtpTransferPlan, fault: string | undefined): void => {
    outcomes.push({ plan, client: client && formatEndpoint(client.local.address, client.local.port), fault });
  };
  try {
    client = await DemoFtpClient.connect(lab.net, lab.vip('ftp'), signal);
    await client.login();
    for (const plan of plans) {
      const isSame = (await arrived(lab, client, plan)) === digest(plan.content);
      add(plan, isSame ? undefined : 'the content differs');
    }
    await client.quit();
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    const fault = cause instanceof Error ? cause.message : String(cause);
    for (const plan of plans.slice(outcomes.length)) add(plan, fault);
  } finally {
    client?.close();
  }
  return outcomes;
}

/** The SHA-256 of what has come to where it was to go, in hex. */
async function arrived(
  lab: DemoLab,
  client: DemoFtpClient,
  { form, command, path, content }: FtpTransferPlan,
): Promise<string | undefined> {
  if (command === 'STOR') {
    await client.store(form, path, content);
    return lab.uploaded(path);
  }
  const given = await client.read(form, command, path);
  return digest(command === 'NLST' ? namesIn(Buffer.from(given).toString()) : given);
}

/** In a listing's order there is no meaning. */
function namesIn(listing: string): Uint8Array {
  const names = listing.split('\r\n').filter((name) => name !== '');
  return Buffer.from(names.sort().join('\n'));
}
