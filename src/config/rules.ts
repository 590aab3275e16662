/** What no option can know alone: contradictions between options. A rule runs where its own options are sound. */
import { z } from 'zod';

import { covers, formatHostPort, isLoopback } from './address.ts';
import type { BackendSpec } from './backend.ts';
import type { OptionKey, Options } from './options.ts';

/** What is wrong between the options `keys`, or with one entry of the list that is the only key. */
interface Contradiction {
  readonly keys: readonly OptionKey[];
  readonly index?: number;
  readonly problem: string;
}

interface Rule {
  readonly needs: readonly OptionKey[];
  find(options: Options): Contradiction[];
}

const tidModes: Rule = {
  needs: ['singlePort', 'tidPorts'],
  find: ({ singlePort, tidPorts }) =>
    singlePort && tidPorts !== undefined
      ? [{ keys: ['singlePort', 'tidPorts'], problem: 'exclude each other' }]
      : [],
};

const someProtocol: Rule = {
  needs: ['tftp', 'ftp'],
  find: ({ tftp, ftp }) =>
    tftp || ftp ? [] : [{ keys: ['tftp', 'ftp'], problem: 'cannot both be off: nothing is left to balance' }],
};

const someBackend: Rule = {
  needs: ['tftp', 'ftp', 'backend', 'tftpBackend', 'ftpBackend'],
  find: (options) => {
    const lacking = protocols(options).filter(({ backends }) => backends.length === 0);
    const alone = lacking.map(({ name }) => `--${name}-backend`).join(' and ');
    const others = lacking.map(({ name }) => `--no-${name}`).join(' and ');
    const isWhole = lacking.length === protocols(options).length;
    return lacking.length === 0
      ? []
      : [
          {
            keys: ['backend'],
            problem: `required: a server to balance over, HOST[:PORT] (or ${alone}${isWhole ? '' : `, or ${others}`})`,
          },
        ];
  },
};

/** A port belongs to one protocol. */
const sharedPort: Rule = {
  needs: ['tftp', 'ftp', 'backend'],
  find: ({ tftp, ftp, backend }) =>
    backend.flatMap(({ host, port }, index) =>
      tftp && ftp && port !== undefined
        ? [
            {
              keys: ['backend'],
              index,
              problem: `a port is for one protocol: give --tftp-backend ${formatHostPort(host, port)} or --ftp-backend ${formatHostPort(host, port)}, or turn one off with --no-ftp or --no-tftp`,
            },
          ]
        : [],
    ),
};

/** The protocols that run, each with the keys that its backends come from. */
export function protocols(options: Options): {
  readonly name: 'tftp' | 'ftp';
  readonly port: number;
  readonly own: 'tftpBackend' | 'ftpBackend';
  readonly backends: readonly BackendSpec[];
}[] {
  const { tftp, ftp, backend, tftpBackend, ftpBackend } = options;
  return [
    ...(tftp
      ? [
          {
            name: 'tftp',
            own: 'tftpBackend',
            port: options.tftpPort,
            backends: [...backend, ...tftpBackend],
          } as const,
        ]
      : []),
    ...(ftp
      ? [
          {
            name: 'ftp',
            own: 'ftpBackend',
            port: options.ftpPort,
            backends: [...backend, ...ftpBackend],
          } as const,
        ]
      : []),
  ];
}

/** The ports that servers listen on (RFC 1350 section 4, RFC 959 section 8). */
export const defaultPorts = { tftp: 69, ftp: 21 } as const;

const passwordOwner: Rule = {
  needs: ['ftpHealthUser', 'ftpHealthPassword', 'ftpHealthPasswordFile'],
  find: ({ ftpHealthUser, ftpHealthPassword, ftpHealthPasswordFile }) => {
    const [text, file] = ['ftpHealthPassword', 'ftpHealthPasswordFile'] as const;
    const given = [...(ftpHealthPassword ? [text] : []), ...(ftpHealthPasswordFile ? [file] : [])];
    if (given.length === 2) return [{ keys: [text, file], problem: 'exclude each other' }];
    if (ftpHealthUser !== undefined) return [];
    return given.map((key) => ({ keys: [key], problem: 'needs --ftp-health-user' }));
  },
};

