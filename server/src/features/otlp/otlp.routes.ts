import {
  rawRoute,
  type RawAnswer,
  type RawRequest,
  type Route,
} from '../../platform/http/route.ts';
import { failed } from './answer.ts';

interface Needs {
  take: (request: RawRequest) => Promise<RawAnswer>;
}

const TYPES = ['application/x-protobuf', 'application/json'];

/** OTLP/HTTP for traces, as the specification has it (OTLP 1.x, "OTLP/HTTP"). */
export function otlpRoutes({ take }: Needs): Route[] {
  return [
    rawRoute({
      method: 'post',
      path: '/v1/traces',
      access: 'telemetry:write',
      summary: 'Send traces (OTLP/HTTP)',
      description:
        'An `ExportTraceServiceRequest` in protobuf or JSON, plain or gzip; at most 10,000 spans. 200 means that its spans are stored, but for those that `partialSuccess` counts and explains. 429 and 503 come with Retry-After; every other failure is final. Failures are a `google.rpc.Status` in the encoding of the request.',
      types: TYPES,
      handle: take,
      refuse: failed,
    }),
    rawRoute({
      method: 'head',
      path: '/v1/traces',
      access: 'public',
      summary: 'Is anybody here to take traces?',
      description: 'Senders such as n8n ask this when they start.',
      types: TYPES,
      handle: () => ({ status: 200, contentType: 'application/json', bytes: new Uint8Array() }),
      refuse: failed,
    }),
  ];
}
