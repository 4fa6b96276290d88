import type {
  EntityDetail,
  EntityState,
  HealthStatus,
  Page,
  StateChange,
} from '@rollcall/client/contract';
import { referenceText } from '../options.ts';
import { clean, paint, type Colour } from '../terminal/text.ts';
import { ago, localTime } from '../terminal/time.ts';

export function stateColour(state: EntityState): Colour | undefined {
  if (state === 'active') return 'green';
  if (state === 'error') return 'red';
  return state === 'created' || state === 'deploying' ? 'yellow' : 'dim';
}

export function healthColour(health: HealthStatus): Colour | undefined {
  if (health === 'healthy') return 'green';
  if (health === 'unhealthy') return 'red';
  return health === 'degraded' ? 'yellow' : 'dim';
}

/** One entity for people: its fields, what surrounds it, its latest states. */
export function describeEntity(entity: EntityDetail, states: Page<StateChange>): string {
  const state = paint(stateColour(entity.current_state), entity.current_state);
  const health = paint(healthColour(entity.health_status), entity.health_status);
  const title = `${paint('bold', clean(entity.entity_name))}  ${clean(referenceText(entity))}`;
  const facts: [string, string | null | undefined][] = [
    ['description', entity.description],
    ['project', entity.project_id],
    ['version', entity.version],
    ['endpoint', entity.endpoint_url],
    ['tags', entity.tags.join(', ')],
    ['capabilities', entity.capabilities.join(', ')],
    ['registered', `${localTime(entity.created_at)} by ${entity.registered_by}`],
    ['last seen', ago(entity.last_activity)],
    ['below', entity.ancestors.map(referenceText).join(' < ')],
    ['children', entity.children.map(referenceText).join(', ')],
    ['depends on', entity.depends_on.map(referenceText).join(', ')],
    ['needed by', entity.depended_on_by.map(referenceText).join(', ')],
  ];
  return [
    title,
    `  ${state}, ${health}`,
    ...facts.filter(([, text]) => text).map(([name, text]) => fact(name, text ?? '')),
    '',
    'Latest states',
    ...states.items.map(describeChange),
    ...(states.next_cursor ? ['  ...'] : []),
  ].join('\n');
}

const fact = (name: string, text: string): string =>
  `  ${paint('dim', name.padEnd(12))}  ${clean(text)}`;

function describeChange(change: StateChange): string {
  const { from_state, to_state, from_health, to_health, reason, changed_by } = change;
  const moves = [
    ...(from_state === to_state ? [] : [from_state ? `${from_state} → ${to_state}` : to_state]),
    ...(from_health === to_health || !from_health ? [] : [`${from_health} → ${to_health}`]),
  ];
  const why = reason ? `: ${reason}` : '';
  return `  ${localTime(change.changed_at)}  ${moves.join(', ')}  ${clean(`by ${changed_by}${why}`)}`;
}
