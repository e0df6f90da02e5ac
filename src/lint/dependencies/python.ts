import { parseToml } from "../../dependencies/lock-file.ts";
import { requirementLines } from "../../dependencies/python/requirements.ts";
import { isObject, valueAt } from "../../oci/json.ts";
import { type ImageFacts, taskRoot, within } from "../facts.ts";
import { type Problem, type Problems, quantity, shortList } from "../rule.ts";
import { runtimeVersion } from "../runtime.ts";

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

/** Finds packages of requirements.txt, pyproject.toml or Pipfile that are not installed. */
export function missingPythonPackages(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const { contents } = facts.files;
  const read = (name: string) => contents.texts.get(`${root}/${name}`) ?? "";
  const project = tomlIn(read("pyproject.toml"));
  const lines = requirementLines("requirements.txt", read).filter(({ isConstraint }) => !isConstraint);
  const sources: readonly (readonly [file: string, names: readonly string[]])[] = [
    ["requirements.txt", requirementsIn(lines.map(({ text }) => text))],
    [
      "pyproject.toml",
      [
        ...requirementsIn(valueAt(project, "project", "dependencies")),
        ...keysIn(valueAt(project, "tool", "poetry", "dependencies")),
      ],
    ],
    ["Pipfile", keysIn(valueAt(tomlIn(read("Pipfile")), "packages"))],
  ];
  const there = new Set([...IN_RUNTIME, ...TOOLS, ...installedPackages(facts)]);
  for (const [file, wanted] of sources) {
    const missing = wanted.filter((name) => !there.has(name));
    if (missing.length > 0) return [missingPackages(file, missing, facts)];
  }
  return [];
}

function missingPackages(file: string, missing: readonly string[], facts: ImageFacts): Problem {
  const version = runtimeVersion(facts, "python");
  const machine = facts.settings.architecture === "arm64" ? "aarch64" : "x86_64";
  const what =
    file === "requirements.txt" ? "-r requirements.txt" : file === "Pipfile" ? "$(pipenv requirements)" : ".";
  const python = version === undefined ? "" : ` --python-version ${version}`;
  const verb = missing.length === 1 ? "is" : "are";
  return {
    message: `${quantity(missing.length, "package")} of ${file} ${verb} not installed: ${shortList(missing, missing.length, 5)}`,
    path: `/${taskRoot(facts)}/${file}`,
    hint: `pip install --target . --platform manylinux2014_${machine} --only-binary=:all:${python} ${what}; or lambda-pack build --install`,
  };
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Returns the distributions and modules in all directories that Python imports from. */
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

function tomlIn(text: string): unknown {
  try {
    return parseToml(text, "").value;
  } catch {
    return undefined; // tools report a broken file themselves
  }
}

/** Returns the names in requirements (PEP 508), without those for other systems or versions. */
function requirementsIn(requirements: unknown): readonly string[] {
  return Array.isArray(requirements) ? requirements.flatMap((one) => nameOf(String(one)) ?? []) : [];
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

/** Returns the names in a table of Poetry or Pipenv, without optional ones and those for other systems. */
function keysIn(table: unknown): readonly string[] {
  return Object.entries(isObject(table) ? table : {}).flatMap(([name, value]) =>
    /"optional":true|"markers"|"sys_platform"/.test(JSON.stringify(value)) ? [] : normalized(name),
  );
}

/** Finds packages installed with `pip install -e`, which leaves only a path of this machine. */
export function editableInstalls(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const found: string[] = [];
  let first = "";
  for (const [path, text] of facts.files.contents.texts) {
    const inside = within(root, path);
    const name = inside === undefined ? undefined : editableName(path, text);
    if (name === undefined) continue;
    if (!found.includes(name)) found.push(name);
    if (first === "" || path < first) first = path;
  }
  if (found.length === 0) return [];
  const verb = found.length === 1 ? "is" : "are";
  return {
    message: `${shortList(found.sort(), found.length, 5)} ${verb} installed in editable mode: only a path of this machine is in the app`,
    path: `/${first}`,
    hint: "install without -e: pip install --target . PATH (uv: uv pip install --target . --no-editable; uv sync --no-editable)",
  };
}

function editableName(path: string, text: string): string | undefined {
  // setuptools before 64 wrote an .egg-link.
  const [, pth, link] =
    /(?:^|\/)(?:__editable__[._]*([A-Za-z0-9_]+?)(?:-\d[^/]*)?\.pth|([^/]+)\.egg-link)$/.exec(path) ?? [];
  if (pth !== undefined || link !== undefined) return normalized(pth ?? link ?? "");
  const [, info] = /(?:^|\/)([^/-]+)-[^/]*\.dist-info\/direct_url\.json$/.exec(path) ?? [];
  return info !== undefined && /"editable"\s*:\s*true/.test(text) ? normalized(info) : undefined;
}
