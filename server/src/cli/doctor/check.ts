/** What was looked at, how it stands, and what to do about it. */
export interface Check {
  name: string;
  status: 'ok' | 'warning' | 'failed';
  message: string;
  fix?: string;
}

export const ok = (name: string, message: string): Check => ({ name, status: 'ok', message });

export const warning = (name: string, message: string, fix: string): Check => ({
  name,
  status: 'warning',
  message,
  fix,
});

export const failed = (name: string, message: string, fix: string): Check => ({
  name,
  status: 'failed',
  message,
  fix,
});
