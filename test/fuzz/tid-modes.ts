import type { TidMode } from '../../src/engine/snapshot.ts';

export const tidModes: readonly (readonly [name: string, mode: TidMode])[] = [
  ['ephemeral', { kind: 'ephemeral', ports: undefined }],
  ['single port', { kind: 'single-port' }],
];
