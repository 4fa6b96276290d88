import type { ICredentialsHelper, IHttpRequestOptions } from 'n8n-workflow';

import { RollcallApi } from '../../credentials/RollcallApi.credentials.ts';

const credential = new RollcallApi();

export const BASE_URL = 'http://rollcall.test:7655';
export const API_KEY = 'rc_test';

/** What tests may change between runs: how n8n's credential store answers. */
export const stored = { baseUrl: BASE_URL, apiKey: API_KEY };

/** Stands in for n8n's credential store, and applies the credential as n8n would. */
export const credentialsHelper = {
  getParentTypes: () => [],
  getCredentialsProperties: () => [],
  isCredentialUsableByNode: () => true,
  getCredentials: () => Promise.resolve({ id: 'cred-1', name: 'Rollcall', type: 'rollcallApi' }),
  getDecrypted: () => Promise.resolve({ ...stored }),
  authenticate: (credentials: typeof stored, _type: string, request: IHttpRequestOptions) =>
    credential.authenticate(credentials, request),
  preAuthentication: () => Promise.resolve(undefined),
  runPreAuthentication: () => Promise.resolve(undefined),
  updateCredentials: () => Promise.resolve(),
  updateCredentialsOauthTokenData: () => Promise.resolve(),
} as unknown as ICredentialsHelper;
