import { posix } from "node:path";
import type { FileContents } from "../contents/file-contents.ts";
import type { NativePackage } from "./package.ts";

/** Distributions whose modules have another name, used if there is no RECORD. */
const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  _cffi_backend: "cffi",
  Crypto: "pycryptodome",
  cv2: "opencv-python-headless",
  MySQLdb: "mysqlclient",
  nacl: "PyNaCl",
  PIL: "pillow",
  psycopg2: "psycopg2-binary",
  skimage: "scikit-image",
  sklearn: "scikit-learn",
  yaml: "PyYAML",
  zmq: "pyzmq",
};

interface Distribution {
  readonly name: string;
  readonly version: string;
  readonly site: string;
}

/** Finds the Python package of a file. */
export interface PythonPackages {
  readonly find: (path: string) => NativePackage | undefined;
}

/** Finds packages by RECORD files (packaging.python.org, "Recording installed projects"). */
export function pythonPackages(contents: FileContents): PythonPackages {
  const files = new Map<string, Distribution>();
  const modules = new Map<string, Distribution>();
  const sites = new Set<string>();
  for (const [path, text] of contents.records()) {
    const found = distributionAt(path);
    if (!found) continue;
    sites.add(found.site);
    for (const line of text.split("\n")) {
      for (const file of placesOf(line, found.site)) files.set(file, found);
      const module = moduleOf(line);
      if (module !== undefined && !modules.has(found.site + module)) modules.set(found.site + module, found);
    }
  }
  return {
    find: (path) => {
      const listed = files.get(path);
      if (listed) return packageFor(listed);
      const [site, module] = siteAndModule(path, sites);
      const claimed = modules.get(site + module);
      if (claimed) return packageFor(claimed);
      return isPythonNative(path) ? unlisted(path, site, module) : undefined;
    },
  };
}

function isPythonNative(path: string): boolean {
  return /\.(?:cpython-|abi3\.|pyd$)|(?:site|dist)-packages\/|\.libs\//.test(path);
}

function packageFor({ name, version, site }: Distribution): NativePackage {
  const key = `pip ${site}${name}`;
  return { manager: "pip", key, slot: key, name, version, site };
}

/** Guesses a package by its module. A single unknown file may be the app's own compiled module. */
function unlisted(path: string, site: string, module: string): NativePackage | undefined {
  const isFile = !path.slice(site.length).includes("/") && DISTRIBUTIONS[module] === undefined;
  if (module === "" || isFile) return undefined;
  const key = `pip ${site}${module}`;
  return { manager: "pip", key, slot: key, name: DISTRIBUTIONS[module] ?? module, site };
}

function distributionAt(record: string): Distribution | undefined {
  const directory = posix.dirname(record);
  const [, name, version] = /^([^/]+)-([^-/]+)\.dist-info$/.exec(posix.basename(directory)) ?? [];
  if (name === undefined || version === undefined) return undefined;
  return { name, version, site: directory.slice(0, directory.lastIndexOf("/") + 1) };
}

/** RECORD lists `../../bin/ruff`, but `pip install --target` moves scripts to `bin` beside it. */
function placesOf(line: string, site: string): readonly string[] {
  const path = fileIn(line);
  if (path === "") return [];
  const script = /^(?:\.\.\/)+(bin\/[^/]+)$/.exec(path)?.[1];
  const place = posix.normalize(site + path);
  return script === undefined ? [place] : [place, site + script];
}

function moduleOf(line: string): string | undefined {
  const path = fileIn(line);
  if (path === "" || path.startsWith("..") || path.startsWith("bin/")) return undefined;
  return moduleName(path.split("/", 1)[0] ?? "");
}

function fileIn(line: string): string {
  return line.startsWith('"') ? (/^"([^"]*)"/.exec(line)?.[1] ?? "") : (line.split(",", 1)[0] ?? "");
}

/** Returns `numpy` for `numpy.libs`, `_cffi_backend` for `_cffi_backend.cpython-312-darwin.so`. */
function moduleName(first: string): string {
  return first.replace(/\..*$/s, "");
}

const SITE =
  /(?:^|\/)(?:site-packages|dist-packages|var\/task|opt\/python(?:\/lib\/python[\d.]+\/site-packages)?)\//g;

function siteAndModule(path: string, sites: ReadonlySet<string>): readonly [site: string, module: string] {
  const [recorded, named] = [siteWithRecords(path, sites), siteByName(path)];
  const site = recorded.length > named.length ? recorded : named;
  if (site === "") return ["", ""];
  return [site, moduleName(path.slice(site.length).split("/", 1)[0] ?? "")];
}

/** The most directory levels that are searched for a .dist-info. */
const MAX_LEVELS = 64;

function siteWithRecords(path: string, sites: ReadonlySet<string>): string {
  let found = "";
  let slash = path.indexOf("/");
  for (let level = 0; slash >= 0 && level < MAX_LEVELS; level++) {
    const directory = path.slice(0, slash + 1);
    if (sites.has(directory)) found = directory;
    slash = path.indexOf("/", slash + 1);
  }
  return found;
}

function siteByName(path: string): string {
  const last = [...path.matchAll(SITE)].at(-1);
  return last ? path.slice(0, last.index + last[0].length) : "";
}
