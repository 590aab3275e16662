/** DNS gave no answer, or none that can be used. */
export class DnsError extends Error {
  override readonly name = 'DnsError';
  readonly code = 'TLB_ERR_DNS';
}
