/** A version in the order of PEP 440: numbers to compare from left to right. */
interface PythonVersion {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Pre-release, post-release and development release, as numbers in the order of PEP 440. */
  readonly suffix: readonly number[];
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:(?:[-_.]?(?:post|rev|r)[-_.]?(\d*))|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;

const PHASES: Readonly<Record<string, number>> = {
  a: 0,
  alpha: 0,
  b: 1,
  beta: 1,
  c: 2,
  rc: 2,
  pre: 2,
  preview: 2,
};
const FINAL = 3;

/**
 * Parses a version; undefined if it is not valid. A local version (`+cu121`) equals its public one.
 */
function parseVersion(text: string): PythonVersion | undefined {
  const found = VERSION.exec(text.trim());
  if (!found) return undefined;
  const [, epoch = "0", release = "", phase, phaseNumber, post, implicitPost, dev, devNumber] = found;
  const postNumber = post ?? implicitPost;
  const isDevOnly = dev !== undefined && phase === undefined && postNumber === undefined;
  return {
    epoch: Number(epoch),
    release: release.split(".").map(Number),
    suffix: [
      phase === undefined ? (isDevOnly ? -1 : FINAL) : (PHASES[phase.toLowerCase()] ?? FINAL),
      Number(phaseNumber ?? 0),
      postNumber === undefined ? -1 : Number(postNumber),
      dev === undefined ? Number.POSITIVE_INFINITY : Number(devNumber ?? 0),
    ],
  };
}

function compare(a: PythonVersion, b: PythonVersion): number {
  const length = Math.max(a.release.length, b.release.length);
  const padded = ({ epoch, release, suffix }: PythonVersion) => [
    epoch,
    ...Array.from({ length }, (_, index) => release[index] ?? 0),
    ...suffix,
  ];
  const right = padded(b);
  for (const [index, value] of padded(a).entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

type Operator = "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=";

/**
 * Returns whether `version` satisfies a clause such as `>=3.9` or `==3.*` (PEP 440); undefined if
 * one of the versions is not valid.
 */
export function satisfies(version: string, operator: string, wanted: string): boolean | undefined {
  if (operator === "===") return version === wanted;
  const prefix = /^(.*)\.\*$/.exec(wanted.trim())?.[1];
  const [left, right] = [parseVersion(version), parseVersion(prefix ?? wanted)];
  if (!left || !right || !isOperator(operator)) return undefined;
  // Old packages write `>=3.6.*`, which PEP 440 does not know: there the version counts.
  if (prefix !== undefined && (operator === "==" || operator === "!="))
    return startsWith(left, right.release) === (operator === "==");
  const order = compare(left, right);
  if (operator === "~=") return order >= 0 && startsWith(left, right.release.slice(0, -1));
  return ORDERS[operator](order);
}

const ORDERS: Readonly<Record<Exclude<Operator, "~=">, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
};

function isOperator(text: string): text is Operator {
  return text in ORDERS || text === "~=";
}

function startsWith({ release }: PythonVersion, prefix: readonly number[]): boolean {
  return prefix.every((number, index) => (release[index] ?? 0) === number);
}

/**
 * Returns whether a version satisfies every clause of a specifier: `>=3.9,<4,!=3.10.*`. An invalid
 * clause is never satisfied.
 */
export function satisfiesAll(version: string, specifier: string): boolean {
  return specifier
    .split(",")
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "")
    .every((clause) => {
      const [, operator = "", wanted = ""] = /^(===|~=|==|!=|<=|>=|<|>)\s*(.+)$/.exec(clause) ?? [];
      return satisfies(version, operator, wanted) === true;
    });
}
