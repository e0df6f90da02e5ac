/** A kind of cache that a build or a tool leaves behind and no function reads. */
interface CacheKind {
  readonly what: string;
  /** Matches a path in such a cache; the first group is the cache's directory. */
  readonly at: RegExp;
}

const KINDS: readonly CacheKind[] = [
  { what: "package manager's cache", at: /^(var\/cache\/(?:dnf|yum|apt|apk|ldconfig|libdnf5|man))\// },
  { what: "package manager's lists", at: /^(var\/lib\/apt\/lists)\// },
  {
    what: "package manager's cache",
    at: /^(.*?\/?(?:\.npm\/_cacache|\.yarn\/cache|\.pnpm-store|\.cargo\/registry))\//,
  },
  { what: "pip's cache", at: /^(.*?\/?\.cache\/pip)\// },
  { what: "cache", at: /^(.*?\/?(?:\.cache|\.parcel-cache|\.turbo|\.nyc_output|\.gradle))\// },
  { what: "test cache", at: /^(.*?\/?(?:\.pytest_cache|\.mypy_cache|\.ruff_cache|\.tox))\// },
  { what: "repository", at: /^(.*?\/?\.git)\// },
  { what: "temporary files", at: /^((?:var\/)?tmp)\// },
  { what: "logs", at: /^(var\/log)\// },
];

export interface Cache {
  /** The directory. */
  readonly path: string;
  readonly what: string;
  readonly files: number;
  readonly bytes: number;
}

/** Sums up the files in caches, by the cache's directory. */
export class Caches {
  readonly #found = new Map<string, { path: string; what: string; files: number; bytes: number }>();

  add(path: string, size: number): void {
    const found = cacheOf(path);
    if (!found) return;
    const cache = this.#found.get(found.path) ?? { ...found, files: 0, bytes: 0 };
    cache.files += 1;
    cache.bytes += size;
    this.#found.set(found.path, cache);
  }

  /** Returns the caches, the largest first, without empty ones. */
  list(): readonly Cache[] {
    return [...this.#found.values()].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  }
}

/** Returns the cache that a file is in. */
export function cacheOf(path: string): { readonly path: string; readonly what: string } | undefined {
  for (const { what, at } of KINDS) {
    const [, directory] = at.exec(path) ?? [];
    if (directory !== undefined) return { path: directory, what };
  }
  return undefined;
}
