/** Every list answers with this shape; pass `next_cursor` back as `cursor` for the next page. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface FieldError {
  /** Where in the request, e.g. `parent.entity_id` or `query.limit`. */
  path: string;
  code: string;
  message: string;
}

/** RFC 9457 problem document. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** Stable; programs may switch on it. */
  code: string;
  /** What happened, where, and what to do next. */
  detail: string;
  request_id: string;
  errors?: FieldError[];
}
