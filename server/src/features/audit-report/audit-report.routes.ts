import type { AuditReport } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Principal, type Route, type TextAnswer } from '../../platform/http/route.ts';
import { invalid, Problem } from '../../platform/problem.ts';
import {
  AuditPath,
  AuditQuery,
  AuditReportSchema,
  AuditSchema,
  AuditsQuery,
  AuditSummarySchema,
  KeptAuditQuery,
} from './audit-report.schema.ts';
import type { AuditReportStore } from './audit-report.store.ts';
import { asHtml } from './html.ts';
import { asMarkdown } from './markdown.ts';

const HOURS: Record<string, number> = { h: 1, d: 24, w: 168 };
const TYPES = ['text/markdown', 'text/html'];

export function auditReportRoutes(store: AuditReportStore, clock: Clock): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/audit',
      access: 'gaps:read',
      summary: 'What has become of the fleet since a moment',
      description:
        'What appeared, vanished, drifted, fell silent and was fixed. Needs registry:read, too. `format` chooses JSON, Markdown (md) or a page that needs nothing else (html).',
      query: AuditQuery,
      response: AuditReportSchema,
      text: { types: TYPES, render: (report, { format }) => asText(report, format) },
      async handle({ query: { since }, ...principal }) {
        mayReadEntities(principal);
        const now = clock();
        return store.report(principal.tenant, startOf(since, now), now);
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/audits',
      access: 'gaps:read',
      summary: 'List the reports that are kept each week, latest first',
      query: AuditsQuery,
      response: pageOf(AuditSummarySchema),
      handle: async ({ tenant, query: { limit, cursor } }) =>
        toPage(await store.list(tenant, limit, fromCursor(cursor, [sortField.timestamp]))),
    }),
    route({
      method: 'get',
      path: '/api/v1/audits/:id',
      access: 'gaps:read',
      summary: 'A report that was kept',
      description: 'Needs registry:read, too.',
      params: AuditPath,
      query: KeptAuditQuery,
      response: AuditSchema,
      text: { types: TYPES, render: ({ report }, { format }) => asText(report, format) },
      handle({ params, ...principal }) {
        mayReadEntities(principal);
        return store.get(principal.tenant, params.id);
      },
    }),
  ];
}

/** @throws Problem 403 */
function mayReadEntities({ scopes }: Pick<Principal, 'scopes'>): void {
  if (scopes.includes('admin') || scopes.includes('registry:read')) return;
  throw new Problem(403, 'missing_scope', {
    detail: 'An audit names entities: this key lacks the scope registry:read.',
  });
}

/** @throws Problem 422 */
function startOf(since: string, now: Date): Date {
  const [, amount, unit] = /^(\d{1,4})([hdw])$/.exec(since) ?? [];
  const from = new Date(
    unit === undefined ? since : now.getTime() - Number(amount) * (HOURS[unit] ?? 0) * 3_600_000,
  );
  if (from < now) return from;
  throw invalid([
    { path: 'query.since', code: 'not_in_past', message: 'must lie before now: 7d, or a moment' },
  ]);
}

function asText(report: AuditReport, format: string): TextAnswer | undefined {
  if (format === 'md') return { type: 'text/markdown', text: asMarkdown(report) };
  return format === 'html' ? { type: 'text/html', text: asHtml(report) } : undefined;
}
