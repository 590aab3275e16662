/** What the demo shows of its servers and of what was transferred. */
import { type Endpoint, formatEndpoint } from '../net/net.ts';
import type { FtpTransferOutcome } from './demo-ftp-transfers.ts';
import { ftpPackage } from './demo-ftp-servers.ts';
import type { DemoLab } from './demo-lab.ts';
import type { TransferOutcome } from './demo-transfers.ts';
import { formatTable } from './table.ts';

const tftpHeading = ['file', 'op', 'backend', 'mode', 'options', 'bytes', 'time', 'result'];
const ftpHeading = ['file', 'command', 'backend', 'client data', 'backend data', 'bytes', 'time', 'result'];

/** Who listens where. */
export function introductionOf(lab: DemoLab): string {
  const servers = lab.servers.map(({ name, tftp, ftp }) => [name, placeOf(tftp), ftp ? placeOf(ftp) : '-']);
  const balancer = ['balancer', placeOf(lab.vip('tftp')), lab.hasFtp ? placeOf(lab.vip('ftp')) : '-'];
  const table = formatTable([['', 'TFTP', 'FTP'], ...servers, balancer]);
  if (lab.hasFtp) return `${table}\n`;
  return `${table}\nFTP is left out: its servers are those of the package ${ftpPackage}, which is not installed.\n\n`;
}

export function tableOf(lab: DemoLab, outcomes: readonly TransferOutcome[]): string {
  const rows = outcomes.map(({ plan, fault }) => {
    const end = lab.ends.get(plan.file);
    const options = Object.entries(end?.granted ?? {}).map(([name, value]) => `${name}=${value}`);
    const cells = [plan.file, plan.op, end?.backend ?? '-', plan.mode, options.join(' ') || '-'];
    return [...cells, ...measures(end, fault)];
  });
  return formatTable([tftpHeading, ...rows]);
}

export function ftpTableOf(lab: DemoLab, outcomes: readonly FtpTransferOutcome[]): string {
  const rows = outcomes.map(({ plan, client, fault }) => {
    const end = lab.ftpEnd(client, plan.command);
    const clientData = `${end?.clientMode ?? '-'} (${plan.form})`;
    const cells = [plan.path, plan.command, end?.backend ?? '-', clientData, end?.backendMode ?? '-'];
    return [...cells, ...measures(end, fault)];
  });
  return formatTable([ftpHeading, ...rows]);
}

function placeOf({ address, port }: Endpoint): string {
  return formatEndpoint(address, port);
}

interface Report {
  readonly bytes: number;
  readonly duration: number;
  readonly result: string;
}

function measures(report: Report | undefined, fault: string | undefined): string[] {
  return [
    String(report?.bytes ?? '-'),
    report ? `${report.duration.toFixed(1)} ms` : '-',
    fault ?? `${report?.result ?? 'no report'}, same SHA-256`,
  ];
}
