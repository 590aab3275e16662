/** How long the session machine (session.ts) waits for what, and how much it lets through. */

/** Silence of the backends that ends a request, from the last time that the client asked. Milliseconds. */
export const requestPatience = 15_000;
/** How long the sender of a file may be silent before it has surely got the last ACK: servers repeat after 1 to 5 s. */
export const minDally = 6_000;
/** Repeats do not keep an ended session for longer than that. Milliseconds, both. */
export const maxDally = 10_000;
/** How long answers to an ERROR are swallowed. Milliseconds. */
export const lingerTime = 2_000;
/** Backend silence after which a repeated request is no longer taken for a repetition. Milliseconds. */
export const repeatMemory = 10_000;
/** How long after a client's last packet its request may still be a copy that the network has delayed. Milliseconds. */
export const maxLateness = 1_000;
/** Seconds (RFC 2349). More would keep a session of two dead peers for as long as one of them pleased. */
export const maxTimeout = 255;
/** Datagrams that an address gets before it has proved that it is listening. */
export const unprovenAllowance = 3;
export const unprovenWindowAllowance = 8;
