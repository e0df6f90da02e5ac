import type { BinaryFacts } from "../../../lambda/binary/binary.ts";
import { compareVersions } from "../../../lambda/binary/elf.ts";
import { type Architecture, architectureOf } from "../../../oci/platform.ts";
import { dependenciesIn, NPM_RECORDS, packagesWithScript } from "../../dependencies/node.ts";
import { type ImageFacts, lookUp, taskRoot } from "../../facts.ts";
import { groupNatives, type Native, nativeFiles } from "../../native/files.ts";
import { hintsFor } from "../../native/hints.ts";
import { nodePackageAt } from "../../native/package.ts";
import { startedFiles } from "../../native/started.ts";
import { type Problem, quantity, type Rule } from "../../rule.ts";
import { type CLibrary, cLibraryOf } from "../../runtime.ts";

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
  check: (facts) =>
    problemsOf(facts, {
      isWrong: (file, architecture) => !runsOn(file, architecture),
      slotOf: slotOfPackage,
      what: (file, architecture) => `is for ${systemOf(file)}, and the image is for ${architecture}`,
    }),
};

/** Packages are downloaded without the files that their install scripts create. */
export const nativeCompiled: Rule = {
  id: "native-compiled",
  severity: "warning",
  expects: "Node packages that an install script compiles are compiled",
  otherwise: "Runtime.ImportModuleError: Cannot find module '../build/Release/x.node'",
  check: (facts) =>
    notCompiled(facts).map((one) => ({
      message: `the package ${one.package.name} has no compiled module: its install script did not run`,
      path: `/${one.path}`,
      hint: hintsFor(facts).forFile(one),
    })),
};

/**
 * Finds Node packages without the file that their install script compiles, because the script did
 * not run (`npm install --ignore-scripts`; pnpm 10 and later run only approved scripts). Skips
 * optional packages.
 */
function notCompiled(facts: ImageFacts): readonly Pick<Native, "path" | "package">[] {
  const { view, contents, lacksOwn } = facts.files;
  if (lacksOwn) return [];
  const root = taskRoot(facts);
  const paths = new Set([
    ...dependenciesIn(contents.texts.get(`${root}/package.json`)).map((name) => `node_modules/${name}`),
    ...packagesWithScript(contents.texts.get(`${root}/${NPM_RECORDS}`)),
  ]);
  const directories = [...paths].flatMap((path) => view.resolve(`${root}/${path}`)?.path ?? []);
  const candidates = [...new Set(directories)].filter((path) => view.get(`${path}/binding.gyp`));
  if (candidates.length === 0) return [];
  const natives = nativeFiles(facts).map((native) => native.package);
  const platformed = new Set(
    natives.flatMap(({ isPlatformPackage, name }) => (isPlatformPackage ? [name] : [])),
  );
  const binaries = [...contents.binaries].map(([path]) => path);
  return candidates.flatMap((directory) => {
    const path = `${directory}/binding.gyp`;
    const found = nodePackageAt(path);
    const isComplete = binaries.some((binary) => binary.startsWith(`${directory}/`));
    return found === undefined || isComplete || platformed.has(found.name) ? [] : [{ path, package: found }];
  });
}

export const nativeGlibc: Rule = {
  id: "native-glibc",
  severity: "warning",
  expects: "libraries ask for no newer glibc or libstdc++ than the base has",
  otherwise: "version `GLIBC_2.38' not found, or `GLIBCXX_3.4.31', when the library is loaded",
  check(facts) {
    const system = cLibraryOf(facts);
    if (system?.libc !== "glibc") return [];
    const { glibc, glibcxx, name } = system;
    const common: Pick<Judge, "isOther" | "slotOf"> = {
      isOther: (file, architecture) => !runsOn(file, architecture),
      slotOf: ({ package: { slot, key, manager } }) => (manager === "pip" ? key : slot),
    };
    const ofC = problemsOf(facts, {
      ...common,
      isWrong: (file) => isNewer(file.glibc, glibc) && !bringsLoader(file.interpreter),
      what: (file) => `asks for glibc ${file.glibc}, and ${name} has ${glibc}`,
    });
    if (glibcxx === undefined || bringsCxx(facts)) return ofC;
    const ofCxx = problemsOf(facts, {
      ...common,
      isWrong: (file) => isNewer(file.glibcxx, glibcxx),
      what: (file) => `asks for libstdc++ with GLIBCXX_${file.glibcxx}, and ${name} has ${glibcxx}`,
    });
    return [ofC, ofCxx];
  },
};

