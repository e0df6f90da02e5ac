import { dependenciesIn } from "../dependencies/node.ts";
import { NPM_RECORDS, packagesWithScript } from "../dependencies/npm-records.ts";
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
    ...packagesWithScript(contents.text(`${root}/${NPM_RECORDS}`)),
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
