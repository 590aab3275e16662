import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ['test/helpers/report-peers.ts', 'test/helpers/entry.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Most of the time is waiting for processes and sockets, not computing.
    maxWorkers: 4,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: ['test/soak/**', '.peers/**', 'node_modules/**'],
        },
      },
      {
        // What serves TFTP by itself on Linux was tested above; the tests do not know what they have before them.
        extends: true,
        test: {
          name: 'portable engine',
          include: [
            'test/interop/{crowd,faults,rollover,strays,transfers}.test.ts',
            'test/integration/{drain,flags-limits,flags-tftp,reload,reports}.test.ts',
          ],
          env: { TFTP_LB_ENGINE: 'portable' },
        },
      },
    ],
  },
});

export default config;
