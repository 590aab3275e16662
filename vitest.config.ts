import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', '.peers/**', 'node_modules/**'],
    globalSetup: ['test/helpers/report-peers.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Most of the time is waiting for processes and sockets, not computing.
    maxWorkers: 4,
  },
});

export default config;
