// SPDX-License-Identifier: Apache-2.0
import net from 'node:net';
import tls from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_DELAY_MS = 30_000;

/**
 * Every socket one client opened. kafkajs' own disconnect waits for the answers to all open requests and, towards
 * a frozen broker, waits for ever; closing the sockets is the only way to give a client up for certain.
 */
export class SocketLedger {
  readonly #sockets = new Set<net.Socket>();
  #discarded = false;

  readonly open: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#discarded) throw new Error('this client was given up');
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  };

  get openCount(): number {
    return this.#sockets.size;
  }

  /** Closes every socket and refuses to open more. Each pending request rejects. */
  discard(): void {
    this.#discarded = true;
    for (const socket of this.#sockets) socket.destroy(new Error('this client was given up'));
  }
}
