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
  return pins.flatMap(({ range, source }) =>
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

/** Reads the version in the first line. Other words, such as `lts/*` or `system`, are ignored. */
function versionFile(directory: string, name: string): Found {
  const lines = (textIn(directory, name) ?? "").split("\n").map((line) => line.replace(/#.*/, "").trim());
  const [first = ""] = lines.filter((line) => line !== "");
  const line = NODE_LINES[/^lts\/(\w+)$/i.exec(first)?.[1]?.toLowerCase() ?? ""];
  const range = line ?? /^(?:(?:ruby|cpython|node)-)?v?(\d+(?:\.\d+)*)/.exec(first)?.[1];
  return { range, source: `{} in ${name}` };
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
