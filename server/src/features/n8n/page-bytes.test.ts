import fc from 'fast-check';
import { itemsOf } from './page-bytes.ts';

const found = (page: string) =>
  itemsOf(Buffer.from(page)).map(({ bytes, fields }) => ({
    whole: JSON.parse(bytes.toString()) as unknown,
    fields: Object.fromEntries([...fields].map(([name, json]) => [name, json.toString()])),
  }));

const value = fc.jsonValue({ noUnicodeString: false });
const item = fc.oneof(value, fc.dictionary(fc.string({ unit: 'binary' }), value));

test('items and their fields stand as JSON.stringify writes them, whatever is around and in them', () => {
  fc.assert(
    fc.property(fc.array(item), value, fc.constantFrom('', ' ', '\n\t'), (data, other, space) => {
      const [before, after, items] = [other, [other], data].map((each) => JSON.stringify(each));
      const page = ['{"first":', before, ',"data"', ':', items, ',"last":', after, '}'].join(space);
      const expected = (JSON.parse(items as string) as unknown[]).map((whole) => {
        const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole);
        const fields = Object.entries(isObject ? whole : {});
        return {
          whole,
          fields: Object.fromEntries(fields.map(([name, each]) => [name, JSON.stringify(each)])),
        };
      });
      expect(found(page)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['the last of a name', '{"data":[{"a":1,"a":[2]}]}', [{ a: '[2]' }]],
  ['the last list', '{"data":[{}],"data":[{"a":3},4]}', [{ a: '3' }, {}]],
  ['marks in texts', '{"data":[{"a":"]}\\\\\\"{[","b":1}]}', [{ a: '"]}\\\\\\"{["', b: '1' }]],
  ['outer fields alone', '{"data":[{"a":{"b":1},"c":null}]}', [{ a: '{"b":1}', c: 'null' }]],
  ['around space', ' {\n"data" : [ { "a" : 5 , "b" : true } ] } ', [{ a: '5', b: 'true' }]],
  ['names with escapes', '{"d\\u0061ta":[{"\\u0061":1}]}', [{ a: '1' }]],
  ['after a byte order mark', '\ufeff{"data":[{"a":1}]}', [{ a: '1' }]],
  ['an empty list', '{"data":[]}', []],
])('finds %s', (_, page, expected) => {
  expect(found(page).map(({ fields }) => fields)).toEqual(expected);
});

test.each([
  '',
  ' ',
  'null',
  '[{"data":[]}]',
  '{}',
  '{"data":{"a":1}}',
  '{"data":[{}],"data":7}',
  '{"data":[]} x',
  '{"data":[]',
  '{"data":[',
  '{"data":[{"a":1',
  '{"data":[{"a":"1',
  '{"data":[{"a":"1\\',
  '{"data":[{"a":[[',
  '{"data":[{"a":1 "b":2}]}',
  '{"data":[{"a" 1}]}',
  '{"data":[{"a":}]}',
  '{"data":[{a:1}]}',
  '{"data":[1 2]}',
  '{"data":[1,]}',
  '{"data":[],}',
  '{"data"',
])('is no page: %s', (page) => {
  expect(() => itemsOf(Buffer.from(page))).toThrow(SyntaxError);
});

test('a page that is cut off anywhere is none', () => {
  const page = Buffer.from(JSON.stringify({ data: [{ a: 'ü"\\', b: [1, {}] }, 7], next: null }));
  for (let length = 0; length < page.length; length++)
    expect(() => itemsOf(page.subarray(0, length))).toThrow(SyntaxError);
});
