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

const someBackend: Rule = {
  needs: ['backend', 'tftpBackend'],
  find: ({ backend, tftpBackend }) =>
    backend.length + tftpBackend.length === 0
      ? [
          {
            keys: ['backend'],
            problem: 'required: a server to balance over, HOST[:PORT] (or --tftp-backend)',
          },
        ]
      : [],
};

const distinctNames: Rule = {
  needs: ['backend', 'tftpBackend'],
  find: (options) =>
    placed(options).flatMap(({ key, index, spec }, at, all) =>
      all.findIndex((other) => other.spec.name === spec.name) < at
        ? [
            {
              keys: [key],
              index,
              problem: `a backend named ${spec.name} stands before it; give one of them a name=X`,
            },
          ]
        : [],
    ),
};

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
  needs: ['vip', 'tftpPort', 'backend', 'tftpBackend'],
  find: (options) =>
    placed(options).flatMap(({ key, index, spec }) => {
      const port = spec.port ?? tftpPort;
      if (port !== options.tftpPort || !options.vip.some((vip) => reachesItself(vip, spec.host))) return [];
      const self = formatHostPort(spec.host, port);
      return [
        {
          keys: [key],
          index,
          problem: `${self} is where the balancer itself listens; give the server's own port`,
        },
      ];
    }),
};

/** The port that TFTP servers listen on (RFC 1350 section 4). */
export const tftpPort = 69;

/** `host` may still be a name of this machine: that shows only once it has been looked up. */
function reachesItself(vip: string, host: string): boolean {
  return vip === host || (isLoopback(host) && covers(vip, host));
}

interface Placed {
  readonly key: 'backend' | 'tftpBackend';
  readonly index: number;
  readonly spec: BackendSpec;
}

function placed(options: Options): Placed[] {
  return (['backend', 'tftpBackend'] as const).flatMap((key) =>
    options[key].map((spec, index) => ({ key, index, spec })),
  );
}

/** The rules in the order in which they report. */
export const rules: readonly z.core.$ZodCheck<Options>[] = [
  tidModes,
  someBackend,
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
