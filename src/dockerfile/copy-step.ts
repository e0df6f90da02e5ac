import { posix } from "node:path";
import { keptModes, losesPermissions, parseMode } from "./commands.ts";
import type { Instruction } from "./instructions.ts";
import { refuse } from "./instructions.ts";
import type { CopySource, CopyStep } from "./stage.ts";
import { expand, findStage, type Stage } from "./stages.ts";
import type { Lookup } from "./words.ts";

interface CopyScope {
  readonly workingDirectory: string;
  readonly lookup: Lookup;
  /** The stages before this one, which are the only ones that can be copied from. */
  readonly earlier: readonly Stage[];
}

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  COPY: ["from", "chmod", "chown", "link"],
  ADD: ["chmod", "chown", "link"],
};

/** Plans COPY or ADD. @throws DOCKERFILE_REFUSED */
export function planCopy(
  instruction: Instruction,
  scope: CopyScope,
): { readonly step: CopyStep; readonly notes: readonly string[] } {
  const { file, line, keyword, flags } = instruction;
  const unknown = flags.find(({ name }) => !FLAGS[keyword]?.includes(name));
  if (unknown)
    throw refuse(instruction, `${keyword} --${unknown.name} is not known`, `leave --${unknown.name} out`);
  const flag = (wanted: string) => {
    const found = flags.findLast(({ name }) => name === wanted);
    return found && expand(instruction, found.value, scope.lookup);
  };
  const words = copyWords(instruction, scope.lookup);
  const written = words.at(-1) ?? "";
  const sources = words.slice(0, -1);
  if (keyword === "ADD") refuseRemote(instruction, sources);
  const mode = flag("chmod");
  const notes = [
    ...(flag("chown") === undefined
      ? []
      : ["--chown has no effect: Lambda runs a function as a user of its own, who may read every file"]),
    ...(mode !== undefined && losesPermissions(mode) ? [keptModes(mode)] : []),
  ];
  const step: CopyStep = {
    kind: "copy",
    file,
    line,
    keyword: keyword === "ADD" ? "ADD" : "COPY",
    from: copySource(instruction, scope.earlier),
    sources,
    target: posix.resolve("/", scope.workingDirectory, written),
    intoDirectory: /(?:^|\/)\.{0,2}$/.test(written),
    executable: mode === undefined ? undefined : isExecutable(instruction, mode),
  };
  return { step, notes };
}

function isExecutable(instruction: Instruction, mode: string): boolean | undefined {
  const change = parseMode(mode);
  if (change === undefined)
    throw refuse(
      instruction,
      `--chmod=${mode} is not a mode that is known`,
      "write --chmod=755 or --chmod=644",
    );
  return change === "unchanged" ? undefined : change === "executable";
}

function copyWords(instruction: Instruction, lookup: Lookup): readonly string[] {
  const { json, text, keyword } = instruction;
  const words = json ?? text.split(/\s+/).filter((word) => word !== "");
  if (words.length < 2)
    throw refuse(
      instruction,
      `${keyword} takes at least one source and a target`,
      `write ${keyword} app.py ./`,
    );
  return words.map((word) => {
    const value = expand(instruction, word, lookup);
    if (value === "")
      throw refuse(
        instruction,
        `${word} is empty: a variable is not set`,
        "set it with ENV or ARG, or write the path out",
      );
    return value;
  });
}

function refuseRemote(instruction: Instruction, sources: readonly string[]): void {
  const remote = sources.find((source) => /^(?:[a-z][a-z0-9+.-]*:\/\/|git@)/i.test(source));
  if (remote)
    throw refuse(
      instruction,
      `ADD ${remote} fetches from the network`,
      "fetch it before lambda-pack build, and COPY the file",
    );
}

function copySource(instruction: Instruction, earlier: readonly Stage[]): CopySource {
  const from = instruction.flags.findLast(({ name }) => name === "from")?.value;
  if (from === undefined) return { kind: "context" };
  if (from === "" || from.includes("$"))
    throw refuse(
      instruction,
      `COPY --from=${from} is not the name of a stage or an image`,
      "add a stage with FROM and that variable, and name the stage",
    );
  const stage = findStage(from, earlier);
  if (stage) return { kind: "stage", stage: stage.number };
  if (/^\d+$/.test(from))
    throw refuse(instruction, `there is no stage ${from} before`, "name a stage that stands above");
  return { kind: "image", reference: from };
}
