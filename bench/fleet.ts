import { seededRandom, type Pair } from './events.ts';

export interface FleetEntity {
  entity_id: string;
  entity_type: string;
  [field: string]: unknown;
}

export interface Fleet {
  entities: FleetEntity[];
  /** Who calls whom: a few pairs most of the time, most pairs seldom (Zipf). */
  pairOf: (random: () => number) => Pair;
}

const PAIRS = 15_000;
const TYPES = [
  { type: 'team', share: 0.01 },
  { type: 'service', share: 0.04 },
  { type: 'mcp_server', share: 0.15 },
  { type: 'agent', share: 0.2 },
  { type: 'workflow', share: 0.6 },
];
const PROTOCOLS: Record<string, Pair['protocol']> = {
  mcp_server: 'mcp',
  workflow: 'n8n',
  service: 'http',
};

/**
 * A fleet of `size` entities in teams, with dependencies and tags, in which something is missing: one agent in
 * 50 has no team, one workflow in 50 has gone silent, one dependency in 100 leads nowhere, one service in 10 is stuck
 * on its way (once it has been so for a while), and one caller in 50 is not registered.
 */
export function makeFleet(size: number): Fleet {
  const random = seededRandom(size);
  const chance = (share: number) => random() < share;
  const pick = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const ids = (type: string) =>
    Array.from(
      { length: size * (TYPES.find((one) => one.type === type)?.share ?? 0) },
      (_, n) => `${type}-${n}`,
    );
  const silent = new Set<string>();
  const entities = TYPES.flatMap(({ type }) =>
    ids(type).map((id): FleetEntity => {
      const isSilent = type === 'workflow' && chance(0.02);
      if (isSilent) silent.add(id);
      return {
        entity_id: id,
        entity_type: type,
        entity_name: `${pick(['Nightly', 'Hourly', 'Live'])} ${type} ${id}`,
        description: 'Made for a benchmark',
        current_state: type === 'service' && chance(0.1) ? 'deploying' : 'active',
        health_status: chance(0.95) ? 'healthy' : 'degraded',
        capabilities: ['trigger:schedule', `app:${pick(['slack', 'gmail', 'postgres', 'notion'])}`],
        tags: [pick(['production', 'staging']), pick(['sales', 'support', 'finance'])],
        metadata: { owner: pick(['ada', 'grace', 'edsger']) },
        ...(type === 'agent' &&
          !chance(0.02) && { parent: { entity_type: 'team', entity_id: pick(ids('team')) } }),
        ...(type === 'workflow' && {
          dependencies: [
            {
              entity_type: 'mcp_server',
              entity_id: chance(0.01) ? `gone-${id}` : pick(ids('mcp_server')),
            },
          ],
        }),
        ...(isSilent && { silent_after_seconds: 1 }),
      };
    }),
  );
  return { entities, pairOf: zipfPairs(entities, silent, random) };
}

function zipfPairs(
  entities: FleetEntity[],
  silent: Set<string>,
  random: () => number,
): Fleet['pairOf'] {
  const of = (...types: string[]) =>
    entities.filter(
      ({ entity_type, entity_id }) => types.includes(entity_type) && !silent.has(entity_id),
    );
  const sources = of('workflow', 'agent');
  const targets = of('mcp_server', 'service', 'workflow');
  const pairs = Array.from({ length: PAIRS }, (_, n): Pair => {
    const source = sources[Math.floor(random() * sources.length)] as FleetEntity;
    const target = targets[Math.floor(random() * targets.length)] as FleetEntity;
    return {
      source: n % 50 === 0 ? `stranger-${n}` : source.entity_id,
      target: target.entity_id,
      protocol: PROTOCOLS[target.entity_type] ?? 'http',
    };
  });
  const upTo: number[] = [];
  pairs.reduce((sum, _, n) => (upTo[n] = sum + 1 / (n + 10)), 0);
  const total = upTo.at(-1) ?? 0;
  return (draw) => {
    const wanted = draw() * total;
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return pairs[low] as Pair;
  };
}
