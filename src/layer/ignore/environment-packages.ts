import { join } from "node:path";
import type { SourceFile } from "../collect.ts";
import { namesIn, textOf } from "../source-root.ts";
import type { Warning } from "../to-entry.ts";

/** Modules that are in every virtual environment, and those in AWS's Python bases. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  ...["pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "_virtualenv"],
  ...["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"],
]);

/** Files from which another rule reads what the app needs. */
const LISTS = ["requirements.txt", "pyproject.toml", "Pipfile"];

/** The most files of the app that are read. */
const MAX_FILES = 200;

/**
 * Warns about a package that the app imports and that only an excluded virtual environment has:
 * Lambda's runtime does not look there.
 * @param environments paths of virtual environments that are excluded
 */
export function onlyInEnvironment(
  root: string,
  environments: readonly string[],
  files: readonly SourceFile[],
): Warning | undefined {
  const [environment] = environments;
  if (environment === undefined) return undefined;
  const listed = LISTS.map((name) => textOf(join(root, name))).join("\n");
  const packed = new Set(
    files.flatMap(({ path }) => path.split("/", 2)).map((name) => name.replace(/\.py$/, "")),
  );
  const missing = modulesIn(join(root, environment)).filter(
    (name) => !packed.has(name) && !EVERYWHERE.has(name) && !mentions(listed, name),
  );
  const found = firstImport(files, new Set(missing));
  if (!found) return undefined;
  return {
    message: `${environment} is left out, since Lambda does not look for packages there, and only it has ${found.name}, which ${found.path} imports`,
    hint: "lambda-pack build --install with a lock file; or pip install --target . with the names of the packages (uv: uv export > requirements.txt and pip install --target . -r requirements.txt)",
  };
}

function mentions(text: string, module: string): boolean {
  return text.toLowerCase().replace(/[-.]/g, "_").includes(module.toLowerCase());
}

function modulesIn(environment: string): readonly string[] {
  const libraries = namesIn(join(environment, "lib")).filter((name) => name.startsWith("python"));
  const places = [...libraries.map((name) => join("lib", name)), "Lib"];
  return places
    .flatMap((place) => namesIn(join(environment, place, "site-packages")))
    .flatMap((name) => /^([A-Za-z_]\w*)(?:\.py)?$/.exec(name)?.[1] ?? []);
}

function firstImport(
  files: readonly SourceFile[],
  modules: ReadonlySet<string>,
): { readonly name: string; readonly path: string } | undefined {
  if (modules.size === 0) return undefined;
  const sources = files.filter(({ path, entry }) => entry.kind === "file" && isOwnSource(path));
  for (const { path, entry } of sources.slice(0, MAX_FILES)) {
    const name =
      entry.kind === "file" ? importsOf(textOf(entry.source)).find((one) => modules.has(one)) : undefined;
    if (name !== undefined) return { name, path };
  }
  return undefined;
}

function isOwnSource(path: string): boolean {
  return path.endsWith(".py") && path.split("/").length <= 3 && !path.includes("test");
}

/** Returns the top-level names of the modules that a source imports when it is loaded. */
function importsOf(source: string): readonly string[] {
  return [...source.matchAll(/^(?:from[ \t]+([\w.]+)|import[ \t]+([\w., \t]+))/gm)].flatMap(
    ([, from, list = ""]) =>
      [...(from === undefined ? [] : [from]), ...list.split(",")].map(
        (name) => name.trim().split(/[. \t]/, 1)[0] ?? "",
      ),
  );
}
