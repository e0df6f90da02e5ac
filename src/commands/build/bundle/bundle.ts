import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import type {
  BuildResult,
  BuildOptions as EsbuildOptions,
  Message,
  OnResolveResult,
  Plugin,
  ResolveResult,
} from "esbuild";
import type { Base } from "../../../base/base.ts";
import { hasCode, LambdaPackError, misuse } from "../../../errors.ts";
import { openRoot } from "../../../layer/source-root.ts";
import type { Session } from "../../../session/session.ts";
import type { BuildPlan } from "../plan.ts";
import { type BundleEntry, findBundleEntry } from "./bundle-entry.ts";
import {
  copyPackages,
  type InstalledDirectory,
  isNative,
  packageOf,
  versionOf,
} from "./external-packages.ts";

/**
 * Bundles the handler if the plan asks for it. Returns a plan whose source directory has only the
 * bundle, its source maps and the packages with native code.
 * @throws BUNDLE_FAILED, HANDLER_NOT_FOUND, USAGE
 */
export async function bundleSource(plan: BuildPlan, base: Base, session: Session): Promise<BundledPlan> {
  if (!plan.bundle) return plan;
  const { source, command, install } = plan;
  const root = openRoot(source.directory);
  const target = targetOf(base);
  const entry = findBundleEntry(root, command.handler);
  const esbuild = loadEsbuild([join(root, "package.json"), import.meta.url]);
  const out = join(await session.cache.makeWorkDirectory(), "bundle");
  const native = new Map<string, InstalledDirectory>();
  const options = { ...optionsOf(root, entry, target), plugins: [keepNativeOut(native)] };
  const { outputFiles = [], warnings, metafile } = await run(esbuild, options, entry, session.signal);
  for (const warning of warnings) session.emit({ type: "warning", message: textOf(warning) });
  for (const { path, contents } of outputFiles) {
    const file = join(out, relative(root, path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  const external = [...native.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const isInstalled = install.lockFiles.length > 0;
  if (!isInstalled) copyPackages(external, out);
  const only = new Map(external.map((one) => [one.name, versionOf(one)]));
  return {
    ...plan,
    source: { ...source, directory: out, origin: source.directory, ignoreFile: undefined, omitDev: false },
    command: { ...command, handler: entry.handler },
    install: { ...install, lockFiles: external.length > 0 ? install.lockFiles : [], only },
    sources: sourceDirectories(root, Object.keys(metafile?.inputs ?? {})),
  };
}

/** A plan whose source directory is that of the bundle, if there is one. */
interface BundledPlan extends BuildPlan {
  /** Absolute paths of the directories with the bundle's own source files, without packages. */
  readonly sources?: ReadonlySet<string>;
}

function sourceDirectories(root: string, inputs: readonly string[]): ReadonlySet<string> {
  const own = inputs.filter((path) => !path.includes("node_modules/"));
  return new Set([root, ...own.map((path) => join(root, dirname(path)))]);
}

type Esbuild = typeof import("esbuild");

/**
 * Loads esbuild from the first place that has it.
 * @throws BUNDLE_FAILED if no place has it, or if it does not work
 */
export function loadEsbuild(places: readonly string[]): Esbuild {
  for (const place of places) {
    const esbuild = esbuildAt(place);
    if (!esbuild) continue;
    if (typeof esbuild.context === "function") return esbuild;
    throw new LambdaPackError("BUNDLE_FAILED", `esbuild ${esbuild.version} is too old for --bundle`, {
      hint: "npm install --save-dev esbuild@latest",
    });
  }
  throw new LambdaPackError("BUNDLE_FAILED", "--bundle needs esbuild, which the project does not have", {
    hint: "npm install --save-dev esbuild",
  });
}

/** Returns undefined if esbuild is not installed there. */
function esbuildAt(place: string): Esbuild | undefined {
  try {
    return createRequire(place)("esbuild");
  } catch (cause) {
    if (hasCode(cause, "MODULE_NOT_FOUND")) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LambdaPackError("BUNDLE_FAILED", `esbuild cannot be loaded: ${why}`, { cause });
  }
}

/**
 * Returns esbuild's target for the base's Node, else a language version that every Node of Lambda
 * supports.
 */
function targetOf({ facts, image, reference }: Base): string {
  if (facts && facts.repository !== "nodejs" && facts.repository !== "provided")
    throw misuse(
      `--bundle has no effect: the base ${reference} has no Node.js`,
      "choose a base with Node.js: lambda-pack bases nodejs",
    );
  const variable = image.settings.config?.Env?.find((one) => one.startsWith("NODE_VERSION="));
  const version = /^\d+/.exec(facts?.tag ?? variable?.slice("NODE_VERSION=".length) ?? "")?.[0];
  return version === undefined ? "es2022" : `node${version}`;
}

/**
 * Defines `require` for bundled CommonJS packages in an ES module. It is a global, because a
 * constant could clash with a name in the source.
 */
const REQUIRE =
  'import { createRequire as lambdaPackCreateRequire } from "node:module"; globalThis.require ??= lambdaPackCreateRequire(import.meta.url);';

/**
 * Returns esbuild's options. The output path is in the source directory, so that no path in the
 * bundle depends on the location of that directory.
 */
function optionsOf(root: string, { file, name, format }: BundleEntry, target: string): EsbuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: [{ in: join(root, file), out: name }],
    outdir: root,
    write: false,
    metafile: true,
    allowOverwrite: true,
    bundle: true,
    platform: "node",
    target,
    format,
    outExtension: { ".js": format === "esm" ? ".mjs" : ".js" },
    ...(format === "esm" && { banner: { js: REQUIRE } }),
    loader: { ".node": "copy" },
    sourcemap: "linked",
    charset: "utf8",
    logLevel: "silent",
  };
}

/** Marks packages with native code as external, and collects them. */
function keepNativeOut(found: Map<string, InstalledDirectory>): Plugin {
  const verdicts = new Map<string, boolean>();
  const judge = (one: InstalledDirectory): boolean => {
    const known = verdicts.get(one.directory) ?? isNative(one);
    verdicts.set(one.directory, known);
    return known;
  };
  return {
    name: "native-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./\\]/ }, async ({ path, kind, pluginData, importer, resolveDir }) => {
        if (pluginData === IS_ASKED || kind === "entry-point") return undefined;
        const resolved = await build.resolve(path, { kind, importer, resolveDir, pluginData: IS_ASKED });
        const one = packageIn(resolved);
        return one && judge(one) ? keepOut(one, path, found) : undefined;
      });
    },
  };
}

