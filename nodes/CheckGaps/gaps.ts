import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import type { Gap, GapCheck, GapKind, Page } from '../../client/src/contract';
import { present } from '../shared/parameters.ts';
import { askRollcall } from '../shared/transport.ts';

const LARGEST_PAGE = 500;

export interface FoundGaps {
  /** What the check found as a whole; `undefined` when none was asked for. */
  check?: GapCheck;
  gaps: Gap[];
}

/** Runs a check when the node is set to, and lists the gaps that its filters let through. */
export async function findGaps(context: IExecuteFunctions): Promise<FoundGaps> {
  const timeout = context.getNodeParameter('options.timeout', 0, 30_000) as number;
  const runCheck = context.getNodeParameter('runCheck', 0) as boolean;
  const check = runCheck
    ? await askRollcall<GapCheck>(context, { method: 'POST', path: '/api/v1/gaps/check', timeout })
    : undefined;
  return { check, gaps: await listGaps(context, timeout) };
}

async function listGaps(context: IExecuteFunctions, timeout: number): Promise<Gap[]> {
  const kinds = context.getNodeParameter('kinds', 0) as GapKind[];
  const filters = present(context.getNodeParameter('filters', 0));
  const returnAll = context.getNodeParameter('returnAll', 0);
  const most = returnAll ? Infinity : context.getNodeParameter('limit', 0);

  const gaps: Gap[] = [];
  // The server filters by one kind at a time; without a kind it answers all of them.
  for (const kind of kinds.length > 0 ? kinds : [undefined]) {
    const query = { state: 'open', ...filters, ...present({ kind }) };
    gaps.push(...(await listUpTo(context, query, most - gaps.length, timeout)));
    if (gaps.length >= most) break;
  }
  return gaps;
}

async function listUpTo(
  context: IExecuteFunctions,
  query: IDataObject,
  most: number,
  timeout: number,
): Promise<Gap[]> {
  const gaps: Gap[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(most - gaps.length, LARGEST_PAGE);
    const page: Page<Gap> = await askRollcall<Page<Gap>>(context, {
      method: 'GET',
      path: '/api/v1/gaps',
      query: present({ ...query, limit, cursor }),
      timeout,
    });
    gaps.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && gaps.length < most);
  return gaps;
}
