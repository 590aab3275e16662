/**
 * The options of the command line: each says something at one or more places of the configuration that flags alone
 * amount to, which has a service `tftp` and a service `ftp`. What it takes, means and falls back to stands there, in
 * the schema; an option of a new key needs no more than a line in here.
 */

export const optionGroups = [
  'Configuration',
  'Addresses',
  'Backends',
  'Both protocols',
  'TFTP',
  'FTP',
  'Limits',
  'Health',
  'Operation',
] as const;
export type OptionGroup = (typeof optionGroups)[number];

export interface OptionSpec {
  /** In kebab case. */
  readonly name: string;
  readonly group: OptionGroup;
  /** Paths of what it says, keys and dots; none for what the command line alone knows. */
  readonly to: readonly string[];
  /** What it does not have from its first place. */
  readonly value?: string;
  readonly text?: string;
  readonly fallback?: string;
  readonly list?: true;
  /** A value that `--no-...` turns off; every switch has that form without saying so. */
  readonly negatable?: true;
  /** Of an entry of the list, the key that the value is for; the entry itself if left out. */
  readonly part?: string;
}

/** In the order in which help and docs show them. */
export const table = [
  {
    name: 'config',
    group: 'Configuration',
    to: [],
    value: 'FILE',
    text: 'file with the configuration (docs/config.md); flags of the group Operation count before it',
  },
  {
    name: 'watch',
    group: 'Configuration',
    to: [],
    fallback: 'false',
    text: 'reload when the file changes, as SIGHUP does',
  },
  {
    name: 'vip',
    group: 'Addresses',
    to: ['services.tftp.listeners', 'services.ftp.listeners'],
    value: 'ADDR',
    part: 'address',
    list: true,
    text: 'address to listen on; 0.0.0.0 and :: stand for every local one',
  },
  { name: 'tftp', group: 'Addresses', to: [], fallback: 'true', text: 'balance TFTP' },
  { name: 'ftp', group: 'Addresses', to: [], fallback: 'true', text: 'balance FTP' },
  {
    name: 'tftp-port',
    group: 'Addresses',
    to: ['services.tftp.port'],
    text: 'port to listen on for TFTP; 0 lets the system choose',
  },
  {
    name: 'ftp-port',
    group: 'Addresses',
    to: ['services.ftp.port'],
    text: 'port to listen on for FTP; 0 lets the system choose',
  },
  { name: 'single-port', group: 'Addresses', to: ['services.tftp.tftp.single-port'] },
  { name: 'tid-ports', group: 'Addresses', to: ['services.tftp.tftp.tid-ports'] },
  {
    name: 'backend',
    group: 'Backends',
    to: ['services.tftp.backends', 'services.ftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of both protocols, HOST[:PORT][,weight=N][,name=X]; X is its name in logs and metrics, PORT is for one protocol alone',
  },
  {
    name: 'tftp-backend',
    group: 'Backends',
    to: ['services.tftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of TFTP alone, in the same form; added to those of --backend',
  },
  {
    name: 'ftp-backend',
    group: 'Backends',
    to: ['services.ftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of FTP alone, in the same form; added to those of --backend',
  },
  {
    name: 'resolve-interval',
    group: 'Backends',
    to: ['services.tftp.discovery.resolve-interval', 'services.ftp.discovery.resolve-interval'],
  },
  {
    name: 'read-only',
    group: 'Both protocols',
    to: ['services.tftp.read-only', 'services.ftp.read-only'],
  },
  { name: 'policy', group: 'TFTP', to: ['services.tftp.policy'] },
  { name: 'max-blksize', group: 'TFTP', to: ['services.tftp.tftp.max-blksize'] },
  { name: 'max-windowsize', group: 'TFTP', to: ['services.tftp.tftp.max-windowsize'] },
  { name: 'strip-multicast', group: 'TFTP', to: ['services.tftp.tftp.strip-multicast'] },
  { name: 'retry-not-found', group: 'TFTP', to: ['services.tftp.tftp.retry-not-found'] },
  { name: 'backend-any-address', group: 'TFTP', to: ['services.tftp.tftp.backend-any-address'] },
  { name: 'try-interval', group: 'TFTP', to: ['services.tftp.tftp.try-interval'] },
  { name: 'idle-timeout', group: 'TFTP', to: ['services.tftp.tftp.idle-timeout'] },
  { name: 'ftp-policy', group: 'FTP', to: ['services.ftp.policy'] },
  { name: 'ftp-modes', group: 'FTP', to: ['services.ftp.ftp.modes'] },
  { name: 'backend-data', group: 'FTP', to: ['services.ftp.ftp.backend-data'] },
  { name: 'passive-ports', group: 'FTP', to: ['services.ftp.ftp.passive-ports'] },
  { name: 'passive-address', group: 'FTP', to: ['services.ftp.ftp.passive-address'] },
  { name: 'port-address', group: 'FTP', to: ['services.ftp.ftp.port-address'] },
  { name: 'backend-pasv-address', group: 'FTP', to: ['services.ftp.ftp.backend-pasv-address'] },
  { name: 'ftp-deny', group: 'FTP', to: ['services.ftp.ftp.deny'] },
  { name: 'ftp-max-waiting', group: 'FTP', to: ['services.ftp.ftp.max-waiting'] },
  { name: 'ftp-max-line', group: 'FTP', to: ['services.ftp.ftp.max-line'] },
  { name: 'ftp-max-reply-line', group: 'FTP', to: ['services.ftp.ftp.max-reply-line'] },
  { name: 'ftp-max-reply', group: 'FTP', to: ['services.ftp.ftp.max-reply'] },
  { name: 'ftp-max-reply-lines', group: 'FTP', to: ['services.ftp.ftp.max-reply-lines'] },
  { name: 'ftp-connect-timeout', group: 'FTP', to: ['services.ftp.ftp.connect-timeout'] },
  { name: 'ftp-greeting-timeout', group: 'FTP', to: ['services.ftp.ftp.greeting-timeout'] },
  { name: 'ftp-login-timeout', group: 'FTP', to: ['services.ftp.ftp.login-timeout'] },
  { name: 'ftp-idle-timeout', group: 'FTP', to: ['services.ftp.ftp.idle-timeout'] },
  { name: 'ftp-accept-timeout', group: 'FTP', to: ['services.ftp.ftp.accept-timeout'] },
  { name: 'ftp-data-timeout', group: 'FTP', to: ['services.ftp.ftp.data-timeout'] },
  { name: 'ftp-stall-timeout', group: 'FTP', to: ['services.ftp.ftp.stall-timeout'] },
  { name: 'ftp-reply-timeout', group: 'FTP', to: ['services.ftp.ftp.reply-timeout'] },
  { name: 'xferlog', group: 'FTP', to: ['services.ftp.ftp.xferlog'] },
  { name: 'max-sessions', group: 'Limits', to: ['services.tftp.limits.max-sessions'] },
  {
    name: 'max-sessions-per-client',
    group: 'Limits',
    to: ['services.tftp.limits.max-sessions-per-client'],
  },
  {
    name: 'max-sessions-per-backend',
    group: 'Limits',
    to: ['services.tftp.limits.max-sessions-per-backend'],
  },
  { name: 'ftp-max-sessions', group: 'Limits', to: ['services.ftp.limits.max-sessions'] },
  {
    name: 'ftp-max-sessions-per-client',
    group: 'Limits',
    to: ['services.ftp.limits.max-sessions-per-client'],
  },
  {
    name: 'ftp-max-sessions-per-backend',
    group: 'Limits',
    to: ['services.ftp.limits.max-sessions-per-backend'],
  },
  { name: 'health-file', group: 'Health', to: ['services.tftp.health.file'] },
  { name: 'ftp-health-user', group: 'Health', to: ['services.ftp.health.user'] },
  {
    name: 'ftp-health-password',
    group: 'Health',
    to: ['services.ftp.health.password'],
    text: 'password of --ftp-health-user; better as variable or file, since other users see command lines',
  },
  {
    name: 'ftp-health-password-file',
    group: 'Health',
    to: ['services.ftp.health.password-file'],
    text: 'file whose first line is the password of --ftp-health-user',
  },
  {
    name: 'health-interval',
    group: 'Health',
    to: ['services.tftp.health.interval', 'services.ftp.health.interval'],
  },
  {
    name: 'health-timeout',
    group: 'Health',
    to: ['services.tftp.health.timeout', 'services.ftp.health.timeout'],
  },
  { name: 'health-rise', group: 'Health', to: ['services.tftp.health.rise', 'services.ftp.health.rise'] },
  { name: 'health-fall', group: 'Health', to: ['services.tftp.health.fall', 'services.ftp.health.fall'] },
  {
    name: 'eject-time',
    group: 'Health',
    to: ['services.tftp.health.eject-time', 'services.ftp.health.eject-time'],
  },
  {
    name: 'admin',
    group: 'Operation',
    to: ['admin.listen'],
    negatable: true,
    text: 'where /metrics, /healthz, /readyz and /status are served; --no-admin turns them off',
  },
  { name: 'log-level', group: 'Operation', to: ['log.level'] },
  { name: 'drain-timeout', group: 'Operation', to: ['drain-timeout'] },
  { name: 'workers', group: 'Operation', to: ['workers'] },
  { name: 'engine', group: 'Operation', to: ['engine'] },
  { name: 'busy-poll', group: 'Operation', to: ['busy-poll'] },
] as const;
