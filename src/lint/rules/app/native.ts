import type { BinaryFacts } from "../../../lambda/binary/binary.ts";
import { compareVersions } from "../../../lambda/binary/elf.ts";
import { type Architecture, architectureOf } from "../../../oci/platform.ts";
import type { FileContents } from "../../contents/file-contents.ts";
import { type ImageFacts, lookUp } from "../../facts.ts";
import { type Native, nativeFiles } from "../../native/files.ts";
import { type Hints, hintsFor } from "../../native/hints.ts";
import { notCompiled } from "../../native/not-compiled.ts";
import { startedFiles } from "../../native/started.ts";
import { count, type Problems, type Rule } from "../../rule.ts";
import { type CLibrary, cLibraryOf } from "../../system.ts";

/**
 * Checks programs that Lambda starts and libraries that code may load. Only a program is certain to
 * fail; a package may work without its library.
 */
export const nativeArchitecture: Rule = {
  id: "native-architecture",
  severity: "warning",
  expects:
    "programs that Lambda starts are ELF files for the image's architecture (else an error), and so is a file of each package that brings native code",
  otherwise:
    "Runtime.InvalidEntrypoint: exec format error; or invalid ELF header, wrong ELF class, when the library is loaded",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    if (!architecture) return [];
    return problemsOf(facts, architecture, {
      isWrong: (file) => !runsOn(file, architecture),
      slotOf: ({ package: { manager, key, slot } }) =>
        manager === "own" || manager === "dotnet" ? slot : key,
      what: (file) => `is for ${systemOf(file)}, and the image is for ${architecture}`,
    });
  },
};

/** Packages are downloaded without the files that their install scripts create. */
export const nativeCompiled: Rule = {
  id: "native-compiled",
  severity: "warning",
  expects: "Node packages that an install script compiles are compiled",
  otherwise: "Runtime.ImportModuleError: Cannot find module '../build/Release/x.node'",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    if (!architecture) return [];
    const hints = hintsFor(facts, architecture);
    return notCompiled(facts).map((one) => ({
      message: `the package ${one.package.name} has no compiled module: its install script did not run`,
      path: `/${one.path}`,
      hint: hints.forFile(one),
    }));
  },
};

export const nativeGlibc: Rule = {
  id: "native-glibc",
  severity: "warning",
  expects: "libraries ask for no newer glibc or libstdc++ than the base has",
  otherwise: "version `GLIBC_2.38' not found, or `GLIBCXX_3.4.31', when the library is loaded",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    const system = cLibraryOf(facts);
    if (!architecture || system?.libc !== "glibc") return [];
    const { glibc, glibcxx, name } = system;
    const common: Pick<Judge, "isOther" | "slotOf"> = {
      isOther: (file) => !runsOn(file, architecture),
      slotOf: ({ package: { slot, key, manager } }) => (manager === "pip" ? key : slot),
    };
    const ofC = problemsOf(facts, architecture, {
      ...common,
      isWrong: ({ glibc: asked, interpreter }) =>
        asked !== undefined && compareVersions(asked, glibc) > 0 && !bringsLoader(interpreter),
      what: ({ glibc: asked }) => `asks for glibc ${asked}, and ${name} has ${glibc}`,
    });
    if (glibcxx === undefined || bringsCxx(facts)) return ofC;
    const ofCxx = problemsOf(facts, architecture, {
      ...common,
      isWrong: ({ glibcxx: asked }) => asked !== undefined && compareVersions(asked, glibcxx) > 0,
      what: ({ glibcxx: asked }) => `asks for libstdc++ with GLIBCXX_${asked}, and ${name} has ${glibcxx}`,
    });
    return [ofC, ofCxx];
  },
};

export const nativeLibc: Rule = {
  id: "native-libc",
  severity: "warning",
  expects: "libraries are linked with the C library of the base: glibc, or musl on Alpine",
  otherwise: "Error loading shared library; No such file or directory for a file that is there",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    const system = cLibraryOf(facts);
    if (!architecture || !system) return [];
    return problemsOf(facts, architecture, {
      isWrong: (file) => isForOther(file, system, facts),
      isOther: (file) => !runsOn(file, architecture) || file.libc === undefined,
      slotOf: ({ package: { manager, key, slot } }) =>
        manager === "own" || manager === "dotnet" ? slot : key,
      what: ({ libc }) => `is linked with ${libc}, and ${system.name} has ${system.libc}`,
    });
  },
};

