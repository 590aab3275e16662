import { Server } from 'node:net';

/** A client has one, or a few if its data connections begin new ones. Each takes a KiB, and a certificate of the client. */
const most = 4;

/**
 * Sessions of TLS 1.2 by their IDs (RFC 5246 section 7.4.1.2), for clients that take no tickets, such as curl. They are
 * as good a proof: whoever resumes one has its secret. The server listens nowhere; it is whom a TLS socket of Node
 * asks.
 */
export function sessionsById(): Server {
  const known = new Map<string, Buffer>();
  const server = new Server();
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size === most) known.delete(oldest);
    known.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, known.get(id.toString('hex')) ?? null);
  });
  return server;
}
