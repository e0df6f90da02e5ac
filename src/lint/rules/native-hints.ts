import type { Architecture } from "../../oci/platform.ts";
import type { ImageFacts } from "../facts.ts";
import { packageOf } from "../native-package.ts";
import { clibOf } from "../system.ts";

/** npm's and pip's names for Lambda's architectures. */
const NPM_CPU: Readonly<Record<Architecture, string>> = { x86_64: "x64", arm64: "arm64" };
const PIP_MACHINE: Readonly<Record<Architecture, string>> = { x86_64: "x86_64", arm64: "aarch64" };

/** The command that fetches the file's package as it should be. */
export function rebuild(path: string, architecture: Architecture, facts: ImageFacts): string {
  const { manager, name = "" } = packageOf(path);
  const system = clibOf(facts);
  if (manager === "npm") {
    const again = `npm install --os=linux --cpu=${NPM_CPU[architecture]} --libc=${system?.libc ?? "glibc"} --force`;
    return `${again} ${npmName(name)}`;
  }
  if (manager === "pip") {
    const version = facts.base?.repository === "python" ? ` --python-version ${facts.base.tag}` : "";
    const tag =
      system?.libc === "musl"
        ? "musllinux_1_2"
        : manylinux(system?.libc === "glibc" ? system.glibc : undefined);
    return `pip install --target . --upgrade --platform ${tag}_${PIP_MACHINE[architecture]} --only-binary=:all:${version} ${name}`;
  }
  return `build it for linux/${architecture === "arm64" ? "arm64" : "amd64"}: GOOS=linux GOARCH=..., cargo build --target ..., or on a machine like the base`;
}

/** `@img/sharp-darwin-arm64` comes with `sharp`, which is what a user installs. */
function npmName(name: string): string {
  return name.replace(/^@img\/sharp-.*$/, "sharp").replace(/[-_](?:darwin|win32|linux(?:musl)?)[-_].*$/, "");
}

/** PEP 600: the newest tag that the system's glibc still meets. */
function manylinux(glibc: string | undefined): string {
  return glibc === undefined || Number(glibc.split(".")[1]) < 28 ? "manylinux2014" : "manylinux_2_28";
}
