import type * as index from "../index.ts";

/**
 * The functions of the public API. Each imports its command when it is called, so that a build does
 * not load what only deploy needs.
 */
export const build: typeof index.build = async (options) =>
  (await import("../commands/build/build.ts")).build(options);
export const buildFunctions: typeof index.buildFunctions = async (options) =>
  (await import("../commands/functions/build-functions.ts")).buildFunctions(options);
export const checkFunctions: typeof index.checkFunctions = async (options) =>
  (await import("../commands/functions/check-functions.ts")).checkFunctions(options);
export const deployFunctions: typeof index.deployFunctions = async (options) =>
  (await import("../commands/functions/deploy-functions.ts")).deployFunctions(options);
export const showConfig = async (...options: Parameters<typeof index.showConfig>) =>
  (await import("../commands/functions/show-config.ts")).showConfig(...options);
export const importDockerfile = async (...options: Parameters<typeof index.importDockerfile>) =>
  (await import("../commands/functions/import-dockerfile.ts")).importDockerfile(...options);
export const push: typeof index.push = async (options) =>
  (await import("../commands/push/push.ts")).push(options);
export const check: typeof index.check = async (options) =>
  (await import("../commands/check/check.ts")).check(options);
export const inspect: typeof index.inspect = async (options) =>
  (await import("../commands/inspect/inspect.ts")).inspect(options);
export const diff: typeof index.diff = async (options) =>
  (await import("../commands/diff/diff.ts")).diff(options);
export const invoke: typeof index.invoke = async (options) =>
  (await import("../commands/invoke/invoke.ts")).invoke(options);
export const dev: typeof index.dev = async (options) => (await import("../commands/dev/dev.ts")).dev(options);
export const listBases: typeof index.listBases = async (options) =>
  (await import("../commands/bases.ts")).listBases(options);
export const deploy: typeof index.deploy = async (options) =>
  (await import("../commands/deploy/deploy.ts")).deploy(options);
export const status: typeof index.status = async (options) =>
  (await import("../commands/status.ts")).status(options);
export const prune: typeof index.prune = async (options) =>
  (await import("../commands/prune.ts")).prune(options);
export const cacheInfo: typeof index.cacheInfo = async (options) =>
  (await import("../commands/cache.ts")).cacheInfo(options);
export const pruneCache: typeof index.pruneCache = async (options) =>
  (await import("../commands/cache.ts")).pruneCache(options);
export const verifyCache: typeof index.verifyCache = async (options) =>
  (await import("../commands/cache.ts")).verifyCache(options);
export const createRepository: typeof index.createRepository = async (options) =>
  (await import("../commands/repo.ts")).createRepository(options);
export const repositoryPolicy: typeof index.repositoryPolicy = async (options) =>
  (await import("../commands/repo.ts")).repositoryPolicy(options);
export const iamPolicy = async (...options: Parameters<typeof index.iamPolicy>): Promise<object> =>
  (await import("../commands/repo.ts")).iamPolicy(...options);
export const inspectionPage = async (
  ...inspection: Parameters<typeof index.inspectionPage>
): Promise<string> => (await import("../report/page.ts")).inspectionPage(...inspection);
