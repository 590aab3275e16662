import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ['test/helpers/report-peers.ts', 'test/helpers/entry.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Most of the time is waiting for processes and sockets, not computing.
    maxWorkers: 4,
    // There is one default place for the admin socket, and many balancers at a time.
    env: { TFTP_LB_ADMIN_SOCKET: 'false' },
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
            'test/integration/{backend-lives,configured-traffic,ctl,drain,flags-limits,flags-tftp,flags-traffic,reload,reports}.test.ts',
          ],
          env: { TFTP_LB_ENGINE: 'portable', TFTP_LB_ADMIN_SOCKET: 'false' },
        },
      },
    ],
  },
});

export default config;
