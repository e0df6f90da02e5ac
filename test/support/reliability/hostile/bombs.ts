import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { contentOf } from "../../../../src/oci/content.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../../../src/oci/media-types.ts";
import type { Answer } from "../../registry/answer.ts";
import { bytesOf, contentOfBytes } from "../../registry/repository.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** Whatever a registry may hold under `app:v1`. */
export interface Bomb {
  /** Its row in the list of failure modes. */
  readonly row: "50";
  readonly name: string;
  readonly layer?: () => Buffer;
  /** Another answer for the manifest, or for the config. */
  readonly change?: { readonly kind: "get manifest" | "get blob"; readonly to: (honest: Answer) => Answer };
  /** How each command ends: its exit status, and a word of what it says. A layer is handed on as it is, so that a push of it is done. */
  readonly ends: Readonly<Record<Command, readonly [status: number, says: RegExp]>>;
  /** Takes long to inflate: by which commands `npm test` meets it. Default: all; `npm run reliability` always has all. */
  readonly quick?: readonly Command[];
}

export type Command = "check --deep" | "inspect" | "build" | "build --deep" | "push";
export const COMMANDS: readonly Command[] = ["check --deep", "inspect", "build", "build --deep", "push"];

/** So many MiB of a tar whose one file is larger than that: nothing but zeros, in a gzip of about `ratio` to 1. */
export function zeros(mebibytes: number, { padding = 0 } = {}): Buffer {
  const first = deflated(Buffer.concat([header("zeros", 64 * GiB), Buffer.alloc(MiB - 512)]));
  const more = deflated(Buffer.alloc(MiB));
  // An empty stored block takes room and says nothing.
  const pad = Buffer.concat(Array.from({ length: padding }, () => Buffer.from([0, 0, 0, 0xff, 0xff])));
  const pieces = Array.from({ length: mebibytes - 1 }, () => [more, pad]).flat();
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), first, ...pieces]);
}

function deflated(bytes: Buffer): Buffer {
  return deflateRawSync(bytes, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
}

/** A header of ustar, its size in base-256 (GNU tar, "Extensions"). */
function header(name: string, size: number, type = "0"): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644\x000000000\x000000000\0", 100);
  block.writeUInt8(0x80, 124);
  block.writeBigUInt64BE(BigInt(size), 128);
  block.write("00000000000\0", 136);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function oneHeader(type: string, size: number): Buffer {
  return gzipSync(Buffer.concat([header("x", size, type), Buffer.alloc(8 * MiB)]));
}

const REFUSED = [1, /sha256:|app:v1|:\d+\/app/] as const;
const DONE = [0, /sha256:/] as const;

/** A layer that can be read no further: who looks into it says so, who hands it on does not mind. */
function unreadable(says: RegExp): Bomb["ends"] {
  return {
    "check --deep": [3, says],
    inspect: [0, says],
    build: DONE,
    "build --deep": [3, says],
    push: DONE,
  };
}

const NEVER: Bomb["ends"] = {
  "check --deep": REFUSED,
  inspect: REFUSED,
  build: REFUSED,
  "build --deep": REFUSED,
  push: REFUSED,
};

/** Compressed on the way, which was not asked for; it would be 4 GiB. */
function encoded(honest: Answer): Answer {
  const body = zeros(4096);
  return {
    ...honest,
    body,
    headers: { ...honest.headers, "content-encoding": "gzip", "content-length": String(body.length) },
  };
}

export const BOMBS: readonly Bomb[] = [
  {
    row: "50",
    name: "a layer of 1 MB that inflates to 1 GB, and ends in the middle of a file",
    layer: () => zeros(1024),
    ends: unreadable(/1000 times its size|cut off|ends early/),
    quick: ["check --deep"],
  },
  {
    row: "50",
    name: "a layer of 6 MB that inflates to 6 GB",
    layer: () => zeros(6144),
    quick: [],
    ends: unreadable(/1000 times its size/),
  },
  {
    row: "50",
    name: "a layer that inflates less than 1000 times, to 12 GB",
    layer: () => zeros(12_288, { padding: 8 }),
    ends: unreadable(/10 GiB|more than/),
    quick: [],
  },
  {
    row: "50",
    name: "a PAX header of 8 GB",
    layer: () => oneHeader("x", 8 * GiB),
    ends: unreadable(/extended header/),
    quick: ["check --deep", "build --deep"],
  },
  {
    row: "50",
    name: "a GNU name of 8 GB",
    layer: () => oneHeader("L", 8 * GiB),
    ends: unreadable(/extended header|long/),
    quick: ["check --deep", "inspect"],
  },
  {
    row: "50",
    name: "a manifest that inflates to 4 GB on the way",
    change: { kind: "get manifest", to: encoded },
    ends: { ...NEVER, "check --deep": [3, /larger than the limit of 4194304 bytes/] },
    quick: ["check --deep", "build", "push"],
  },
  {
    row: "50",
    name: "a config that inflates to 4 GB on the way",
    change: { kind: "get blob", to: encoded },
    // check tells a config that is not what its descriptor says as a finding.
    ends: { ...NEVER, "check --deep": [3, /error layer-content/] },
    quick: ["check --deep", "build", "push"],
  },
];

/** The image around a layer, as a registry holds it: a base for x86_64. */
export async function imageWith(layer: Buffer) {
  const content = contentOfBytes(layer);
  const settings = {
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["app.handler"], WorkingDir: "/var/task" },
    rootfs: { type: "layers", diff_ids: [digestOf("whatever is in it")] },
  };
  const config = contentOf(MEDIA_TYPES.oci.config, Buffer.from(JSON.stringify(settings)));
  const manifest = contentOf(
    MEDIA_TYPES.oci.manifest,
    Buffer.from(
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: MEDIA_TYPES.oci.manifest },
        ...{ config: config.descriptor, layers: [content.descriptor] },
      }),
    ),
  );
  return { manifest: await bytesOf(manifest), config: await bytesOf(config), layer };
}
