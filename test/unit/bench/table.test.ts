import { expect, test } from 'vitest';

import { formatTable } from '../../../bench/report/table.ts';

test('columns are as wide as their widest cell, numbers end at the same place', () => {
  const lines = formatTable(
    [
      { title: 'path', align: 'left' },
      { title: 'rate', align: 'right' },
      { title: 'note', align: 'left' },
    ],
    [
      ['direct', '5', 'full'],
      ['x', '12345'],
    ],
  );
  expect(lines).toEqual([
    'path     rate  note',
    '------  -----  ----',
    'direct      5  full',
    'x       12345',
  ]);
});

test('a table without rows is its head', () => {
  expect(formatTable([{ title: 'load', align: 'left' }], [])).toEqual(['load', '----']);
});
