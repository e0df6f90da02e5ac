import { availableParallelism } from "node:os";

/*
 * The limits of packing. Only BLOCK and MEMORY_LEVEL affect the bytes of a layer: other values give
 * the same files another digest.
 *
 * Threads: one reads, hashes the output and writes; one hashes the tar; libuv's pool deflates, on
 * as many threads as there are cores. Memory for two layers at a time (commands/build/layers.ts): a
 * block in DEFLATES_AT_ONCE takes 1 MiB, half of that for its output and 0.4 MiB for zlib. With 4
 * cores that is 6 x 2 + 2 x (2 x 1.5 + 1) = 20 MiB, with 14 or more 40 MiB.
 */

/** Bytes that are deflated as one unit. */
export const BLOCK: number = 1024 * 1024;

/** 9 finds matches faster than the default 8: -9 % time for +0.3 % bytes. */
export const MEMORY_LEVEL = 9;

/**
 * Blocks that are deflated at the same time, for all layers together: two more than there are
 * cores, so that no core waits while the main thread reads. With 4 cores, 4 blocks took a fifth
 * longer, and 8 took 10 MB more to save 3 % of the time.
 */
export const DEFLATES_AT_ONCE: number = Math.min(16, availableParallelism() + 2);

/** Blocks of one layer between reading and writing. */
export const QUEUE_DEPTH: number = DEFLATES_AT_ONCE + 2;

/** Blocks that are kept for the next layer: garbage of this size would be freed late. */
export const SPARE: number = QUEUE_DEPTH;

/** Layers that are hashed but not packed at the same time: one is read while another is hashed. */
export const HASHED_AT_ONCE = 2;
