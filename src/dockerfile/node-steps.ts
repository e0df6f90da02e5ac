import { IGNORED, IGNORED_VALUE, type Options, parseArguments } from "./arguments.ts";
import type { CommandContext, Outcome } from "./commands.ts";
import { ShellError, type Word } from "./shell.ts";

type Manager = "npm" | "pnpm" | "yarn";

const COMMON: Options = {
  "--production": "production",
  "--prod": "production",
  "--ignore-scripts": IGNORED,
  "--silent": IGNORED,
  "-s": IGNORED,
  "--frozen-lockfile": IGNORED,
  "--prefer-offline": IGNORED,
  "--force": IGNORED,
  "--loglevel": IGNORED_VALUE,
  "--reporter": IGNORED_VALUE,
  "--network-timeout": IGNORED_VALUE,
  "--network-concurrency": IGNORED_VALUE,
};

const OPTIONS: Readonly<Record<Manager, Options>> = {
  npm: {
    ...COMMON,
    "--omit": "omit=",
    "--only": "only=",
    "--include": "include=",
    "--prefix": "directory=",
    "-q": IGNORED,
    "--quiet": IGNORED,
    "--no-audit": IGNORED,
    "--no-fund": IGNORED,
    "--no-progress": IGNORED,
    "--no-save": IGNORED,
    "--no-update-notifier": IGNORED,
    "--unsafe-perm": IGNORED,
    "--verbose": IGNORED,
    "--cache": IGNORED_VALUE,
    "--audit": IGNORED_VALUE,
  },
  pnpm: {
    ...COMMON,
    "-P": "production",
    "--dir": "directory=",
    "-C": "directory=",
    "--node-linker": IGNORED_VALUE,
    "--shamefully-hoist": IGNORED,
    "--config.node-linker": IGNORED_VALUE,
  },
  yarn: {
    ...COMMON,
    "--cwd": "directory=",
    "--immutable": IGNORED,
    "--non-interactive": IGNORED,
    "--no-progress": IGNORED,
    "--pure-lockfile": IGNORED,
  },
};

const INSTALL_WORDS = new Set(["install", "i", "ci", "clean-install"]);
/** Package managers that npm installs for the commands after it; a function does not run them. */
const TOOLS = /^(?:npm|pnpm|yarn|corepack)(?:@\S+)?$/;

/** `npm ci`, `npm install`, `pnpm install`, `yarn` and `yarn install`, with the lock file beside package.json. */
export function nodeCommand(
  manager: Manager,
  [word, ...rest]: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  const name = word?.text ?? "install";
  if (manager === "yarn" && name.startsWith("--"))
    return install(manager, word ? [word, ...rest] : rest, context);
  if (INSTALL_WORDS.has(name)) return install(manager, rest, context);
  if (name === "cache") return []; // only cleans what a build of ours does not leave
  throw new ShellError(
    `${manager} ${name} runs a program`,
    `run ${manager} ${name}${name === "run" ? ` ${rest[0]?.text ?? ""}` : ""} before lambda-pack build, and COPY what it makes`,
  );
}

function install(manager: Manager, words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const isGlobal = words.some(({ text }) => text === "-g" || text === "--global");
  if (isGlobal) return installTools(words.filter(({ text }) => !text.startsWith("-")));
  const { values, positional } = parseArguments(words, OPTIONS[manager]);
  const [extra] = positional;
  if (extra)
    throw new ShellError(
      `${manager} install ${extra.text} takes a version that no lock file has`,
      `run ${manager} install ${extra.text} in the project, and put ${manager} ${manager === "npm" ? "ci" : "install"} here`,
    );
  const path = context.path(values.get("directory")?.at(-1) ?? ".");
  return [
    context.install({
      manager,
      directory: path,
      target: { kind: "node-modules", path },
      dev: wantsDev(values, context),
    }),
  ];
}

function installTools(words: readonly Word[]): readonly Outcome[] {
  const other = words.find(({ text }) => !TOOLS.test(text));
  if (other)
    throw new ShellError(
      `npm install -g ${other.text} installs a program into the base`,
      "put the package in package.json, or run the program before lambda-pack build",
    );
  const names = words.map(({ text }) => text).join(", ");
  return [{ note: `${names} is not installed: lambda-pack installs packages without it` }];
}

/** The last word wins in npm; NODE_ENV=production leaves out development dependencies where no option says otherwise. */
function wantsDev(values: ReadonlyMap<string, readonly string[]>, context: CommandContext): boolean {
  const all = (meaning: string) => (values.get(meaning) ?? []).flatMap((names) => names.split(/[,\s]/));
  if (all("include").includes("dev")) return true;
  if (all("omit").includes("dev")) return false;
  if (all("only").some((only) => /^prod/.test(only))) return false;
  const production = values.get("production")?.at(-1);
  if (production !== undefined) return production === "false";
  return context.variable("NODE_ENV") !== "production";
}
