import { posix, win32 } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns LAMBDA_PACK_CACHE_DIR, else `lambda-pack` in XDG_CACHE_HOME, else in the system's
 * directory for caches (XDG Base Directory Specification; `~/Library/Caches`; `%LOCALAPPDATA%`).
 * `platform` is a value of `process.platform`.
 */
export function defaultCacheDirectory(environment: Environment, platform: string, home: string): string {
  const own = environment["LAMBDA_PACK_CACHE_DIR"];
  if (own) return own;
  const path = platform === "win32" ? win32 : posix;
  // The specification: "All paths set in these environment variables must be absolute", others are
  // ignored.
  const xdg = environment["XDG_CACHE_HOME"];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, "lambda-pack");
  if (platform === "win32") {
    return win32.join(
      environment["LOCALAPPDATA"] || win32.join(home, "AppData", "Local"),
      "lambda-pack",
      "cache",
    );
  }
  return platform === "darwin"
    ? posix.join(home, "Library", "Caches", "lambda-pack")
    : posix.join(home, ".cache", "lambda-pack");
}
