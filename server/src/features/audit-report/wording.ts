import { AUDIT_SECTIONS, type AuditReport, type AuditSectionName } from '@rollcall/client/contract';

/** What a report says in every format. */
export const HEADINGS: Record<AuditSectionName, { title: string; about: string; none: string }> = {
  appeared: {
    title: 'Appeared',
    about: 'Registered, or seen without being registered.',
    none: 'Nothing new.',
  },
  vanished: {
    title: 'Vanished',
    about: 'Deleted or archived, or registered and gone from its n8n.',
    none: 'Nothing is gone.',
  },
  drifted: {
    title: 'Drifted',
    about: 'Defined otherwise in n8n than in the registry.',
    none: 'Everything is as it was registered.',
  },
  silent: {
    title: 'Went silent',
    about: 'Active, but quiet for longer than it should be.',
    none: 'Nothing fell silent.',
  },
  other: {
    title: 'Other gaps',
    about: 'Orphaned, stuck, uninstrumented, or leaning on something broken.',
    none: 'No other gap opened.',
  },
  fixed: { title: 'Fixed', about: 'Gaps that closed.', none: 'No gap closed.' },
};

/** Minutes are enough, and all times are UTC. */
export const time = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;

/** The report in one sentence. */
export function summaryOf({ sections, open, fleet }: AuditReport): string {
  const told = AUDIT_SECTIONS.filter((name) => sections[name].total > 0).map(
    (name) => `${sections[name].total} ${HEADINGS[name].title.toLowerCase()}`,
  );
  const muted = open.muted > 0 ? `, ${open.muted} muted` : '';
  const rest = `${count(open.total, 'gap')} open${muted} in a fleet of ${count(fleet.entities, 'entity', 'entities')}`;
  return `${told.length > 0 ? told.join(', ') : 'Nothing happened'}; ${rest}.`;
}

/** Counts by name, most first. */
export const ranked = (counts: Partial<Record<string, number>>): [string, number][] =>
  Object.entries(counts)
    .map(([name, number]): [string, number] => [name, number ?? 0])
    .sort(([one, left], [other, right]) => right - left || one.localeCompare(other));

/** How much of a section is listed. */
export const remainder = ({ total, items }: { total: number; items: unknown[] }): string =>
  total > items.length ? `The latest ${items.length} of ${total} are listed.` : '';
