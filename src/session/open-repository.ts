import type { Repository, RepositoryOptions } from "../registry/repository.ts";

/** A repository whose code is loaded at its first request: a build from one folder into another needs none of it. */
export function lazyRepository(options: RepositoryOptions): Repository {
  let loading: Promise<Repository> | undefined;
  const load = () => {
    loading ??= import("../registry/repository.ts").then(({ openRepository }) => openRepository(options));
    return loading;
  };
  return {
    name: `${options.registry}/${options.repository}`,
    pull: async (...wanted) => (await load()).pull(...wanted),
    find: async (...wanted) => (await load()).find(...wanted),
    isPublished: async (...wanted) => (await load()).isPublished(...wanted),
    has: async (...wanted) => (await load()).has(...wanted),
    put: async (...wanted) => (await load()).put(...wanted),
    // Where loading fails, the `put` that follows says so.
    sendAhead: (...growing) =>
      void load().then(
        (one) => one.sendAhead?.(...growing),
        () => undefined,
      ),
    publish: async (...wanted) => (await load()).publish(...wanted),
    close: async () => (await loading)?.close(),
  };
}
