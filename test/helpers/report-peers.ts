import { obstacle, peerNames, strict } from './peers.ts';

/** Says once per run which real programs the tests cannot use; with CI set that ends the run. */
export function setup(): void {
  const obstacles = peerNames.map((name) => obstacle(name)).filter((reason) => reason !== undefined);
  if (obstacles.length === 0) return;
  const list = obstacles.map((reason) => `  ${reason}\n`).join('');
  if (strict) throw new Error(`CI is set, so every peer must be there:\n${list}`);
  console.warn(
    `Tests that need these are skipped:\n${list}\`npm run peers\` fetches what was not found (Debian and Ubuntu).\n`,
  );
}
