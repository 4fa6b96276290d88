export type EmbeddedPostgresFault =
  'already_running' | 'data_folder_unusable' | 'no_binaries' | 'start_failed' | 'wrong_version';

/** The embedded database cannot be started; the message says where, why and what to do next. */
export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresFault;

  constructor(code: EmbeddedPostgresFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'EmbeddedPostgresError';
    this.code = code;
  }
}

export function unusable(message: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError('data_folder_unusable', message, cause);
}
