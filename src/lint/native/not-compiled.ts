import { dependenciesIn } from "../dependencies/node.ts";
import { type ImageFacts, taskRoot } from "../facts.ts";
import { nativeFiles } from "./files.ts";
import { nodePackageAt } from "./node-package.ts";
import type { NativePackage } from "./package.ts";

interface NotCompiled {
  /** The path of its binding.gyp, from which node-gyp compiles it. */
  readonly path: string;
  readonly package: NativePackage;
}

/**
 * Finds Node packages without the file that their install script compiles, because the script did
 * not run (`npm install --ignore-scripts`; pnpm 10 and later run only approved scripts). Skips
 * optional packages.
 */
export function notCompiled(facts: ImageFacts): readonly NotCompiled[] {
  const { view, contents, lacksOwn } = facts.files;
  if (lacksOwn) return [];
  const root = taskRoot(facts);
  const paths = new Set([
    ...dependenciesIn(contents.text(`${root}/package.json`)).map((name) => `node_modules/${name}`),
    ...installedByScript(contents.text(`${root}/node_modules/.package-lock.json`)),
  ]);
  const directories = [...paths].flatMap((path) => view.resolve(`${root}/${path}`)?.path ?? []);
  const candidates = [...new Set(directories)].filter((path) => view.get(`${path}/binding.gyp`));
  if (candidates.length === 0) return [];
  const natives = nativeFiles(facts).map((native) => native.package);
  const platformed = new Set(
    natives.flatMap(({ isPlatformPackage, name }) => (isPlatformPackage ? [name] : [])),
  );
  const binaries = contents.binaries().map(([path]) => path);
  return candidates.flatMap((directory) => {
    const path = `${directory}/binding.gyp`;
    const found = nodePackageAt(path);
    const isComplete = binaries.some((binary) => binary.startsWith(`${directory}/`));
    return found === undefined || isComplete || platformed.has(found.name) ? [] : [{ path, package: found }];
  });
}

/** What npm records about an installed package (lockfileVersion 2 and 3). */
interface Note {
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** Returns the directories of packages for which npm records an install script. */
function installedByScript(text: string | undefined): readonly string[] {
  try {
    const json: { readonly packages?: Readonly<Record<string, Note | null>> | null } | null = JSON.parse(
      text ?? "null",
    );
    return Object.entries(json?.packages ?? {}).flatMap(([path, note]) =>
      note?.hasInstallScript && !note.optional && !note.dev && !note.devOptional ? [path] : [],
    );
  } catch {
    return [];
  }
}
