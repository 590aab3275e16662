/**
 * What is under TLS in a session (RFC 4217): each leg has a control connection of its own, and a level for its data
 * connections. The legs know nothing of each other, but where a policy says `match`.
 */

/** C: data connections in clear; P: under TLS (RFC 2228 section 3). Levels between the two have no meaning with TLS. */
export type ProtectionLevel = 'C' | 'P';

export interface SecurityPolicy {
  /** Whether clients may, or must, put their control connection under TLS before they log in. */
  readonly client: 'off' | 'allowed' | 'required';
  /** Whether it is under TLS from its beginning, without AUTH. */
  readonly isClientImplicit: boolean;
  /** Whether clients have to have their data connections under TLS, too. */
  readonly isClientDataRequired: boolean;
  /**
   * Control connections to backends: `auto` stays in clear where the backend does not know AUTH, `match` is under TLS
   * if the client's is, and in clear if not.
   */
  readonly backend: 'off' | 'auto' | 'required' | 'match';
  readonly isBackendImplicit: boolean;
  /** Data connections to backends whose control connection is under TLS; `match` does as the client. */
  readonly backendData: ProtectionLevel | 'match';
}

/** Neither leg knows TLS. */
export const withoutTls: SecurityPolicy = {
  client: 'off',
  isClientImplicit: false,
  isClientDataRequired: false,
  backend: 'off',
  isBackendImplicit: false,
  backendData: 'P',
};

export class Security {
  readonly policy: SecurityPolicy;
  isClientSecure: boolean;
  isBackendSecure = false;
  /** PBSZ was said since AUTH. It is a rite of RFC 2228, and 0 with TLS. */
  hasBufferSize = false;
  clientLevel: ProtectionLevel = 'C';
  backendLevel: ProtectionLevel = 'C';

  constructor(policy: SecurityPolicy) {
    this.policy = policy;
    this.isClientSecure = policy.isClientImplicit;
  }

  /** Whether the control connection to a backend is to be under TLS now. */
  get isBackendWanted(): boolean {
    const { backend } = this.policy;
    return backend === 'match' ? this.isClientSecure : backend !== 'off';
  }

  /** Whether a backend that does not want TLS is of no use. */
  get isBackendRequired(): boolean {
    return this.isBackendWanted && this.policy.backend !== 'auto';
  }

  /** The level that data connections to the backend are to have now. */
  get wantedBackendLevel(): ProtectionLevel {
    const { backendData } = this.policy;
    if (!this.isBackendSecure) return 'C';
    return backendData === 'match' ? this.clientLevel : backendData;
  }

  onBackendLeft(): void {
    this.isBackendSecure = false;
    this.backendLevel = 'C';
  }
}
