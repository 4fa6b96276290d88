import type { Express } from 'express';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { analyticsRoutes } from './features/analytics/analytics.routes.ts';
import { analyticsStore } from './features/analytics/analytics.store.ts';
import { auditReports } from './features/audit-report/audit-report.ts';
import { authRoutes } from './features/auth/auth.routes.ts';
import { authStore } from './features/auth/auth.store.ts';
import { ensureAdminKey } from './features/auth/admin-key.ts';
import { unknownProjects } from './features/auth/known-projects.ts';
import { projectsRoutes } from './features/auth/projects.routes.ts';
import { keyVerifier } from './features/auth/verify-key.ts';
import { refreshCadence } from './features/cadence/cadence.ts';
import { cadenceRoutes } from './features/cadence/cadence.routes.ts';
import { cadenceStore } from './features/cadence/cadence.store.ts';
import { executionReadRoutes } from './features/executions/execution-reads.routes.ts';
import { executionReadsStore } from './features/executions/execution-reads.store.ts';
import { callClaims } from './features/executions/call-claims.ts';
import { emittedRuns } from './features/executions/emitted.ts';
import { n8nConnections } from './features/connections/n8n-connections.ts';
import { executionIntake } from './features/executions/executions.ts';
import { executionsRoutes } from './features/executions/executions.routes.ts';
import { executionsStore } from './features/executions/executions.store.ts';
import { rankOf } from './features/executions/said.ts';
import { keepExecutions } from './features/executions/upkeep.ts';
import { factoryIntake } from './features/factories/factories.ts';
import { factoriesRoutes } from './features/factories/factories.routes.ts';
import { factoriesStore } from './features/factories/factories.store.ts';
import { fixesRoutes } from './features/gaps/fixes.routes.ts';
import { fixesStore } from './features/gaps/fixes.store.ts';
import { gapFixing } from './features/gaps/fixes.ts';
import { gapsRoutes } from './features/gaps/gaps.routes.ts';
import { gapsStore } from './features/gaps/gaps.store.ts';
import { checkAllTenants, upToDate } from './features/gaps/sweep.ts';
import { instrumentRoutes } from './features/instrument/instrument.routes.ts';
import { liveRoutes } from './features/live/live.routes.ts';
import { liveStore, trimAllTenants } from './features/live/live.store.ts';
import { telemetrySummary } from './features/live/telemetry-summary.ts';
import { lifecycleIntake } from './features/n8n/lifecycle.ts';
import { n8nRoutes } from './features/n8n/n8n.routes.ts';
import { n8nStore } from './features/n8n/n8n.store.ts';
import { openPageReader } from './features/n8n/page-reader.ts';
import { readWorkflow } from './features/n8n/read-workflow.ts';
import {
  recordWorkflow,
  recordWorkflows,
  vanishedWorkflow,
} from './features/n8n/stored-workflows.ts';
import { tracedWorkflows } from './features/n8n/traced-workflows.ts';
import { forgetEvents } from './features/n8n/upkeep.ts';
import { traceIntake } from './features/otlp/otlp.ts';
import { otlpRoutes } from './features/otlp/otlp.routes.ts';
import { otlpStore } from './features/otlp/otlp.store.ts';
import { createPrivacy } from './features/otlp/privacy.ts';
import { registration } from './features/registry/registration.ts';
import { registryRoutes } from './features/registry/registry.routes.ts';
import { registryStore } from './features/registry/registry.store.ts';
import { foldAllTenants } from './features/telemetry/fold.ts';
import { telemetryIngest } from './features/telemetry/telemetry.ts';
import { telemetryRoutes } from './features/telemetry/telemetry.routes.ts';
import { telemetryStore } from './features/telemetry/telemetry.store.ts';
import { webhookDelivery } from './features/webhooks/webhooks.ts';
import type { Clock } from './platform/clock.ts';
import type { Database } from './platform/database/port.ts';
import { healthRoutes } from './platform/http/health.ts';
import type { Route } from './platform/http/route.ts';
import { openStreams } from './platform/http/streams.ts';
import { localJobs } from './platform/jobs/local.ts';
import { pgBossJobs } from './platform/jobs/pg-boss.ts';
import { liveFeed } from './platform/live/feed.ts';
import { liveReader } from './platform/live/reader.ts';
import { liveWakes } from './platform/live/wakes.ts';
import type { Log } from './platform/log.ts';
import { secretBesideData, secretBox } from './platform/secret-box.ts';
import { every, type Task } from './platform/tasks.ts';
import { createRedactor } from './platform/redact.ts';

