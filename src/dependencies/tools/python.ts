import { existsSync } from "node:fs";
import { join } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import type { LockFile, Selection } from "../detect.ts";
import type { Installation, InstalledFiles } from "../installation.ts";
import { readFile } from "../lock-file.ts";
import { isKeptFile, virtualEnvironments } from "../python/installation.ts";
import { missingWheels } from "../python/package-index.ts";
import { areHashed } from "../python/requirements.ts";
import { platformTags } from "../python/wheels.ts";
import type { PythonTarget } from "../target.ts";
import {
  exported,
  HOW_TO_GET,
  type PythonWay,
  type Requirements,
  requirementsIn,
} from "./python-requirements.ts";
import { entriesIn, failed, hasTool, runTool, type ToolCall } from "./run.ts";

/** Must be raised with every change of the calls below. */
const FORMAT = 3;

/**
 * Installs from a lock or requirements file with uv or pip. Other locks are exported to
 * requirements first.
 */
export function pythonToolInstallation(
  way: PythonWay,
  found: LockFile,
  target: PythonTarget,
  selection: Selection,
): Installation {
  const { directory, file, member } = found;
  return {
    way,
    lockFile: file,
    key: keyOf(way, found, { target, selection }),
    packages: [],
    replaces: virtualEnvironments(join(directory, member)),
    warnings: [],
    async install(context) {
      const { environment, signal, offline } = context;
      const tool = { cwd: directory, environment: environmentOf(environment), signal };
      const usesUv = way === "uv" || (await hasTool({ ...tool, command: ["uv", "--version"] }));
      if (offline && !usesUv) {
        throw new LambdaPackError("OFFLINE", "pip cannot install with --offline", {
          hint: "build once without --offline, or install uv",
        });
      }
      const requirements = await exported(way, found, selection, context, tool);
      const to = join(context.workDirectory, "python");
      const command = usesUv
        ? uvCommand(requirements, to, target, offline)
        : await pipCommand(requirements, to, target, tool);
      const call = { ...tool, command, howToGet: usesUv ? HOW_TO_GET.uv : HOW_TO_GET.pip };
      const output = await runTool(call);
      if (output.status !== 0)
        throw (
          (await missingWheels(output.stderr, requirements.lines, target, context)) ?? failed(call, output)
        );
      return filesIn(to, signal);
    },
  };
}

/**
 * Returns the key of the installation; undefined for requirements without hashes, which leave
 * versions open.
 */
function keyOf(way: PythonWay, { directory, file }: LockFile, wanted: object): Digest | undefined {
  const isLock = file !== "requirements.txt";
  const lock = isLock ? readFile(join(directory, file)).toString() : requirementsIn(directory, file);
  if (typeof lock !== "string" && !areHashed(lock)) return undefined;
  // uv reads the default groups from it.
  const project = join(directory, "pyproject.toml");
  const settings = way === "uv" && existsSync(project) ? readFile(project).toString() : "";
  return digestOf(JSON.stringify([way, FORMAT, wanted, lock, digestOf(settings)]));
}

/** Removes the user's settings for the target and for compilation, which would interfere. */
function environmentOf(environment: ToolCall["environment"]): ToolCall["environment"] {
  return {
    ...environment,
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    PIP_TARGET: undefined,
    PIP_USER: undefined,
    PIP_REQUIRE_VIRTUALENV: undefined,
    PIP_BREAK_SYSTEM_PACKAGES: undefined,
    PYTHONDONTWRITEBYTECODE: "1",
    NO_COLOR: "1",
  };
}

/** The versions of glibc for which uv has a platform (uv 0.12). */
const UV_GLIBC = [40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 28, 17];

function uvPlatform({ machine, libc }: PythonTarget): string {
  if (libc.kind === "musl") return `${machine}-unknown-linux-musl`;
  const minor = UV_GLIBC.find((one) => one <= libc.minor) ?? 17;
  return `${machine}-manylinux_2_${minor}`;
}

function uvCommand(
  { file, isHashed, isComplete }: Requirements,
  to: string,
  target: PythonTarget,
  offline: boolean,
): readonly string[] {
  const platform = `--python-version 3.${target.minor} --python-platform ${uvPlatform(target)}`;
  const how = "--only-binary :all: --no-installer-metadata --no-compile-bytecode --link-mode copy".split(" ");
  return [
    ...["uv", "pip", "install", "-r", file, "--target", to, ...platform.split(" "), ...how],
    ...(isHashed ? ["--require-hashes"] : []),
    ...(isComplete ? ["--no-deps"] : []),
    ...(offline ? ["--offline"] : []),
  ];
}

const PIPS = ["python3 -m pip", "python -m pip", "pip3", "pip"].map((words) => words.split(" "));

/**
 * Returns pip's command. pip accepts only the given platform tags, so every tag of the target is
 * listed (pypa/pip#10760).
 */
async function pipCommand(
  { file, isHashed, isComplete }: Requirements,
  to: string,
  target: PythonTarget,
  tool: Omit<ToolCall, "command" | "howToGet">,
): Promise<readonly string[]> {
  let pip = ["pip"];
  for (const words of PIPS) {
    if (!(await hasTool({ ...tool, command: [...words, "--version"] }))) continue;
    pip = words;
    break;
  }
  const python = `--implementation cp --python-version 3.${target.minor} --abi cp3${target.minor} --abi abi3 --abi none`;
  return [
    ...[...pip, "install", "-r", file, "--target", to],
    ...platformTags(target).flatMap((tag) => ["--platform", tag]),
    ...[...python.split(" "), "--only-binary=:all:", "--no-compile"],
    ...(isHashed ? ["--require-hashes"] : []),
    ...(isComplete ? ["--no-deps"] : []),
  ];
}

async function filesIn(directory: string, signal: AbortSignal): Promise<InstalledFiles> {
  const entries = await entriesIn(directory, isKeptFile, signal);
  const packages = entries.flatMap(({ path }) => {
    const [, name, version] = /^([^/]+)-([^/-]+)\.dist-info\/METADATA$/.exec(path) ?? [];
    if (name === undefined || version === undefined) return [];
    return [{ name: name.replaceAll("_", "-"), version, integrity: undefined, size: undefined }];
  });
  return { entries, packages };
}
