import { readFileSync } from "node:fs";

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const count: Schema = { type: "integer", minimum: 0 };
const number: Schema = { type: "number", minimum: 0 };
const yesNo: Schema = { type: "boolean" };
const digest: Schema = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
const anything: Schema = {};

const listOf = (items: Schema): Schema => ({ type: "array", items });
const oneOf = (...words: readonly string[]): Schema => ({ enum: words });
const byName = (values: Schema): Schema => ({ type: "object", additionalProperties: values });

/**
 * Returns the schema of an object with these fields. A name that ends with `?` is optional, and
 * other fields are allowed.
 */
function object(fields: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(fields);
  return {
    type: "object",
    required: names.filter((name) => !name.endsWith("?")),
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name.replace("?", ""), value]),
    ),
  };
}

const filesAndBytes = object({ files: count, bytes: count });
const layer = object({
  ...{ name: text, digest, diffId: digest, size: count, files: count },
  how: oneOf("built", "cached", "reused", "base"),
});
const image = {
  ...{ digest, reference: text, destinations: listOf(object({ reference: text, digest })) },
  ...{ platform: text, layers: listOf(layer) },
};
const spent = object({ install: number, collect: number, fingerprint: number, pack: number, send: number });
const stats = object({ files: count, bytes: count, sent: count, received: count, ms: number, spent });
const built = {
  ...image,
  base: object({ reference: text, "digest?": digest, "reason?": text }),
  ...{ "handler?": text, "dependencies?": anything, "encoder?": oneOf("zlib", "pako") },
};
const finding = object({
  ...{ rule: text, severity: oneOf("error", "warning", "info"), message: text },
  ...{ "path?": text, otherwise: text, hint: text },
});
const checked = {
  ...{ source: text, "digest?": digest, platform: text, ok: yesNo, findings: listOf(finding), rules: count },
  layers: object({ all: count, read: count }),
};
const failure = object({ code: text, message: text, "hint?": text });
const deployments = listOf({
  anyOf: [
    object({
      ...{ function: text, region: text, how: oneOf("created", "updated", "unchanged", "planned") },
      ...{ arn: text, version: text, digest, state: text, steps: listOf(text) },
    }),
    object({ function: text, region: text, how: { const: "failed" }, error: failure }),
  ],
});
const policy = object({ Version: text, Statement: listOf({ type: "object" }) });
const prunedImages = listOf(object({ reference: text, digest, tags: listOf(text), size: count }));
const compared = object({ reference: text, digest, mediaType: text, platform: text, size: count });
const changed = object({ count, bytes: count });
const imageConfig = object({
  ...{ entrypoint: listOf(text), cmd: listOf(text), env: listOf(text), workdir: text, user: text },
  labels: byName(text),
});

