import type { Language } from "../../../lambda/bases.ts";
import { type ImageFacts, startsAsAws } from "../../facts.ts";
import { megabytes, type Problem, quantity, type Rule, shortList } from "../../rule.ts";
import { languageIn } from "../../runtime.ts";
import { oncePerDirectory, type VisitedDirectory, type VisitedFile } from "../../visit.ts";

interface Kind {
  readonly what: string;
  /** A file in one of these places is of this kind. */
  readonly at: readonly Place[];
  readonly hint: string;
  /** If set, files count only on AWS's base of this language, which has them already. */
  readonly of?: Language;
}

/** If both are given, both have to match. */
interface Place {
  /** Matches the directory relative to the task root, with a trailing slash. */
  readonly directory?: RegExp;
  readonly name?: RegExp;
}

/** Files that a function does not need. A file counts for the first kind that fits. */
const KINDS: readonly Kind[] = [
  {
    what: "the AWS SDK, which the Node runtime has",
    at: [{ directory: /(?:^|\/)node_modules\/(?:@aws-sdk|@smithy)\// }],
    hint: "keep it only if its version matters: move it to devDependencies, then npm prune --omit=dev",
    of: "nodejs",
  },
  {
    what: "the AWS SDK, which the Python runtime has",
    at: [{ directory: /^(?:boto3|botocore|s3transfer)(?:-[\d.]+\.dist-info)?\// }],
    hint: "keep it only if its version matters",
    of: "python",
  },
  {
    what: "files of macOS",
    at: [{ name: /^(?:\.DS_Store|\._[^/]+)$/ }, { directory: /(?:^|\/)__MACOSX\// }],
    hint: '--exclude "**/.DS_Store" --exclude "**/._*" --exclude "**/__MACOSX"',
  },
  {
    what: "caches",
    at: [
      {
        directory:
          /(?:^|\/)(?:\.cache|\.npm|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.parcel-cache|\.turbo|\.nyc_output|\.gradle)\//,
      },
    ],
    hint: "name them in .lambdaignore",
  },
  {
    what: "tests",
    at: [
      { directory: /(?:^|\/)(?:tests?|__tests__|spec)\/(?!.*\.dist-info\/)/ },
      { name: /\.(?:test|spec)\.[cm]?[jt]sx?$/ },
    ],
    hint: 'if nothing imports them: --exclude "**/test" --exclude "**/tests" --exclude "**/__tests__" --exclude "**/spec" --exclude "**/*.test.*" --exclude "**/*.spec.*"',
  },
  {
    what: "source maps and type declarations",
    at: [{ name: /\.(?:[cm]?js\.map|css\.map|d\.[cm]?ts)$/ }],
    hint: '--exclude "**/*.map" --exclude "**/*.d.*ts", unless stack traces need the maps',
  },
  {
    what: "documentation",
    // Further down, directories called doc may hold code, as in the package yaml.
    at: [
      { directory: /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@/][^/]*\/docs\// },
      { directory: /(?:^|\/)node_modules\//, name: /\.md$/ },
    ],
    hint: '--exclude "**/node_modules/**/*.md" --exclude "**/node_modules/*/docs" --exclude "**/node_modules/@*/*/docs"',
  },
];

/** In bytes; smaller sums are not reported. */
const MIN_BYTES = 100_000;

export const ballast: Rule = {
  id: "ballast",
  severity: "info",
  expects: "the image has only files that the function needs",
  otherwise: "nothing, but they are sent, stored and counted towards the limit",
  visitor(facts) {
    const kinds = KINDS.filter(
      ({ of }) => of === undefined || (startsAsAws(facts) && of === languageIn(facts)),
    );
    const sums = kinds.map((kind) => ({ kind, files: 0, bytes: 0, first: "" }));
    const kindsIn = oncePerDirectory((directory) => kindsOfDirectory(directory, sums));
    return {
      visit(file) {
        if (file.kind !== "file") return;
        const sum = kindsIn(file).find(({ name }) => name?.test(file.name) !== false)?.sum;
        if (sum) add(file, sum);
      },
      problems: () => [...sums.map(problemOf), again(facts)],
    };
  },
};

interface Sum {
  readonly kind: Kind;
  files: number;
  bytes: number;
  first: string;
}

function add({ path, size }: VisitedFile, sum: Sum): void {
  sum.files += 1;
  sum.bytes += size;
  if (sum.first === "" || path < sum.first) sum.first = path;
}

function problemOf({ kind, files, bytes, first }: Sum): Problem | undefined {
  if (bytes < MIN_BYTES && !(bytes > 0 && kind.what === "files of macOS")) return undefined;
  const message = `${megabytes(bytes)} in ${quantity(files, "file")}: ${kind.what}`;
  return { message, path: `/${first}`, hint: kind.hint };
}

/** Returns the kinds that files of the directory may be of; `name` matches their names, if set. */
function kindsOfDirectory(
  { inside }: VisitedDirectory,
  sums: readonly Sum[],
): readonly { readonly name: RegExp | undefined; readonly sum: Sum }[] {
  if (inside === undefined) return [];
  return sums.flatMap((sum) =>
    sum.kind.at
      .filter(({ directory }) => directory?.test(inside) !== false)
      .map(({ name }) => ({ name, sum })),
  );
}

function again({ files: { duplicates } }: ImageFacts): Problem | undefined {
  const [costliest] = duplicates?.list ?? [];
  if (!duplicates || !costliest || duplicates.total.bytes < MIN_BYTES) return undefined;
  const { copies, size, paths } = costliest;
  const { bytes, files } = duplicates.total;
  const absolute = paths.map((path) => `/${path}`);
  return {
    message: `${megabytes(bytes)} in ${quantity(files, "file")} that the image has under another name too; most of all ${megabytes(size)} at ${shortList(absolute, copies, 2)}`,
    path: absolute[0],
    hint: "keep one and link to it; lambda-pack inspect names them all, npm dedupe merges packages",
  };
}

/** PEP 552: Python ignores bytecode whose stored mtime differs from its source's. */
export const timedBytecode: Rule = {
  id: "timed-bytecode",
  severity: "info",
  expects: "Python's bytecode holds the time that its source has in the image",
  otherwise: "nothing, but Python compiles the modules again at each cold start",
  check({ files: { contents, view } }) {
    const found = contents.bytecode.stale().filter((path) => view.get(path));
    const own = found.filter((path) => !/^(?:usr|var\/lang|var\/runtime)\//.test(path)).sort();
    if (own.length === 0) return [];
    return {
      message: `${quantity(own.length, ".pyc file")} with another time than their sources: ${shortList(own)}`,
      path: `/${own[0]}`,
      hint: 'python -m compileall -f in the source directory: lambda-pack build keeps bytecode valid that is valid there; or --exclude "**/__pycache__"',
    };
  },
};

/** Bytes of a lower layer that a higher layer hides. */
export const hiddenFiles: Rule = {
  id: "hidden-files",
  severity: "info",
  expects: "no file is replaced or removed by a later layer",
  otherwise: "nothing, but the bytes are sent, stored and counted",
  check({ files: { view, ownFrom } }) {
    const totals = view.totals();
    const bytes = totals.reduce((sum, { hidden }) => sum + hidden.bytes, 0);
    const files = totals.reduce((sum, { hidden }) => sum + hidden.files, 0);
    const [first] = view.replaced();
    if (bytes < MIN_BYTES) return [];
    const more = ownFrom > 0 ? "" : "; remove files in the step that makes them, and chmod while copying";
    return {
      message: `${megabytes(bytes)} in ${quantity(files, "file")} that a higher layer replaces or removes`,
      path: first && `/${first.path}`,
      hint: `lambda-pack inspect names them${more}`,
    };
  },
};
