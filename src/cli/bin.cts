#!/usr/bin/env node
// CommonJS on purpose: the ESM loader reads files through libuv's pool, so by the time an ESM entry runs, the pool
// has already been started with 4 threads and UV_THREADPOOL_SIZE is no longer looked at.
process.env["UV_THREADPOOL_SIZE"] ??= String(require("node:os").availableParallelism());
// Stack traces that name our files take their maps, which cost time to read.
if (process.argv.includes("--verbose")) process.setSourceMapsEnabled(true);
void import("./bin.ts"); // in the package that is program.cjs
