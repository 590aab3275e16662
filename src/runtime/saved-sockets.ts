/** The descriptors that saved sessions name. */
import type { SavedRelay, SavedService } from '../engine/saved-relay.ts';
import { TakeoverError } from './takeover-error.ts';

/** Each once, in the order in which they come. */
export function socketsOf(services: readonly SavedService[]): number[] {
  const all = services.flatMap(({ sessions }) =>
    sessions.flatMap(({ vipTid, tries }) => [
      ...(vipTid ? [vipTid.fd] : []),
      ...tries.legs.map(({ tid }) => tid.fd),
    ]),
  );
  return [...new Set(all)];
}

/** The same sessions with the numbers that their sockets have here. Throws TakeoverError if one is missing. */
export function renumbered(
  services: readonly SavedService[],
  before: readonly number[],
  now: readonly number[],
): SavedService[] {
  const numbers = new Map(before.map((fd, at) => [fd, now[at]]));
  const numberOf = (fd: number): number => {
    const number = numbers.get(fd);
    if (number === undefined) throw new TakeoverError('a session came without its socket');
    return number;
  };
  return services.map((service) => ({
    ...service,
    sessions: service.sessions.map((session) => renumber(session, numberOf)),
  }));
}

function renumber({ vipTid, tries, ...session }: SavedRelay, numberOf: (fd: number) => number): SavedRelay {
  return {
    ...session,
    vipTid: vipTid && { fd: numberOf(vipTid.fd) },
    tries: {
      ...tries,
      legs: tries.legs.map((leg) => ({ ...leg, tid: { ...leg.tid, fd: numberOf(leg.tid.fd) } })),
    },
  };
}
