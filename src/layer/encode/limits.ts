import { availableParallelism } from "node:os";

/*
 * What packing takes at most, all of it set here. None of it is in the bytes that come out, but for BLOCK.
 *
 * CPU: one thread that reads, hashes the output and writes; one that hashes the tar; and those of libuv's pool, as many as there are cores, that deflate.
 * Memory, of the two layers that are packed at a time (src/commands/build/layers.ts): a block in a lane is 1 MiB, half of that for what becomes of it (twice that
 * where it hardly shrinks) and 0.4 MiB of zlib's own; one that waits has no zlib any more. So 4 cores take 6 x 2 + 2 x (2 x 1.5 + 1) = 20 MiB, and 14 or
 * more 16 x 2 + 2 x (2 x 1.5 + 1) = 40 MiB.
 */

/** Bytes that are deflated by themselves. Part of every layer's bytes: another size gives the same files another digest. */
export const BLOCK: number = 1024 * 1024;

const MOST_LANES = 16;

/**
 * Blocks being deflated at once, of all layers together: two more than there are cores, so that none waits while the main thread reads. With 4 cores, 4 lanes
 * took a fifth longer, and 8 took 10 MB more for 3 % of the time.
 */
export const LANES: number = Math.min(MOST_LANES, availableParallelism() + 2);

/** Blocks of a layer between reading and writing: also those that are done before an earlier one is, and those that need no deflating. */
export const IN_LINE: number = LANES + 2;

/** Blocks that are kept for the next layer: garbage of this size would be collected late. */
export const SPARE: number = IN_LINE;

/** Layers that are only hashed at the same time, each on a thread that also reads: one core is left for the rest. More than two were no faster. */
export const HASHED_BESIDE: number = Math.max(1, Math.min(2, availableParallelism() - 1));

/** A thread that reads is told what comes next for so many bytes of the tar, whole blocks, and of so many portions before it has answered for the first. */
export const PORTION: number = 4 * BLOCK;
export const PORTIONS_AHEAD = 4;
