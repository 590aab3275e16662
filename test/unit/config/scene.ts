/** Configurations in files of their own. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig, type Loaded } from '../../../src/config/load.ts';
import type { Environment, FlagValues } from '../../../src/config/sources.ts';
import { temporaryFolder } from '../../helpers/folders.ts';

/** What was said beside the file. */
export interface Beside {
  readonly flags?: FlagValues;
  readonly environment?: Environment;
}

/** The path of a new file. */
export function fileOf(content: string | Uint8Array, name = 'lab.yaml'): string {
  const file = path.join(temporaryFolder('config'), name);
  writeFileSync(file, content);
  return file;
}

export function loadFile(content: string | Uint8Array, { flags, environment = {} }: Beside = {}): Loaded {
  return loadConfig({ ...flags, config: fileOf(content) }, environment);
}

export function configOf(loaded: Loaded): Config {
  if (loaded.kind === 'config') return loaded.config;
  throw new Error(loaded.faults.map(faultText).join('\n'));
}

/** One line each, without the folder of the file. */
export function faultsOf(loaded: Loaded): string[] {
  if (loaded.kind === 'config') return [];
  return loaded.faults.map((fault) => faultText(fault).replaceAll(/\/\S*\/lab\.yaml/g, 'lab.yaml'));
}

/** A sound service of TFTP. */
export const pxe = `
services:
  pxe:
    protocol: tftp
    listeners: [192.0.2.1]
    backends: [192.0.2.11]
`;
