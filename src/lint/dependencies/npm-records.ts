import { isObject, type JsonObject, parseObject } from "../../oci/json.ts";

/** What npm records about each installed package (lockfileVersion 2 and 3). */
export const NPM_RECORDS = "node_modules/.package-lock.json";

/** Returns the records, by the directory of the package: `node_modules/typescript`. */
function recordsIn(text: string | undefined): readonly (readonly [path: string, record: JsonObject])[] {
  const packages = parseObject(text ?? "")?.["packages"];
  if (!isObject(packages)) return [];
  return Object.entries(packages).flatMap(([path, record]) =>
    isObject(record) ? [[path, record] as const] : [],
  );
}

/**
 * Returns the directories of packages that only development needs. Not `devOptional`:
 * `npm ci --omit=dev` keeps these, because they are optional dependencies too.
 */
export function developmentPackages(records: string | undefined): ReadonlySet<string> {
  return new Set(recordsIn(records).flatMap(([path, { dev }]) => (dev === true ? [path] : [])));
}

/** Returns the directories of packages that the app needs and that have an install script. */
export function packagesWithScript(records: string | undefined): readonly string[] {
  return recordsIn(records).flatMap(([path, { hasInstallScript, optional, dev, devOptional }]) =>
    hasInstallScript === true && !optional && !dev && !devOptional ? [path] : [],
  );
}

/** Returns whether the innermost package of the path is one of these. */
export function isInPackage(inside: string, packages: ReadonlySet<string>): boolean {
  const [innermost] = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(inside) ?? [];
  return innermost !== undefined && packages.has(innermost);
}
