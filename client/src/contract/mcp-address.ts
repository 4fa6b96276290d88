import type { Sha256 } from './definition-hash.ts';

const LONGEST = 120;

/**
 * A stable id from an MCP server's address: host and path, without scheme, user, query or the slash
 * at the end. Hosted servers put keys into the path, so a part that looks like one is replaced by
 * the start of its SHA-256. At most 120 characters; an id is its own id. `undefined` when the text is not an HTTP
 * address.
 */
export function mcpServerId(address: string, sha256: Sha256): string | undefined {
  const text = address.trim();
  if (text === '' || text.length > 2000 || text.includes('{{')) return undefined;
  const url = parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.host === '') return undefined;
  const fingerprint = (part: string): string => sha256(part).slice(0, 12);
  const path = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (looksLikeKey(part) ? `~${fingerprint(part)}` : part));
  const id = [url.host, ...path].join('/');
  return id.length <= LONGEST ? id : `${id.slice(0, LONGEST - 13)}~${fingerprint(id)}`;
}

/** A long unbroken run of letters with digits, or a very long one; a UUID's runs are shorter. */
function looksLikeKey(part: string): boolean {
  return (part.match(/[a-z\d]{16,}/gi) ?? []).some((run) => run.length >= 32 || /\d/.test(run));
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
