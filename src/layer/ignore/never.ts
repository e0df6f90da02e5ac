/**
 * Names that have no place in an image and often hold credentials or history; no `!` brings them back.
 * As npm-packlist leaves out, and what the tools named here keep their credentials in.
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

/** The ignore files themselves, which the user sees as settings of the build. */
export const IGNORE_FILES = [".lambdaignore", ".dockerignore"] as const;

/** Whether a path of the source folder never goes into an image. */
export function isNever(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    NAMES.has(name) || IGNORE_FILES.some((file) => file === path) || PLACES.some((place) => place.test(path))
  );
}
