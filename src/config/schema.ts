/**
 * Every option of the balancer, declared once: what it is called, what it takes, what it falls back to and where it
 * stands in the help. Flags, environment variables, help and docs follow from here.
 */
import { z } from 'zod';

import { about, type About } from './about.ts';
import { ftpPolicies, logLevels, tftpPolicies } from './config.ts';
import * as field from './fields.ts';
import { lifeHealth, lifeOperation } from './life-options.ts';
import type { OptionInfo, OptionKey, Options } from './options.ts';
import { rules } from './rules.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const backendForm = 'HOST[:PORT][,weight=N][,name=X]';

const addresses = {
  vip: field.list(field.address(), 'required: the address to listen on, ADDR').register(about, {
    group: 'Addresses',
    value: 'ADDR',
    list: true,
    text: 'address to listen on; 0.0.0.0 and :: stand for every local one',
  }),
  tftp: field.toggle().prefault('true').register(about, {
    group: 'Addresses',
    text: 'balance TFTP',
  }),
  ftp: field.toggle().prefault('true').register(about, {
    group: 'Addresses',
    text: 'balance FTP',
  }),
  tftpPort: field.integer(0, 65535).prefault('69').register(about, {
    group: 'Addresses',
    value: 'PORT',
    text: 'port to listen on for TFTP; 0 lets the system choose',
  }),
  ftpPort: field.integer(0, 65535).prefault('21').register(about, {
    group: 'Addresses',
    value: 'PORT',
    text: 'port to listen on for FTP; 0 lets the system choose',
  }),
  singlePort: field.toggle().prefault('false').register(about, {
    group: 'Addresses',
    text: 'answer TFTP from the listening port alone, for clients behind NAT or a port map',
  }),
  tidPorts: field.portRange(1024).optional().register(about, {
    group: 'Addresses',
    value: 'A-B',
    text: 'ports that TFTP transfers are answered from, for firewalls',
  }),
};

const backends = {
  backend: field
    .list(field.backend(), `expected ${backendForm}`)
    .default([])
    .register(about, {
      group: 'Backends',
      value: 'BACKEND',
      list: true,
      text: `server of both protocols, ${backendForm}; X is its name in logs and metrics, PORT is for one protocol alone`,
    }),
  tftpBackend: field.list(field.backend(), `expected ${backendForm}`).default([]).register(about, {
    group: 'Backends',
    value: 'BACKEND',
    list: true,
    text: 'server of TFTP alone, in the same form; added to those of --backend',
  }),
  ftpBackend: field.list(field.backend(), `expected ${backendForm}`).default([]).register(about, {
    group: 'Backends',
    value: 'BACKEND',
    list: true,
    text: 'server of FTP alone, in the same form; added to those of --backend',
  }),
  resolveInterval: field
    .duration(second, 24 * hour)
    .prefault('30s')
    .register(about, {
      group: 'Backends',
      value: 'DURATION',
      text: 'how often the host names of backends are looked up again',
    }),
};

const both = {
  readOnly: field.toggle().prefault('false').register(about, {
    group: 'Both protocols',
    text: 'refuse uploads, and every FTP command that changes something',
  }),
};

const tftp = {
  policy: field
    .word(tftpPolicies)
    .prefault('round-robin')
    .register(about, {
      group: 'TFTP',
      value: 'POLICY',
      text: `how transfers are shared out: ${tftpPolicies.join(', ')}`,
    }),
  maxBlksize: field.integerOr('auto', 8, 65464).optional().register(about, {
    group: 'TFTP',
    value: 'auto|N',
    text: 'lower the block size that clients ask for to N, or to what fits the interface of the VIP',
  }),
  maxWindowsize: field.integer(1, 65535).optional().register(about, {
    group: 'TFTP',
    value: 'N',
    text: 'lower the window size that clients ask for to N',
  }),
  stripMulticast: field.toggle().prefault('true').register(about, {
    group: 'TFTP',
    text: 'remove the multicast option, which no balancer can follow, from requests',
  }),
  retryNotFound: field.toggle().prefault('false').register(about, {
    group: 'TFTP',
    text: 'ask the other backends before a client hears that a file does not exist',
  }),
  backendAnyAddress: field.toggle().prefault('false').register(about, {
    group: 'TFTP',
    text: 'accept the first reply of a backend from any address, for servers with several',
  }),
  transparent: field.toggle().prefault('false').register(about, {
    group: 'TFTP',
    text: "let backends see the clients' addresses (linux engine, CAP_NET_ADMIN, a way back through this host)",
  }),
  tryInterval: field.duration(10, minute).prefault('1s').register(about, {
    group: 'TFTP',
    value: 'DURATION',
    text: 'silence of a backend after which a download is asked of another one',
  }),
  idleTimeout: field
    .duration(second, 24 * hour)
    .prefault('60s')
    .register(about, {
      group: 'TFTP',
      value: 'DURATION',
      text: 'silence after which a transfer counts as lost',
    }),
};

