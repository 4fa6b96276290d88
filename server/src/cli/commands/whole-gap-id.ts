import type { Gap } from '@rollcall/client/contract';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId } from '../http/resolve-id.ts';
import { clean } from '../terminal/text.ts';

const PATH = '/api/v1/gaps';

/** Of the gaps that are not closed yet. */
export const wholeGapId = (api: Api, given: string): Promise<string> =>
  resolveId<Gap>(given, {
    noun: 'open or muted gap',
    listing: 'rollcall gaps list',
    read: async () => {
      const read = async (state: string) =>
        (await readPages<Gap>(api, PATH, { state }, { noun: 'gaps' })).items;
      return [...(await read('open')), ...(await read('muted'))];
    },
    describe: ({ kind, summary }) => `${kind}  ${clean(summary)}`,
  });
