import type { Fault, FaultKind } from "../../../rootfs/scan-image.ts";
import type { ImageFacts } from "../../facts.ts";
import { type Problem, quantity, type Rule, shortList } from "../../rule.ts";

const AGAIN = "lambda-pack build writes such layers; or change the tool that wrote this one";

interface Faults {
  /** How many there are; `first` are a few of them. */
  readonly total: number;
  readonly first: readonly Fault[];
}

/** Returns a problem for each layer with faults of this kind; its message begins "layer 1 has". */
function faultProblems(
  { layers }: ImageFacts,
  kind: FaultKind,
  problemOf: (faults: Faults) => Problem,
): readonly Problem[] {
  return layers.flatMap(({ read }, layer) => {
    const faults = { total: read?.faults.count(kind) ?? 0, first: read?.faults.of(kind) ?? [] };
    if (faults.total === 0) return [];
    const problem = problemOf(faults);
    return [{ ...problem, message: `layer ${layer + 1} has ${problem.message}` }];
  });
}

const MAX_SHOWN = 100;

function names({ first, total }: Faults): string {
  const quoted = first.map(({ name }) => JSON.stringify(name).slice(1, -1));
  const shown = quoted.map((name) =>
    name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}... (${name.length} characters)` : name,
  );
  return shortList(shown, total);
}

/**
 * rules_aws#103, nix2container#54 and others. It is not known whether a directory in a lower layer
 * is enough: all reports were fixed with one in the same layer.
 */
export const missingParent: Rule = {
  id: "missing-parent",
  severity: "error",
  expects: "in each layer every directory has its own entry, before the entries of its files",
  otherwise: "InvalidImage: MissingParentDirectory: Parent directory does not exist for file: ...",
  check: (facts) =>
    faultProblems(facts, "parent", (faults) => ({
      message: `no entry for the directory of ${names(faults)}`,
      path: `/${faults.first[0]?.name ?? ""}`,
      hint: "lambda-pack push SOURCE DEST --for-lambda adds them, and lambda-pack build writes them",
    })),
};

export const duplicateEntry: Rule = {
  id: "duplicate-entry",
  severity: "error",
  expects: "no name occurs twice in one layer",
  otherwise: "not known: unpackers disagree about which of the two counts",
  check: (facts) =>
    faultProblems(facts, "duplicate", (faults) => ({
      message: `two entries for ${names(faults)}`,
      hint: AGAIN,
      // A second entry of a directory only changes its mode.
      severity: faults.first.every(({ detail }) => detail === "directory") ? "warning" : "error",
    })),
};

export const entryName: Rule = {
  id: "entry-name",
  severity: "error",
  expects:
    "names stay inside the image, are UTF-8 without control characters and backslashes, and are not longer than Linux allows",
  otherwise: "the layer is not unpacked, or unpacked to other names",
  check: (facts) => [
    faultProblems(facts, "place", (faults) => ({
      message: `${quantity(faults.total, "name")} with .. or too long: ${names(faults)}`,
      hint: "do not use this image: no tool writes such names by accident",
    })),
    faultProblems(facts, "characters", (faults) => ({
      message: `names with control characters or a backslash, or that are not UTF-8: ${names(faults)}`,
      hint: "rename the files; a backslash comes from a tool that did not convert Windows paths",
      severity: "warning",
    })),
  ],
};

export const entryKind: Rule = {
  id: "entry-kind",
  severity: "error",
  expects: "layers hold files, directories and links only: no devices, FIFOs or sockets",
  otherwise: "not known; Lambda's sandboxes may not create them",
  check: (facts) =>
    faultProblems(facts, "kind", ({ first, total }) => ({
      message: `entries that are not files, directories or links: ${shortList(
        first.map(({ name, detail }) => `${name} (${detail})`),
        total,
      )}`,
      hint: "leave them out; Lambda provides /dev",
    })),
};

export const hardlink: Rule = {
  id: "hardlink",
  severity: "error",
  expects: "the target of a hard link comes before it in the same layer",
  otherwise: "the layer is not unpacked",
  check: (facts) =>
    faultProblems(facts, "hardlink", ({ first, total }) => ({
      message: `hard links whose target does not come before them: ${shortList(
        first.map(({ name, detail }) => `${name} -> ${detail}`),
        total,
      )}`,
      hint: AGAIN,
    })),
};
