import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BAD_DOCUMENTS } from "./documents.ts";
import { KINDS } from "./faults/kinds.ts";
import { BOMBS } from "./hostile/bombs.ts";
import { HOSTILITIES } from "./hostile/hostile.ts";
import { SCENES } from "./scenes.ts";

/** A row of the list of failure modes that other registry clients' tests and bug reports make: 1-33 pushes, 34-50 pulls, 75-80 what holds always. */
interface Row {
  readonly row: number;
  readonly what: string;
  /** Tests that hold what no fault of a request can show: a file, and words of a test's name in it. */
  readonly tests?: readonly (readonly [file: string, words: string])[];
}

const PUSH: readonly Row[] = [
  { row: 1, what: "POST of an upload: connection reset" },
  ...[500, 502, 503, 504].map((status, index) => ({ row: 2 + index, what: `POST of an upload: ${status}` })),
  { row: 6, what: "429 with Retry-After in seconds" },
  { row: 7, what: "429 with Retry-After as a date" },
  { row: 8, what: "429 without a header, TOOMANYREQUESTS, ThrottlingException" },
  { row: 9, what: "reset at the first byte of a body" },
  { row: 10, what: "reset in the middle of a body" },
  { row: 11, what: "reset at the last byte of a body" },
  { row: 12, what: "stored, and the answer is lost" },
  { row: 13, what: "BLOB_UPLOAD_UNKNOWN in the middle of an upload" },
  { row: 14, what: "416" },
  { row: 15, what: "Range says less, a larger minimum chunk" },
  { row: 16, what: "401 at POST, expired login" },
  { row: 17, what: "401 in the middle of an upload" },
  { row: 18, what: "403, DENIED, no repository" },
  { row: 19, what: "HEAD says that a blob is there, which it is not" },
  { row: 20, what: "HEAD with another size or digest" },
  { row: 21, what: "another digest is confirmed" },
  { row: 22, what: "PUT of a manifest: 429" },
  { row: 23, what: "PUT of a manifest: 429 with Retry-After" },
  { row: 24, what: "PUT of a manifest: 500" },
  { row: 25, what: "PUT of a manifest: 504" },
  { row: 26, what: "PUT of a manifest: reset" },
  { row: 27, what: "never answers, one byte now and then" },
  { row: 28, what: "no such name, connection refused, bad certificate" },
  {
    ...{ row: 29, what: "Location absolute, relative, with a query, on another host, at a private address" },
    tests: [
      ["test/unit/registry/ecr.test.ts", "follows a Location that is"],
      ["test/unit/registry/http/address.test.ts", "the Location"],
    ],
  },
  { row: 30, what: "a mount is refused" },
  { row: 31, what: "the tag is immutable" },
  {
    ...{ row: 32, what: "stopped in the middle" },
    tests: [
      ["test/components/reliability/abort.test.ts", "a push that is stopped while nobody answers"],
      ["test/unit/cli/main.test.ts", "whose work"],
    ],
  },
  { row: 33, what: "two pushes of the same image at once" },
];

const PULL: readonly Row[] = [
  { row: 34, what: "GET of a blob: 500" },
  { row: 35, what: "GET of a blob: 429" },
  { row: 36, what: "GET of a blob: S3's SlowDown, an address that has expired" },
  { row: 37, what: "GET of a blob: reset" },
  { row: 38, what: "GET of a blob: a short body" },
  { row: 39, what: "GET of a blob: a bit turned" },
  { row: 40, what: "GET of a blob: bytes too many" },
  { row: 41, what: "GET of a blob: a wrong Content-Length" },
  { row: 42, what: "GET of a blob: stalls" },
  { row: 43, what: "redirects: a loop, away from https, to private addresses" },
  { row: 44, what: "endless manifests, configs, tokens and errors" },
  { row: 45, what: "an index without our architecture, within an index, of unknown platforms" },
  { row: 46, what: "a manifest that is not what its digest or its label says" },
  { row: 47, what: "no mediaType, schema 1 and 2, zstd and foreign layers" },
  { row: 48, what: "strange JSON" },
  { row: 49, what: "counts that do not match" },
  { row: 50, what: "decompression bombs" },
];

const ALWAYS: readonly Row[] = [
  {
    ...{ row: 75, what: "one digest in whatever surroundings" },
    tests: [["test/components/build/build-digest.test.ts", "is one in 64 surroundings"]],
  },
  {
    ...{ row: 76, what: "SOURCE_DATE_EPOCH" },
    tests: [["test/unit/build/build.test.ts", "carries SOURCE_DATE_EPOCH, and refuses one that is none"]],
  },
  {
    ...{ row: 77, what: "no secret in any output" },
    tests: [
      ["test/components/reliability/canaries.test.ts", "holds no secret"],
      ["test/unit/registry/http/http.test.ts", "are in no event and no error"],
    ],
  },
  {
    ...{ row: 78, what: "no Authorization at a wrong host" },
    tests: [
      ["test/unit/registry/ecr.test.ts", "no Authorization at a wrong host"],
      ["test/unit/registry/auth/auth.test.ts", "gets no credentials for a push"],
    ],
  },
  {
    ...{ row: 79, what: "secrets in the source directory" },
    tests: [["test/unit/lambda/secrets.test.ts", "a secret"]],
  },
  {
    ...{ row: 80, what: "stdout that nobody reads, no terminal, no colours" },
    tests: [
      ["test/unit/cli/main.test.ts", "whose stdout nobody reads any more"],
      ["test/unit/cli/main.test.ts", "prints no colours into a pipe"],
    ],
  },
];

export const ROWS: readonly Row[] = [...PUSH, ...PULL, ...ALWAYS];

/** What covers a row, by name. */
export function coverOf({ row, tests = [] }: Row): readonly string[] {
  const played = [...KINDS, ...BAD_DOCUMENTS, ...SCENES, ...HOSTILITIES, ...BOMBS];
  const names = played.filter((each) => isIn(row, each.row)).map(nameOf);
  return [...new Set(names), ...tests.map(([file, words]) => `${file}: "${words}"`)];
}

function nameOf(played: { readonly name: string; readonly at?: string }): string {
  return played.at === undefined ? played.name : `${played.at}: ${played.name}`;
}

/** `9-11` is 9, 10 and 11. */
function isIn(row: number, rows: string): boolean {
  const [first = 0, last = first] = rows.split("-").map(Number);
  return row >= first && row <= last;
}

/** The tests that a row names and that are not there. */
export function missingTests({ tests = [] }: Row): readonly string[] {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  return tests
    .filter(([file, words]) => !existsSync(root + file) || !readFileSync(root + file, "utf8").includes(words))
    .map(([file, words]) => `${file}: ${words}`);
}
