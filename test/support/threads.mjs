/**
 * For `--import`, beside tsx: before Node 22 that teaches TypeScript to the main thread only, and a thread that cannot be loaded is one that the
 * sources do without.
 */
import { isMainThread } from "node:worker_threads";
import { register } from "tsx/esm/api";

if (!isMainThread) register();
