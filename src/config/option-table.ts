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
  'Traffic',
  'Health',
  'Operation',
] as const;
export type OptionGroup = (typeof optionGroups)[number];

export interface OptionSpec {
  /** The flag without its dashes, in camel case. */
  readonly key: string;
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
    key: 'config',
    group: 'Configuration',
    to: [],
    value: 'FILE',
    text: 'file with the configuration (docs/config.md); flags of the group Operation count before it',
  },
  {
    key: 'watch',
    group: 'Configuration',
    to: [],
    fallback: 'false',
    text: 'reload when the file changes, as SIGHUP does',
  },
  {
    key: 'vip',
    group: 'Addresses',
    to: ['services.tftp.listeners', 'services.ftp.listeners'],
    value: 'ADDR',
    part: 'address',
    list: true,
    text: 'address to listen on; 0.0.0.0 and :: stand for every local one',
  },
  { key: 'tftp', group: 'Addresses', to: [], fallback: 'true', text: 'balance TFTP' },
  { key: 'ftp', group: 'Addresses', to: [], fallback: 'true', text: 'balance FTP' },
  {
    key: 'tftpPort',
    group: 'Addresses',
    to: ['services.tftp.port'],
    text: 'port to listen on for TFTP; 0 lets the system choose',
  },
  {
    key: 'ftpPort',
    group: 'Addresses',
    to: ['services.ftp.port'],
    text: 'port to listen on for FTP; 0 lets the system choose',
  },
  { key: 'singlePort', group: 'Addresses', to: ['services.tftp.tftp.single-port'] },
  { key: 'tidPorts', group: 'Addresses', to: ['services.tftp.tftp.tid-ports'] },
  {
    key: 'backend',
    group: 'Backends',
    to: ['services.tftp.backends', 'services.ftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of both protocols, HOST[:PORT][,weight=N][,name=X]; X is its name in logs and metrics, PORT is for one protocol alone',
  },
  {
    key: 'tftpBackend',
    group: 'Backends',
    to: ['services.tftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of TFTP alone, in the same form; added to those of --backend',
  },
  {
    key: 'ftpBackend',
    group: 'Backends',
    to: ['services.ftp.backends'],
    value: 'BACKEND',
    list: true,
    text: 'server of FTP alone, in the same form; added to those of --backend',
  },
  {
    key: 'resolveInterval',
    group: 'Backends',
    to: ['services.tftp.discovery.resolve-interval', 'services.ftp.discovery.resolve-interval'],
  },
  {
    key: 'backendsDns',
    group: 'Backends',
    to: ['services.tftp.discovery.dns', 'services.ftp.discovery.dns'],
    value: 'DOMAIN',
    text: 'name in DNS whose records are the backends, in place of --backend: those of SRV for names that begin with _, else A and AAAA',
  },
  {
    key: 'tftpBackendsDns',
    group: 'Backends',
    to: ['services.tftp.discovery.dns'],
    value: 'DOMAIN',
    text: 'name in DNS whose records are the backends of TFTP alone',
  },
  {
    key: 'ftpBackendsDns',
    group: 'Backends',
    to: ['services.ftp.discovery.dns'],
    value: 'DOMAIN',
    text: 'name in DNS whose records are the backends of FTP alone',
  },
  {
    key: 'dnsServer',
    group: 'Backends',
    to: ['services.tftp.discovery.dns-servers', 'services.ftp.discovery.dns-servers'],
    value: 'ADDR[:PORT]',
    list: true,
    text: 'server that is asked for these names, the next one where it does not answer; those of /etc/resolv.conf without',
  },
  {
    key: 'backendsFile',
    group: 'Backends',
    to: ['services.tftp.discovery.file', 'services.ftp.discovery.file'],
    value: 'FILE',
    text: 'file with a list of the backends in YAML or JSON, in place of --backend; read again when it changes',
  },
  {
    key: 'tftpBackendsFile',
    group: 'Backends',
    to: ['services.tftp.discovery.file'],
    value: 'FILE',
    text: 'file with a list of the backends of TFTP alone',
  },
  {
    key: 'ftpBackendsFile',
    group: 'Backends',
    to: ['services.ftp.discovery.file'],
    value: 'FILE',
    text: 'file with a list of the backends of FTP alone',
  },
  {
    key: 'emptyGrace',
    group: 'Backends',
    to: ['services.tftp.discovery.empty-grace', 'services.ftp.discovery.empty-grace'],
  },
  {
    key: 'readOnly',
    group: 'Both protocols',
    to: ['services.tftp.read-only', 'services.ftp.read-only'],
  },
  { key: 'policy', group: 'TFTP', to: ['services.tftp.policy'] },
  { key: 'maxBlksize', group: 'TFTP', to: ['services.tftp.tftp.max-blksize'] },
  { key: 'maxWindowsize', group: 'TFTP', to: ['services.tftp.tftp.max-windowsize'] },
  { key: 'stripMulticast', group: 'TFTP', to: ['services.tftp.tftp.strip-multicast'] },
  { key: 'retryNotFound', group: 'TFTP', to: ['services.tftp.tftp.retry-not-found'] },
  { key: 'backendAnyAddress', group: 'TFTP', to: ['services.tftp.tftp.backend-any-address'] },
  { key: 'transparent', group: 'TFTP', to: ['services.tftp.tftp.transparent'] },
  { key: 'tryInterval', group: 'TFTP', to: ['services.tftp.tftp.try-interval'] },
  { key: 'idleTimeout', group: 'TFTP', to: ['services.tftp.tftp.idle-timeout'] },
  { key: 'ftpPolicy', group: 'FTP', to: ['services.ftp.policy'] },
  { key: 'ftpUserMap', group: 'FTP', to: ['services.ftp.ftp.user-map'] },
  { key: 'ftpModes', group: 'FTP', to: ['services.ftp.ftp.modes'] },
  { key: 'backendData', group: 'FTP', to: ['services.ftp.ftp.backend-data'] },
  { key: 'passivePorts', group: 'FTP', to: ['services.ftp.ftp.passive-ports'] },
  { key: 'passiveAddress', group: 'FTP', to: ['services.ftp.ftp.passive-address'] },
  { key: 'portAddress', group: 'FTP', to: ['services.ftp.ftp.port-address'] },
  { key: 'backendPasvAddress', group: 'FTP', to: ['services.ftp.ftp.backend-pasv-address'] },
  { key: 'ftpDeny', group: 'FTP', to: ['services.ftp.ftp.deny'] },
  { key: 'ftpMaxWaiting', group: 'FTP', to: ['services.ftp.ftp.max-waiting'] },
  { key: 'ftpMaxLine', group: 'FTP', to: ['services.ftp.ftp.max-line'] },
  { key: 'ftpMaxReplyLine', group: 'FTP', to: ['services.ftp.ftp.max-reply-line'] },
  { key: 'ftpMaxReply', group: 'FTP', to: ['services.ftp.ftp.max-reply'] },
  { key: 'ftpMaxReplyLines', group: 'FTP', to: ['services.ftp.ftp.max-reply-lines'] },
  { key: 'ftpConnectTimeout', group: 'FTP', to: ['services.ftp.ftp.connect-timeout'] },
  { key: 'ftpGreetingTimeout', group: 'FTP', to: ['services.ftp.ftp.greeting-timeout'] },
  { key: 'ftpLoginTimeout', group: 'FTP', to: ['services.ftp.ftp.login-timeout'] },
  { key: 'ftpIdleTimeout', group: 'FTP', to: ['services.ftp.ftp.idle-timeout'] },
  { key: 'ftpAcceptTimeout', group: 'FTP', to: ['services.ftp.ftp.accept-timeout'] },
  { key: 'ftpDataTimeout', group: 'FTP', to: ['services.ftp.ftp.data-timeout'] },
  { key: 'ftpStallTimeout', group: 'FTP', to: ['services.ftp.ftp.stall-timeout'] },
  { key: 'ftpReplyTimeout', group: 'FTP', to: ['services.ftp.ftp.reply-timeout'] },
  { key: 'xferlog', group: 'FTP', to: ['services.ftp.ftp.xferlog'] },
  { key: 'maxSessions', group: 'Limits', to: ['services.tftp.limits.max-sessions'] },
  {
    key: 'maxSessionsPerClient',
    group: 'Limits',
    to: ['services.tftp.limits.max-sessions-per-client'],
  },
  {
    key: 'maxSessionsPerBackend',
    group: 'Limits',
    to: ['services.tftp.limits.max-sessions-per-backend'],
  },
  { key: 'ftpMaxSessions', group: 'Limits', to: ['services.ftp.limits.max-sessions'] },
  {
    key: 'ftpMaxSessionsPerClient',
    group: 'Limits',
    to: ['services.ftp.limits.max-sessions-per-client'],
  },
  {
    key: 'ftpMaxSessionsPerBackend',
    group: 'Limits',
    to: ['services.ftp.limits.max-sessions-per-backend'],
  },
  { key: 'limitAnswer', group: 'Limits', to: ['services.tftp.limits.answer'], fallback: 'error' },
  {
    key: 'allow',
    group: 'Traffic',
    to: ['services.tftp.access.allow', 'services.ftp.access.allow'],
    value: 'CIDR',
    list: true,
  },
  {
    key: 'deny',
    group: 'Traffic',
    to: ['services.tftp.access.deny', 'services.ftp.access.deny'],
    value: 'CIDR',
    list: true,
  },
  { key: 'allowFile', group: 'Traffic', to: ['services.tftp.access.allow-files'], value: 'GLOB', list: true },
  { key: 'denyFile', group: 'Traffic', to: ['services.tftp.access.deny-files'], value: 'GLOB', list: true },
  { key: 'rate', group: 'Traffic', to: ['services.tftp.rates.per-client', 'services.ftp.rates.per-client'] },
  {
    key: 'affinity',
    group: 'Traffic',
    to: ['services.tftp.affinity.duration', 'services.ftp.affinity.duration'],
  },
  { key: 'healthFile', group: 'Health', to: ['services.tftp.health.file'] },
  { key: 'ftpHealthUser', group: 'Health', to: ['services.ftp.health.user'] },
  {
    key: 'ftpHealthPassword',
    group: 'Health',
    to: ['services.ftp.health.password'],
    text: 'password of --ftp-health-user; better as variable or file, since other users see command lines',
  },
  {
    key: 'ftpHealthPasswordFile',
    group: 'Health',
    to: ['services.ftp.health.password-file'],
    text: 'file whose first line is the password of --ftp-health-user',
  },
  {
    key: 'healthInterval',
    group: 'Health',
    to: ['services.tftp.health.interval', 'services.ftp.health.interval'],
  },
  {
    key: 'healthTimeout',
    group: 'Health',
    to: ['services.tftp.health.timeout', 'services.ftp.health.timeout'],
  },
  { key: 'healthRise', group: 'Health', to: ['services.tftp.health.rise', 'services.ftp.health.rise'] },
  { key: 'healthFall', group: 'Health', to: ['services.tftp.health.fall', 'services.ftp.health.fall'] },
  {
    key: 'ejectTime',
    group: 'Health',
    to: ['services.tftp.health.eject-time', 'services.ftp.health.eject-time'],
  },
  { key: 'tftpHealthProbe', group: 'Health', to: ['services.tftp.health.probe'] },
  { key: 'ftpHealthProbe', group: 'Health', to: ['services.ftp.health.probe'] },
  {
    key: 'healthSha256',
    group: 'Health',
    to: ['services.tftp.health.sha256'],
    text: 'SHA-256 of --health-file: TFTP health checks fetch the whole file, and no other content is a sign of life',
  },
  {
    key: 'ejectErrors',
    group: 'Health',
    to: ['services.tftp.health.eject-errors', 'services.ftp.health.eject-errors'],
  },
  {
    key: 'slowStart',
    group: 'Health',
    to: ['services.tftp.health.slow-start', 'services.ftp.health.slow-start'],
  },
  {
    key: 'admin',
    group: 'Operation',
    to: ['admin.listen'],
    negatable: true,
    text: 'where /metrics, /healthz, /readyz and /status are served; --no-admin turns them off',
  },
  { key: 'logLevel', group: 'Operation', to: ['log.level'] },
  { key: 'drainTimeout', group: 'Operation', to: ['drain-timeout'] },
  { key: 'workers', group: 'Operation', to: ['workers'] },
  { key: 'engine', group: 'Operation', to: ['engine'] },
  { key: 'busyPoll', group: 'Operation', to: ['busy-poll'] },
  {
    key: 'adminSocket',
    group: 'Operation',
    to: ['admin.socket'],
    negatable: true,
    text: 'unix socket for tftp-lb ctl, which changes things; auto is admin.sock in the runtime directory',
  },
  {
    key: 'adminTokenFile',
    group: 'Operation',
    to: ['admin.token-file'],
    text: 'file whose first line is the bearer token that lets --admin change things, too; without it, it only shows',
  },
  {
    key: 'takeover',
    group: 'Operation',
    to: [],
    fallback: 'false',
    text: 'take listeners and transfers over from the balancer that runs, found by its admin socket',
  },
] as const;
