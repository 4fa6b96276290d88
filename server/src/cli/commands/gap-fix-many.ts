import { createInterface } from 'node:readline/promises';
import type {
  BulkFixItem,
  BulkFixRequest,
  BulkFixResult,
  FixChoice,
  GapFilter,
} from '@rollcall/client/contract';
import { EXIT, usageError } from '../failure.ts';
import type { Api } from '../http/api.ts';
import type { Session } from '../http/session.ts';
import { referenceText } from '../options.ts';
import { note, print, printJson } from '../terminal/print.ts';
import { showProgress } from '../terminal/progress.ts';
import { clean, count, paint } from '../terminal/text.ts';
import { changeLines } from './fix-text.ts';

/** Lines of a preview; `--json` has all of it. */
const SHOWN = 20;

interface Fixed {
  dry_run: boolean;
  fixed: number;
  refused: number;
  items: BulkFixItem[];
}

/** `rollcall gaps fix --all`: shows what it would do, asks, and does it page by page. */
export async function fixMany(
  { api, json }: Session,
  filter: GapFilter,
  choice: FixChoice,
  yes: boolean,
): Promise<void> {
  if (!choice.dry_run && !yes) {
    if (!process.stdin.isTTY || json) {
      throw usageError('Fixing all of them needs --yes where nobody can be asked.', {
        next: 'See first what would change: --dry-run',
      });
    }
    const preview = await fixPages(api, filter, { ...choice, dry_run: true });
    print(describe(preview));
    if (preview.fixed === 0 || !(await agreed(preview.fixed))) return;
  }
  const result = await fixPages(api, filter, choice);
  if (result.refused > 0) process.exitCode = EXIT.failed;
  if (json) printJson(result);
  else print(describe(result));
}

async function fixPages(api: Api, filter: GapFilter, choice: FixChoice): Promise<Fixed> {
  const all: Fixed = { dry_run: choice.dry_run ?? false, fixed: 0, refused: 0, items: [] };
  const progress = showProgress();
  try {
    for (let cursor: string | undefined; ;) {
      const body: BulkFixRequest = { ...choice, filter, cursor };
      const page = await api.call<BulkFixResult>('POST', '/api/v1/gaps/fix', { body });
      all.fixed += page.fixed;
      all.refused += page.refused;
      all.items.push(...page.items);
      if (!page.next_cursor) return all;
      cursor = page.next_cursor;
      progress.say(`${all.items.length} gaps so far`);
    }
  } finally {
    progress.end();
  }
}

async function agreed(number: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Fix ${count(number, 'gap')}? [y/N] `);
    const yes = /^y(es)?$/i.test(answer.trim());
    if (!yes) note('Nothing was changed.');
    return yes;
  } finally {
    terminal.close();
  }
}

function describe({ dry_run, fixed, refused, items }: Fixed): string {
  if (items.length === 0) return 'No gap fits.';
  const lines = items.slice(0, SHOWN).flatMap((item) => {
    const { status, kind, action, message, changes } = item;
    const about = clean(`${kind} ${referenceText(item)}`);
    if (status === 'refused')
      return [`${paint('red', 'refused')}  ${about}: ${clean(message ?? '')}`];
    const word = paint('green', dry_run ? 'would be fixed' : 'fixed');
    return [`${word}  ${about} (${action})`, ...(dry_run ? changeLines(changes) : [])];
  });
  const more = items.length - SHOWN;
  if (more > 0) lines.push(`and ${more} more; --json shows them all`);
  lines.push(
    `${count(fixed, 'gap')} ${dry_run ? 'would be fixed' : 'fixed'}${refused > 0 ? `, ${refused} refused` : ''}.`,
  );
  return lines.join('\n');
}
