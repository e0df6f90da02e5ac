/**
 * Returns a function of the API that imports its command when it is called, so that a build does not
 * load what only deploy needs.
 */
function late<A extends unknown[], R>(load: () => Promise<(...options: A) => R>) {
  return async (...options: A): Promise<Awaited<R>> => await (await load())(...options);
}

export const build = late(async () => (await import("../commands/build/build.ts")).build);
export const buildFunctions = late(
  async () => (await import("../commands/functions/build-functions.ts")).buildFunctions,
);
export const checkFunctions = late(
  async () => (await import("../commands/functions/check-functions.ts")).checkFunctions,
);
export const deployFunctions = late(
  async () => (await import("../commands/functions/deploy-functions.ts")).deployFunctions,
);
export const showConfig = late(async () => (await import("../commands/functions/plan.ts")).showConfig);
export const importDockerfile = late(
  async () => (await import("../commands/functions/import-dockerfile.ts")).importDockerfile,
);
export const push = late(async () => (await import("../commands/push/push.ts")).push);
export const check = late(async () => (await import("../commands/check/check.ts")).check);
export const inspect = late(async () => (await import("../commands/inspect/inspect.ts")).inspect);
export const diff = late(async () => (await import("../commands/diff/diff.ts")).diff);
export const invoke = late(async () => (await import("../commands/invoke/invoke.ts")).invoke);
export const dev = late(async () => (await import("../commands/dev/dev.ts")).dev);
export const listBases = late(async () => (await import("../commands/bases.ts")).listBases);
export const deploy = late(async () => (await import("../commands/deploy/deploy.ts")).deploy);
export const status = late(async () => (await import("../commands/status.ts")).status);
export const prune = late(async () => (await import("../commands/prune.ts")).prune);
export const cacheInfo = late(async () => (await import("../commands/cache.ts")).cacheInfo);
export const pruneCache = late(async () => (await import("../commands/cache.ts")).pruneCache);
export const verifyCache = late(async () => (await import("../commands/cache.ts")).verifyCache);
export const createRepository = late(async () => (await import("../commands/repo.ts")).createRepository);
export const repositoryPolicy = late(async () => (await import("../commands/repo.ts")).repositoryPolicy);
export const iamPolicy = late(async () => (await import("../commands/repo.ts")).iamPolicy);
export const inspectionPage = late(async () => (await import("../report/page.ts")).inspectionPage);
