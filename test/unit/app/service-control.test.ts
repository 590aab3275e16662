/** Orders for backends that come and go by their names. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { ServiceControl } from '../../../src/app/service-control.ts';
import { SharedTables } from '../../../src/app/shared-tables.ts';
import { IndexTable } from '../../../src/balance/index-table.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { FlagValues } from '../../../src/config/sources.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Event } from '../../../src/observe/events.ts';
import { smallScoreboard } from '../../helpers/pools.ts';
import { pass } from '../../helpers/virtual-time.ts';

const interval = 30_000;

async function setUp(flags: FlagValues = {}) {
  const memory = new MemoryNet({ seed: 1 });
  memory.names.set('servers.example', ['192.0.2.11', '192.0.2.12']);
  const board = smallScoreboard();
  const events: Event[] = [];
  const pools: string[] = [];
  const loaded = loadConfig(
    { vip: ['192.0.2.1'], ftp: false, backend: ['servers.example,weight=2'], healthInterval: '0', ...flags },
    {},
  );
  const [config] = loaded.kind === 'config' ? loaded.config.services : [];
  if (!config) throw new Error('no service');
  const control: ServiceControl = new ServiceControl(config, 0, {
    net: memory.host(['192.0.2.1']),
    scoreboard: board,
    indexes: new IndexTable(board),
    tables: new SharedTables(() => 0.5),
    emit: (event) => events.push(event),
    onChange: () => pools.push(shown()),
  });
  onTestFinished(() => control.stop());
  /** The backends, each with its weight, and a minus in front of those that get no sessions. */
  const shown = (): string =>
    control.pool.backends
      .map(({ index, address, weight }) => `${board.isEnabled(index) ? '' : '-'}${address}*${weight}`)
      .join(' ');
  await control.open();
  control.begin();
  return { memory, control, events, pools, shown };
}

const name = 'servers.example@192.0.2.11';

describe('orders outlast discovery', () => {
  test('for a backend that stays while others come and go', async () => {
    const { memory, control, shown } = await setUp();
    control.obey(name, { kind: 'mode', mode: 'draining' }, 'alice');
    control.obey(name, { kind: 'weight', weight: 7 }, 'alice');
    expect(shown()).toBe('-192.0.2.11*7 192.0.2.12*2');
    memory.names.set('servers.example', ['192.0.2.11', '192.0.2.13', '192.0.2.14']);
    await pass(memory, interval);
    expect(shown()).toBe('-192.0.2.11*7 192.0.2.13*2 192.0.2.14*2');
  });

  test('for one that is away for a while, and whose row somebody else has had', async () => {
    const { memory, control, shown, pools } = await setUp();
    control.obey(name, { kind: 'mode', mode: 'disabled' }, 'alice');
    memory.names.set('servers.example', ['192.0.2.12', '192.0.2.13']);
    await pass(memory, interval);
    expect(shown()).toBe('192.0.2.12*2 192.0.2.13*2');
    memory.names.set('servers.example', ['192.0.2.11', '192.0.2.12']);
    await pass(memory, interval);
    expect(shown()).toBe('-192.0.2.11*2 192.0.2.12*2');
    // Nobody could have picked it in between.
    expect(pools.at(-1)).toBe('-192.0.2.11*2 192.0.2.12*2');
    control.obey(name, { kind: 'mode', mode: 'enabled' }, 'alice');
    expect(shown()).toBe('192.0.2.11*2 192.0.2.12*2');
  });
});

test('a weight is in a pool at once, and who takes the pool hears of it', async () => {
  const { control, pools } = await setUp();
  control.obey(name, { kind: 'weight', weight: 7 }, 'alice');
  expect(pools).toEqual(['192.0.2.11*7 192.0.2.12*2']);
  control.obey(name, { kind: 'weight', weight: 7 }, 'alice');
  expect(pools).toHaveLength(1);
});

test('a mode needs no pool: the flag says it', async () => {
  const { control, pools } = await setUp();
  control.obey(name, { kind: 'mode', mode: 'draining' }, 'alice');
  expect(pools).toEqual([]);
});

test('one that returns warms up, in pools that follow', async () => {
  const { memory, pools } = await setUp({ slowStart: '7s' });
  memory.names.set('servers.example', ['192.0.2.11', '192.0.2.12', '192.0.2.13']);
  await pass(memory, interval);
  expect(pools[0]).toBe('192.0.2.11*8 192.0.2.12*8 192.0.2.13*1');
  await pass(memory, 8_000);
  expect(pools.at(-1)).toBe('192.0.2.11*2 192.0.2.12*2 192.0.2.13*2');
});
