import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { RawAnswer } from '../../platform/http/route.ts';
import type { Problem } from '../../platform/problem.ts';
import { encodingOf, type Encoding, type Refusal } from './decode.ts';

const CONTENT_TYPES: Record<Encoding, string> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** Reasons that are told; the rest is counted. */
const REASONS_AT_MOST = 10;

export interface Exported {
  refused: Refusal[];
  /** What the sender should know although every span was kept. */
  warnings: string[];
}

/**
 * `ExportTraceServiceResponse`: empty when there is nothing to say, else a partial success that says what was not kept,
 * or, with no span refused, what else to know.
 */
export function exported(encoding: Encoding, { refused, warnings }: Exported): RawAnswer {
  const reasons = refused.map(({ index, reason }) =>
    index === undefined ? reason : `span ${index}: ${reason}`,
  );
  const errorMessage = firstOf([...reasons, ...warnings]);
  if (errorMessage === '') return answer(200, encoding, new Uint8Array(), {});
  const partialSuccess = new BinaryWriter();
  if (refused.length > 0) partialSuccess.tag(1, WireType.Varint).int64(refused.length);
  partialSuccess.tag(2, WireType.LengthDelimited).string(errorMessage);
  const response = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .bytes(partialSuccess.finish());
  return answer(200, encoding, response.finish(), {
    partialSuccess: {
      // A 64-bit integer is text in protobuf's JSON.
      ...(refused.length > 0 ? { rejectedSpans: String(refused.length) } : {}),
      errorMessage,
    },
  });
}

function firstOf(reasons: string[]): string {
  const told = reasons.slice(0, REASONS_AT_MOST).join('; ');
  const more = reasons.length - REASONS_AT_MOST;
  return more > 0 ? `${told}; and ${more} more` : told;
}

/** Codes of google.rpc for what HTTP says; everything else is `UNKNOWN`. */
const RPC_CODES: Record<number, number> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  413: 3,
  415: 3,
  422: 3,
  429: 8,
  500: 13,
  503: 14,
};
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const DOMAIN = 'rollcall.dev';

/**
 * A problem as `google.rpc.Status`, in the request's own encoding; in JSON where that is unknown. Rollcall's stable
 * code is the `reason` of the `ErrorInfo` in its details.
 */
export function failed({ status, code, message }: Problem, contentType?: string): RawAnswer {
  const rpcCode = RPC_CODES[status] ?? 2;
  const info = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(code)
    .tag(2, WireType.LengthDelimited)
    .string(DOMAIN)
    .finish();
  const any = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(ERROR_INFO)
    .tag(2, WireType.LengthDelimited)
    .bytes(info)
    .finish();
  const bytes = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(rpcCode)
    .tag(2, WireType.LengthDelimited)
    .string(message)
    .tag(3, WireType.LengthDelimited)
    .bytes(any)
    .finish();
  return answer(status, encodingOf(contentType) ?? 'json', bytes, {
    code: rpcCode,
    message,
    details: [{ '@type': ERROR_INFO, reason: code, domain: DOMAIN }],
  });
}

const answer = (
  status: number,
  encoding: Encoding,
  bytes: Uint8Array,
  json: object,
): RawAnswer => ({
  status,
  contentType: CONTENT_TYPES[encoding],
  bytes: encoding === 'protobuf' ? bytes : Buffer.from(JSON.stringify(json)),
});
