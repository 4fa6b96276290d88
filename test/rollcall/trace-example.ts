import type { Names } from './route-examples.ts';

/** A run of an n8n workflow with one node that asked a model, in OTLP's JSON. */
export function traceExample({ word, entity_id, event_id }: Names): object {
  const started = Math.floor(Date.now() / 60_000) * 60_000;
  const traceId = event_id.replaceAll('-', '');
  const id = (number: number) => `${number}${traceId.slice(0, 15)}`;
  const attributes = (values: Record<string, string>) =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const span = (number: number, name: string, values: Record<string, string>) => ({
    traceId,
    spanId: id(number),
    ...(number > 1 ? { parentSpanId: id(number - 1) } : {}),
    name,
    kind: 1,
    startTimeUnixNano: `${started}000000`,
    endTimeUnixNano: `${started + 5}000000`,
    attributes: attributes(values),
    status: { code: 1 },
  });
  const workflow = {
    'n8n.workflow.id': entity_id,
    'n8n.workflow.name': `${word} workflow`,
    'n8n.execution.id': `${word}-traced`,
    'n8n.execution.status': 'success',
  };
  return {
    resourceSpans: [
      {
        resource: {
          attributes: attributes({ 'service.name': word, 'n8n.instance.id': `${word}-instance` }),
        },
        scopeSpans: [
          {
            spans: [
              span(1, 'workflow.execute', workflow),
              span(2, 'node.execute', { 'n8n.node.name': word }),
              span(3, 'chat', { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': word }),
            ],
          },
        ],
      },
    ],
  };
}
