import { describe, expect, it } from 'vitest';
import * as effects from '../../../src/ftp/effects.ts';
import * as events from '../../../src/observe/events.ts';

describe('the words of FTP events', () => {
  it('are those of the session machine, in the same order', () => {
    expect(events.ftpTransferResults).toEqual(effects.ftpTransferResults);
    expect(events.ftpRefusals).toEqual(effects.ftpRefusals);
    expect(events.ftpSessionEnds).toEqual([...effects.ftpSessionEnds, 'fault']);
  });
});
