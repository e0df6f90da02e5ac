import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

/** Contents by path; `mode` where a file may be executed. */
export type ZipFiles = Readonly<Record<string, string | Uint8Array | ZipFile>>;

export interface ZipFile {
  readonly content: string;
  /** With the type of the file, where it is not a regular one: 0o120777. */
  readonly mode: number;
  /** The method that the entry claims. Default 8, deflated. */
  readonly method?: number;
  /** The bits that the entry claims: 1 is encrypted. */
  readonly flags?: number;
  /** The size that the entry claims. */
  readonly size?: number;
}

/** A zip with deflated files (APPNOTE.TXT 4.3). */
export function makeZip(files: ZipFiles): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, file] of Object.entries(files)) {
    const plain = typeof file === "string" || file instanceof Uint8Array;
    const { mode, method = 8, flags = 0, size }: ZipFile = plain ? { content: "", mode: 0o644 } : file;
    const bytes = Buffer.from(plain ? file : file.content);
    const packed = deflateRawSync(bytes);
    const name = Buffer.from(path);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size ?? bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((((mode > 0o7777 ? 0 : 0o100000) | mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(at, 10);
    const made = Buffer.from([20, 3]);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), made, common, tail, name]));
    locals.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** `NAME-VERSION-TAGS.whl`. */
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** A wheel of one module that says which wheel it is from; `tags` is `py3-none-any` or the like. */
export function makeWheel(
  name: string,
  version: string,
  tags = "py3-none-any",
  more: ZipFiles = {},
  requires: readonly string[] = [],
): Wheel {
  const module = name.replaceAll("-", "_");
  const info = `${module}-${version}.dist-info`;
  const files: ZipFiles = {
    [`${module}/__init__.py`]: `VERSION = "${version}"\nTAGS = "${tags}"\n`,
    ...more,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requires.map((one) => `Requires-Dist: ${one}\n`).join("")}`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: ${tags.endsWith("any")}\n${tagLines(tags)}`,
  };
  const record = [
    ...Object.entries(files).map(([path, file]) => recordLine(path, file)),
    `${info}/RECORD,,`,
  ].join("\n");
  const bytes = makeZip({ ...files, [`${info}/RECORD`]: `${record}\n` });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, version, file: `${module}-${version}-${tags}.whl`, bytes, sha256 };
}

function tagLines(tags: string): string {
  const [python = "", abi = "", platforms = ""] = tags.split("-");
  return platforms
    .split(".")
    .map((platform) => `Tag: ${python}-${abi}-${platform}\n`)
    .join("");
}

function recordLine(path: string, file: ZipFiles[string]): string {
  const content = typeof file === "string" || file instanceof Uint8Array ? file : file.content;
  const bytes = Buffer.from(content);
  return `${path},sha256=${createHash("sha256").update(bytes).digest("base64url")},${bytes.length}`;
}

/** The checksum of a zip (ISO 3309); node:zlib has it since 22.2. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
