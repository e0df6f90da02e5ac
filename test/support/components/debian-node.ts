import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";
import { baseLayers } from "./base-images.ts";

/** A base that is none of AWS's: Debian's libraries and Node 22, with the settings of Docker's official `node` image. Returns how `--base` names it. */
export function debianNode(directory: string): Promise<string> {
  return debianBase(directory, "nodejs-22", {
    Env: ["PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin", "NODE_VERSION=22.0.0"],
    Cmd: ["node"],
  });
}

/** The same with Debian's Python 3.11. */
export function debianPython(directory: string): Promise<string> {
  return debianBase(directory, "python", { Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], Cmd: ["python3"] });
}

async function debianBase(directory: string, language: string, settings: object): Promise<string> {
  const layers = await baseLayers();
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const put = (bytes: Buffer) => {
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(directory, "blobs/sha256", digest), bytes);
    return { digest: `sha256:${digest}`, size: bytes.length };
  };
  const document = (value: unknown) => put(Buffer.from(JSON.stringify(value)));
  const names = ["system", language];
  const config = document({
    ...{ architecture: "amd64", os: "linux" },
    config: settings,
    rootfs: {
      type: "layers",
      diff_ids: names.map((name) => `sha256:${readFileSync(join(layers, `${name}.diffid`), "utf8").trim()}`),
    },
    history: names.map((name) => ({ created_by: name })),
  });
  const image = "application/vnd.oci.image";
  const manifest = document({
    ...{ schemaVersion: 2, mediaType: `${image}.manifest.v1+json` },
    config: { mediaType: `${image}.config.v1+json`, ...config },
    layers: names.map((name) => ({
      mediaType: `${image}.layer.v1.tar+gzip`,
      ...put(readFileSync(join(layers, `${name}.tar.gz`))),
    })),
  });
  const entry = {
    mediaType: `${image}.manifest.v1+json`,
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": "v1" },
  };
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return `oci:${directory}:v1`;
}

/** Adds AWS's own runtime interface client to an app, as `npm install aws-lambda-ric` would; compiled once on this machine for each version of the script. */
export async function addRuntimeClient(app: string): Promise<void> {
  const script = fileURLToPath(new URL("../../../scripts/runtime-client.sh", import.meta.url));
  const version = createHash("sha256").update(readFileSync(script)).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `lambda-pack-runtime-client-${process.getuid?.() ?? 0}-${version}`);
  await run("bash", [script, directory], { limitMs: 500_000 });
  const options = { recursive: true, verbatimSymlinks: true };
  cpSync(join(directory, "node_modules"), join(app, "node_modules"), options);
}
