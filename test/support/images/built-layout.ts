import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { type BuildEvent, type BuildOptions, type BuildResult, build } from "../../../src/index.ts";
import type { TestRegistry } from "../registry/registry.ts";
import { temporaryDirectory } from "../trees.ts";

export interface BuiltLayout extends BuildResult {
  readonly events: readonly BuildEvent[];
  /** The directory of the OCI layout. */
  readonly layout: string;
}

/** Builds into a new layout with a new cache, over the bases in `lambda/` of the registry. */
export async function buildToLayout(
  registry: TestRegistry,
  options: Partial<BuildOptions> & Pick<BuildOptions, "directory">,
): Promise<BuiltLayout> {
  const events: BuildEvent[] = [];
  const layout = join(temporaryDirectory(), "out");
  const result = await build({
    to: `oci:${layout}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { ...result, events, layout };
}

/** A file or link in a layer: permission bits and text, or where the link points. */
export interface LayerFile {
  readonly layer: string;
  readonly mode: string;
  readonly text: string;
}

/** The files and links of the layers that a build added to the image in an OCI layout, by path. */
export async function filesInLayout(layout: string): Promise<ReadonlyMap<string, LayerFile>> {
  const blob = (digest: string) =>
    readFileSync(join(layout, "blobs", "sha256", digest.replace("sha256:", "")));
  const [{ digest = "" } = {}] = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests;
  const manifest = JSON.parse(blob(digest).toString());
  const { history } = JSON.parse(blob(manifest.config.digest).toString());
  const found = new Map<string, LayerFile>();
  for (const [index, layer] of manifest.layers.entries()) {
    const name = /^lambda-pack: (.*)$/.exec(history[index].created_by)?.[1];
    if (name === undefined || history[index].comment === undefined) continue;
    for await (const [path, file] of filesIn(blob(layer.digest), name)) found.set(path, file);
  }
  return found;
}

async function* filesIn(blob: Buffer, layer: string): AsyncGenerator<[string, LayerFile]> {
  const entries = extract();
  entries.end(gunzipSync(blob));
  for await (const entry of entries) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
    const { type, mode, linkname, name } = entry.header;
    const text = type === "symlink" ? linkname : Buffer.concat(chunks).toString();
    if (type !== "directory") yield [name, { layer, mode: mode.toString(8), text }];
  }
}
