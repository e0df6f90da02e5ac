import type { BinaryFacts } from "../../lambda/binary/binary.ts";
import type { ImageFacts } from "../facts.ts";
import { type NativePackage, packageOf } from "./package.ts";
import { pythonPackages } from "./python-packages.ts";

/** A native file that code may load or start. */
export interface Native {
  readonly path: string;
  readonly file: BinaryFacts;
  readonly package: NativePackage;
}

/** npm packages that only macOS or Windows uses. */
const OTHER_SYSTEMS_ONLY =
  /(?:^|\/)node_modules\/(?:fsevents|fs-xattr|macos-alias|windows-[^/]+|@vscode\/windows-[^/]+)\//;
/** Bundles and libraries that only macOS loads. */
const MACOS_ONLY = /\.app\/|\.dylib$|\.framework\/|\.dSYM\//;
const FIXTURE =
  /(?:^|\/)(?:tests?|__tests__|spec|fixtures?|__fixtures__|testdata|test-data|test_data|testfiles)\//;
/** Prisma's programs for migrations and editors; its client loads only the query engine. */
const PRISMA_TOOL = /(?:^|\/)(?:(?:schema|migration|introspection)-engine|prisma-fmt)-[^/]+$/;
const OTHER_WORD_SIZE = /(?:^|\/)lib(?:32|x32)\//;

/** Returns the native files of the image that code may load, in no particular order. */
export function nativeFiles(facts: ImageFacts): readonly Native[] {
  const { contents, view } = facts.files;
  const python = pythonPackages(contents);
  const natives = [...contents.binaries].flatMap(([path, file, layer]) => {
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
    // For a GPU, a microcontroller or the kernel's BPF: programs use these as data.
    machines.every((machine) => machine.startsWith("machine "))
  );
}

/**
 * Returns whether a Windows file can be ignored. Modules of Node and Python and packages for
 * Windows cannot: they are there instead of files for Linux.
 */
function isData({ path, file, package: { isPlatformPackage } }: Native): boolean {
  return file.format === "pe" && isPlatformPackage !== true && !/\.(?:node|pyd)$/.test(path);
}

/** Joins a package such as `esbuild`, which has a copy of one, with its platform packages. */
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

/** Groups files by their package, or by another key; the first of each group has the least path. */
export function groupNatives(
  natives: readonly Native[],
  keyOf: (native: Native) => string = ({ package: { key } }) => key,
): readonly (readonly [first: Native, ...others: Native[]])[] {
  const groups = new Map<string, [Native, ...Native[]]>();
  for (const native of [...natives].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const group = groups.get(keyOf(native));
    if (group) group.push(native);
    else groups.set(keyOf(native), [native]);
  }
  return [...groups.values()];
}
