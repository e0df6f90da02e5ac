import { constants, deflateRawSync } from "node:zlib";
import { digestOf } from "../../oci/digest.ts";
import { MEMORY_LEVEL } from "./limits.ts";

/**
 * The deflate implementation: Node's own zlib, or pako where that zlib gives other bytes than the
 * zlib of Node's releases.
 */
export type Encoder = "zlib" | "pako";

/** The version of the bytes that `pack` writes for the same files; raised whenever they change. */
const FORMAT = 2;

/** Names everything that determines a layer's bytes besides its tar: a constant for each level. */
export function encodingOf(level: number): string {
  return `lambda-pack ${FORMAT}, deflate level ${level}`;
}

const known = new Map<number, Encoder>();

/**
 * Returns the encoder for a deflate level, after a test of about 2 ms, once for each level. The
 * zlib of Bun, Deno and a Node that is linked to the system's gives other bytes than that of Node's
 * releases, which is the same on all processors.
 */
export function encoderOf(level: number): Encoder {
  const encoder = known.get(level) ?? (sampleDigest(level) === EXPECTED[level - 1] ? "zlib" : "pako");
  known.set(level, encoder);
  return encoder;
}

/**
 * Digests of the deflated sample at levels 1 to 9 with Node 20.10 and later; made with Node 20.20.2
 * on x64.
 */
const EXPECTED: readonly string[] = [
  "6bc05edbcbefcfcab314a74709bbd2bc",
  "27e377c159d3f7e51476d70b9de831d4",
  "054b29d0188d5234b9303ea92ad49eb9",
  "236686cecd04f5a1177ed5e382e4c47e",
  "c138808b7313ea76dbd8a51a410f11c3",
  "20e68dd18c70f327283d34ecc7c4337f",
  "0cf847dafd0675b427b30056a00918bd",
  "8bba58a0a9ba0c2f9a203a3e715c66c1",
  "8bba58a0a9ba0c2f9a203a3e715c66c1",
];

/** Deflates the sample with the options of deflate.ts. */
function sampleDigest(level: number): string {
  const bytes = sample();
  const options = {
    level,
    memLevel: MEMORY_LEVEL,
    finishFlush: constants.Z_SYNC_FLUSH,
    dictionary: bytes.subarray(0, 32 * 1024),
  };
  return digestOf(deflateRawSync(bytes, options)).slice("sha256:".length, "sha256:".length + 32);
}

const SAMPLE_BYTES = 64 * 1024;

/**
 * Returns pseudo-random bytes that exercise deflate and are the same on every machine: of few
 * values at first and then of more; every fourth run of 64 bytes repeats earlier ones.
 */
export function sample(): Buffer {
  const made = Buffer.alloc(SAMPLE_BYTES);
  let state = 1;
  for (let at = 0; at < SAMPLE_BYTES; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const isRepeated = (at & 0xc0) === 0xc0;
    made[at] = isRepeated ? (made[at - (state >>> 31) - 192] ?? 0) : (state >>> 24) & (at >> 8);
  }
  return made;
}
