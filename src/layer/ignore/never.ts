/**
 * Names that are never packed, and that no `!` includes: version control (as npm-packlist excludes
 * it), and the files in which the tools named here keep credentials.
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

/** The same, by path where the name is not enough. */
const PATHS: readonly RegExp[] = [/(^|\/)\.docker\/config\.json$/];

/** Records of package managers: they change with each install, and no function reads them. */
const BOOKKEEPING: readonly RegExp[] = [
  /(^|\/)node_modules\/\.modules\.yaml$/, // pnpm
  /(^|\/)node_modules\/\.pnpm-workspace-state[^/]*\.json$/,
  /(^|\/)node_modules\/\.yarn-(?:state\.yml|integrity)$/,
  /\.dist-info\/uv_cache\.json$/,
];

/** Files that another lambda-pack process has not finished writing (blobs/partial.ts). */
const UNFINISHED = /\.[0-9a-f]{8}-[0-9]{1,10}-[0-9a-f]{12}\.partial$/;

/** The ignore files themselves, which are settings of the build; the first that exists counts. */
export const IGNORE_FILES = [".lambdaignore", ".containerignore", ".dockerignore"] as const;

/** The output directory of a build without a destination; the target of a link is not excluded. */
const OWN_OUTPUT = ".lambda-pack";

/** Returns whether a path of the source directory is never packed. */
export function isNever(path: string): boolean {
  return (
    isPrivate(path) ||
    path === OWN_OUTPUT ||
    UNFINISHED.test(path) ||
    IGNORE_FILES.some((file) => file === path) ||
    BOOKKEEPING.some((place) => place.test(path))
  );
}

/** Returns whether a path has the name of version control data or credentials. */
export function isPrivate(path: string): boolean {
  return NAMES.has(path.slice(path.lastIndexOf("/") + 1)) || PATHS.some((place) => place.test(path));
}
