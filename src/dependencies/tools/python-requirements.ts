import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { redactText } from "../../registry/errors/redact.ts";
import type { InstallWay, LockFile, Selection } from "../detect.ts";
import type { InstallContext } from "../installation.ts";
import { lockInvalid, unavailable } from "../lock-file.ts";
import {
  localRequirement,
  missingFile,
  type RequirementLine,
  requirementLines,
} from "../python/requirements.ts";
import { failed, runTool, succeedTool, type ToolCall } from "./run.ts";

export type PythonWay = Extract<InstallWay, "uv" | "pip" | "poetry" | "pipenv">;

export const HOW_TO_GET = {
  uv: "https://docs.astral.sh/uv/getting-started/installation",
  pip: "python3 -m ensurepip, or install uv: https://docs.astral.sh/uv",
  poetry: "pipx install poetry && pipx inject poetry poetry-plugin-export",
  pipenv: "pipx install pipenv",
} as const;

export interface Requirements {
  readonly file: string;
  /** Includes those of files that it names. */
  readonly lines: readonly RequirementLine[];
  readonly isHashed: boolean;
  /** Whether every package is listed, so that nothing has to be resolved. */
  readonly isComplete: boolean;
}

/**
 * Returns the requirements of a lock, exported by its own tool, or a requirements file itself.
 * @throws INSTALL_FAILED, DEPENDENCY_UNAVAILABLE
 */
export async function exported(
  way: PythonWay,
  { directory, file }: LockFile,
  { extras, groups }: Selection,
  { workDirectory, offline }: InstallContext,
  tool: Omit<ToolCall, "command" | "howToGet">,
): Promise<Requirements> {
  if (file === "requirements.txt") {
    const lines = requirementsIn(directory, file);
    const local = localRequirement(lines);
    if (local !== undefined) throw notPublished(file, local);
    return requirements(join(directory, file), lines, false);
  }
  const path = join(workDirectory, "requirements.txt");
  const named = (flag: string, names: readonly string[]) => names.flatMap((name) => [flag, name]);
  if (way === "uv") {
    const format = "--no-editable --no-emit-project --format requirements.txt".split(" ");
    const command = [
      ...["uv", "export", "--frozen", ...(groups.includes("dev") ? [] : ["--no-dev"])],
      ...[...named("--extra", extras), ...named("--group", groups), ...format],
      ...["-o", path, ...(offline ? ["--offline"] : [])],
    ];
    await succeedTool({ ...tool, command, howToGet: HOW_TO_GET.uv });
  } else if (way === "poetry") {
    const command = [
      ...["poetry", "export", "--format", "requirements.txt", "--output", path],
      ...[...named("--extras", extras), ...named("--with", groups)],
    ];
    await poetryExport({ ...tool, command, howToGet: HOW_TO_GET.poetry });
  } else {
    const categories = groups.length > 0 ? ["--categories", ["packages", ...groups].join(",")] : [];
    const command = ["pipenv", "requirements", "--hash", ...categories];
    const { stdout } = await succeedTool({ ...tool, command, howToGet: HOW_TO_GET.pipenv });
    writeFileSync(path, stdout);
  }
  return requirements(path, requirementsIn(workDirectory, "requirements.txt"), true);
}

function requirements(file: string, lines: readonly RequirementLine[], isComplete: boolean): Requirements {
  return { file, lines, isHashed: lines.some(({ text }) => / --hash=/.test(text)), isComplete };
}

/**
 * Reads a requirements file with the files that it includes.
 * @throws LOCK_INVALID that names an included file which is not there
 */
export function requirementsIn(directory: string, file: string): readonly RequirementLine[] {
  const lines = requirementLines(file, (name) => readIfThere(resolve(directory, name)));
  const missing = lines.flatMap((line) => missingFile(line) ?? [])[0];
  if (missing === undefined) return lines;
  throw lockInvalid(
    `${file} includes ${missing}, which cannot be read`,
    `write the file, or correct the line: a path is relative to the file that has it`,
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function notPublished(file: string, line: string): LambdaPackError {
  return unavailable(
    `${file} names ${redactText(line)}, which would be built for this machine and linked to it`,
    "leave the line out: files of the directory are packed without it; or name a wheel in an index",
  );
}

/**
 * Exports with Poetry.
 * @throws INSTALL_FAILED, also if Poetry lacks its export plugin, which is separate since version 2
 */
async function poetryExport(call: ToolCall): Promise<void> {
  const output = await runTool(call);
  if (output.status === 0) return;
  if (!/command "export" (?:does not exist|is not defined)/.test(output.stdout + output.stderr))
    throw failed(call, output);
  throw new LambdaPackError("INSTALL_FAILED", "this Poetry cannot export its lock: the plugin is missing", {
    hint: "poetry self add poetry-plugin-export",
  });
}
