import { builtinModules } from "node:module";
import { posix } from "node:path";
import { parseModule } from "../../lambda/handler/app-files.ts";
import { nodeNames } from "../../lambda/handler/node/names.ts";
import { isObject, type JsonObject, parseObject } from "../../oci/json.ts";
import { type ImageFacts, startsAsAws, taskRoot, variables } from "../facts.ts";
import { type Problems, quantity, shortList } from "../rule.ts";
import { handlerFile, handlerModule } from "../rules/app/module-type.ts";

/** AWS's Node bases contain the AWS SDK: version 3, or version 2 before Node 18. */
const IN_RUNTIME = /^(?:@aws-sdk|@smithy)\/|^aws-sdk$/;
/** Type declarations, which only compilers read. */
const NO_CODE = /^@types\//;
/** The most files that are followed from the handler. */
const MAX_FILES = 200;

/** Finds packages of package.json that are not installed, and not bundled in the handler. */
export function missingNodePackages(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const { view, contents } = facts.files;
  const at = (path: string) => `${root}/${path}`;
  const wanted = dependenciesIn(contents.texts.get(at("package.json")));
  const missing = wanted.filter((name) => !isInRuntime(name, facts) && !isInstalled(name, facts));
  const imports = importsOf(facts);
  if (!imports && handlerFile(facts)) return []; // too large to read: a bundle
  const needed = imports?.isComplete ? missing.filter((name) => imports.names.has(name)) : missing;
  if (missing.length > 0 && view.get(at(".pnp.cjs"))) return plugAndPlay(facts);
  const unlisted = [...(imports?.names ?? [])].filter((name) => !wanted.includes(name));
  const lost = unlisted.filter((name) => !isInRuntime(name, facts) && !isInstalled(name, facts));
  const hasNone = view.list(at("node_modules")).length === 0;
  const names = [...needed, ...(hasNone && imports?.isSmall ? lost : [])];
  if (names.length === 0) return [];
  return {
    message: `${quantity(names.length, "package")} that the app needs ${names.length === 1 ? "is" : "are"} not in node_modules: ${shortList(names, names.length, 5)}`,
    path: `/${at("package.json")}`,
    hint: `${installCommand(facts)}, or lambda-pack build --install; or bundle the handler`,
  };
}

/** Returns the names in `dependencies` of a package.json, without type declarations. */
export function dependenciesIn(text: string | undefined): readonly string[] {
  const found = parseObject(text ?? "")?.["dependencies"];
  return isObject(found) ? Object.keys(found).filter((name) => !NO_CODE.test(name)) : [];
}

function isInRuntime(name: string, facts: ImageFacts): boolean {
  return startsAsAws(facts) && IN_RUNTIME.test(name);
}

/** Node looks in node_modules of each parent; NODE_PATH of AWS's bases adds /opt/nodejs. */
function isInstalled(name: string, { files: { view, whole }, ...facts }: ImageFacts): boolean {
  const root = taskRoot(facts);
  const places = [`/${root}/node_modules`, "/var/node_modules", "/node_modules", "/opt/nodejs/node_modules"];
  if (places.some((place) => view.resolve(`${place}/${name}`) !== undefined)) return true;
  // A link out of the app may lead to packages in a base or a Lambda layer.
  return !whole && view.get(`${root}/node_modules`)?.kind === "symlink";
}

interface Imports {
  /** Packages that are imported. */
  readonly names: ReadonlySet<string>;
  /** Whether every file that the handler imports was read. */
  readonly isComplete: boolean;
  /** Whether every file is smaller than a bundle. */
  readonly isSmall: boolean;
}

const BUNDLE = 100_000;
const ENDINGS = ["", ".js", ".mjs", ".cjs", ".json", "/index.js", "/index.mjs"];

/** Follows the relative imports of the handler. */
function importsOf(facts: ImageFacts): Imports | undefined {
  const handler = handlerModule(facts);
  if (!handler) return undefined;
  const names: string[] = [];
  const paths = new Set([handler.path]);
  let [isComplete, isSmall] = [true, true];
  // Files that are found on the way are added to the end of the set.
  for (const path of paths) {
    const text = facts.files.contents.texts.get(path);
    const found = importsIn(path, text);
    const specifiers = found ?? [];
    names.push(...specifiers.flatMap((one) => packageName(one) ?? []));
    const files = specifiers.filter((one) => one.startsWith(".")).map((one) => resolve(path, one, facts));
    for (const file of files.slice(0, MAX_FILES - paths.size)) if (file !== undefined) paths.add(file);
    isComplete &&= found !== undefined && !files.includes(undefined) && paths.size < MAX_FILES;
    isSmall &&= text === undefined || text.length < BUNDLE;
  }
  return { names: new Set(names), isComplete, isSmall };
}

/** Returns undefined for a file that cannot be read. */
function importsIn(path: string, text: string | undefined): readonly string[] | undefined {
  if (path.endsWith(".json")) return [];
  const module = parseModule(text, nodeNames);
  return module && [...module.imports];
}

function resolve(from: string, specifier: string, { files: { view } }: ImageFacts): string | undefined {
  const path = posix.join(posix.dirname(from), specifier);
  for (const ending of ENDINGS) {
    const entry = view.resolve(path + ending);
    if (entry && entry.kind !== "directory") return entry.path;
  }
  return undefined;
}

const BUILT_IN: ReadonlySet<string> = new Set(builtinModules);

/** Returns `@scope/name` for `@scope/name/file`; undefined for paths, built-ins and aliases. */
function packageName(specifier: string): string | undefined {
  if (!/^(?:@[\w.-]+\/)?[\w][\w.-]*(?:\/|$)/.test(specifier) || specifier.includes(":")) return undefined;
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
  return BUILT_IN.has(name) ? undefined : name;
}

function plugAndPlay(facts: ImageFacts): Problems {
  if (variables(facts).get("NODE_OPTIONS")?.includes(".pnp.cjs")) return [];
  return {
    message: "the packages are installed with Yarn's Plug'n'Play, which Lambda's runtime does not load",
    path: `/${taskRoot(facts)}/.pnp.cjs`,
    hint: 'yarn config set nodeLinker node-modules && yarn install; or --env NODE_OPTIONS="--require /var/task/.pnp.cjs"',
  };
}

function installCommand({ files: { view }, settings }: ImageFacts): string {
  const has = (name: string) => view.get(`${taskRoot({ settings })}/${name}`) !== undefined;
  if (has("pnpm-lock.yaml")) return "pnpm install --prod, or pnpm deploy in a workspace";
  if (has("yarn.lock")) return "yarn install --production";
  return has("package-lock.json") ? "npm ci --omit=dev" : "npm install --omit=dev";
}

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