const ftp = {
  ftpPolicy: field
    .word(ftpPolicies)
    .prefault('round-robin')
    .register(about, {
      group: 'FTP',
      value: 'POLICY',
      text: `how sessions are shared out: ${ftpPolicies.join(', ')}`,
    }),
  ftpModes: field.word(['active,passive', 'passive']).prefault('active,passive').register(about, {
    group: 'FTP',
    value: 'MODES',
    text: 'data connections that clients may have: active,passive, or passive alone (PORT and EPRT get 502)',
  }),
  backendData: field.word(['passive', 'active', 'client']).prefault('passive').register(about, {
    group: 'FTP',
    value: 'MODE',
    text: 'data connections towards servers: passive, active, or as the client does; passive falls back',
  }),
  passivePorts: field.portRange(1024).optional().register(about, {
    group: 'FTP',
    value: 'A-B',
    text: 'ports that passive clients connect to, for firewalls',
  }),
  passiveAddress: field.advertised().prefault('auto').register(about, {
    group: 'FTP',
    value: 'ADDR',
    text: 'IPv4 address that PASV tells clients: auto (the one that they reached), ADDR, or CIDR=ADDR,... by network',
  }),
  portAddress: field.word(['client', 'control']).prefault('client').register(about, {
    group: 'FTP',
    value: 'WHICH',
    text: 'address that active clients are reached at: their PORT, which must be their own, or that of control',
  }),
  backendPasvAddress: field.word(['ignore', 'trust']).prefault('ignore').register(about, {
    group: 'FTP',
    value: 'HOW',
    text: "whether the address in a server's 227 is followed; trust is for servers with a data address of its own",
  }),
  ftpDeny: field.verbs().optional().register(about, {
    group: 'FTP',
    value: 'CMD,...',
    text: 'commands that are refused with 550',
  }),
  ftpMaxWaiting: field.integer(1, 1000).prefault('64').register(about, {
    group: 'FTP',
    value: 'N',
    text: 'commands of a client that wait behind the one that runs before reading stops',
  }),
  ...ftpSizes(),
  ...ftpTimes(),
  xferlog: field.path().optional().register(about, {
    group: 'FTP',
    value: 'FILE',
    text: 'log of FTP transfers in the wu-ftpd format; SIGUSR1 opens it anew, for rotation',
  }),
};

function ftpSizes() {
  return {
    ftpMaxLine: field.integer(512, 65_536).prefault('4096').register(about, {
      group: 'FTP',
      value: 'BYTES',
      text: 'longest command of a client; what is longer gets 500',
    }),
    ftpMaxReplyLine: field.integer(512, 65_536).prefault('8192').register(about, {
      group: 'FTP',
      value: 'BYTES',
      text: 'longest line in a reply of a server; what is longer ends the session',
    }),
    ftpMaxReply: field.integer(65_536, 16_777_216).prefault('1048576').register(about, {
      group: 'FTP',
      value: 'BYTES',
      text: 'longest reply of a server, all lines together; what is longer ends the session',
    }),
    ftpMaxReplyLines: field.integer(100, 100_000).prefault('5000').register(about, {
      group: 'FTP',
      value: 'N',
      text: 'most lines in a reply of a server; what has more ends the session',
    }),
  };
}

function ftpTimes() {
  return {
    ftpConnectTimeout: ftpTime('3s', 'to reach a server, before the next one is tried'),
    ftpGreetingTimeout: ftpTime('10s', 'for a server to greet, before the next one is tried'),
    ftpLoginTimeout: ftpTime('60s', 'for a client to log in'),
    ftpIdleTimeout: ftpTime('5m', 'between two commands of a client'),
    ftpAcceptTimeout: ftpTime('45s', 'for a passive client to connect'),
    ftpDataTimeout: ftpTime('30s', 'to open a data connection towards an active client or a server'),
    ftpStallTimeout: ftpTime('5m', 'for which no byte of a transfer may move'),
    ftpReplyTimeout: ftpTime('10m', 'for a server to answer, also behind a transfer that it processes'),
  };
}

function ftpTime(fallback: string, text: string): z.ZodPrefault<z.ZodType<number>> {
  const described: About = { group: 'FTP', value: 'DURATION', text: `time ${text}` };
  return field
    .duration(10, 24 * hour)
    .prefault(fallback)
    .register(about, described);
}

const limits = {
  maxSessions: sessions('5000', 'TFTP sessions at a time'),
  maxSessionsPerClient: sessions('0', 'TFTP sessions at a time of one client address'),
  maxSessionsPerBackend: sessions('0', 'TFTP sessions at a time on one backend'),
  ftpMaxSessions: sessions('2000', 'FTP sessions at a time'),
  ftpMaxSessionsPerClient: sessions('0', 'FTP sessions at a time of one client address'),
  ftpMaxSessionsPerBackend: sessions('0', 'FTP sessions at a time on one backend'),
};

