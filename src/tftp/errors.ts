/** How a transfer can fail that no ERROR packet of the peer ended. */
export type TransferErrorCode =
  | 'TLB_ERR_TFTP_REFUSED'
  | 'TLB_ERR_TFTP_TIMEOUT'
  | 'TLB_ERR_TFTP_SOCKET'
  | 'TLB_ERR_TFTP_ABORTED';

/** The network or the caller ended a transfer. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly code: TransferErrorCode;

  constructor(code: TransferErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The peer ended a transfer with an ERROR packet. `remoteMessage` is as it was sent, one character a byte. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly code = 'TLB_ERR_TFTP_REMOTE';
  readonly remoteCode: number;
  readonly remoteMessage: string;

  constructor(remoteCode: number, remoteMessage: string) {
    super(`the peer ended the transfer with ERROR ${remoteCode}`);
    this.remoteCode = remoteCode;
    this.remoteMessage = remoteMessage;
  }
}

/** A source, sink or store could not do its part. `answer` is the ERROR code for the peer, `message` goes with it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code = 'TLB_ERR_TFTP_STORE';
  readonly answer: number;

  constructor(answer: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.answer = answer;
  }
}
