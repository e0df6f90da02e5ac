#!/usr/bin/env node
// CommonJS on purpose: the ESM loader reads files through libuv's pool, so by the time an ESM entry runs, the pool
// has already been started with 4 threads and UV_THREADPOOL_SIZE is no longer looked at.
process.env["UV_THREADPOOL_SIZE"] ??= String(require("node:os").availableParallelism());
require("node:module").enableCompileCache?.();
void import("./bin.ts");
