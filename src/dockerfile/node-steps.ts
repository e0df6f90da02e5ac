import {
  type Arguments,
  type CommandContext,
  type Outcome,
  optionTable,
  parseArguments,
} from "./arguments.ts";
import { type Word, WordError } from "./words.ts";

type Manager = "npm" | "pnpm" | "yarn";

const COMMON = optionTable({
  production: "--production --prod",
  ignored: "--ignore-scripts --silent -s --frozen-lockfile --prefer-offline --force",
  "ignored=": "--loglevel --reporter --network-timeout --network-concurrency",
});

const OPTIONS = {
  npm: optionTable(
    {
      "omit=": "--omit",
      "only=": "--only",
      "include=": "--include",
      "directory=": "--prefix",
      ignored:
        "-q --quiet --no-audit --no-fund --no-progress --no-save --no-update-notifier --unsafe-perm --verbose",
      "ignored=": "--cache --audit",
    },
    COMMON,
  ),
  pnpm: optionTable(
    {
      production: "-P",
      "directory=": "--dir -C",
      ignored: "--shamefully-hoist",
      "ignored=": "--node-linker --config.node-linker",
    },
    COMMON,
  ),
  yarn: optionTable(
    { "directory=": "--cwd", ignored: "--immutable --non-interactive --no-progress --pure-lockfile" },
    COMMON,
  ),
};

const INSTALL_WORDS = new Set(["install", "i", "ci", "clean-install"]);
/** Package managers that a Dockerfile installs with npm; a function does not run them. */
const TOOLS = /^(?:npm|pnpm|yarn|corepack)(?:@\S+)?$/;

/**
 * Plans `npm ci`, `npm install`, `pnpm install`, `yarn` and `yarn install`, with the lock file
 * beside package.json.
 */
export function nodeCommand(
  manager: Manager,
  [word, ...rest]: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  const name = word?.text ?? "install";
  if (manager === "yarn" && name.startsWith("--"))
    return install(manager, word ? [word, ...rest] : rest, context);
  if (INSTALL_WORDS.has(name)) return install(manager, rest, context);
  if (name === "cache") return []; // a build leaves no cache to clean
  throw new WordError(
    `${manager} ${name} runs a program`,
    `run ${manager} ${name}${name === "run" ? ` ${rest[0]?.text ?? ""}` : ""} before lambda-pack build, and COPY what it makes`,
  );
}

function install(manager: Manager, words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const isGlobal = words.some(({ text }) => text === "-g" || text === "--global");
  if (isGlobal) return installTools(words.filter(({ text }) => !text.startsWith("-")));
  const read = parseArguments(words, OPTIONS[manager]);
  const [extra] = read.positional;
  if (extra)
    throw new WordError(
      `${manager} install ${extra.text} takes a version that no lock file has`,
      `run ${manager} install ${extra.text} in the project, and put ${manager} ${manager === "npm" ? "ci" : "install"} here`,
    );
  const path = context.path(read.all("directory").at(-1) ?? ".");
  const dev = wantsDev(read, context);
  return [context.install({ manager, directory: path, target: { kind: "node-modules", path }, dev })];
}

function installTools(words: readonly Word[]): readonly Outcome[] {
  const other = words.find(({ text }) => !TOOLS.test(text));
  if (other)
    throw new WordError(
      `npm install -g ${other.text} installs a program into the base`,
      "put the package in package.json, or run the program before lambda-pack build",
    );
  const names = words.map(({ text }) => text).join(", ");
  return [{ note: `${names} is not installed: lambda-pack installs packages without it` }];
}

/**
 * Returns whether development dependencies are installed. The options decide; without one,
 * NODE_ENV=production leaves them out.
 */
function wantsDev({ all }: Arguments, { variable }: CommandContext): boolean {
  const names = (meaning: string) => all(meaning).flatMap((list) => list.split(/[,\s]/));
  if (names("include").includes("dev")) return true;
  if (names("omit").includes("dev") || names("only").some((only) => /^prod/.test(only))) return false;
  const production = all("production").at(-1);
  return production === undefined ? variable("NODE_ENV") !== "production" : production === "false";
}
