import { join } from "node:path";
import { readConfigurationFile } from "../../../blobs/regular-file.ts";
import { parseToml } from "../../../dependencies/lock-file.ts";
import { LambdaPackError } from "../../../errors.ts";
import type { Language } from "../../../lambda/bases.ts";
import { classVersion } from "../../../lambda/binary/binary.ts";
import { withFile } from "../../../lambda/binary/file-part.ts";
import { javaFor, type VersionPin } from "../../../lambda/detect-base.ts";
import { valueAt } from "../../../oci/json.ts";

/**
 * Reads the language versions that the app's own files require.
 * @throws FILE_UNREADABLE, LOCK_INVALID
 */
export function pinsOf(
  language: Language,
  directory: string,
  names: readonly string[],
): readonly VersionPin[] {
  const pins = READERS[language]?.(directory, names) ?? [];
  return [...pins, ...versionManagers(language, directory)].flatMap(({ range, source }) =>
    typeof range === "string" && range.trim() !== "" ? [{ range, source }] : [],
  );
}

interface Found {
  /** A value of any type; only strings are version pins. */
  readonly range: unknown;
  readonly source: string;
}

type Reader = (directory: string, names: readonly string[]) => readonly Found[];

const READERS: Partial<Readonly<Record<Language, Reader>>> = {
  nodejs: (directory) => [
    {
      range: valueAt(jsonIn(directory, "package.json"), "engines", "node"),
      source: "engines.node {} in package.json",
    },
    versionFile(directory, ".nvmrc"),
    versionFile(directory, ".node-version"),
  ],
  python: (directory) => [
    ...pyproject(tomlIn(directory, "pyproject.toml")),
    {
      range: valueAt(tomlIn(directory, "Pipfile"), "requires", "python_version"),
      source: "python_version {} in Pipfile",
    },
    versionFile(directory, ".python-version"),
  ],
  ruby: (directory) => [
    versionFile(directory, ".ruby-version"),
    {
      range: /^ruby\s*\(?\s*["']([^"']+)["']/m.exec(textIn(directory, "Gemfile") ?? "")?.[1],
      source: "ruby {} in Gemfile",
    },
  ],
  dotnet: (directory, names) =>
    names
      .filter((name) => /^[^/]+\.runtimeconfig\.json$/.test(name))
      .map((name) => ({
        range: frameworkVersion(jsonIn(directory, name)),
        source: `.NET {} in ${name}`,
      })),
  java: (directory, names) => {
    const versions = names
      .filter((name) => /(?<!module-info)\.class$/.test(name))
      .slice(0, MAX_CLASSES)
      .flatMap((name) => classVersionOf(join(directory, name)) ?? []);
    if (versions.length === 0) return [];
    const newest = Math.max(...versions);
    return [{ range: String(javaFor(newest)), source: `classes compiled for Java ${newest}` }];
  },
};

/** A sample is enough, because the classes of an app are compiled for the same version. */
const MAX_CLASSES = 50;
const HEADER_BYTES = 8;

function classVersionOf(path: string): number | undefined {
  const header = withFile(path, (file) => file.read(0, HEADER_BYTES));
  return header && classVersion(header);
}

function pyproject(project: unknown): readonly Found[] {
  return [
    { range: valueAt(project, "project", "requires-python"), source: "requires-python {} in pyproject.toml" },
    {
      range: valueAt(project, "tool", "poetry", "dependencies", "python"),
      source: "python {} in pyproject.toml",
    },
  ];
}

/** The code names of Node's release lines, which nvm accepts (nodejs/Release). */
const NODE_LINES: Readonly<Record<string, string>> = { krypton: "24", jod: "22", iron: "20", hydrogen: "18" };

/** Reads the version in the first line. */
function versionFile(directory: string, name: string): Found {
  const lines = (textIn(directory, name) ?? "").split("\n").map((line) => line.replace(/#.*/, "").trim());
  const [first = ""] = lines.filter((line) => line !== "");
  return { range: versionIn(first), source: `{} in ${name}` };
}

/** Returns the numbers of a version. Other words, such as `lts/*`, `latest` or `system`: undefined. */
function versionIn(text: unknown): string | undefined {
  const word = String(text);
  const line = NODE_LINES[/^lts[/-](\w+)$/i.exec(word)?.[1]?.toLowerCase() ?? ""];
  return line ?? /^(?:(?:ruby|cpython|node)-)?v?(\d+(?:\.\d+)*)/.exec(word)?.[1];
}

/**
 * The names of languages in `.tool-versions` and `mise.toml`. Java and .NET are not among them: a
 * newer compiler can build for an older runtime, so only the compiled files say which one.
 */
const TOOLS: Partial<Readonly<Record<Language, readonly string[]>>> = {
  nodejs: ["nodejs", "node"],
  python: ["python"],
  ruby: ["ruby"],
};

/** Reads the first version that asdf or mise would use for the language. */
function versionManagers(language: Language, directory: string): readonly Found[] {
  const tools = TOOLS[language] ?? [];
  const lines = (textIn(directory, ".tool-versions") ?? "").split("\n").map((line) => line.split(/[\s#]+/));
  const listed = lines.find(([tool = ""]) => tools.includes(tool))?.[1];
  const configured = MISE_FILES.flatMap((name) => {
    const all = valueAt(tomlIn(directory, name), "tools");
    const found = tools.map((tool) => firstVersion(valueAt(all, tool)));
    return found.map((version) => ({ range: versionIn(version), source: `{} in ${name}` }));
  });
  return [{ range: versionIn(listed), source: "{} in .tool-versions" }, ...configured];
}

const MISE_FILES = ["mise.toml", ".mise.toml"];

/** Returns the version from a value of mise: `"22"`, `["22", "20"]`, `{ version = "22" }`. */
function firstVersion(value: unknown): unknown {
  const [first] = [value].flat();
  return valueAt(first, "version") ?? first;
}

/** Returns the major version of .NET from the tfm or the framework: `8`. */
function frameworkVersion(config: unknown): string | undefined {
  const tfm = valueAt(config, "runtimeOptions", "tfm");
  const framework = valueAt(config, "runtimeOptions", "framework", "version");
  return /^(?:net(?:coreapp)?)?(\d+)\./.exec(String(tfm ?? framework))?.[1];
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Reads a small text file; undefined if it is missing. @throws FILE_UNREADABLE */
export function textIn(directory: string, name: string): string | undefined {
  const path = join(directory, name);
  const hint = "correct the file, or add --base BASE";
  const bytes = readConfigurationFile(path, { maxBytes: MAX_BYTES, code: "FILE_UNREADABLE", hint });
  return bytes && String(bytes).replace(/^\uFEFF/, "");
}

function jsonIn(directory: string, name: string): unknown {
  const text = textIn(directory, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LambdaPackError("FILE_UNREADABLE", `${join(directory, name)} is not JSON`, {
      hint: "correct the file, or add --base BASE",
      cause,
    });
  }
}

function tomlIn(directory: string, name: string): unknown {
  const text = textIn(directory, name);
  return text === undefined ? undefined : parseToml(text, join(directory, name)).value;
}