function sessions(fallback: string, text: string): z.ZodPrefault<z.ZodType<number>> {
  const described: About = { group: 'Limits', value: 'N', text: `${text}; 0 = no limit` };
  return field.integer(0, 1_000_000).prefault(fallback).register(about, described);
}

const health = {
  healthFile: field.fileName().prefault('tftp-lb-health').register(about, {
    group: 'Health',
    value: 'NAME',
    text: 'file that TFTP health checks ask for; it need not exist, any answer is a sign of life',
  }),
  ftpHealthUser: field.line().optional().register(about, {
    group: 'Health',
    value: 'USER',
    text: 'user that FTP health checks log in as, to fetch a listing; without one they wait for the greeting alone',
  }),
  ftpHealthPassword: field.line().optional().register(about, {
    group: 'Health',
    value: 'TEXT',
    text: 'password of --ftp-health-user; better as variable or file, since other users see command lines',
  }),
  ftpHealthPasswordFile: field.path().optional().register(about, {
    group: 'Health',
    value: 'FILE',
    text: 'file whose first line is the password of --ftp-health-user',
  }),
  healthInterval: field.duration(100, hour, { zero: true }).prefault('5s').register(about, {
    group: 'Health',
    value: 'DURATION',
    text: 'time between two checks of a backend; 0 turns them off',
  }),
  healthTimeout: field.duration(10, minute).prefault('2s').register(about, {
    group: 'Health',
    value: 'DURATION',
    text: 'time after which a check without its answer has failed',
  }),
  healthRise: field.integer(1, 100).prefault('2').register(about, {
    group: 'Health',
    value: 'N',
    text: 'good checks in a row that bring a backend up',
  }),
  healthFall: field.integer(1, 100).prefault('3').register(about, {
    group: 'Health',
    value: 'N',
    text: 'failed checks in a row that take a backend down',
  }),
  ejectTime: field.duration(100, hour).prefault('10s').register(about, {
    group: 'Health',
    value: 'DURATION',
    text: 'how long a backend that refused or kept silent is tried last; longer with each repeat',
  }),
  ...lifeHealth,
};

const operation = {
  admin: field.listenerOrOff().prefault('127.0.0.1:9069').register(about, {
    group: 'Operation',
    value: 'ADDR:PORT',
    negatable: true,
    text: 'where /metrics, /healthz, /readyz and /status are served; --no-admin turns them off',
  }),
  logLevel: field
    .word(logLevels)
    .prefault('info')
    .register(about, {
      group: 'Operation',
      value: 'LEVEL',
      text: `least grave message that is logged: ${logLevels.join(', ')}`,
    }),
  drainTimeout: field.duration(0, hour).prefault('30s').register(about, {
    group: 'Operation',
    value: 'DURATION',
    text: 'time that running transfers get to finish in when the balancer is told to stop',
  }),
  workers: field.integerOr('auto', 1, 256).prefault('auto').register(about, {
    group: 'Operation',
    value: 'auto|N',
    text: 'threads that serve clients; auto is one for each core',
  }),
  engine: field.word(['auto', 'portable', 'linux']).prefault('auto').register(about, {
    group: 'Operation',
    value: 'ENGINE',
    text: 'what TFTP is served with: linux (batched system calls), portable (sockets of Node), or auto, the best that works here',
  }),
  busyPoll: field.integer(0, 10_000).prefault('100').register(about, {
    group: 'Operation',
    value: 'N',
    text: 'microseconds for which the linux engine polls before it sleeps, while transfers run; 0 = never',
  }),
  ...lifeOperation,
};

const schema = z.strictObject({
  ...addresses,
  ...backends,
  ...both,
  ...tftp,
  ...ftp,
  ...limits,
  ...health,
  ...operation,
});
/** Reads options, and what is between them. */
export const checked: z.ZodType<Options> = schema.check(...rules);

/** In the order in which help and docs show them. */
export const optionKeys: readonly OptionKey[] = schema.keyof().options;

/** Every option, in that order. */
export const optionInfos: readonly OptionInfo[] = optionKeys.map(infoOf);

function infoOf(key: OptionKey): OptionInfo {
  const declared = schema.shape[key];
  const said = about.get(declared);
  if (said === undefined) throw new TypeError(`option ${key} is not described`);
  const { group, text, value, list, negatable } = said;
  const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fallback = declared instanceof z.ZodPrefault ? String(declared.def.defaultValue) : '';
  return {
    key,
    flag: `--${name}`,
    variable: `TFTP_LB_${name.replaceAll('-', '_').toUpperCase()}`,
    kind: value === undefined ? 'switch' : list === true ? 'list' : 'value',
    negatable: value === undefined || negatable === true,
    group,
    placeholder: value ?? '',
    text,
    fallback,
  };
}
