import type { BinaryFacts } from "../../lambda/binary/binary.ts";
import type { ImageFacts } from "../facts.ts";
import { type NativePackage, packageOf } from "./package.ts";
import { pythonPackages } from "./python-packages.ts";

/** A file that a program on Linux might load or start. */
export interface Native {
  readonly path: string;
  readonly file: BinaryFacts;
  readonly package: NativePackage;
}

/** npm packages that only macOS or Windows has a use for. */
const OTHER_SYSTEMS_ONLY =
  /(?:^|\/)node_modules\/(?:fsevents|fs-xattr|macos-alias|windows-[^/]+|@vscode\/windows-[^/]+)\//;
/** Bundles of macOS, and libraries that only its loader looks for. */
const MACOS_ONLY = /\.app\/|\.dylib$|\.framework\/|\.dSYM\//;
const FIXTURE =
  /(?:^|\/)(?:tests?|__tests__|spec|fixtures?|__fixtures__|testdata|test-data|test_data|testfiles)\//;
/** Prisma's programs for migrations and editors; a client loads its query engine only. */
const PRISMA_TOOL = /(?:^|\/)(?:(?:schema|migration|introspection)-engine|prisma-fmt)-[^/]+$/;
const OTHER_WORD_SIZE = /(?:^|\/)lib(?:32|x32)\//;

/** The native files of the image that code may load, in no order. */
export function nativeFiles(facts: ImageFacts): readonly Native[] {
  const { contents, view } = facts.files;
  const python = pythonPackages(contents);
  const natives = contents.binaries().flatMap(([path, file, layer]) => {
    if (isNeverLoaded(path, file) || view.get(path)?.layer !== layer) return [];
    if (view.get(`${path}.runtimeconfig.json`)) return []; // .NET's own starter, for the machine that published
    const native = { path, file, package: packageOf(path, python) };
    return isData(native) ? [] : [native];
  });
  return joinFamilies(natives);
}

function isNeverLoaded(path: string, { managed, machines }: BinaryFacts): boolean {
  return (
    managed === true ||
    OTHER_SYSTEMS_ONLY.test(path) ||
    MACOS_ONLY.test(path) ||
    FIXTURE.test(path) ||
    PRISMA_TOOL.test(path) ||
    OTHER_WORD_SIZE.test(path) ||
    machines.every(isFirmware)
  );
}

/**
 * Code for graphics processors, microcontrollers and the kernel's own machine is data to a program.
 */
function isFirmware(machine: string): boolean {
  return machine.startsWith("machine ");
}

/**
 * Of Windows's files only modules of Node and Python, and what a package for Windows alone brings,
 * stand for something that Linux needs.
 */
function isData({ path, file, package: { isPlatformPackage } }: Native): boolean {
  return file.format === "pe" && isPlatformPackage !== true && !/\.(?:node|pyd)$/.test(path);
}

/**
 * `esbuild` belongs to the packages for one platform that it loads: it holds a copy of their
 * program.
 */
function joinFamilies(natives: readonly Native[]): readonly Native[] {
  const families = new Set(
    natives.flatMap(({ package: { isPlatformPackage, name } }) =>
      isPlatformPackage && name !== undefined ? [name] : [],
    ),
  );
  return natives.map((native) => {
    const { manager, name, isPlatformPackage, slot } = native.package;
    if (manager !== "npm" || isPlatformPackage || name === undefined || !families.has(name)) return native;
    return { ...native, package: { ...native.package, key: `npm ${name}`, slot, isPlatformPackage: true } };
  });
}
