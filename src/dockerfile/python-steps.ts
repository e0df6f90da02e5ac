import {
  type Arguments,
  type CommandContext,
  type Outcome,
  optionTable,
  parseArguments,
  refuseWords,
} from "./arguments.ts";
import type { InstallTarget } from "./stage.ts";
import { type Command, type Word, WordError } from "./words.ts";

const PIP = optionTable({
  "requirement=": "-r --requirement",
  "constraint=": "-c --constraint",
  "target=": "-t --target",
  "index=": "-i --index-url --default-index",
  "extra-index=": "--extra-index-url --index",
  "no-dependencies": "--no-deps",
  ignored:
    "-U --upgrade -q -qq --quiet -v --verbose --no-cache-dir --no-cache --no-compile --compile --compile-bytecode --no-compile-bytecode --no-installer-metadata --disable-pip-version-check --no-input --no-warn-script-location --no-python-version-warning --prefer-binary --require-hashes --break-system-packages --system",
  "ignored=":
    "--root-user-action --progress-bar --only-binary --link-mode --timeout --default-timeout --retries",
});

/** Options that lambda-pack derives from the base. */
const TARGET_OPTION = /^--(?:platform|python-version|python-platform|implementation|abi)(?:=|$)/;

/** Programs that install packages; a function does not run them. */
const TOOLS = new Set(["pip", "uv", "poetry", "pipenv"]);

/** Plans `pip install` and `uv pip install`. */
export function pipInstall(
  manager: "pip" | "uv",
  words: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  const foreign = words.find(({ text }) => TARGET_OPTION.test(text))?.text.replace(/=.*/s, "");
  if (foreign !== undefined)
    throw new WordError(
      `${foreign} has no place here`,
      "leave it out: the packages are chosen for the Python and the architecture of the base",
    );
  const { all, has, positional } = parseArguments(words, PIP);
  const named = positional.map(packageName);
  const packages = named.filter((name) => !TOOLS.has(/^[\w.-]*/.exec(name)?.[0].toLowerCase() ?? ""));
  const requirements = all("requirement").map(context.path);
  if (packages.length + requirements.length === 0) {
    if (named.length === 0) throw new WordError("nothing is named that is installed");
    return [{ note: `${named.join(", ")} is not installed: lambda-pack installs packages without it` }];
  }
  const path = all("target").at(-1);
  const target: InstallTarget =
    path === undefined ? { kind: "site-packages" } : { kind: "directory", path: context.path(path) };
  return [
    context.install({
      ...{ manager, target, requirements, packages },
      constraints: all("constraint").map(context.path),
      indexes: [...all("index").slice(-1), ...all("extra-index")],
      dependencies: !has("no-dependencies"),
    }),
  ];
}

/**
 * Returns the name of a package. A shell keeps `uvicorn[standard]` unless a file has such a name;
 * any other pattern is refused.
 */
function packageName({ text, pattern }: Word): string {
  if (/^(?:\.|\/|git\+|https?:|file:)/.test(text) || text.endsWith(".whl"))
    throw new WordError(
      `${text} is not the name of a package in an index`,
      "name packages of an index, or copy your own code with COPY",
    );
  if (pattern && !/^[\w.-]+\[[\w,.-]+\](?:[=~!].*)?$/.test(text))
    throw new WordError(`${text} would be compared with file names by a shell`, "put quotes around it");
  return text;
}

/** Returns the command of a module: `python3 -m pip install ...` is `pip install ...`. */
export function pythonModule({ words, variables }: Command): Command | undefined {
  const [, option, module, ...rest] = words;
  if (option?.text !== "-m" || module === undefined) return undefined;
  return { variables, words: [module, ...rest] };
}

const POETRY = optionTable({
  "no-root": "--no-root",
  "no-dev": "--no-dev",
  "only=": "--only",
  "without=": "--without",
  "group=": "--with",
  "extra=": "-E --extras",
  ignored: "-n --no-interaction --no-ansi --no-cache --sync -q --quiet -v -vv -vvv",
});

