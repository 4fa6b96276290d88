/** Parts of a key, letters and digits only, whose values are secrets. */
export const SECRET_KEYS: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'apikey',
  'authorization',
  'cookie',
  'privatekey',
  'credential',
  'accesskey',
  'sessionid',
  'connectionstring',
];

/** Keys, tokens and addresses as they are written. Each has few starting points, so that a scan stays linear. */
export const SECRET_VALUES: readonly RegExp[] = [
  /\b(?:rc|sk|pk|rk|whsec|ghp|gho|ghs|ghu|glpat|github_pat|n8n_api|xox[abprs])[-_][A-Za-z0-9_-]{12,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g,
  /:\/\/[^\s/:@]{1,100}:[^\s/@]{1,200}@/g,
  /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g,
];

/** Without one of these no pattern above can match; most values are spared the eight of them. */
export const MAY_BE_SECRET =
  /@|(?:[rsp]k|rc|whsec|gh[pous]|glpat|_pat|_api|xox[abprs])[-_][A-Za-z0-9_-]{12}|bearer|eyJ|AKIA|AIza|-----/i;
