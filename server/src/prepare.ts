import module from 'node:module';
import { makeTemplate, templateFolder } from './platform/database/template.ts';
import { createLog } from './platform/log.ts';

/** After an installation: makes what first starts copy, and has Node keep the compiled code of what they read. */
export async function prepare(): Promise<void> {
  await Promise.all([
    import('./cli/main.ts'),
    import('./config.ts'),
    import('./serve.ts'),
    import('./compose.ts'),
  ]);
  module.flushCompileCache();
  await makeTemplate(await templateFolder(), createLog('warn'));
}
