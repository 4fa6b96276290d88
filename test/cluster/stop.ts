import { endCluster } from './running.ts';

export default async function stopCluster(): Promise<void> {
  await endCluster();
}