export function poetryInstall(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const read = parseArguments(words, POETRY);
  refuseWords(read.positional);
  if (!read.has("no-root"))
    throw new WordError(
      "poetry install also installs the project, which takes a build",
      "add --no-root, and COPY your code",
    );
  const ownEnvironment =
    context.settings.get("virtualenvs.create") ?? context.variable("POETRY_VIRTUALENVS_CREATE");
  if (ownEnvironment !== "false")
    throw new WordError(
      "poetry would install into a virtual environment, where Lambda's Python does not look",
      "put RUN poetry config virtualenvs.create false before it",
    );
  // Poetry's development group is `dev`, which `--only main` also excludes.
  const dev = !read.has("no-dev") && !read.has("only") && !listed(read, "without").includes("dev");
  return [context.install({ manager: "poetry", target: { kind: "site-packages" }, dev, ...selected(read) })];
}

/**
 * Returns the extras and groups beside the project's own dependencies, which are the group `main`
 * in Poetry. With `--only`, Poetry ignores `--with`.
 */
function selected(read: Arguments) {
  const only = listed(read, "only");
  const isWithoutMain = read.has("only") ? !only.includes("main") : listed(read, "without").includes("main");
  if (isWithoutMain)
    throw new WordError(
      "an installation without the group main would leave out the project's own dependencies",
      `install them too: --only ${["main", ...only].join(",")}`,
    );
  const groups = read.has("only") ? only.filter((name) => name !== "main") : listed(read, "group");
  return { extras: listed(read, "extra"), groups };
}

/** Splits the values of an option: Poetry accepts several names in one word. */
function listed({ all }: Arguments, meaning: string): readonly string[] {
  return all(meaning).flatMap((names) => names.split(/[,\s]+/));
}

export function poetryConfig(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const [name, value] = words.map(({ text }) => text).filter((text) => text !== "--local");
  if (name !== "virtualenvs.create" || value === undefined || words.length > 3)
    throw new WordError(`poetry config ${name ?? ""} is not known`, "leave it out");
  context.settings.set(name, value);
  return [];
}

const EXPORT = optionTable({
  "output=": "-o --output --output-file",
  "format=": "-f --format",
  "no-dev": "--no-dev",
  "without=": "--without",
  "only=": "--only",
  "group=": "--with --group",
  "extra=": "--extra -E --extras",
  ignored:
    "--frozen --locked --no-emit-project --no-emit-workspace --no-editable --no-hashes --without-hashes --no-header --no-annotate --no-cache -q --quiet -n --no-interaction",
});

/** Plans `uv export` and `poetry export`, which write a requirements file from the lock. */
export function exportRequirements(
  manager: "uv" | "poetry",
  words: readonly Word[],
  { position, command, directory, path }: CommandContext,
): readonly Outcome[] {
  const read = parseArguments(words, EXPORT);
  refuseWords(read.positional);
  const output = read.all("output").at(-1);
  const format = read.all("format").at(-1) ?? "requirements.txt";
  if (output === undefined)
    throw new WordError("nothing says where the requirements go", "add --output requirements.txt");
  if (!/^requirements[.-]txt$/.test(format)) throw new WordError(`the format ${format} is not known`);
  const { extras, groups } = selected(read);
  const dev = manager === "uv" ? !read.has("no-dev") : groups.includes("dev");
  const facts = { ...position, kind: "export", command, manager, directory, output: path(output) } as const;
  return [{ step: { ...facts, dev, extras, groups } }];
}

const SYNC = optionTable(
  {
    "no-root": "--no-install-project --no-install-workspace",
    ignored: "--compile-bytecode",
    "ignored=": "--link-mode",
  },
  EXPORT,
);

/** Plans `uv sync`. UV_PROJECT_ENVIRONMENT must make it install into the base's own Python. */
export function uvSync(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const read = parseArguments(words, SYNC);
  refuseWords(read.positional);
  if (context.variable("UV_PROJECT_ENVIRONMENT") !== "/var/lang")
    throw new WordError(
      "uv sync makes a virtual environment, where Lambda's Python does not look",
      'write uv export --frozen --no-dev -o requirements.txt && uv pip install -r requirements.txt --target "$LAMBDA_TASK_ROOT"',
    );
  if (!read.has("no-root"))
    throw new WordError(
      "uv sync also installs the project, which takes a build",
      "add --no-install-project, and COPY your code",
    );
  const target: InstallTarget = { kind: "site-packages" };
  return [context.install({ manager: "uv", target, dev: !read.has("no-dev"), ...selected(read) })];
}
