import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";

export interface RawManifest {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string; readonly digest: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

export interface RawConfig {
  readonly architecture: string;
  readonly history: readonly unknown[];
  readonly config: { readonly Cmd: readonly string[]; readonly Env: readonly string[] };
}

export interface PulledImage {
  readonly manifest: RawManifest;
  readonly config: RawConfig;
  /** The layers' files, base first. */
  readonly layers: readonly string[];
}

/** Copies an image, unchanged, into the new directory `directory`: skopeo checks every digest on the way. */
export async function pullWithSkopeo(image: string, directory: string): Promise<PulledImage> {
  await run("skopeo", ["copy", "-q", "--src-tls-verify=false", image, `dir:${directory}`]);
  const manifest = readJson(join(directory, "manifest.json")) as RawManifest;
  const pathOf = (digest: string) => join(directory, digest.replace("sha256:", ""));
  const config = readJson(pathOf(manifest.config.digest)) as RawConfig;
  return { manifest, config, layers: manifest.layers.map(({ digest }) => pathOf(digest)) };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
