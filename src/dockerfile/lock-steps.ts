import { IGNORED, IGNORED_VALUE, type Options, parseArguments, refuseWords } from "./arguments.ts";
import type { CommandContext, Outcome } from "./commands.ts";
import { ShellError, type Word } from "./shell.ts";

const POETRY_INSTALL: Options = {
  "--no-root": "no-root",
  "--no-dev": "no-dev",
  "--only": "only=",
  "--without": "without=",
  "--with": "with=",
  "-E": "extra=",
  "--extras": "extra=",
  "-n": IGNORED,
  "--no-interaction": IGNORED,
  "--no-ansi": IGNORED,
  "--no-cache": IGNORED,
  "--sync": IGNORED,
  "-q": IGNORED,
  "--quiet": IGNORED,
  "-v": IGNORED,
  "-vv": IGNORED,
  "-vvv": IGNORED,
};

export function poetryInstall(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const { values, positional } = parseArguments(words, POETRY_INSTALL);
  refuseWords(positional);
  if (!values.has("no-root"))
    throw new ShellError(
      "poetry install also installs the project, which takes a build",
      "add --no-root, and COPY your code",
    );
  const ownEnvironment =
    context.settings.get("virtualenvs.create") ?? context.variable("POETRY_VIRTUALENVS_CREATE");
  if (ownEnvironment !== "false")
    throw new ShellError(
      "poetry would install into a virtual environment, where Lambda's Python does not look",
      "put RUN poetry config virtualenvs.create false before it",
    );
  return [
    context.install({
      manager: "poetry",
      target: { kind: "site-packages" },
      dev: isDev(values),
      groups: [...(values.get("with") ?? []), ...(values.get("extra") ?? [])],
    }),
  ];
}

/** Poetry's group for development is `dev`; `--only main` leaves it out as well. */
function isDev(values: ReadonlyMap<string, readonly string[]>): boolean {
  const without = (values.get("without") ?? []).flatMap((names) => names.split(","));
  return !values.has("no-dev") && !values.has("only") && !without.includes("dev");
}

export function poetryConfig(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const [name, value] = words.map(({ text }) => text).filter((text) => text !== "--local");
  if (name !== "virtualenvs.create" || value === undefined || words.length > 3)
    throw new ShellError(`poetry config ${name ?? ""} is not known`, "leave it out");
  context.settings.set(name, value);
  return [];
}

const EXPORT: Options = {
  "-o": "output=",
  "--output": "output=",
  "--output-file": "output=",
  "-f": "format=",
  "--format": "format=",
  "--no-dev": "no-dev",
  "--without": "without=",
  "--only": "only=",
  "--with": "group=",
  "--group": "group=",
  "--extra": "group=",
  "-E": "group=",
  "--extras": "group=",
  "--frozen": IGNORED,
  "--locked": IGNORED,
  "--no-emit-project": IGNORED,
  "--no-emit-workspace": IGNORED,
  "--no-editable": IGNORED,
  "--no-hashes": IGNORED,
  "--without-hashes": IGNORED,
  "--no-header": IGNORED,
  "--no-annotate": IGNORED,
  "--no-cache": IGNORED,
  "-q": IGNORED,
  "--quiet": IGNORED,
  "-n": IGNORED,
  "--no-interaction": IGNORED,
};

/** `uv export` and `poetry export`: a requirements file made from the lock. */
export function exportRequirements(
  manager: "uv" | "poetry",
  words: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  const { values, positional } = parseArguments(words, EXPORT);
  refuseWords(positional);
  const output = values.get("output")?.at(-1);
  const format = values.get("format")?.at(-1) ?? "requirements.txt";
  if (output === undefined)
    throw new ShellError("nothing says where the requirements go", `add --output requirements.txt`);
  if (!/^requirements[.-]txt$/.test(format)) throw new ShellError(`the format ${format} is not known`);
  const { position, command, directory } = context;
  const dev = manager === "uv" ? !values.has("no-dev") : (values.get("group") ?? []).includes("dev");
  const step = {
    ...position,
    kind: "export",
    command,
    manager,
    directory,
    output: context.path(output),
  } as const;
  return [{ step: { ...step, dev, groups: values.get("group") ?? [] } }];
}

const SYNC: Options = {
  ...EXPORT,
  "--no-install-project": "no-root",
  "--no-install-workspace": "no-root",
  "--compile-bytecode": IGNORED,
  "--link-mode": IGNORED_VALUE,
};

/** `uv sync` into the base's own Python, which only UV_PROJECT_ENVIRONMENT makes of it. */
export function uvSync(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const { values, positional } = parseArguments(words, SYNC);
  refuseWords(positional);
  if (context.variable("UV_PROJECT_ENVIRONMENT") !== "/var/lang")
    throw new ShellError(
      "uv sync makes a virtual environment, where Lambda's Python does not look",
      'write uv export --frozen --no-dev -o requirements.txt && uv pip install -r requirements.txt --target "$LAMBDA_TASK_ROOT"',
    );
  if (!values.has("no-root"))
    throw new ShellError(
      "uv sync also installs the project, which takes a build",
      "add --no-install-project, and COPY your code",
    );
  return [
    context.install({
      manager: "uv",
      target: { kind: "site-packages" },
      dev: !values.has("no-dev"),
      groups: values.get("group") ?? [],
    }),
  ];
}
