import { basename, resolve } from "node:path";
import { parseEcrHost } from "../../aws/ecr/names.ts";
import { misuse } from "../../errors.ts";
import { formatReference } from "../../oci/reference.ts";
import { parseTargets, tagOf } from "../../session/image-location.ts";
import type { Environment } from "../../session/session.ts";
import { loadConfig } from "../config/load.ts";
import { mergeSettings } from "../config/merge.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import { DEPLOY_OPTIONS } from "../deploy/options.ts";
import type { OptionTable } from "../options/read.ts";
import { functionSettings } from "./plan.ts";

interface DirectoryScope {
  /** The configuration file. */
  readonly file: string;
  /** The options of the command; settings of other commands are left out. */
  readonly table: OptionTable;
  /** Options that win over the file. */
  readonly flags: Settings;
  readonly environment: Environment;
}

/**
 * Returns the options for a directory from a configuration file: those of the function with this
 * directory, else the defaults, in which `{name}` is the name of the directory.
 * @throws CONFIG_INVALID; USAGE if several functions have this directory
 */
export function directorySettings(
  directory: string,
  { file, table, flags, environment }: DirectoryScope,
): Settings {
  const loaded = loadConfig(file);
  const settingsOf = (name: string) => functionSettings(loaded, name, flags, environment);
  const owners = [...loaded.functions.keys()].filter(
    (name) => resolve(String(settingsOf(name)["directory"])) === resolve(directory),
  );
  const [name, ...others] = owners;
  if (name !== undefined && others.length > 0)
    throw misuse(
      `${directory} is the directory of ${owners.join(", ")} in ${file}`,
      `name one of the functions, for example ${name}`,
    );
  const defaults = { ...loaded, functions: new Map() };
  const scope = { table: CONFIG_TABLE, directory: loaded.directory, flags, environment };
  const settings =
    name === undefined ? mergeSettings(defaults, basename(resolve(directory)), scope) : settingsOf(name);
  const own = Object.entries(settings).filter(([key]) => key !== "directory" && Object.hasOwn(table, key));
  return Object.fromEntries(own);
}

/** In the file they are settings of the image, and as flags of a deploy those of the function. */
const IMAGE_OR_FUNCTION: ReadonlySet<string> = new Set(["env", "entrypoint", "cmd", "workdir"]);

/**
 * Returns the options for a deploy of one directory. The image is built as `build` builds that
 * directory, and goes to the repository and tag of the file's destination in Amazon ECR, if it has
 * one. Flags win.
 * @throws CONFIG_INVALID, REFERENCE_INVALID; USAGE if several functions have that directory
 */
export function deploySettings(directory: string, scope: Omit<DirectoryScope, "table">): Settings {
  const { flags, environment } = scope;
  const [ofFunction, others] = partition(flags, (name) => IMAGE_OR_FUNCTION.has(name));
  const settings = directorySettings(directory, {
    ...{ ...scope, flags: others },
    table: { ...CONFIG_TABLE, ...DEPLOY_OPTIONS },
  });
  const { to, tag, ...more } = settings;
  const [deploy, build] = partition(
    more,
    (name) => Object.hasOwn(DEPLOY_OPTIONS, name) && !IMAGE_OR_FUNCTION.has(name),
  );
  const destination = flags["repo"] === undefined ? ecrDestination(to, environment) : {};
  const tags = [destination.tag ?? [], tag ?? []].flat();
  return {
    ...deploy,
    ...(destination.repo !== undefined && { repo: destination.repo }),
    ...(tags.length > 0 && { tag: tags }),
    ...ofFunction,
    ...(Object.keys(build).length > 0 && { build }),
  };
}

/** Returns the first of the destinations from which Lambda can load an image. */
function ecrDestination(
  to: unknown,
  environment: Environment,
): { readonly repo?: string; readonly tag?: string | undefined } {
  const destinations = [to ?? []].flat().map(String);
  const targets = destinations.length === 0 ? [] : parseTargets(destinations, []);
  for (const { location } of targets) {
    if (location.kind !== "registry" || !parseEcrHost(location.reference.registry, environment)) continue;
    const { registry, repository } = location.reference;
    return { repo: formatReference({ registry, repository }), tag: tagOf(location) };
  }
  return {};
}

function partition(
  settings: Settings,
  belongs: (name: string) => boolean,
): readonly [belonging: Settings, others: Settings] {
  const entries = Object.entries(settings);
  return [
    Object.fromEntries(entries.filter(([name]) => belongs(name))),
    Object.fromEntries(entries.filter(([name]) => !belongs(name))),
  ];
}
