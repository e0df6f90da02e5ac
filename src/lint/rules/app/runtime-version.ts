import { posix } from "node:path";
import { architectureOf } from "../../../oci/platform.ts";
import { type ImageFacts, taskRoot, within } from "../../facts.ts";
import { groupNatives, type Native, nativeFiles } from "../../native/files.ts";
import { hintsFor, prismaHint, prismaTarget } from "../../native/hints.ts";
import type { Problem, Problems, Rule } from "../../rule.ts";
import { runtimeVersion } from "../../runtime.ts";
import { runsOn } from "./native.ts";

/** Code that is compiled for one version of a runtime does not load in another. */
export const runtimeVersionRule: Rule = {
  id: "runtime-version",
  severity: "error",
  expects: "compiled code and installed packages are for the version of the base's runtime",
  otherwise:
    "Runtime.ImportModuleError; UnsupportedClassVersionError; NODE_MODULE_VERSION; You must install or update .NET",
  check: (facts) => [
    pythonProblems(facts),
    javaProblems(facts),
    dotnetProblems(facts),
    rubyProblems(facts),
    prismaProblems(facts),
    nodeProblems(facts),
  ],
};

/** Packages that also work without their compiled modules, but more slowly. */
const OPTIONAL = new Set(
  `aiohttp bson charset-normalizer coverage cython debugpy frozenlist google kiwisolver lazy-object-proxy markupsafe
  msgpack multidict mypy propcache protobuf pymongo pyyaml simplejson sqlalchemy tornado websockets wrapt yaml yarl
  zope-interface`.split(/\s+/),
);

function pythonProblems(facts: ImageFacts): Problems {
  const version = runtimeVersion(facts, "python");
  if (version === undefined) return [];
  const tag = `cp${version.replace(".", "")}`;
  const tagged = nativeFiles(facts).filter(({ path }) => tagOf(path) !== undefined);
  const fitting = new Set(tagged.filter(({ path }) => tagOf(path) === tag).map(keyOf));
  const wrong = tagged.filter((native) => !fitting.has(keyOf(native)));
  return groupNatives(wrong, keyOf).map(([native]): Problem => {
    const { name = posix.basename(native.path), version: release = "", manager } = native.package;
    const other = (tagOf(native.path) ?? "").replace(/^cp(\d)(\d+)$/, "$1.$2");
    const fix = manager === "pip" ? hintsFor(facts).forFile(native) : `build it with Python ${version}`;
    return {
      message: `${`${name} ${release}`.trim()} is built for Python ${other}, and the base has Python ${version}`,
      path: `/${native.path}`,
      hint: `${fix}; or use --base python:${other}`,
      severity: OPTIONAL.has(name.toLowerCase().replaceAll("_", "-")) ? "warning" : "error",
    };
  });
}

/** Returns `cp311` for `_x.cpython-311-x86_64-linux-gnu.so`; without a tag any version fits. */
function tagOf(path: string): string | undefined {
  const [, digits] = /\.cpython-(\d+)-[^/]*\.so$/.exec(path) ?? [];
  return digits && `cp${digits}`;
}

function keyOf({ package: { key, manager }, path }: Native): string {
  return manager === "pip" ? key : `${key} ${path.replace(/\.cpython-.*$/, "")}`;
}

function javaProblems(facts: ImageFacts): Problems {
  const version = runtimeVersion(facts, "java");
  const built = facts.files.contents.handlerClassVersion;
  if (version === undefined || built === undefined || built <= Number(version)) return [];
  return {
    message: `the handler's class is compiled for Java ${built}, and the base has Java ${version}`,
    hint: `compile it with --release ${version} (maven.compiler.release, options.release), or use --base java:${built}`,
  };
}

function dotnetProblems(facts: ImageFacts): Problems {
  const version = runtimeVersion(facts, "dotnet");
  if (version === undefined) return [];
  const root = taskRoot(facts);
  for (const [path, text] of facts.files.contents.texts) {
    const inside = within(root, path);
    if (!inside?.endsWith(".runtimeconfig.json") || inside.includes("/")) continue;
    const built = frameworkOf(text);
    if (built === undefined || built === version) continue;
    return {
      message: `the app is published for .NET ${built}, and the base has .NET ${version}`,
      path: `/${path}`,
      hint: `set <TargetFramework>net${version}.0</TargetFramework> and publish again, or use --base dotnet:${built}`,
    };
  }
  return [];
}

