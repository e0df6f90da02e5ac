import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";

export interface Checked {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Hashes every blob of a layout anew, with nothing of the product's in between.
 * @throws when one is not what its name says
 */
export function checkBlobs(layout: string): Checked {
  const folder = join(layout, "blobs/sha256");
  const names = readdirSync(folder);
  const sizes = names.map((name) => {
    const bytes = readFileSync(join(folder, name));
    if (createHash("sha256").update(bytes).digest("hex") !== name)
      throw new Error(`${name} holds other bytes`);
    return bytes.length;
  });
  return { blobs: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

export interface RunSettings {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
}

interface Named {
  readonly digest: string;
}

/** Unpacks the image `digest` of a layout into the new folder `root`, layer after layer. Returns what its config says of how to run it. */
export async function unpack(layout: string, digest: string, root: string): Promise<RunSettings> {
  const blob = (of: string) => join(layout, "blobs", of.replace(":", "/"));
  const read = (of: string): unknown => JSON.parse(readFileSync(blob(of), "utf8"));
  const { config, layers } = read(digest) as { readonly config: Named; readonly layers: readonly Named[] };
  await mkdir(root);
  for (const layer of layers) await unpackLayer(blob(layer.digest), root);
  return (read(config.digest) as { readonly config: RunSettings }).config;
}

async function unpackLayer(file: string, root: string): Promise<void> {
  const entries = createReadStream(file).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    const { name, type, mode, linkname } = entry.header;
    const path = join(root, name);
    if (type === "directory") await mkdir(path, { recursive: true });
    else if (type === "symlink") await symlink(linkname ?? "", path);
    else await writeFile(path, await buffer(entry));
    if (type !== "symlink") await chmod(path, mode ?? 0o755);
    entry.resume();
  }
}
