/** A worker thread that takes turns and tells which ones it got. */
import { parentPort, workerData } from 'node:worker_threads';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';

const { buffer, count } = workerData as { buffer: SharedArrayBuffer; count: number };
const board = Scoreboard.attach(buffer);
const turns = Array.from({ length: count }, () => board.nextTurn(0));
parentPort?.postMessage(turns, []);
