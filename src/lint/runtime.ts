import type { BaseSystem, Language } from "../lambda/bases.ts";
import type { BinaryFacts } from "../lambda/binary/binary.ts";
import { compareVersions } from "../lambda/binary/elf.ts";
import { languageOf } from "../lambda/handler/language.ts";
import { type ImageFacts, startsAsAws, variables } from "./facts.ts";

/** Returns the language by the table of bases, by ENTRYPOINT and ENV, or by the runtime. */
export function languageIn(facts: ImageFacts): Language | undefined {
  const settings = facts.settings.config ?? {};
  return (
    facts.base?.repository ??
    languageOf(settings, settings.Entrypoint) ??
    (startsAsAws(facts) ? fromRuntime(facts) : undefined)
  );
}

const RUNTIMES: readonly (readonly [RegExp, Language])[] = [
  [/^python3/, "python"],
  [/^node$/, "nodejs"],
  [/^java$/, "java"],
  [/^dotnet$/, "dotnet"],
  [/^ruby$/, "ruby"],
];

function fromRuntime({ files: { view } }: ImageFacts): Language | undefined {
  const programs = view.list("var/lang/bin");
  return RUNTIMES.find(([name]) => programs.some((program) => name.test(program)))?.[1];
}

const VARIABLES: Readonly<Partial<Record<Language, string>>> = {
  ...{ python: "PYTHON_VERSION", nodejs: "NODE_VERSION", ruby: "RUBY_VERSION", dotnet: "DOTNET_VERSION" },
};

/** Returns the runtime's version for rules: `3.12` for Python and Ruby, `22` for the others. */
export function runtimeVersion(facts: ImageFacts, language: Language): string | undefined {
  if (languageIn(facts) !== language) return undefined;
  const full =
    facts.base?.tag ?? variables(facts).get(VARIABLES[language] ?? "") ?? installed(facts, language);
  const parts = /^\d+(?:\.\d+)?/.exec(full ?? "")?.[0];
  return language === "python" || language === "ruby" ? parts : parts?.split(".", 1)[0];
}

/** Returns the version in the name of a program of AWS's Python bases: /var/lang/bin/python3.12. */
function installed(facts: ImageFacts, language: Language): string | undefined {
  if (language !== "python" || !startsAsAws(facts)) return undefined;
  return facts.files.view
    .list("var/lang/bin")
    .find((name) => /^python3\.\d+$/.test(name))
    ?.slice("python".length);
}

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
  const name = systemName(contents.texts.get("etc/os-release") ?? contents.texts.get("usr/lib/os-release"));
  const newestOf = (file: RegExp, versionOf: (facts: BinaryFacts) => string | undefined) =>
    [...contents.binaries]
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
