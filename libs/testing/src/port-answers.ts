// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';

const ANSWER_MS_MAX = 1_000;

/** Whether something on this machine accepts connections on the port. */
export function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
    socket.setTimeout(ANSWER_MS_MAX, end(false));
  });
}
