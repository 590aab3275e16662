import type { RejectReason } from '../observe/events.ts';
import type { TftpService } from './snapshot.ts';

/** Which rules say whether a client hears of a refusal; it always does of the others. */
const rulesOf: Readonly<Partial<Record<RejectReason, 'access' | 'limits'>>> = {
  'denied-address': 'access',
  'denied-name': 'access',
  'rate-per-client': 'limits',
  'rate-per-prefix': 'limits',
  'max-sessions': 'limits',
  'max-sessions-per-client': 'limits',
  'no-resources': 'limits',
};

/** Whether clients of the service are not told that they were refused for this reason. */
export function isSilent(reason: RejectReason, service: TftpService): boolean {
  const rules = rulesOf[reason];
  return rules !== undefined && service[rules]?.answer === 'silent';
}
