import type { Fault, FaultKind } from "../../../rootfs/faults.ts";
import type { ImageFacts } from "../../facts.ts";
import { count, type Problems, type Rule, some } from "../../rule.ts";

const AGAIN = "lambda-pack build writes such layers; or change the tool that wrote this one";

interface Found {
  readonly layer: number;
  readonly faults: readonly Fault[];
  /** How many there are; `faults` are the first of them. */
  readonly total: number;
}

function faultsOf({ layers }: ImageFacts, kind: FaultKind): readonly Found[] {
  return layers.flatMap(({ read }, layer) => {
    const total = read?.faults.count(kind) ?? 0;
    return read && total > 0 ? [{ layer, total, faults: read.faults.of(kind) }] : [];
  });
}

function names({ faults }: Found): readonly string[] {
  return faults.map(({ name }) => JSON.stringify(name).slice(1, -1));
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
    faultsOf(facts, "parent").map((found) => ({
      message: `layer ${found.layer + 1}: no directory before ${some(names(found), found.total)}`,
      path: `/${found.faults[0]?.name ?? ""}`,
      hint: "lambda-pack push SOURCE DEST --for-lambda adds them, and lambda-pack build writes them",
    })),
};

export const duplicateEntry: Rule = {
  id: "duplicate-entry",
  severity: "error",
  expects: "no name occurs twice in one layer",
  otherwise: "not known: unpackers disagree about which of the two counts",
  check: (facts) =>
    faultsOf(facts, "duplicate").map((found) => ({
      message: `layer ${found.layer + 1}: twice ${some(names(found), found.total)}`,
      hint: AGAIN,
      // A second entry of a directory only changes its mode.
      severity: found.faults.every(({ detail }) => detail === "directory") ? "warning" : "error",
    })),
};

export const entryName: Rule = {
  id: "entry-name",
  severity: "error",
  expects:
    "names stay inside the image, are UTF-8 without control characters and backslashes, and are not longer than Linux allows",
  otherwise: "the layer is not unpacked, or unpacked to other names",
  check: (facts) => [strayNames(facts), strangeNames(facts)],
};

function strayNames(facts: ImageFacts): Problems {
  return faultsOf(facts, "place").map((found) => ({
    message: `layer ${found.layer + 1}: ${count(found.total, "name")} with .. or too long: ${some(names(found).map(shortened), found.total)}`,
    hint: "do not use this image: no tool writes such names by accident",
  }));
}

function shortened(name: string): string {
  return name.length > MOST_SHOWN ? `${name.slice(0, MOST_SHOWN)}... (${name.length} characters)` : name;
}

const MOST_SHOWN = 100;

function strangeNames(facts: ImageFacts): Problems {
  return faultsOf(facts, "characters").map((found) => ({
    message: `layer ${found.layer + 1}: control characters, a backslash or no UTF-8 in ${some(names(found), found.total)}`,
    hint: "rename the files; a backslash comes from a tool that did not convert Windows paths",
    severity: "warning",
  }));
}

export const entryKind: Rule = {
  id: "entry-kind",
  severity: "error",
  expects: "layers hold files, directories and links only: no devices, FIFOs or sockets",
  otherwise: "not known; Lambda's sandboxes may not create them",
  check: (facts) =>
    faultsOf(facts, "kind").map((found) => ({
      message: `layer ${found.layer + 1}: ${some(
        found.faults.map(({ name, detail }) => `${name} (${detail})`),
        found.total,
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
    faultsOf(facts, "hardlink").map((found) => ({
      message: `layer ${found.layer + 1}: ${some(
        found.faults.map(({ name, detail }) => `${name} -> ${detail}`),
        found.total,
      )}`,
      hint: AGAIN,
    })),
};
