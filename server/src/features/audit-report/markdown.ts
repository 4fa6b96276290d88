import { AUDIT_SECTIONS, type AuditItem, type AuditReport } from '@rollcall/client/contract';
import { HEADINGS, ranked, remainder, summaryOf, time } from './wording.ts';

/** A report in GitHub-flavoured Markdown; links are paths on the server. */
export function asMarkdown(report: AuditReport): string {
  const { open, fleet } = report;
  const sections = AUDIT_SECTIONS.flatMap((name) => {
    const { title, about, none } = HEADINGS[name];
    const section = report.sections[name];
    const rows = section.items.map(row);
    return [
      `## ${title} (${section.total})`,
      section.total === 0 ? none : about,
      ...(rows.length > 0 ? [[...TITLES, ...rows].join('\n')] : []),
      ...(remainder(section) ? [remainder(section)] : []),
    ];
  });
  return `${[
    '# Rollcall audit',
    `From ${time(report.from)} to ${time(report.to)}.`,
    `**${summaryOf(report)}**`,
    ...sections,
    '## Registration gaps that are open',
    ...counts('Kind', open.by_kind, 'None: everything answers the roll.'),
    ...counts('Severity', open.by_severity),
    '## Fleet',
    ...counts('Type', fleet.by_type, 'Nothing is registered.'),
    ...counts('State', fleet.by_state),
  ].join('\n\n')}\n`;
}

const TITLES = ['| When | What | | By |', '|---|---|---|---|'];

function row(item: AuditItem): string {
  const { entity_name, entity_type, entity_id, link, at, what, kind, severity, by, closed } = item;
  const facts = [kind, severity, closed ? 'closed' : ''].filter(Boolean).join(', ');
  const name = `[${text(entity_name)}](${link}) ${text(`${entity_type}/${entity_id}`)}`;
  return `| ${time(at)} | ${name}: ${text(what)} | ${facts} | ${text(by ?? '')} |`;
}

function counts(title: string, by: Partial<Record<string, number>>, none?: string): string[] {
  const rows = ranked(by).map(([name, number]) => `| ${text(name)} | ${number} |`);
  if (rows.length === 0) return none === undefined ? [] : [none];
  return [[`| ${title} | |`, '|---|---:|', ...rows].join('\n')];
}

/** Names come from outside: on one line, and meaning nothing to Markdown or to HTML. */
const text = (value: string): string =>
  value
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .replace(/[\\`*_{}[\]()#+!|~<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
