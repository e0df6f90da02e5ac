import type { BinaryFacts } from "../../lambda/binary/binary.ts";
import { compareVersions } from "../../lambda/binary/elf.ts";
import { type Architecture, architectureOf } from "../../oci/platform.ts";
import { type ImageFacts, lookUp } from "../facts.ts";
import { fitting, packageOf } from "../native-package.ts";
import type { Problem, Rule } from "../rule.ts";
import { clibOf } from "../system.ts";
import { rebuild } from "./native-hints.ts";

interface Native {
  readonly path: string;
  readonly facts: BinaryFacts;
}

/** Programs that Lambda starts, and libraries that code loads; a package that brings one for each platform is judged by the one that fits. */
export const nativeArchitecture: Rule = {
  id: "native-architecture",
  severity: "error",
  expects: "executables and libraries are ELF files for the image's architecture",
  otherwise:
    "Runtime.InvalidEntrypoint: exec format error; or invalid ELF header, wrong ELF class, when the library is loaded",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    if (!architecture) return [];
    const wrong = natives(facts).filter(({ facts: one }) => !runsOn(one, architecture));
    return grouped(
      wrong,
      facts,
      architecture,
      ({ facts: one }) => `${nameOf(one)}, and the image is for ${architecture}`,
    );
  },
};

export const nativeGlibc: Rule = {
  id: "native-glibc",
  severity: "warning",
  expects: "libraries ask for no newer glibc than the base has",
  otherwise: "/lib64/libc.so.6: version `GLIBC_2.38' not found, when the library is loaded",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    const system = clibOf(facts);
    if (!architecture || system?.libc !== "glibc") return [];
    const { glibc } = system;
    const wrong = natives(facts).filter(
      ({ facts: { glibc: asked } }) => asked !== undefined && compareVersions(asked, glibc) > 0,
    );
    return grouped(
      wrong,
      facts,
      architecture,
      ({ facts: one }) => `asks for glibc ${one.glibc}, and ${system.name} has ${glibc}`,
    );
  },
};

export const nativeLibc: Rule = {
  id: "native-libc",
  severity: "warning",
  expects: "libraries are linked with the C library of the base: glibc, or musl on Alpine",
  otherwise: "Error loading shared library; No such file or directory for a file that is there",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    const system = clibOf(facts);
    if (!architecture || !system) return [];
    const wrong = natives(facts).filter(
      ({ facts: { libc, machines } }) =>
        libc !== undefined && libc !== system.libc && machines.includes(architecture),
    );
    return grouped(
      wrong,
      facts,
      architecture,
      ({ facts: one }) => `is linked with ${one.libc}, and ${system.name} has ${system.libc}`,
    );
  },
};

/** Windows libraries that are no Node or Python module are data to Linux: .NET packages bring them by the dozen. */
function natives({ files: { evidence, view } }: ImageFacts): readonly Native[] {
  return evidence
    .binaries()
    .filter(([path, one]) => one.managed !== true && (one.format !== "pe" || /\.(?:node|pyd)$/.test(path)))
    .filter(([path, , layer]) => !/(?:^|\/)lib(?:32|x32)\//.test(path) && view.get(path)?.layer === layer)
    .map(([path, one]) => ({ path, facts: one }));
}

function runsOn({ format, machines }: BinaryFacts, architecture: Architecture): boolean {
  return format === "elf" && machines.includes(architecture);
}

function nameOf({ format, machines }: BinaryFacts): string {
  const system = { elf: "Linux", "mach-o": "macOS", pe: "Windows" }[format];
  return `is for ${system} on ${machines.join(" and ")}`;
}

/** One problem for each package: the first of its files, and how many more. What Lambda itself starts is always an error. */
function grouped(
  wrong: readonly Native[],
  facts: ImageFacts,
  architecture: Architecture,
  what: (native: Native) => string,
): readonly Problem[] {
  const all = natives(facts).map(({ path, facts: one }) => ({ path, fits: runsOn(one, architecture) }));
  const groups = new Map<string, Native[]>();
  for (const native of wrong) {
    if (fitting(native.path, all, architecture)) continue;
    const key = packageOf(native.path).folder;
    groups.set(key, [...(groups.get(key) ?? []), native]);
  }
  return [...groups.values()].flatMap((natives) => problemOf(natives, facts, architecture, what));
}

function problemOf(
  natives: readonly Native[],
  facts: ImageFacts,
  architecture: Architecture,
  what: (native: Native) => string,
): readonly Problem[] {
  const [first] = [...natives].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (!first) return [];
  const more = natives.length > 1 ? ` (and ${natives.length - 1} more files of it)` : "";
  return [
    {
      message: `${what(first)}${more}`,
      path: `/${first.path}`,
      hint: rebuild(first.path, architecture, facts),
      ...(natives.some(({ path }) => isStarted(path, facts)) && { severity: "error" as const }),
    },
  ];
}

/** By Lambda, before any code of the app's. */
function isStarted(path: string, facts: ImageFacts): boolean {
  const [program = ""] = facts.settings.config?.Entrypoint ?? [];
  const started = program.startsWith("/") ? lookUp(facts, program) : undefined;
  return (
    path === "var/runtime/bootstrap" ||
    path.startsWith("opt/extensions/") ||
    (started?.known === true && started.entry?.path === path)
  );
}
