import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseBase } from "../../../base/base.ts";
import { misuse } from "../../../errors.ts";
import type { Language } from "../../../lambda/bases.ts";
import {
  chooseBase,
  type DetectedBase,
  LANGUAGE_FILES,
  languagesIn,
  pinsText,
} from "../../../lambda/detect-base.ts";
import { hasHandler } from "../../../lambda/handler/handler.ts";
import { sourceAdvice } from "../../../lambda/handler/not-found.ts";
import { oneOf } from "../../../lambda/nearest.ts";
import type { ImageConfig } from "../../../oci/image.ts";
import type { Session } from "../../../session/session.ts";
import type { BuildPlan } from "../plan.ts";
import { pinsOf, textIn } from "./version-pins.ts";

/**
 * Returns the bases that fit the files of a directory: one for each language in it. A bundle needs
 * Node.js.
 * @throws USAGE if the files show no language, or if AWS has no base for the version;
 * FILE_UNREADABLE, LOCK_INVALID
 */
export function detectBases(directory: string, isBundled = false): readonly DetectedBase[] {
  const names = listApp(directory);
  const found = languagesIn(names);
  if (isBundled) return [baseFor("nodejs", found.get("nodejs") ?? "bundle", directory, names)];
  const languages = [...found];
  if (languages.length === 0)
    throw misuse(
      `cannot choose a base image: no file in ${directory} shows the language`,
      innerApps(directory, names) ??
        sourceAdvice(new Set(names), []) ??
        `add --base BASE, such as python:3.14; looked for ${LANGUAGE_FILES}`,
    );
  return languages.map(([language, sign]) => baseFor(language, sign, directory, names));
}

/** Files that are at the top of an app. */
const APP_FILE = /^([^/]+)\/(?:package\.json|requirements\.txt|pyproject\.toml|Pipfile|Gemfile|bootstrap)$/;

/** Returns the advice to build one of the directories below that look like apps, if there is one. */
function innerApps(directory: string, names: readonly string[]): string | undefined {
  const apps = [...new Set(names.flatMap((name) => APP_FILE.exec(name)?.[1] ?? []))].sort();
  if (apps.length === 0) return undefined;
  const commands = apps.slice(0, 3).map((app) => `lambda-pack build ${join(directory, app)}`);
  return `name the directory of the app: ${oneOf(commands)}`;
}

function baseFor(
  language: Language,
  sign: string,
  directory: string,
  names: readonly string[],
): DetectedBase {
  const pins = pinsOf(language, directory, names);
  const found = chooseBase(language, sign, pins, new Date());
  if (found) return found;
  throw misuse(
    `AWS has no base image for ${pinsText(pins)}`,
    `${pins.length > 1 ? "correct one of these versions, or " : ""}add --base BASE; lambda-pack bases lists them`,
  );
}

/** A plan with the chosen base; `detected` is the detected one, if it was not named. */
interface SettledPlan {
  readonly plan: BuildPlan;
  readonly detected: DetectedBase | undefined;
}

/**
 * Chooses among several detected bases the one for whose language there is a handler.
 * @throws USAGE if there is none, or more than one
 */
export async function settleBase(plan: BuildPlan, session: Session): Promise<SettledPlan> {
  const [first, ...others] = plan.detected;
  if (!first) return { plan, detected: undefined };
  const detected = others.length === 0 ? first : await withHandler(plan);
  const { base, reason } = detected;
  session.emit({ type: "base-detected", base, reason });
  const source = parseBase(base, plan.session.environment);
  return { plan: { ...plan, base: { ...plan.base, source } }, detected };
}

async function withHandler({ detected, source: { directory }, command }: BuildPlan): Promise<DetectedBase> {
  const app = { names: new Set(listApp(directory)), read: readerOf(directory) };
  const search = { app, baseConfig: EMPTY_CONFIG, handler: command.handler };
  const having: DetectedBase[] = [];
  for (const one of detected) if (await hasHandler({ ...search, base: one.facts })) having.push(one);
  const [only] = having;
  if (only && having.length === 1) return only;
  const candidates = having.length > 0 ? having : detected;
  const listed = candidates.map(({ base, reason }) => `${base} (${reason})`).join(", ");
  throw misuse(
    `several base images fit ${directory}: ${listed}`,
    `add ${candidates.map(({ base }) => `--base ${base}`).join(" or ")}`,
  );
}

const EMPTY_CONFIG: ImageConfig = { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } };

function readerOf(directory: string): (name: string) => Promise<string | undefined> {
  return async (name) => {
    try {
      return textIn(directory, name);
    } catch {
      return undefined; // a file that is too large or unreadable does not decide here
    }
  };
}

/** Directories of tools and installed packages, which do not show the app's own language. */
const NOT_THE_APP = /^(?:\..*|node_modules|site-packages|__pycache__|venv|vendor|tests?)$/;
const MAX_NAMES = 5000;
const MAX_LEVELS = 8;

/**
 * Lists an app's own files, the top level first: at most 5000 names in 8 levels. Directories that
 * cannot be read are left out.
 */
function listApp(directory: string): readonly string[] {
  const names: string[] = [];
  let level: readonly string[] = [""];
  for (let depth = 0; depth < MAX_LEVELS && names.length < MAX_NAMES; depth++) {
    const found = level.map((parent) => listOne(directory, parent));
    names.push(...found.flatMap(({ files }) => files));
    level = found.flatMap(({ directories }) => directories).slice(0, MAX_NAMES);
  }
  return names.slice(0, MAX_NAMES);
}

/** Lists one directory. `parent` is empty or ends with `/`, and so do the returned directories. */
function listOne(directory: string, parent: string) {
  const entries = entriesOf(join(directory, parent));
  return {
    files: entries
      .filter(
        (entry) => entry.isFile() || (entry.isSymbolicLink() && isFile(join(directory, parent, entry.name))),
      )
      .map(({ name }) => parent + name),
    directories: entries
      .filter((entry) => entry.isDirectory() && !NOT_THE_APP.test(entry.name))
      .map(({ name }) => `${parent}${name}/`),
  };
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
