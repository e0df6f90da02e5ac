import { type ImageFacts, taskRoot, within } from "../facts.ts";
import { runtimeVersion } from "../language.ts";
import { count, type Problem, type Problems, some } from "../rule.ts";

/** Packages in AWS's Python bases: the AWS SDK and its dependencies. */
const IN_RUNTIME = new Set([
  "boto3",
  "botocore",
  "s3transfer",
  "jmespath",
  "python-dateutil",
  "six",
  "urllib3",
]);
/** Names that the app does not have to contain: installers, Python and the runtime client. */
const TOOLS = new Set(["pip", "setuptools", "wheel", "python", "awslambdaric"]);

/**
 * Finds packages that requirements.txt, pyproject.toml or Pipfile asks for and that are not
 * installed.
 */
export function missingPythonPackages(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const { contents } = facts.files;
  const read = (name: string) => contents.text(root === "" ? name : `${root}/${name}`) ?? "";
  const sources: readonly (readonly [string, readonly string[]])[] = [
    ["requirements.txt", requirementsIn(read("requirements.txt"))],
    [
      "pyproject.toml",
      [
        ...projectDependencies(read("pyproject.toml")),
        ...tableKeys(read("pyproject.toml"), "tool.poetry.dependencies"),
      ],
    ],
    ["Pipfile", tableKeys(read("Pipfile"), "packages")],
  ];
  const installed = installedPackages(facts);
  for (const [file, wanted] of sources) {
    const missing = wanted.filter((name) => !isThere(name, installed));
    if (missing.length > 0) return [missingPackages(file, missing, facts)];
  }
  return [];
}

function isThere(name: string, installed: ReadonlySet<string>): boolean {
  return IN_RUNTIME.has(name) || TOOLS.has(name) || installed.has(name);
}

function missingPackages(file: string, missing: readonly string[], facts: ImageFacts): Problem {
  const version = runtimeVersion(facts, "python");
  const machine = facts.settings.architecture === "arm64" ? "aarch64" : "x86_64";
  const what =
    file === "requirements.txt" ? "-r requirements.txt" : file === "Pipfile" ? "$(pipenv requirements)" : ".";
  const python = version === undefined ? "" : ` --python-version ${version}`;
  const verb = missing.length === 1 ? "is" : "are";
  return {
    message: `${count(missing.length, "package")} of ${file} ${verb} not installed: ${some(missing, missing.length, 5)}`,
    path: `/${taskRoot(facts)}/${file}`,
    hint: `pip install --target . --platform manylinux2014_${machine} --only-binary=:all:${python} ${what}; or lambda-pack build --install`,
  };
}

/** Returns the normalized name of a package (PEP 503). */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * Returns the names of the distributions and modules in all directories that Python imports from.
 */
function installedPackages({ files: { view }, settings }: ImageFacts): ReadonlySet<string> {
  const root = taskRoot({ settings });
  const places = [
    root,
    "opt/python",
    ...LIBRARIES.flatMap((library) => sitePackages(library, view.list(library))),
  ];
  const names = places.flatMap((place) => view.list(place));
  return new Set(
    names.map((name) =>
      normalized(name.replace(/(?:-[^-]+(?:-[^-]+)?)?\.(?:dist-info|egg-info)$|\.py$/, "")),
    ),
  );
}

/** Directories of a base or a Lambda layer that have one directory for each Python version. */
const LIBRARIES = ["opt/python/lib", "var/lang/lib", "usr/local/lib", "usr/lib"];

function sitePackages(library: string, names: readonly string[]): readonly string[] {
  const versions = names.filter((name) => name.startsWith("python3"));
  return versions.flatMap((name) => [`${library}/${name}/site-packages`, `${library}/${name}/dist-packages`]);
}

/**
 * Returns the names in a requirements file (PEP 508), without lines for other systems or versions.
 */
function requirementsIn(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => nameOf(line) ?? []);
}

function nameOf(requirement: string): string | undefined {
  const [line = ""] = requirement.split("#", 1);
  const [, name] =
    /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:[=<>!~;@]|$)/.exec(line) ?? [];
  const isOther = /;.*(?:sys_platform|platform_system|os_name|python_version|implementation|extra)/.test(
    line,
  );
  return name === undefined || isOther ? undefined : normalized(name);
}

/** Returns the names in `dependencies = ["a>=1", ...]` of the table [project]. */
function projectDependencies(text: string): readonly string[] {
  const table = tableOf(text, "project");
  const start = /^dependencies\s*=\s*\[/m.exec(table);
  if (!start) return [];
  const list = table.slice(start.index + start[0].length).split("\n");
  const end = list.findIndex((line) => /^\s*\]|\]\s*$/.test(line.replace(/\[[^\]]*\]/g, "")));
  return list
    .slice(0, end + 1)
    .join("\n")
    .split(/["']/)
    .flatMap((part, index) => (index % 2 === 1 ? (nameOf(part) ?? []) : []));
}

function tableKeys(text: string, table: string): readonly string[] {
  return tableOf(text, table)
    .split("\n")
    .flatMap((line) => {
      const [, name] = /^["']?([A-Za-z0-9][\w.-]*)["']?\s*=/.exec(line) ?? [];
      return name === undefined || /optional\s*=\s*true|markers|sys_platform/.test(line)
        ? []
        : normalized(name);
    });
}

/** Returns the lines of one table of a TOML file. */
function tableOf(text: string, name: string): string {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.trim() === `[${name}]`);
  if (start < 0) return "";
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^\[/.test(line));
  return rest.slice(0, end < 0 ? undefined : end).join("\n");
}

/** Finds packages installed with `pip install -e`, which leaves only a path of this machine. */
export function editableInstalls(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const found: string[] = [];
  let first = "";
  for (const [path, text] of facts.files.contents.texts()) {
    const inside = within(root, path);
    const name = inside === undefined ? undefined : editableName(path, text);
    if (name === undefined) continue;
    if (!found.includes(name)) found.push(name);
    if (first === "" || path < first) first = path;
  }
  if (found.length === 0) return [];
  const verb = found.length === 1 ? "is" : "are";
  return {
    message: `${some(found.sort(), found.length, 5)} ${verb} installed in editable mode: only a path of this machine is in the app`,
    path: `/${first}`,
    hint: "install without -e: pip install --target . PATH (uv: uv pip install --target . --no-editable; uv sync --no-editable)",
  };
}

function editableName(path: string, text: string): string | undefined {
  const [, pth] = /(?:^|\/)__editable__[._]*([A-Za-z0-9_]+?)(?:-\d[^/]*)?\.pth$/.exec(path) ?? [];
  if (pth !== undefined) return normalized(pth);
  const [, info] = /(?:^|\/)([^/-]+)-[^/]*\.dist-info\/direct_url\.json$/.exec(path) ?? [];
  return info !== undefined && /"editable"\s*:\s*true/.test(text) ? normalized(info) : undefined;
}