const contentProbe: Rule = {
  needs: ['tftpHealthProbe', 'healthSha256'],
  find: ({ tftpHealthProbe, healthSha256 }) =>
    healthSha256 !== undefined && tftpHealthProbe.kind !== 'protocol'
      ? [{ keys: ['healthSha256'], problem: 'needs --tftp-health-probe tftp' }]
      : [],
};

const tokenOwner: Rule = {
  needs: ['admin', 'adminTokenFile'],
  find: ({ admin, adminTokenFile }) =>
    adminTokenFile !== undefined && admin === undefined
      ? [{ keys: ['adminTokenFile'], problem: 'needs --admin' }]
      : [],
};

const distinctNames: Rule = {
  needs: ['tftp', 'ftp', 'backend', 'tftpBackend', 'ftpBackend'],
  find: (options) =>
    onePerPlace(
      protocols(options).flatMap(({ own }) => {
        const all = placed(options, own);
        return all.flatMap(({ key, index, spec }, at) =>
          all.findIndex((other) => other.spec.name === spec.name) < at
            ? [
                {
                  keys: [key],
                  index,
                  problem: `a backend named ${spec.name} stands before it; give one of them a name=X`,
                },
              ]
            : [],
        );
      }),
    ),
};

/** What is wrong with an entry of --backend is wrong for both protocols and said once. */
function onePerPlace(found: Contradiction[]): Contradiction[] {
  return found.filter(
    ({ keys, index }, at) =>
      found.findIndex((other) => other.keys[0] === keys[0] && other.index === index) === at,
  );
}

const distinctAddresses: Rule = {
  needs: ['vip'],
  find: ({ vip }) =>
    vip.flatMap((address, index) => {
      const other = vip.find((listener, at) =>
        listener === address ? at < index : covers(listener, address),
      );
      return other === undefined ? [] : [{ keys: ['vip'], index, problem: `${other} covers it already` }];
    }),
};

const noLoop: Rule = {
  needs: ['vip', 'tftp', 'ftp', 'tftpPort', 'ftpPort', 'backend', 'tftpBackend', 'ftpBackend'],
  find: (options) =>
    onePerPlace(
      protocols(options).flatMap(({ name, own, port: listening }) =>
        placed(options, own).flatMap(({ key, index, spec }) => {
          const port = spec.port ?? defaultPorts[name];
          if (port !== listening || !options.vip.some((vip) => reachesItself(vip, spec.host))) return [];
          const self = formatHostPort(spec.host, port);
          const problem = `${self} is where the balancer itself listens; give the server's own port`;
          return [{ keys: [key], index, problem }];
        }),
      ),
    ),
};

/** `host` may still be a name of this machine: that shows only once it has been looked up. */
function reachesItself(vip: string, host: string): boolean {
  return vip === host || (isLoopback(host) && covers(vip, host));
}

interface Placed {
  readonly key: 'backend' | 'tftpBackend' | 'ftpBackend';
  readonly index: number;
  readonly spec: BackendSpec;
}

function placed(options: Options, own: 'tftpBackend' | 'ftpBackend'): Placed[] {
  return (['backend', own] as const).flatMap((key) =>
    options[key].map((spec, index) => ({ key, index, spec })),
  );
}

/** The rules in the order in which they report. */
export const rules: readonly z.core.$ZodCheck<Options>[] = [
  tidModes,
  someProtocol,
  someBackend,
  sharedPort,
  passwordOwner,
  contentProbe,
  tokenOwner,
  distinctNames,
  distinctAddresses,
  noLoop,
].map(asCheck);

function asCheck(rule: Rule): z.core.$ZodCheck<Options> {
  return z.superRefine<Options>(
    (options, context) => {
      for (const { keys, index, problem } of rule.find(options)) {
        const path = index === undefined ? [...keys] : [...keys, index];
        context.addIssue({ code: 'custom', path, message: problem, params: { rule: true } });
      }
    },
    {
      when: ({ issues }) =>
        !issues.some((issue) => isFieldIssue(issue) && rule.needs.some((key) => key === issue.path?.[0])),
    },
  );
}

/** Only the issues of rules have params: a contradiction that was found must not silence the rules behind it. */
function isFieldIssue(issue: z.core.$ZodRawIssue): boolean {
  return issue.code !== 'custom' || issue['params'] === undefined;
}
