// Run by npm after an installation. A first start does without what this makes, and takes longer.
import module from 'node:module';

module.enableCompileCache?.();
try {
  const { prepare } = await import('../src/prepare.ts');
  await prepare();
} catch (error) {
  console.warn(`The first start of Rollcall will make its database from scratch: ${error.message}`);
}