/** Returns the framework's major version, unless the app has it or accepts any later one. */
function frameworkOf(text: string): string | undefined {
  if (/"includedFrameworks"|"rollForward"\s*:\s*"(?:Latest)?Major"/.test(text)) return undefined;
  return (
    /"tfm"\s*:\s*"net(?:coreapp)?(\d+)\./.exec(text)?.[1] ??
    /"Microsoft\.NETCore\.App"\s*,\s*"version"\s*:\s*"(\d+)\./.exec(text)?.[1]
  );
}

function rubyProblems(facts: ImageFacts): Problems {
  const version = runtimeVersion(facts, "ruby");
  const directory = `${taskRoot(facts)}/vendor/bundle/ruby`;
  const built = facts.files.view.list(directory).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  const [first] = built;
  if (version === undefined || first === undefined || built.includes(`${version}.0`)) return [];
  const other = first.split(".").slice(0, 2).join(".");
  return {
    message: `the gems are installed for Ruby ${other}, and the base has Ruby ${version}`,
    path: `/${directory}/${first}`,
    hint: `run bundle install with Ruby ${version}, or use --base ruby:${other}`,
  };
}

/** Prisma looks for an engine by system and OpenSSL (prisma.io/docs, "binaryTargets"). */
const ENGINE =
  /(?:^|\/)(?:lib)?query[-_]engine-((?:rhel|debian|linux-arm64|linux-musl(?:-arm64)?)-openssl-[\d.]+\.x)/;

function prismaProblems(facts: ImageFacts): Problems {
  if (!facts.base || !architectureOf(facts.settings)) return [];
  const target = prismaTarget(facts);
  const engines = [...facts.files.contents.binaries].flatMap(([path]) => {
    const found = ENGINE.exec(path)?.[1];
    return found === undefined || /\/node_modules\/(?:@prisma\/engines|prisma)\//.test(path)
      ? []
      : [{ path, found }];
  });
  const [first] = engines;
  if (!first || engines.some(({ found }) => found === target)) return [];
  return {
    message: `Prisma's query engine is for ${first.found}, and the base needs ${target}`,
    path: `/${first.path}`,
    hint: prismaHint(target),
  };
}

/** NODE_MODULE_VERSION (nodejs.org/download/releases); Node-API addons have none. */
const NODE_ABIS: Readonly<Record<string, number>> = { 16: 93, 18: 108, 20: 115, 22: 127, 24: 137 };

function nodeProblems(facts: ImageFacts): Problems {
  const version = runtimeVersion(facts, "nodejs");
  const architecture = architectureOf(facts.settings);
  const abi = version === undefined ? undefined : NODE_ABIS[version];
  if (abi === undefined || !architecture) return [];
  const addons = nativeFiles(facts).filter(({ file }) => runsOn(file, architecture));
  const fitting = new Set(addons.filter((addon) => fitsNode(addon, abi)).map(({ package: { key } }) => key));
  const wrong = addons.filter((addon) => addon.file.nodeAbi !== undefined && !fitting.has(addon.package.key));
  return groupNatives(wrong).map(([native]) => {
    const { name = posix.basename(native.path) } = native.package;
    const other = Object.entries(NODE_ABIS).find(([, one]) => one === native.file.nodeAbi)?.[0];
    const built = other === undefined ? `NODE_MODULE_VERSION ${native.file.nodeAbi}` : `Node ${other}`;
    return {
      message: `${name} is built for ${built}, and the base has Node ${version}`,
      path: `/${native.path}`,
      hint: `with Node ${version}: npm rebuild ${name}${other === undefined ? "" : `; or use --base nodejs:${other}`}`,
      severity: "warning",
    };
  });
}

/** Returns whether this file, for this Node or prebuilt for Node-API, makes its package load. */
function fitsNode({ path, file: { nodeAbi }, package: { isPlatformPackage } }: Native, abi: number): boolean {
  return (
    nodeAbi === abi || (nodeAbi === undefined && (isPlatformPackage === true || path.includes("/prebuilds/")))
  );
}
