import { AUDIT_SECTIONS, type AuditItem, type AuditReport } from '@rollcall/client/contract';
import { HEADINGS, ranked, remainder, summaryOf, time } from './wording.ts';

/** A report as one page that needs nothing else: light and dark, for screens and for paper. */
export function asHtml(report: AuditReport): string {
  const { open, fleet } = report;
  const period = `${time(report.from)} to ${time(report.to)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rollcall audit, ${escape(period)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Rollcall audit</h1>
<p>${escape(period)}</p>
<p class="summary">${escape(summaryOf(report))}</p>
<nav>${AUDIT_SECTIONS.map((name) => `<a href="#${name}"><b>${report.sections[name].total}</b> ${HEADINGS[name].title}</a>`).join('')}<a href="#open"><b>${open.total}</b> Open gaps</a></nav>
</header>
<main>
${AUDIT_SECTIONS.map((name) => section(report, name)).join('\n')}
<section id="open">
<h2>Registration gaps that are open</h2>
${open.total === 0 ? '<p>None: everything answers the roll.</p>' : `<div class="counts">${counts('Kind', open.by_kind)}${counts('Severity', open.by_severity)}</div>`}
</section>
<section id="fleet">
<h2>Fleet</h2>
${fleet.entities === 0 ? '<p>Nothing is registered.</p>' : `<div class="counts">${counts('Type', fleet.by_type)}${counts('State', fleet.by_state)}</div>`}
</section>
</main>
</body>
</html>
`;
}

function section(report: AuditReport, name: (typeof AUDIT_SECTIONS)[number]): string {
  const { title, about, none } = HEADINGS[name];
  const told = report.sections[name];
  const list = told.items.length > 0 ? `\n<ul>\n${told.items.map(entry).join('\n')}\n</ul>` : '';
  const rest = remainder(told);
  return `<section id="${name}">
<h2>${title} <span class="number">${told.total}</span></h2>
<p>${told.total === 0 ? none : about}</p>${list}${rest ? `\n<p>${rest}</p>` : ''}
</section>`;
}

function entry(item: AuditItem): string {
  const { at, link, entity_name, entity_type, entity_id, what, kind, severity, by, closed } = item;
  const marks = [
    severity ? `<span class="mark ${severity}">${severity}</span>` : '',
    kind ? `<span class="mark">${escape(kind.replaceAll('_', ' '))}</span>` : '',
    closed ? '<span class="mark closed">closed</span>' : '',
  ].join('');
  return `<li><time datetime="${escape(at)}">${escape(time(at))}</time>
<div><a href="${escape(link)}">${escape(entity_name)}</a> <code>${escape(`${entity_type}/${entity_id}`)}</code> ${marks}
<p>${escape(what)}${by ? ` <span class="by">${escape(by)}</span>` : ''}</p></div></li>`;
}

function counts(title: string, by: Partial<Record<string, number>>): string {
  const rows = ranked(by).map(
    ([name, number]) =>
      `<tr><th scope="row">${escape(name.replaceAll('_', ' '))}</th><td>${number}</td></tr>`,
  );
  return `<table><caption>${title}</caption><tbody>${rows.join('')}</tbody></table>`;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names come from outside. Signs that turn the direction of writing or cannot be seen are left out. */
const escape = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');

const STYLE = `
:root{--back:#fff;--ink:#1c2030;--soft:#5c6380;--line:#dfe2ee;--card:#f6f7fb;--link:#3547c9;--red:#b3261e;--amber:#8a5300;--green:#1a7340}
@media (prefers-color-scheme:dark){:root{--back:#14161f;--ink:#e7e9f4;--soft:#9aa1c0;--line:#2c3044;--card:#1c1f2c;--link:#9aa7ff;--red:#ff8a7a;--amber:#f0b35a;--green:#6fd197}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem 4rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.75rem}h2{margin:2.5rem 0 .25rem;font-size:1.2rem}
p{margin:.25rem 0;color:var(--soft)}.summary{color:var(--ink);font-weight:600}
a{color:var(--link)}code{color:var(--soft);font-size:.85em}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1rem}
nav a{padding:.5rem .75rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card);color:var(--ink);text-decoration:none}
nav b{display:block;font-size:1.25rem}
.number{color:var(--soft);font-weight:400}
ul{margin:.75rem 0;padding:0;list-style:none;border-top:1px solid var(--line)}
li{display:flex;gap:1rem;padding:.6rem 0;border-bottom:1px solid var(--line);break-inside:avoid}
time{flex:0 0 10.5rem;color:var(--soft);font-variant-numeric:tabular-nums}
.mark{display:inline-block;margin-left:.25rem;padding:0 .45rem;border:1px solid var(--line);border-radius:1rem;color:var(--soft);font-size:.8rem}
.critical{color:var(--red);border-color:currentcolor}.warning{color:var(--amber);border-color:currentcolor}.closed{color:var(--green);border-color:currentcolor}
.by::before{content:"· "}
.counts{display:flex;flex-wrap:wrap;gap:2rem}table{border-collapse:collapse;min-width:14rem}
caption{text-align:left;color:var(--soft)}th{font-weight:400;text-align:left}td{text-align:right;font-variant-numeric:tabular-nums}th,td{padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line)}
@media (max-width:40rem){li{display:block}}
@media print{body{max-width:none;padding:0}nav{display:none}}
`;
