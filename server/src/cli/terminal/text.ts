import { styleText } from 'node:util';

export type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold';

/** Coloured on a terminal; plain in a pipe, or with NO_COLOR. */
export function paint(
  colour: Colour | undefined,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return colour && text ? styleText(colour, text, { stream }) : text;
}

/** One line: names and messages come from outside, and must neither break a table nor steer a terminal. */
export const clean = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '·');

export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;

const NARROW = /^[\x20-\x7e]*$/;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;

let segmenter: Intl.Segmenter | undefined;

function cells(text: string): { text: string; width: number }[] {
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => ({
    text: segment,
    width: WIDE.test(segment) ? 2 : 1,
  }));
}

/** Columns of a terminal that the text takes. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  return cells(text).reduce((sum, { width }) => sum + width, 0);
}

/** The text, or its beginning and an ellipsis, in exactly so many columns. */
export function fit(text: string, width: number): string {
  const wide = widthOf(text);
  if (wide <= width) return text + ' '.repeat(width - wide);
  let kept = '';
  let room = width - 1;
  for (const cell of cells(text)) {
    if (cell.width > room) break;
    kept += cell.text;
    room -= cell.width;
  }
  return `${kept}…${' '.repeat(room)}`;
}
