import type { ViewEntry } from "../../layer/read/merged-view.ts";
import type { Language } from "../bases.ts";
import { type ImageFacts, startsAsAws, taskRoot, within } from "./facts.ts";
import { languageIn } from "./handler.ts";
import { count, megabytes, type Problem, type Rule, some } from "./rule.ts";

interface Kind {
  readonly what: string;
  /** Of the path in the task root. */
  readonly at: RegExp;
  readonly hint: string;
  /** Where the runtime has it already. */
  readonly of?: Language;
}

/** What takes room and is of no use to a function; a file counts for the first that fits. */
const KINDS: readonly Kind[] = [
  {
    what: "the AWS SDK, which the Node runtime has",
    at: /(?:^|\/)node_modules\/(?:@aws-sdk|@smithy)\//,
    hint: "keep it only where its version matters to you: npm prune --omit=dev, with it among the devDependencies",
    of: "nodejs",
  },
  {
    what: "the AWS SDK, which the Python runtime has",
    at: /^(?:boto3|botocore|s3transfer)(?:-[\d.]+\.dist-info)?\//,
    hint: "keep it only where its version matters to you",
    of: "python",
  },
  {
    what: "files of macOS",
    at: /(?:^|\/)(?:\.DS_Store|\._[^/]+|__MACOSX\/.*)$/,
    hint: "exclude **/.DS_Store and **/._*",
  },
  {
    what: "caches",
    at: /(?:^|\/)(?:\.cache|\.npm|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.parcel-cache|\.turbo|\.nyc_output|\.gradle)\//,
    hint: "exclude them in .lambdaignore",
  },
  {
    what: "tests",
    at: /(?:^|\/)(?:tests?|__tests__|spec)\/(?!.*\.dist-info\/)|\.(?:test|spec)\.[cm]?[jt]sx?$/,
    hint: "exclude them where nothing imports them: **/tests, **/__tests__",
  },
  {
    what: "source maps and type declarations",
    at: /\.(?:[cm]?js\.map|css\.map|d\.[cm]?ts)$/,
    hint: "exclude **/*.map and **/*.d.ts, unless stack traces need the maps",
  },
  {
    what: "documentation",
    at: /(?:^|\/)node_modules\/.*\/(?:docs?|examples?)\/|(?:^|\/)node_modules\/.*\.(?:md|markdown)$/,
    hint: "exclude **/node_modules/**/*.md",
  },
];

/** Less is not worth a line. */
const LEAST_BYTES = 100_000;

export const ballast: Rule = {
  id: "ballast",
  severity: "info",
  expects: "the image has no more than the function needs",
  otherwise: "nothing: what is never read costs no time at start, but is sent, stored and counted",
  check(facts) {
    const kinds = KINDS.filter(
      ({ of }) => of === undefined || (startsAsAws(facts) && of === languageIn(facts)),
    );
    const sums = kinds.map((kind) => ({ kind, files: 0, bytes: 0, first: "" }));
    for (const entry of own(facts)) {
      const sum = sums.find(({ kind }) => kind.at.test(entry.inside));
      if (!sum) continue;
      sum.files += 1;
      sum.bytes += entry.size;
      if (sum.first === "" || entry.path < sum.first) sum.first = entry.path;
    }
    const kindly = sums
      .filter(({ bytes, kind }) => bytes >= LEAST_BYTES || (bytes > 0 && kind.what === "files of macOS"))
      .map((sum) => ({
        message: `${megabytes(sum.bytes)} in ${count(sum.files, "file")}: ${sum.kind.what}`,
        path: `/${sum.first}`,
        hint: sum.kind.hint,
      }));
    return [...kindly, ...again(facts)];
  },
};

/** One content under several names, in one layer or in two. */
function again({ files: { twins } }: ImageFacts): readonly Problem[] {
  const { total, list } = twins ?? { total: { bytes: 0, files: 0 }, list: [] };
  const [costliest] = list;
  if (total.bytes < LEAST_BYTES || !costliest) return [];
  const { copies, size, paths } = costliest;
  const where = some(
    paths.map((path) => `/${path}`),
    copies,
    2,
  );
  return [
    {
      message: `${megabytes(total.bytes)} in ${count(total.files, "file")} that the image has under another name too; most of all ${megabytes(size)} at ${where}`,
      path: `/${paths[0] ?? ""}`,
      hint: "keep one and link to it; lambda-pack inspect names them all, npm dedupe merges packages",
    },
  ];
}

function* own(facts: ImageFacts): Generator<ViewEntry & { readonly inside: string }> {
  const root = taskRoot(facts);
  for (const entry of facts.files.view.entries()) {
    const inside = entry.kind === "file" ? within(root, entry.path) : undefined;
    if (inside !== undefined) yield { ...entry, inside };
  }
}

/** PEP 552: such a file holds the time of its source, so that each checkout gives another. */
export const timedBytecode: Rule = {
  id: "timed-bytecode",
  severity: "info",
  expects: "Python's bytecode does not hold the time of its source",
  otherwise:
    "nothing: but the layer changes with every build, and Lambda compiles again what has another time",
  check({ files: { evidence, view } }) {
    const found = evidence.timedBytecode().filter((path) => view.get(path));
    const own = found.filter((path) => !/^(?:usr|var\/lang|var\/runtime)\//.test(path)).sort();
    if (own.length === 0) return [];
    return [
      {
        message: `${count(own.length, ".pyc file")} with a time in it: ${some(own)}`,
        path: `/${own[0]}`,
        hint: "exclude **/__pycache__, or python -m compileall --invalidation-mode unchecked-hash",
      },
    ];
  },
};

/** Bytes that are in a lower layer and that nobody sees. */
export const hiddenFiles: Rule = {
  id: "hidden-files",
  severity: "info",
  expects: "no file is in two layers, or removed by a later one",
  otherwise: "nothing: the bytes are sent, stored and counted all the same",
  check({ files: { view, ownFrom } }) {
    const totals = view.totals();
    const bytes = totals.reduce((sum, { hiddenBytes }) => sum + hiddenBytes, 0);
    const files = totals.reduce((sum, { hiddenFiles }) => sum + hiddenFiles, 0);
    const first = view.replaced()[0]?.path ?? "";
    return bytes < LEAST_BYTES ? [] : [hidden(bytes, files, first, ownFrom)];
  },
};

function hidden(bytes: number, files: number, first: string, ownFrom: number): Problem {
  return {
    message: `${megabytes(bytes)} in ${count(files, "file")} that a higher layer replaces or removes`,
    ...(first !== "" && { path: `/${first}` }),
    hint:
      ownFrom > 0
        ? "lambda-pack inspect names them"
        : "lambda-pack inspect names them; remove files in the step that makes them, and chmod while copying",
  };
}
