import type { ExecutionReport, TelemetryEvent } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { groupCommit } from '../../platform/group-commit.ts';
import type { Principal, RawAnswer, RawRequest } from '../../platform/http/route.ts';
import { Problem } from '../../platform/problem.ts';
import { createTurns } from '../../platform/turns.ts';
import { exported } from './answer.ts';
import { decodeTraces, encodingOf, type Span } from './decode.ts';
import { meaningOf, type PlacedSpan } from './meaning.ts';
import { modelEvent } from './model-event.ts';
import type { SeenWorkflow, WorkflowRun } from './n8n-spans.ts';
import type { OtlpStore, StoredSpans } from './otlp.store.ts';
import type { Privacy } from './privacy.ts';

/** On whose behalf something is told. */
export type Teller = Pick<Principal, 'tenant' | 'project' | 'actor'>;

export interface TraceIntakeOptions {
  store: OtlpStore;
  privacy: Privacy;
  clock: Clock;
  /** Days that spans are kept. */
  days: number;
  /** Tells of runs; resolves after they are stored. */
  report: (teller: Teller, reports: ExecutionReport[]) => Promise<ReportResult[]>;
  /** Tells of calls; resolves after they are stored. */
  telemetry: (principal: Principal, events: TelemetryEvent[], receipt: string) => Promise<unknown>;
  /** Leaves out calls that are told by another channel already. */
  claim: (
    tenant: string,
    channel: 'node spans' | 'call spans',
    events: TelemetryEvent[],
  ) => Promise<TelemetryEvent[]>;
  /** Tells the registry which workflows run where, in which version. */
  seen: (teller: Teller, workflows: SeenWorkflow[]) => Promise<unknown>;
}

/** What became of a report, as far as that concerns its sender. */
interface ReportResult {
  index: number;
  status: string;
  path?: string;
  message?: string;
}

interface Item extends PlacedSpan {
  teller: Principal & Pick<RawRequest, 'requestId'>;
}

const NOTHING = { refused: [], warnings: [] };

/** Takes OTLP/HTTP traces in: what is acknowledged is stored, and what was refused is told span by span. */
export function traceIntake(options: TraceIntakeOptions) {
  const { store, privacy, clock, days, report, telemetry, claim, seen } = options;
  const mapInTurns = createTurns();
  const commits = groupCommit<Item>({
    commit: async (tenant, items) => {
      const stored = await store.ingest(tenant, items);
      await followUp(stored, items[0] as Item);
      return { duplicates: [] };
    },
    idOf: ({ span }) => `${span.trace_id}${span.span_id}`,
    batchSize: 2_000,
    queueSize: 50_000,
    // A tenant's spans are stored one call at a time.
    concurrency: 1,
  });

  /**
   * @throws Problem 400 for a body that is not OTLP, 413 for too many spans, 415 for another content type, 503 when
   * overloaded or the database is away; all but the last are final
   */
  async function take(request: RawRequest): Promise<RawAnswer> {
    const encoding = encodingOf(request.contentType);
    // n8n asks like this, when it starts, whether anybody is there.
    if (request.bytes.length === 0) return exported(encoding ?? 'json', NOTHING);
    if (!encoding) throw unsupported(request.contentType);
    const { spans, refused } = await decodeTraces(
      request.bytes,
      { encoding, privacy, now: clock(), days },
      mapInTurns,
    );
    if (spans.length === 0) return exported(encoding, { refused, warnings: [] });
    const { lost, warnings } = await keep(request, spans);
    return exported(encoding, { refused: [...refused, ...lost], warnings });
  }

  async function keep(request: RawRequest, spans: Span[]) {
    const { placed, runs, events } = meaningOf(spans);
    // Runs come first: their spans are bound to them.
    const [warnings] = await Promise.all([
      tellRuns(request, runs),
      tellCalls(request, 'call spans', events, request.requestId),
    ]);
    // Without its bytes, which need not wait with its spans.
    const { keyId, tenant, project, actor, scopes, requestId } = request;
    const teller = { keyId, tenant, project, actor, scopes, requestId };
    const outcome = await commits.submit(
      tenant,
      placed.map((span) => ({ ...span, teller })),
    );
    const lost = [...outcome.refused.values()].map(({ message }) => ({ reason: message }));
    return { lost, warnings };
  }

  /** Answers what is to be said of runs that were not taken; their spans are kept all the same. */
  async function tellRuns(teller: Teller, runs: WorkflowRun[]): Promise<string[]> {
    if (runs.length === 0) return [];
    const results = await report(
      teller,
      runs.map((run) => run.report),
    );
    await seen(
      teller,
      runs.map(({ workflow }) => workflow),
    );
    return results
      .filter(({ status }) => status === 'rejected')
      .map(({ index, path, message }) => {
        const id = runs[index]?.report.execution_id ?? '';
        return `execution ${id} is kept as spans only: ${path} ${message}`;
      });
  }

  /** Calls that telemetry refuses, such as those beyond its own retention, are kept as spans all the same. */
  async function tellCalls(
    principal: Principal,
    channel: 'node spans' | 'call spans',
    events: TelemetryEvent[],
    receipt: string,
  ): Promise<void> {
    const own = await claim(principal.tenant, channel, events);
    if (own.length === 0) return;
    try {
      await telemetry(principal, own, receipt);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
    }
  }

  /** What came out only when the spans met those of other requests. */
  async function followUp({ parents, models }: StoredSpans, { teller }: Item): Promise<void> {
    if (parents.length > 0) {
      await report(
        teller,
        parents.map(({ instance_id, ...found }) => ({
          ...found,
          ...(instance_id === null ? {} : { instance_id }),
          status: 'unknown',
          source: 'otlp',
        })),
      );
    }
    // Under the receipt of the request that brought the first of them.
    await tellCalls(teller, 'node spans', models.map(modelEvent), teller.requestId);
  }

  return { take, drain: commits.drain };
}

const unsupported = (contentType: string | undefined): Problem =>
  new Problem(415, 'unsupported_media_type', {
    detail: `${contentType ?? 'A body without a content type'} is not understood here. Send OTLP as application/x-protobuf or application/json.`,
  });