/** Returns whether the file is for Linux on this architecture. */
export function runsOn({ format, machines, system }: BinaryFacts, architecture: Architecture): boolean {
  return format === "elf" && system === undefined && machines.includes(architecture);
}

function isForOther({ libc, interpreter }: BinaryFacts, system: CLibrary, facts: ImageFacts): boolean {
  if (libc === undefined || libc === system.libc) return false;
  const loader = interpreter === undefined ? undefined : lookUp(facts, interpreter);
  return !(loader?.known === true && loader.entry !== undefined);
}

/** Returns whether the program has its own loader, and so most likely its own C library. */
function bringsLoader(interpreter: string | undefined): boolean {
  return interpreter !== undefined && !/^\/lib(?:64)?\/ld-linux-[^/]+$/.test(interpreter);
}

/** Returns whether the app has its own libstdc++, which the loader may find first. */
function bringsCxx({ files: { contents } }: ImageFacts): boolean {
  return contents.binaries().some(([path]) => /^(?:var\/task|opt)\/.*libstdc\+\+\.so\.6/.test(path));
}

function systemOf({ format, machines, system }: BinaryFacts): string {
  const name = system ?? { elf: "Linux", "mach-o": "macOS", pe: "Windows" }[format];
  return `${name} on ${machines.join(" and ")}`;
}

interface Judge {
  readonly isWrong: (file: BinaryFacts) => boolean;
  /** Files to ignore: neither wrong nor a replacement for a wrong file. Default: none. */
  readonly isOther?: (file: BinaryFacts) => boolean;
  /** One fitting file is enough for all files with the same slot. */
  readonly slotOf: (native: Native) => string;
  readonly what: (file: BinaryFacts) => string;
}

/**
 * Returns an error for each file that Lambda starts, and one warning for each package without a
 * fitting file.
 */
function problemsOf(facts: ImageFacts, architecture: Architecture, judge: Judge): Problems {
  const started = startedFiles(facts);
  const hints = hintsFor(facts, architecture);
  const all = nativeFiles(facts);
  const natives = all.filter(({ path, file }) => !started.has(path) && judge.isOther?.(file) !== true);
  const fitting = new Set(natives.filter(({ file }) => !judge.isWrong(file)).map(judge.slotOf));
  const groups = new Map<string, Native[]>();
  for (const native of natives) {
    if (!judge.isWrong(native.file) || fitting.has(judge.slotOf(native))) continue;
    const group = groups.get(native.package.key);
    if (group) group.push(native);
    else groups.set(native.package.key, [native]);
  }
  const packaged = new Map(all.map((native) => [native.path, native]));
  return [
    ...[...started].flatMap((path) => startedProblem(path, facts.files.contents, packaged, hints, judge)),
    ...[...groups.values()].flatMap((group) => problemOf(group, hints, judge)),
  ];
}

function startedProblem(
  path: string,
  contents: FileContents,
  packaged: ReadonlyMap<string, Native>,
  hints: Hints,
  { isWrong, isOther, what }: Judge,
): Problems {
  const file = contents.binary(path);
  if (!file || !isWrong(file) || isOther?.(file) === true) return [];
  const native = packaged.get(path);
  const hint = native ? hints.forFile(native) : hints.build;
  return { message: what(file), path: `/${path}`, hint, severity: "error" };
}

function problemOf(natives: readonly Native[], hints: Hints, { what }: Judge): Problems {
  const first = natives.reduce<Native | undefined>(
    (least, native) => (least === undefined || native.path < least.path ? native : least),
    undefined,
  );
  if (!first) return [];
  const { name } = first.package;
  const of = name === undefined ? "" : `; no file of the package ${name} fits`;
  const more = natives.length > 1 ? ` (and ${count(natives.length - 1, "more file")})` : "";
  return { message: `${what(first.file)}${of}${more}`, path: `/${first.path}`, hint: hints.forFile(first) };
}
