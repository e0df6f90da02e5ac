import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A way to make an image, or a layer with both of its digests, from the directory `app` in the
 * empty directory `out`.
 */
export interface Contender {
  readonly name: string;
  readonly command: (app: string, out: string) => readonly string[];
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Returns the command line that runs the built command as it is installed. */
export function lambdaPack(...args: readonly string[]): readonly string[] {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly bin: { readonly "lambda-pack": string };
  };
  return [process.execPath, join(root, bin["lambda-pack"]), ...args];
}

function shell(script: string, app: string, out: string): readonly string[] {
  return ["bash", "-euo", "pipefail", "-c", script, "bash", app, out];
}

/**
 * Needed because `scratch` starts no handler, and botocore has a file named like a secret. All
 * checks run.
 */
export const ALLOWED: readonly string[] = [
  ...["--allow", "entrypoint", "--allow", "runtime-client"],
  ...["--allow-secret", "botocore/credentials.py"],
];

/** Packs one or more layers; the other tools pack one. With `scratch`, no base is read. */
export const ours: Contender = {
  name: "lambda-pack",
  command: (app, out) =>
    lambdaPack(
      "build",
      app,
      "--base",
      "scratch",
      "--to",
      `oci:${out}/image`,
      "--no-cache",
      "--quiet",
      ...ALLOWED,
    ),
};

const umoci: Contender = {
  name: "umoci insert",
  command: (app, out) =>
    shell(
      `umoci init --layout "$2/image"; umoci new --image "$2/image:v1"
       umoci insert --image "$2/image:v1" "$1" /var/task; umoci gc --layout "$2/image"`,
      app,
      out,
    ),
};

/** The storage is removed after the measurement. */
const buildah: Contender = {
  name: "buildah copy, commit",
  command: (app, out) =>
    shell(
      `buildah() { command buildah --storage-driver overlay --root "$2.storage" --runroot "$2.run" "\${@:3}"; }
       name=$(buildah "$1" "$2" from scratch); buildah "$1" "$2" copy -q "$name" "$1" /var/task
       buildah "$1" "$2" commit -q --disable-compression=false "$name" "oci:$2/image:v1"`,
      app,
      out,
    ),
};

/** Uses openssl because Debian's sha256sum does not use the processor's SHA instructions. */
function pigz(level: number): Contender {
  return {
    name: `tar, pigz -p4 -${level}`,
    command: (app, out) =>
      shell(
        `mkfifo "$2/tar" "$2/gz"
         openssl dgst -sha256 -out "$2/diffid" "$2/tar" & openssl dgst -sha256 -out "$2/digest" "$2/gz" &
         tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf - . |
           tee "$2/tar" | pigz -n -p4 -${level} | tee "$2/gz" >"$2/layer.tar.gz"
         wait; rm "$2/tar" "$2/gz"`,
        app,
        out,
      ),
  };
}

/** The tables compare the others with the first. */
export const CONTENDERS: readonly [Contender, ...Contender[]] = [ours, umoci, buildah, pigz(4), pigz(6)];
