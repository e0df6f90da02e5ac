import { deflateRawSync } from "node:zlib";
import { type Digest, digestOf } from "../../oci/digest.ts";

/** The way in which `pack` writes tar and gzip. To be raised with every change of the bytes that it gives for the same files. */
const FORMAT = 1;

/** Enough for deflate to show its ways: matches near and far, long and short, and bytes without any. */
const PROBE_BYTES = 16 * 1024;

const known = new Map<number, Digest>();

/**
 * What makes the bytes of a layer, beside the files: the same encoder gives the same bytes. Of zlib not the version counts but what it does,
 * as most versions deflate alike, and one version may not on another processor (Chromium's zlib, which Node has, hashes with the processor's own instructions).
 */
export function encoderOf(level: number): Digest {
  const encoder = known.get(level) ?? digestOf(Buffer.concat([Buffer.of(FORMAT, level), probed(level)]));
  known.set(level, encoder);
  return encoder;
}

function probed(level: number): Buffer {
  return deflateRawSync(probe(), { level, memLevel: 9 });
}

/** Letters, few at first and then all, as if by chance and the same on every machine; every fourth stretch is an earlier one again. */
function probe(): Buffer {
  const bytes = Buffer.alloc(PROBE_BYTES);
  let state = 1;
  for (let at = 0; at < PROBE_BYTES; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const isAgain = (at & 0xc0) === 0xc0;
    bytes[at] = isAgain ? (bytes[at - (state >>> 31) - 192] ?? 0) : (state >>> 24) & (at >> 6);
  }
  return bytes;
}
