import { IGNORED, IGNORED_VALUE, type Options, parseArguments } from "./arguments.ts";
import type { CommandContext, Outcome } from "./commands.ts";
import { type Command, ShellError, type Word } from "./shell.ts";
import type { InstallTarget } from "./step.ts";

const ONLY_FOR_BASE = "leave it out: the packages are chosen for the Python and the architecture of the base";

const PIP: Options = {
  "-r": "requirement=",
  "--requirement": "requirement=",
  "-c": "constraint=",
  "--constraint": "constraint=",
  "-t": "target=",
  "--target": "target=",
  "-i": "index=",
  "--index-url": "index=",
  "--default-index": "index=",
  "--extra-index-url": "extra-index=",
  "--index": "extra-index=",
  "--no-deps": "no-dependencies",
  "-U": IGNORED,
  "--upgrade": IGNORED,
  "-q": IGNORED,
  "-qq": IGNORED,
  "--quiet": IGNORED,
  "-v": IGNORED,
  "--verbose": IGNORED,
  "--no-cache-dir": IGNORED,
  "--no-cache": IGNORED,
  "--no-compile": IGNORED,
  "--compile": IGNORED,
  "--compile-bytecode": IGNORED,
  "--no-compile-bytecode": IGNORED,
  "--no-installer-metadata": IGNORED,
  "--disable-pip-version-check": IGNORED,
  "--no-input": IGNORED,
  "--no-warn-script-location": IGNORED,
  "--no-python-version-warning": IGNORED,
  "--prefer-binary": IGNORED,
  "--require-hashes": IGNORED,
  "--break-system-packages": IGNORED,
  "--system": IGNORED,
  "--root-user-action": IGNORED_VALUE,
  "--progress-bar": IGNORED_VALUE,
  "--only-binary": IGNORED_VALUE,
  "--link-mode": IGNORED_VALUE,
  "--timeout": IGNORED_VALUE,
  "--default-timeout": IGNORED_VALUE,
  "--retries": IGNORED_VALUE,
};

/** Programs that install packages and that a function does not run. */
const TOOLS = new Set(["pip", "uv", "poetry", "pipenv"]);

/** `pip install` and `uv pip install`. */
export function pipInstall(
  manager: "pip" | "uv",
  words: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  refuseForeignTarget(words);
  const { values, positional } = parseArguments(words, PIP);
  const packages = positional.map(packageName);
  const wanted = packages.filter((name) => !TOOLS.has(/^[\w.-]*/.exec(name)?.[0].toLowerCase() ?? ""));
  const requirements = (values.get("requirement") ?? []).map((path) => context.path(path));
  if (wanted.length === 0 && requirements.length === 0) {
    if (packages.length === 0) throw new ShellError("nothing is named that is installed");
    return [{ note: `${packages.join(", ")} is not installed: lambda-pack installs packages without it` }];
  }
  return [
    context.install({
      manager,
      target: pythonTarget(values.get("target")?.at(-1), context),
      requirements,
      constraints: (values.get("constraint") ?? []).map((path) => context.path(path)),
      packages: wanted,
      indexes: [...(values.get("index") ?? []).slice(-1), ...(values.get("extra-index") ?? [])],
      dependencies: !values.has("no-dependencies"),
    }),
  ];
}

function pythonTarget(path: string | undefined, context: CommandContext): InstallTarget {
  return path === undefined ? { kind: "site-packages" } : { kind: "directory", path: context.path(path) };
}

function refuseForeignTarget(words: readonly Word[]): void {
  const foreign = words.find(({ text }) =>
    /^--(?:platform|python-version|python-platform|implementation|abi)(?:=|$)/.test(text),
  );
  if (foreign) throw new ShellError(`${foreign.text.replace(/=.*/s, "")} has no place here`, ONLY_FOR_BASE);
}

/** A shell leaves `uvicorn[standard]` as it is unless a file has such a name; anything else with a pattern is refused. */
function packageName({ text, pattern }: Word): string {
  if (/^(?:\.|\/|git\+|https?:|file:)/.test(text) || text.endsWith(".whl"))
    throw new ShellError(
      `${text} is not the name of a package in an index`,
      "name packages of an index, or copy your own code with COPY",
    );
  if (pattern && !/^[\w.-]+\[[\w,.-]+\](?:[=~!].*)?$/.test(text))
    throw new ShellError(`${text} would be compared with file names by a shell`, "put quotes around it");
  return text;
}

/** `python3 -m pip install ...` is `pip install ...`. */
export function pythonModule({ words, variables }: Command): Command | undefined {
  const [, option, module, ...rest] = words;
  if (option?.text !== "-m" || module === undefined) return undefined;
  return { variables, words: [module, ...rest] };
}
