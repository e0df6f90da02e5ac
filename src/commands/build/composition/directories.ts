import { collect } from "../../../layer/collect.ts";
import { parentOf } from "../../../tar/entry.ts";
import { BASE_MODES } from "../collect.ts";
import { emitFiles, type Part, type PartContext, refusePart } from "./part.ts";
import type { DirectoryPlan } from "./plan.ts";

/** Collects another directory by the rules of its own ignore file. @throws what `collect` throws */
export async function addDirectory(
  { directory, target }: DirectoryPlan,
  context: PartContext,
): Promise<Part> {
  const { output, session } = context;
  const { signal } = session;
  const files = await collect({ directory, target, output, directoryModes: BASE_MODES, signal });
  for (const warning of files.warnings) session.emit({ type: "warning", ...warning });
  emitFiles(directory, files, session);
  return { name: `add ${target}`, files };
}

const PROGRAMS = "opt/extensions";

/**
 * Collects the directory of an extension for /opt. Its programs become executable, because a
 * checkout or zip made on Windows lacks the permission.
 * @throws COMPOSITION_REFUSED if it has no program, and what `collect` throws
 */
export async function addExtension(directory: string, context: PartContext): Promise<Part> {
  const { files } = await addDirectory({ directory, target: "/opt" }, context);
  const programs = files.files.filter(({ entry }) => isProgram(entry.path, entry.kind));
  const [first] = programs;
  if (!first)
    throw refusePart(
      `--extension ${directory}: no file is left in its directory extensions`,
      "put the extension's program there, and see what the ignore file leaves out",
    );
  const executable = files.files.map((file) =>
    file.entry.kind === "file" && programs.includes(file)
      ? { ...file, entry: { ...file.entry, mode: 0o755 } }
      : file,
  );
  const name = first.entry.path.slice(PROGRAMS.length + 1);
  return { name: `extension ${name}`, files: { ...files, files: executable } };
}

function isProgram(path: string, kind: string): boolean {
  return kind !== "directory" && parentOf(path) === PROGRAMS;
}