/** The schema of what each command prints with `--json`. */
const OUTPUTS: Readonly<Record<string, Schema>> = {
  build: object({ ...built, stats }),
  "build of functions": object({
    functions: byName(object(built)),
    "failures?": byName(failure),
    "stats?": stats,
  }),
  push: object({ ...image, "changes?": listOf(text), stats }),
  check: object(checked),
  "check of functions": object({ ok: yesNo, functions: byName(object(checked)) }),
  inspect: object({
    ...{ reference: text, digest, mediaType: text, platform: text, "created?": text, size: count },
    config: imageConfig,
    layers: listOf(object({ digest, diffId: digest, mediaType: text, size: count, "contents?": anything })),
    "contents?": object({
      bytes: count,
      limit: count,
      seen: filesAndBytes,
      files: listOf(anything),
      waste: anything,
    }),
  }),
  diff: object({
    ...{ before: compared, after: compared, same: yesNo, config: listOf(object({ field: text })) },
    layers: listOf(object({ change: oneOf("kept", "recompressed", "changed", "added", "removed") })),
    "files?": object({ added: changed, removed: changed, changed, list: listOf(anything) }),
  }),
  bases: object({
    bases: listOf(
      object({
        ...{ name: text, runtime: text, system: text, architectures: listOf(text), deprecated: text },
        ...{ supported: yesNo, handler: text, code: text, dependencies: text, "digests?": byName(digest) },
      }),
    ),
  }),
  "cache info": object({ directory: text, blobs: count, bytes: count, layers: count, references: count }),
  "cache prune": object({ removed: count, freedBytes: count, blobs: count, bytes: count }),
  "cache verify": object({ blobs: count, bytes: count, removed: listOf(text) }),
  config: object({ functions: byName({ type: "object" }) }),
  import: object({ file: text, config: { type: "object" }, notTaken: listOf(text) }),
  invoke: object({
    ...{ outcome: text, "response?": text, requestId: text, durationMs: number, "initDurationMs?": number },
    ...{
      maxMemoryMb: number,
      memoryMb: number,
      ranWith: text,
      handler: text,
      logs: text,
      "error?": anything,
    },
  }),
  "invoke --list-samples": listOf(object({ name: text, summary: text, event: anything })),
  dev: object({ url: text, functions: listOf(text) }),
  deploy: {
    anyOf: [
      object({ digest, platform: text, images: listOf(text), deployments }),
      // Of several functions some failed: only what came of each is known.
      object({ deployments }),
    ],
  },
  "deploy of functions": object({
    functions: byName(object({ ...built, deployments })),
    "failures?": byName(failure),
  }),
  status: object({
    ...{ function: text, region: text, arn: text, state: text, healthy: yesNo, "explanation?": text },
    ...{ packageType: text, architecture: oneOf("x86_64", "arm64"), memory: count, timeout: count },
    "image?": object({
      ...{ reference: text, digest, "exists?": yesNo, tags: listOf(text) },
      ...{ "size?": count, "pullable?": yesNo },
    }),
    versions: listOf(object({ version: text, "digest?": digest, state: text })),
    aliases: listOf(object({ name: text, version: text, "digest?": digest, weights: byName(number) })),
  }),
  prune: object({
    ...{ repository: text, pruned: prunedImages, attached: prunedImages },
    ...{ used: listOf(digest), kept: count, deleted: yesNo },
  }),
  "repo create": object({
    ...{ repository: text, arn: text, created: yesNo },
    "lifecycle?": oneOf("added", "present", "kept"),
  }),
  "repo policy": object({
    ...{ repository: text, "policy?": policy, applied: yesNo },
    changes: listOf(object({ change: oneOf("added", "removed"), statement: { type: "object" } })),
  }),
  "repo iam": policy,
  completion: object({ shell: oneOf("bash", "zsh", "fish"), script: text }),
  version: object({ version: text }),
};

/**
 * The object that `--json` writes to stderr when a command fails, and `--progress json` as its last
 * line.
 */
const ERROR = object({
  type: { const: "error" },
  "code?": text,
  message: text,
  "hint?": text,
  "trace?": text,
});
const SIGNAL = object({ type: oneOf("stopping", "stopped"), signal: text });

/** Returns the JSON schema of the output of all commands, as text that ends with a newline. */
export function outputSchemaText(): string {
  const source = readFileSync(new URL("../../src/events.ts", import.meta.url), "utf8");
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "what lambda-pack prints as JSON",
    description:
      "definitions has the object that each command prints with --json, under the name of the command; `event` is a line of --progress json, `error` what --json prints on stderr. Fields may be added in any version.",
    definitions: { ...OUTPUTS, error: ERROR, event: { anyOf: [...eventsOf(source), ERROR, SIGNAL] } },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** Returns the schema of each event in the union of events.ts. */
export function eventsOf(source: string): readonly Schema[] {
  const union = source.slice(source.indexOf("export type BuildEvent")).replace(/\/\*[\s\S]*?\*\//g, "");
  return [...union.matchAll(/\|\s*\{\s*(readonly type: "[^}]*)\}/g)].map(([, body = ""]) => {
    const fields = [...body.matchAll(/readonly (\w+\??): ([^;]+);/g)].map(([, name = "", type = ""]) => [
      name,
      name === "type" ? { const: JSON.parse(type) } : schemaOf(type.trim()),
    ]);
    return object(Object.fromEntries(fields));
  });
}

const NAMED: Readonly<Record<string, Schema>> = {
  ...{ string: text, number, boolean: yesNo, Digest: digest, "readonly string[]": listOf(text) },
  ...{
    LayerHow: oneOf("built", "cached", "reused", "base"),
    BlobHow: oneOf("present", "mounted", "uploaded"),
  },
};

/**
 * Returns the schema of a type as it is spelled in events.ts; any value is valid for an unknown
 * type.
 */
function schemaOf(type: string): Schema {
  if (/^"[^"]*"(?:\s*\|\s*"[^"]*")*$/.test(type))
    return oneOf(...type.split("|").map((word) => word.trim().slice(1, -1)));
  return NAMED[type] ?? anything;
}
