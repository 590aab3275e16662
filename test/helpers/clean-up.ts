import { removeFolders } from './folders.ts';
import { stopAll } from './processes.ts';

/** For `afterAll`: ends the programs and removes the folders of this test file. */
export async function cleanUp(): Promise<void> {
  await stopAll();
  removeFolders();
}