/** Two doors to one database: what dashboards ask never stands in the way of an acknowledgement. */
export interface Databases {
  ingest: Database;
  query: Database;
  /** Where PostgreSQL itself can be reached: jobs stand in line there. Left out where it can only be called. */
  url?: string;
}

export interface Rollcall {
  app: Express;
  routes: Route[];
  /** Makes or takes over the bootstrap key; answers it if it was made now. */
  adminKey(): Promise<string | undefined>;
  /** Starts what runs from time to time. */
  startTasks(): void;
  /** Refuses new work, stores what waits, ends the tasks. */
  stop(): Promise<void>;
}

const HOUR_SECONDS = 3_600;
const FOLD_SECONDS = 60;
const TRIM_SECONDS = 300;
/** Streams of events that are open at a time, by one key and in all. */
const STREAMS = { perKey: 20, total: 2_000 };

/** The one place where rooms meet. */
export function compose(
  config: Config,
  databases: Databases,
  log: Log,
  clock: Clock,
  version: string,
): Rollcall {
  const redactor = createRedactor(config.redactKeys, config.redactValues);
  // Keys are looked up on the way to an ingest, so they share its door.
  const auth = authStore(databases.ingest);
  const keys = keyVerifier(auth, clock, (error) =>
    log.warn({ err: error }, 'last_used_at was not written'),
  );
  const telemetry = telemetryStore(databases.ingest, databases.query);
  const live = liveStore(databases.query);
  const wakes = liveWakes(databases.query, log);
  const feed = liveFeed(liveReader(databases.query), wakes, log);
  const streams = openStreams({ heartbeatMs: config.liveHeartbeatSeconds * 1000, ...STREAMS });
  const summary = telemetrySummary({
    announce: live.announceTelemetry,
    onError: (error) => log.warn({ err: error }, 'Telemetry was stored, but not announced'),
  });
  const intake = telemetryIngest({
    store: {
      ...telemetry,
      async ingest(tenant, events) {
        const committed = await telemetry.ingest(tenant, events);
        summary.add(tenant, events, committed.duplicates);
        return committed;
      },
    },
    redactor,
    clock,
    days: config.telemetryDays,
    unknownProjects: unknownProjects(auth),
  });
  const executions = executionsStore(databases.ingest);
  const executionReads = executionReadsStore(databases.query);
  const runs = executionIntake({
    store: executions,
    redactor,
    clock,
    days: config.executionDays,
  });
  const emitted = emittedRuns(runs.report, log);
  const claim = callClaims(databases.ingest, clock);
  const traces = traceIntake({
    store: otlpStore(databases.ingest, rankOf('otlp')),
    privacy: createPrivacy(redactor, config.keepPayloads),
    clock,
    days: config.executionDays,
    report: runs.report,
    telemetry: intake.ingest,
    claim,
    seen: tracedWorkflows(databases.ingest, clock),
  });
  const lifecycle = lifecycleIntake({
    store: n8nStore(databases.ingest),
    report: runs.report,
    telemetry: intake.ingest,
    claim,
    redactor,
    clock,
    keepPayloads: config.keepPayloads,
  });
  const n8n = n8nStore(databases.query);
  const registry = registryStore(databases.query);
  const cadence = cadenceStore(databases.query);
  const gaps = upToDate(gapsStore(databases.query), (tenant, now) =>
    refreshCadence(cadence, tenant, now, (error) =>
      log.warn({ err: error }, 'Rhythms were not learned from history'),
    ),
  );
  const fixes = fixesStore(databases.query);
  const fixing = gapFixing(fixes, gaps, clock, {
    find: (tenant, instance) => connected.clientFor(tenant, instance),
    tell: recordWorkflow(n8nStore(databases.ingest)),
  });
  const makings = factoryIntake({
    store: factoriesStore(databases.ingest),
    readyEvent: intake.ready,
    registration: (entity) => registration(entity, readWorkflow, redactor.metadata),
  });
  const secrets = secretBox(() => config.secret ?? secretBesideData(config.dataDir));
  const connected = n8nConnections({
    database: databases.query,
    secrets,
    openJobs: (options) =>
      databases.url === undefined
        ? localJobs(options)
        : pgBossJobs({ ...options, url: databases.url }),
    listTenants: auth.listTenants,
    clock,
    log,
    openPageReader,
    vanished: vanishedWorkflow,
    record: recordWorkflows(n8nStore(databases.ingest)),
    report: runs.report,
  });
  const shared = { database: databases.query, listTenants: auth.listTenants, clock, log };
  const webhooks = webhookDelivery({ ...shared, allow: config.webhookAllow, secrets, version });
  const audits = auditReports(shared);
  let stopping = false;

  const routes = [
    ...healthRoutes({
      ping: () => databases.ingest.call('schema_version', {}),
      isStopping: () => stopping,
    }),
    ...authRoutes(authStore(databases.query), clock, keys.forget),
    ...projectsRoutes(authStore(databases.query)),
    ...telemetryRoutes({
      store: telemetry,
      // What other slices make telemetry of, they report as executions themselves.
      ingest: (principal, items, receipt) =>
        intake.ingest(principal, items, receipt, (events) => emitted.note(principal, events)),
    }),
    ...registryRoutes({ store: registry, clock, readWorkflow, redact: redactor.metadata }),
    ...executionsRoutes(runs.ingest),
    ...executionReadRoutes(executionReads, clock),
    ...otlpRoutes(traces),
    ...n8nRoutes({ store: n8n, take: lifecycle.take }),
    ...connected.routes,
    ...factoriesRoutes(makings),
    ...gapsRoutes(gaps, clock),
    ...cadenceRoutes(cadence),
    ...fixesRoutes(fixes, fixing),
    ...instrumentRoutes(),
    ...webhooks.routes,
    ...audits.routes,
    ...analyticsRoutes(analyticsStore(databases.query), clock),
    ...liveRoutes({ feed, readExecution: executionReads.get }),
  ];
  const app = createApp({
    routes,
    log,
    version,
    verifyKey: keys.verify,
    rateLimit: config.rateLimit,
    bodyLimit: config.bodyLimit,
    batchBodyLimit: config.batchBodyLimit,
    streams,
  });

  const tasks: Task[] = [];
  return {
    app,
    routes,
    adminKey: () => ensureAdminKey(auth, config.adminKey),
    startTasks() {
      tasks.push(
        every(config.gapCheckSeconds, 'gap check', log, () =>
          checkAllTenants(auth.listTenants, gaps, clock),
        ),
        every(FOLD_SECONDS, 'rollups', log, () =>
          foldAllTenants(auth.listTenants, telemetry, clock),
        ),
        every(HOUR_SECONDS, 'retention', log, () =>
          telemetry.enforceRetention(clock(), config.telemetryDays, config.rollupDays),
        ),
        every(1, 'executions that telemetry tells of', log, () => emitted.flush()),
        ...keepExecutions({
          store: executionsStore(databases.query),
          clock,
          log,
          config,
          listTenants: auth.listTenants,
        }),
        ...connected.startTasks(),
        ...webhooks.startTasks(),
        ...audits.startTasks(),
        every(HOUR_SECONDS, 'n8n events', log, () => forgetEvents(auth.listTenants, n8n, clock())),
        every(TRIM_SECONDS, 'live retention', log, () =>
          trimAllTenants(auth.listTenants, live, clock()),
        ),
      );
    },
    async stop() {
      stopping = true;
      streams.close();
      await Promise.all(tasks.map((task) => task.stop()));
      await connected.stop();
      await webhooks.stop();
      // Spans and n8n's events bring runs and calls with them.
      await traces.drain();
      await lifecycle.drain();
      await intake.drain();
      await emitted.drain();
      await runs.drain();
      await summary.stop();
      await feed.stop();
    },
  };
}
