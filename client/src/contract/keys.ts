import type { Scope } from './vocabulary.ts';

export interface ApiKey {
  id: string;
  name: string;
  /** First characters, enough to recognise the key, too few to use it. */
  prefix: string;
  scopes: Scope[];
  project_id: string;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

export interface ApiKeyRequest {
  name: string;
  scopes: Scope[];
  project_id?: string;
  /** ISO 8601 in the future; never expires when left out. */
  expires_at?: string;
}

/** The secret is in this answer and nowhere else, ever. */
export interface CreatedApiKey extends ApiKey {
  key: string;
}
