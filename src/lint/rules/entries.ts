import type { Fault, FaultKind } from "../../rootfs/faults.ts";
import type { ImageFacts } from "../facts.ts";
import { count, type Problem, type Rule, some } from "../rule.ts";

const AGAIN =
  "lambda-pack build writes layers as Lambda wants them; otherwise have the tool that wrote this one do so";

interface Found {
  readonly layer: number;
  readonly faults: readonly Fault[];
  /** Of which `faults` are the first. */
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

/** rules_aws#103, nix2container#54 and others. Whether a directory of a lower layer is enough is not known: all reports are mended by one in the same layer. */
export const missingParent: Rule = {
  id: "missing-parent",
  severity: "error",
  expects: "in each layer every directory has an entry of its own, before what is in it",
  otherwise: "InvalidImage: MissingParentDirectory: Parent directory does not exist for file: ...",
  check: (facts) =>
    faultsOf(facts, "parent").map((found) => ({
      message: `layer ${found.layer + 1}: no directory before ${some(names(found), found.total)}`,
      path: `/${found.faults[0]?.name ?? ""}`,
      hint: AGAIN,
    })),
};

export const duplicateEntry: Rule = {
  id: "duplicate-entry",
  severity: "error",
  expects: "no name is twice in one layer",
  otherwise: "not known: unpackers disagree on which of the two counts",
  check: (facts) =>
    faultsOf(facts, "duplicate").map((found) => ({
      message: `layer ${found.layer + 1}: twice ${some(names(found), found.total)}`,
      hint: AGAIN,
      // A directory that is named again changes nothing but its mode.
      severity: found.faults.every(({ detail }) => detail === "directory") ? "warning" : "error",
    })),
};

export const entryName: Rule = {
  id: "entry-name",
  severity: "error",
  expects:
    "names stay inside the image, are UTF-8 without control characters and backslashes, and no longer than Linux allows",
  otherwise: "the layer is not unpacked, or not as it was meant",
  check: (facts) => [...strayNames(facts), ...strangeNames(facts)],
};

function strayNames(facts: ImageFacts): readonly Problem[] {
  return faultsOf(facts, "place").map((found) => ({
    message: `layer ${found.layer + 1}: ${count(found.total, "name")} with .. or too long: ${some(names(found).map(shortened), found.total)}`,
    hint: "do not trust who built this image: no tool writes such names by accident",
  }));
}

function shortened(name: string): string {
  return name.length > MOST_SHOWN ? `${name.slice(0, MOST_SHOWN)}... (${name.length} characters)` : name;
}

const MOST_SHOWN = 100;

function strangeNames(facts: ImageFacts): readonly Problem[] {
  return faultsOf(facts, "characters").map((found) => ({
    message: `layer ${found.layer + 1}: control characters, a backslash or no UTF-8 in ${some(names(found), found.total)}`,
    hint: "rename the files; a backslash comes from a tool that took Windows paths as they are",
    severity: "warning",
  }));
}

export const entryKind: Rule = {
  id: "entry-kind",
  severity: "error",
  expects: "layers hold files, directories and links only: no devices, FIFOs or sockets",
  otherwise: "not known; no sandbox of Lambda's may make them",
  check: (facts) =>
    faultsOf(facts, "kind").map((found) => ({
      message: `layer ${found.layer + 1}: ${some(
        found.faults.map(({ name, detail }) => `${name} (${detail})`),
        found.total,
      )}`,
      hint: "leave them out; Lambda has a /dev of its own",
    })),
};

export const hardlink: Rule = {
  id: "hardlink",
  severity: "error",
  expects: "what a hard link links to comes before it in the same layer",
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