function isNewer(asked: string | undefined, present: string): boolean {
  return asked !== undefined && compareVersions(asked, present) > 0;
}

export const nativeLibc: Rule = {
  id: "native-libc",
  severity: "warning",
  expects: "libraries are linked with the C library of the base: glibc, or musl on Alpine",
  otherwise: "Error loading shared library; No such file or directory for a file that is there",
  check(facts) {
    const system = cLibraryOf(facts);
    if (!system) return [];
    return problemsOf(facts, {
      isWrong: (file) => isForOther(file, system, facts),
      isOther: (file, architecture) => !runsOn(file, architecture) || file.libc === undefined,
      slotOf: slotOfPackage,
      what: ({ libc }) => `is linked with ${libc}, and ${system.name} has ${system.libc}`,
    });
  },
};

/** One fitting file is enough for a package; of the app's own files, for variants of one file. */
function slotOfPackage({ package: { manager, key, slot } }: Native): string {
  return manager === "own" || manager === "dotnet" ? slot : key;
}

/** Returns whether the file is for Linux on this architecture. */
export function runsOn({ format, machines, system }: BinaryFacts, architecture: Architecture): boolean {
  return format === "elf" && system === undefined && machines.includes(architecture);
}

function isForOther({ libc, interpreter }: BinaryFacts, system: CLibrary, facts: ImageFacts): boolean {
  if (libc === undefined || libc === system.libc) return false;
  const loader = interpreter === undefined ? undefined : lookUp(facts, interpreter);
  return !(loader?.known === true && loader.entry !== undefined);
}

function bringsLoader(interpreter: string | undefined): boolean {
  return interpreter !== undefined && !/^\/lib(?:64)?\/ld-linux-[^/]+$/.test(interpreter);
}

function bringsCxx({ files: { contents } }: ImageFacts): boolean {
  return [...contents.binaries].some(([path]) => /^(?:var\/task|opt)\/.*libstdc\+\+\.so\.6/.test(path));
}

function systemOf({ format, machines, system }: BinaryFacts): string {
  const name = system ?? { elf: "Linux", "mach-o": "macOS", pe: "Windows" }[format];
  return `${name} on ${machines.join(" and ")}`;
}

interface Judge {
  readonly isWrong: (file: BinaryFacts, architecture: Architecture) => boolean;
  /** Files to ignore: neither wrong nor a replacement for a wrong file. Default: none. */
  readonly isOther?: (file: BinaryFacts, architecture: Architecture) => boolean;
  /** One fitting file is enough for all files with the same slot. */
  readonly slotOf: (native: Native) => string;
  readonly what: (file: BinaryFacts, architecture: Architecture) => string;
}

/** Reports errors for files that Lambda starts, a warning for a package without a fitting file. */
function problemsOf(facts: ImageFacts, { isWrong, isOther, slotOf, what }: Judge): readonly Problem[] {
  const architecture = architectureOf(facts.settings);
  if (!architecture) return [];
  const started = startedFiles(facts);
  const hints = hintsFor(facts);
  const all = nativeFiles(facts);
  const isIgnored = (file: BinaryFacts) => isOther?.(file, architecture) === true;
  const natives = all.filter(({ path, file }) => !started.has(path) && !isIgnored(file));
  const fitting = new Set(natives.filter(({ file }) => !isWrong(file, architecture)).map(slotOf));
  const wrong = natives.filter((one) => isWrong(one.file, architecture) && !fitting.has(slotOf(one)));
  const packaged = new Map(all.map((native) => [native.path, native]));
  const errors = [...started].flatMap((path): readonly Problem[] => {
    const file = facts.files.contents.binaries.get(path);
    if (!file || !isWrong(file, architecture) || isIgnored(file)) return [];
    const native = packaged.get(path);
    const hint = native ? hints.forFile(native) : hints.build;
    return [{ message: what(file, architecture), path: `/${path}`, hint, severity: "error" }];
  });
  const warnings = groupNatives(wrong).map(([first, ...others]): Problem => {
    const { name } = first.package;
    const of = name === undefined ? "" : `; no file of the package ${name} fits`;
    const more = others.length > 0 ? ` (and ${quantity(others.length, "more file")})` : "";
    const message = what(first.file, architecture) + of + more;
    return { message, path: `/${first.path}`, hint: hints.forFile(first) };
  });
  return [...errors, ...warnings];
}
