/** A takeover that did not come about. The process that served goes on serving. */
export class TakeoverError extends Error {
  override readonly name = 'TakeoverError';
  readonly code = 'TLB_ERR_TAKEOVER';
}