function packageIn({ external, errors, path }: ResolveResult): InstalledDirectory | undefined {
  return external || errors.length > 0 ? undefined : packageOf(path);
}

function keepOut(
  one: InstalledDirectory,
  path: string,
  found: Map<string, InstalledDirectory>,
): OnResolveResult {
  const other = found.get(one.name) ?? one;
  if (other.directory !== one.directory) return { errors: [{ text: twoVersions(one, other) }] };
  found.set(one.name, one);
  return { path, external: true };
}

const IS_ASKED = Symbol("resolved by esbuild itself");

function twoVersions(one: InstalledDirectory, other: InstalledDirectory): string {
  const versions = [versionOf(one), versionOf(other)].sort().join(" and ");
  return `${one.name} has native code and is needed in two versions, ${versions}: an image of a bundle holds one`;
}

async function run(
  esbuild: Esbuild,
  options: EsbuildOptions,
  { file }: BundleEntry,
  signal: AbortSignal,
): Promise<BuildResult> {
  signal.throwIfAborted();
  const context = await esbuild.context(options);
  const cancel = () => void context.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await context.rebuild();
  } catch (error) {
    signal.throwIfAborted();
    throw failed(file, error);
  } finally {
    signal.removeEventListener("abort", cancel);
    await context.dispose();
  }
}

/** More errors usually follow from the first ones. */
const MAX_ERRORS = 3;

function failed(file: string, cause: unknown): LambdaPackError {
  const errors = messagesOf(cause);
  const shown = errors.slice(0, MAX_ERRORS).map(textOf);
  const more = errors.length > MAX_ERRORS ? [`and ${errors.length - MAX_ERRORS} more errors`] : [];
  const why = errors.length > 0 ? [...shown, ...more].join("; ") : String(cause);
  const hint = /^Top-level await .*"cjs"/.test(errors[0]?.text ?? "")
    ? 'make it an ES module: "type": "module" in package.json, or name the file .mts'
    : errors[0]?.notes[0]?.text;
  return new LambdaPackError("BUNDLE_FAILED", `${file} cannot be bundled: ${why}`, { hint, cause });
}

function messagesOf(error: unknown): readonly Message[] {
  // The class BuildFailure of esbuild has `errors`.
  return error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : [];
}

/** Formats a message: `src/app.ts:3:10: text`; lines and columns count from 1. */
function textOf({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}
