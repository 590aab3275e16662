/** The options of how backends live: probes, ejection, slow start, and how the operator is let in. */
import type { z } from 'zod';

import { about } from './about.ts';
import type { ProbeSpec } from './config.ts';
import * as field from './fields.ts';

const hour = 3_600_000;

type WithDefault<T> = z.ZodPrefault<z.ZodType<T>>;
type Optional<T> = z.ZodOptional<z.ZodType<T>>;

interface HealthFields {
  readonly tftpHealthProbe: WithDefault<ProbeSpec>;
  readonly ftpHealthProbe: WithDefault<ProbeSpec>;
  readonly healthSha256: Optional<string>;
  readonly ejectErrors: WithDefault<number>;
  readonly slowStart: WithDefault<number>;
}

/** The end of the group Health. */
export const lifeHealth: HealthFields = {
  tftpHealthProbe: field.probe('tftp').prefault('tftp').register(about, {
    group: 'Health',
    value: 'PROBE',
    text: 'how TFTP servers are checked: tftp, tcp:PORT, or exec:COMMAND, whose exit code 0 is a sign of life',
  }),
  ftpHealthProbe: field.probe('ftp').prefault('ftp').register(about, {
    group: 'Health',
    value: 'PROBE',
    text: 'how FTP servers are checked: ftp, tcp, tcp:PORT, or exec:COMMAND',
  }),
  healthSha256: field.sha256().optional().register(about, {
    group: 'Health',
    value: 'HEX',
    text: 'SHA-256 of --health-file: TFTP health checks fetch the whole file, and no other content is a sign of life',
  }),
  ejectErrors: field.integer(0, 1000).prefault('5').register(about, {
    group: 'Health',
    value: 'N',
    text: 'failures in a row, of transfers or sessions, after which a backend is tried last, too; 0 = never',
  }),
  slowStart: field.duration(100, hour, { zero: true }).prefault('0').register(about, {
    group: 'Health',
    value: 'DURATION',
    text: 'time in which a backend that comes back grows to its full weight; 0 = at once',
  }),
};

interface OperationFields {
  readonly adminSocket: WithDefault<string | undefined>;
  readonly adminTokenFile: Optional<string>;
}

/** The end of the group Operation. */
export const lifeOperation: OperationFields = {
  adminSocket: field.socketPathOrOff().prefault('auto').register(about, {
    group: 'Operation',
    value: 'PATH',
    negatable: true,
    text: 'unix socket for tftp-lb ctl, which changes things; auto is admin.sock in the runtime directory',
  }),
  adminTokenFile: field.path().optional().register(about, {
    group: 'Operation',
    value: 'FILE',
    text: 'file whose first line is the bearer token that lets --admin change things, too; without it, it only shows',
  }),
};
