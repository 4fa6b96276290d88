import type { Names, RouteExample } from './route-examples.ts';

const PATH = '/api/v1/n8n/connections';

/** Connections to n8n, by route: good requests. Nothing is asked of the addresses in them. */
export function connectionExamples(
  names: Names,
  page: (path: string, filter: Record<string, string>) => RouteExample[],
): Record<string, RouteExample[]> {
  const { word } = names;
  const params = { id: names.connection_id };
  const quiet = { check: false, paused: true };
  return {
    [`POST ${PATH}`]: [
      {
        body: {
          base_url: `http://127.0.0.1:9/${word}`,
          api_key: 'a key that nobody takes'.replaceAll(' ', '-'),
          name: `${word} n8n`,
          labels: [word],
          interval_seconds: 60,
          sampled: true,
          production_only: true,
          saves_no_success: true,
          prunes_after: 336,
          instance_id: `${word}-asked`,
          ...quiet,
        },
      },
      { body: { base_url: `http://127.0.0.1:9/${word}/other`, api_key: word, ...quiet } },
    ],
    [`GET ${PATH}`]: page(PATH, {}),
    [`GET ${PATH}/:id`]: [{ params }],
    [`PATCH ${PATH}/:id`]: [
      {
        params,
        body: {
          base_url: `http://127.0.0.1:9/${word}/moved`,
          api_key: word,
          name: `${word} renamed`,
          labels: [],
          interval_seconds: 600,
          sampled: false,
          production_only: false,
          saves_no_success: false,
          prunes_after: null,
          instance_id: `${word}-moved`,
          ...quiet,
        },
      },
      { params, body: {} },
    ],
    [`DELETE ${PATH}/:id`]: [{ params }],
    [`POST ${PATH}/:id/sync`]: [{ params }],
  };
}
