import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The server serves what stands in server/public.
const pages = fileURLToPath(new URL('pages', import.meta.url));
const target = fileURLToPath(new URL('../server/public', import.meta.url));
rmSync(target, { recursive: true, force: true });
cpSync(pages, target, { recursive: true });
