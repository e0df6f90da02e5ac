/**
 * Names that never go into an image and that no `!` brings back: version control (as npm-packlist
 * leaves out), and the files in which the tools named here keep credentials.
 */
const NAMES: ReadonlySet<string> = new Set([
  ".git",
  ".hg",
  ".svn",
  ".bzr",
  ".DS_Store",
  ".npmrc", // npm, pnpm
  ".netrc", // curl, git, pip
  "_netrc",
  ".pypirc", // twine
  ".git-credentials",
  ".dockercfg",
  ".aws",
  ".ssh",
  ".gnupg",
]);

/** The same, where only the place tells. */
const PLACES: readonly RegExp[] = [/(^|\/)\.docker\/config\.json$/];

/**
 * What package managers note for themselves: it changes with each install, and nothing in a
 * function reads it.
 */
const BOOKKEEPING: readonly RegExp[] = [
  /(^|\/)node_modules\/\.modules\.yaml$/, // pnpm
  /(^|\/)node_modules\/\.pnpm-workspace-state[^/]*\.json$/,
  /(^|\/)node_modules\/\.yarn-(?:state\.yml|integrity)$/,
  /\.dist-info\/uv_cache\.json$/,
];

/** What another lambda-pack has not finished writing (blobs/partial.ts). */
const UNFINISHED = /\.[0-9a-f]{8}-[0-9]{1,10}-[0-9a-f]{12}\.partial$/;

/** The ignore files themselves, which are settings of the build; the first that exists counts. */
export const IGNORE_FILES = [".lambdaignore", ".containerignore", ".dockerignore"] as const;

/**
 * Where a build without a destination writes. By name only: a link there leaves out nothing else.
 */
const OWN_OUTPUT = ".lambda-pack";

/** Tells whether a path of the source directory never goes into an image. */
export function isNever(path: string): boolean {
  return (
    isPrivate(path) ||
    path === OWN_OUTPUT ||
    UNFINISHED.test(path) ||
    IGNORE_FILES.some((file) => file === path) ||
    BOOKKEEPING.some((place) => place.test(path))
  );
}

/** Tells whether a path has version control data or credentials by its name. */
export function isPrivate(path: string): boolean {
  return NAMES.has(path.slice(path.lastIndexOf("/") + 1)) || PLACES.some((place) => place.test(path));
}
