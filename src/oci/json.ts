import { LambdaPackError } from "../errors.ts";

/**
 * A JSON value of unknown origin and the path to it: `manifest.layers[3].digest`.
 * Each reader either returns the value with its type or throws IMAGE_INVALID with that path.
 */
export interface Json {
  readonly value: unknown;
  readonly path: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper than any image document, far shallower than any stack. */
const MAX_DEPTH = 64;

/** Strict UTF-8, no byte order mark, an object at the top, not nested deeper than 64. */
export function parseJson(bytes: Uint8Array, path: string): Json {
  const root: Json = { value: undefined, path };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(root, "is not UTF-8");
  }
  if (depthOf(text) > MAX_DEPTH) throw invalid(root, `is nested deeper than ${MAX_DEPTH}`);
  try {
    return { value: JSON.parse(text), path };
  } catch {
    throw invalid(root, "is not JSON");
  }
}

/** Brackets inside strings do not count; a malformed text gives some number and fails in JSON.parse. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "{" || token === "[") deepest = Math.max(deepest, ++depth);
    else if (token === "}" || token === "]") depth -= 1;
  }
  return deepest;
}

export function object(json: Json): JsonObject {
  if (isObject(json.value)) return json.value;
  throw invalid(json, "should be an object");
}

export function field(json: Json, name: string): Json {
  return { value: object(json)[name], path: `${json.path}.${name}` };
}

export function isMissing(json: Json): boolean {
  return json.value === undefined || json.value === null;
}

/** The items of an array; `limit` keeps a hostile document from costing more than it is worth. */
export function items(json: Json, limit: number): readonly Json[] {
  if (!Array.isArray(json.value)) throw invalid(json, "should be an array");
  if (json.value.length > limit) throw invalid(json, `has ${json.value.length} items, more than ${limit}`);
  return json.value.map((value: unknown, index) => ({ value, path: `${json.path}[${index}]` }));
}

export function string(json: Json): string {
  if (typeof json.value === "string") return json.value;
  throw invalid(json, "should be a string");
}

/** A whole number of bytes or the like, 0 or more. */
export function count(json: Json): number {
  if (Number.isSafeInteger(json.value) && Number(json.value) >= 0) return Number(json.value);
  throw invalid(json, "should be a whole number, 0 or more");
}

export function strings(json: Json, limit = 10_000): readonly string[] {
  return items(json, limit).map(string);
}

export function stringMap(json: Json): Readonly<Record<string, string>> {
  for (const name of Object.keys(object(json))) string(field(json, name));
  return object(json) as Readonly<Record<string, string>>;
}

/** `read(json)`, or undefined where the value is absent or null. */
export function optional<T>(json: Json, read: (json: Json) => T): T | undefined {
  return isMissing(json) ? undefined : read(json);
}

export function invalid({ path }: Json, what: string): LambdaPackError {
  return new LambdaPackError("IMAGE_INVALID", `${path} ${what}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
