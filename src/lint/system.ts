import type { BaseSystem } from "../lambda/bases.ts";
import { compareVersions } from "../lambda/binary/elf.ts";
import { type ImageFacts, startsAsAws } from "./facts.ts";

/** The C library of the image's system. */
export type CLibrary = { readonly name: string } & (
  | { readonly libc: "glibc"; readonly glibc: string }
  | { readonly libc: "musl" }
);

/** glibc of the Amazon Linuxes (their package lists). */
const AMAZON_LINUX: Readonly<Record<BaseSystem, string>> = { AL1: "2.17", AL2: "2.26", AL2023: "2.34" };

/** From the C library that is in the image, where that was read; else from what the table knows of the base. */
export function cLibraryOf(facts: ImageFacts): CLibrary | undefined {
  return ofFiles(facts) ?? ofTable(facts);
}

function ofFiles({ files: { view, contents } }: ImageFacts): CLibrary | undefined {
  const name = systemName(contents.text("etc/os-release") ?? contents.text("usr/lib/os-release"));
  const versions = contents
    .binaries()
    .flatMap(([path, { providesGlibc }]) =>
      /(?:^|\/)libc\.so\.6$/.test(path) && providesGlibc ? [providesGlibc] : [],
    );
  const glibc = [...versions].sort(compareVersions).at(-1);
  if (glibc !== undefined) return { libc: "glibc", glibc, name };
  return view.list("lib").some((file) => file.startsWith("ld-musl-")) ? { libc: "musl", name } : undefined;
}

/** `Debian GNU/Linux 12 (bookworm)`. */
function systemName(osRelease: string | undefined): string {
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(osRelease ?? "")?.[1] ?? "the base";
}

function ofTable(facts: ImageFacts): CLibrary | undefined {
  const { base } = facts;
  if (!base || !startsAsAws(facts)) return undefined;
  return { libc: "glibc", glibc: AMAZON_LINUX[base.system], name: `${base.repository}:${base.tag}` };
}
