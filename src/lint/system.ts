import type { BaseSystem } from "../lambda/bases.ts";
import type { BinaryFacts } from "../lambda/binary/binary.ts";
import { compareVersions } from "../lambda/binary/elf.ts";
import { type ImageFacts, startsAsAws } from "./facts.ts";

/** The C library of the image's system. */
export type CLibrary = { readonly name: string } & (
  | {
      readonly libc: "glibc";
      readonly glibc: string;
      /** The newest version of its libstdc++ (GLIBCXX), if it has one. */
      readonly glibcxx?: string | undefined;
    }
  | { readonly libc: "musl" }
);

/** The glibc versions of Amazon Linux (from their package lists). */
const AMAZON_LINUX: Readonly<Record<BaseSystem, string>> = { AL1: "2.17", AL2: "2.26", AL2023: "2.34" };

/** The GLIBCXX versions of their libstdc++: GCC 4.8, 7.3 and 11. */
const GLIBCXX: Readonly<Record<BaseSystem, string>> = { AL1: "3.4.19", AL2: "3.4.24", AL2023: "3.4.29" };

/** Returns the C library in the image, or else the one in the table for the base. */
export function cLibraryOf(facts: ImageFacts): CLibrary | undefined {
  return ofFiles(facts) ?? ofTable(facts);
}

function ofFiles({ files: { view, contents } }: ImageFacts): CLibrary | undefined {
  const name = systemName(contents.text("etc/os-release") ?? contents.text("usr/lib/os-release"));
  const newestOf = (file: RegExp, versionOf: (facts: BinaryFacts) => string | undefined) =>
    contents
      .binaries()
      .flatMap(([path, facts]) => (file.test(path) ? (versionOf(facts) ?? []) : []))
      .sort(compareVersions)
      .at(-1);
  const glibc = newestOf(/(?:^|\/)libc\.so\.6$/, ({ providesGlibc }) => providesGlibc);
  const glibcxx = newestOf(/(?:^|\/)libstdc\+\+\.so\.6[.\d]*$/, ({ providesGlibcxx }) => providesGlibcxx);
  if (glibc !== undefined) return { libc: "glibc", glibc, glibcxx, name };
  return view.list("lib").some((file) => file.startsWith("ld-musl-")) ? { libc: "musl", name } : undefined;
}

/** Returns a name such as `Debian GNU/Linux 12 (bookworm)`. */
function systemName(osRelease: string | undefined): string {
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(osRelease ?? "")?.[1] ?? "the base";
}

function ofTable(facts: ImageFacts): CLibrary | undefined {
  const { base } = facts;
  if (!base || !startsAsAws(facts)) return undefined;
  const name = `${base.repository}:${base.tag}`;
  return { libc: "glibc", glibc: AMAZON_LINUX[base.system], glibcxx: GLIBCXX[base.system], name };
}
