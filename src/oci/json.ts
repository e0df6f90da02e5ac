import { LambdaPackError } from "../errors.ts";

/**
 * A JSON value from outside and the path to it: `manifest.layers[3].digest`. Each reader either
 * returns the value with its type or throws IMAGE_INVALID with that path.
 */
export interface Json {
  readonly value: unknown;
  readonly path: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper than any image document, far from a stack overflow. */
const MAX_DEPTH = 64;

/** In bytes: distribution's, containers/image's and containerd's limit for a manifest. */
export const DOCUMENT_LIMIT: number = 4 * 1024 * 1024;

/**
 * Parses strict UTF-8 without a byte order mark, at most `limit` bytes, nested at most 64 deep, in
 * linear time.
 * @throws IMAGE_INVALID, which names the document by `path`.
 */
export function parseJson(bytes: Uint8Array, path: string, limit: number = DOCUMENT_LIMIT): Json {
  const root: Json = { value: undefined, path };
  if (bytes.length > limit)
    throw invalid(root, `has ${bytes.length} bytes, more than the ${limit} it may have`);
  if (depthOf(bytes) > MAX_DEPTH) throw invalid(root, `is nested deeper than ${MAX_DEPTH}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(root, "is not UTF-8");
  }
  try {
    return { value: JSON.parse(text), path };
  } catch {
    throw invalid(root, "is not JSON");
  }
}

/** Parses text that may be anything; undefined if it is not a JSON object. It never throws. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // The parser's message could quote a secret.
    return undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What each bracket adds to the depth. In UTF-8 no other character contains these bytes. */
const STEPS: ReadonlyMap<number, number> = new Map([
  [0x7b, 1],
  [0x5b, 1],
  [0x7d, -1],
  [0x5d, -1],
]);

/** Returns the nesting depth, without brackets in strings; for invalid JSON any number. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) at = endOfString(bytes, at);
    depth += STEPS.get(bytes[at] ?? 0) ?? 0;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** Returns the index of the quote that ends the string from `start`, or the number of bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

export function object(json: Json): JsonObject {
  if (isObject(json.value)) return json.value;
  throw invalid(json, "should be an object");
}

export function field(json: Json, name: string): Json {
  return { value: object(json)[name], path: `${json.path}.${name}` };
}

/** Like {@link field}, for documents whose keys Go programs write and read in any case. */
export function fieldInAnyCase(json: Json, name: string): Json {
  const keys = Object.keys(object(json));
  const key = keys.includes(name) ? name : keys.find((one) => one.toLowerCase() === name.toLowerCase());
  return { ...field(json, key ?? name), path: `${json.path}.${name}` };
}

export function isMissing(json: Json): boolean {
  return json.value === undefined || json.value === null;
}

/** Returns the items of an array; `limit` bounds the cost of a hostile document. */
export function items(json: Json, limit: number): readonly Json[] {
  if (!Array.isArray(json.value)) throw invalid(json, "should be an array");
  if (json.value.length > limit) throw invalid(json, `has ${json.value.length} items, more than ${limit}`);
  return json.value.map((value: unknown, index) => ({ value, path: `${json.path}[${index}]` }));
}

export function string(json: Json): string {
  if (typeof json.value === "string") return json.value;
  throw invalid(json, "should be a string");
}

export function boolean(json: Json): boolean {
  if (typeof json.value === "boolean") return json.value;
  throw invalid(json, "should be true or false");
}

/** Returns a whole number, 0 or more, such as a number of bytes. */
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

/** Returns `read(json)`, or undefined if the value is missing or null. */
export function optional<T>(json: Json, read: (json: Json) => T): T | undefined {
  return isMissing(json) ? undefined : read(json);
}

export function invalid({ path }: Json, what: string): LambdaPackError {
  return new LambdaPackError("IMAGE_INVALID", `${path} ${what}`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value under these keys of nested objects; undefined if there is none. */
export function valueAt(root: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    root,
  );
}
