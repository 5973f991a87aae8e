// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '@clyra/core/ports/logger';
import type { LoggerService } from '@nestjs/common';

/** Nest's own start-up chatter says nothing to an operator; its warnings and errors do. */
export function nestLogger(logger: Logger): LoggerService {
  return {
    log: () => {},
    warn: (message) => logger.warn(`nest: ${String(message)}`),
    error: (message) => logger.error(`nest: ${String(message)}`),
  };
}
