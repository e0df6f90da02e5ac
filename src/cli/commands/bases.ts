import type { BaseReport } from "../../index.ts";
import type { Command, Flags } from "../command.ts";
import { readFlags, toggle } from "../flags.ts";
import { shortDigest, wrap } from "../text.ts";
import { TRANSFER_FLAGS, type TransferFlags, transferOptions } from "./common.ts";

interface BasesFlags extends Pick<TransferFlags, "cacheDir" | "noCache" | "offline" | "insecureRegistry"> {
  readonly resolve: boolean;
}

const { cacheDir, noCache, offline, insecureRegistry } = TRANSFER_FLAGS;
const FLAGS: Flags<BasesFlags> = {
  resolve: toggle("look up what each name stands for now"),
  ...{ cacheDir, noCache, offline, insecureRegistry },
};

export const bases: Command = {
  name: "bases",
  summary: "AWS's base images: names, systems, how a handler is written, and until when they are patched",
  positionals: [
    {
      name: "lang",
      summary: "python, nodejs, java, dotnet, ruby, provided or go",
      required: false,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  examples: [{ line: "lambda-pack bases python --resolve", says: "Python's, with today's digests" }],
  read: ({ positionals: [language], ...words }, environment) => {
    const { resolve, ...flags } = readFlags(FLAGS, { ...words, positionals: [] }, environment);
    const { tags: _tags, ...transfer } = transferOptions({ ...flags, tag: [], jobs: undefined });
    return async (api, context) => {
      const found = await api.listBases({
        ...transfer,
        ...context,
        resolve,
        ...(language !== undefined && { language }),
      });
      return {
        text: (columns) => textOf(found, columns),
        json: { bases: found },
      };
    };
  },
};

/** By language: what all of its bases have in common, then a line for each; two where there is no room for one. */
function textOf(bases: readonly BaseReport[], columns: number): string {
  const languages = [...new Set(bases.map(languageOf))];
  const widths = [nameOf, systemOf, architecturesOf].map((cell) =>
    Math.max(...bases.map((base) => cell(base).length)),
  );
  const parts = languages.map((language) => {
    const own = bases.filter((base) => languageOf(base) === language);
    const lines = own.flatMap((base) => [...rowOf(base, widths, columns), ...digestLines(base, columns)]);
    return [...headOf(own, columns), ...lines].map((line) => `${line}\n`).join("");
  });
  return parts.join("\n");
}

const nameOf = ({ name }: BaseReport) => name;
const systemOf = ({ system }: BaseReport) => system;
const architecturesOf = ({ architectures }: BaseReport) => architectures.join(" ");

function languageOf({ name }: BaseReport): string {
  return name.slice(0, name.indexOf(":"));
}

function headOf([base]: readonly BaseReport[], columns: number): readonly string[] {
  if (!base) return [];
  const { handler, code, dependencies } = base;
  return wrap(
    `${languageOf(base)}: handler ${handler}; code in ${code}; dependencies ${dependencies.startsWith("/") ? `in ${dependencies}` : dependencies}`,
    columns,
  );
}

function rowOf(base: BaseReport, widths: readonly number[], columns: number): readonly string[] {
  const patched = patchedOf(base);
  const cells = [nameOf(base), systemOf(base), architecturesOf(base)];
  const line = `  ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}  ${patched}`;
  if (line.length <= columns) return [line];
  return [`  ${base.name}`, `    ${systemOf(base)}, ${architecturesOf(base)}`, `    ${patched}`];
}

/** An Amazon Linux may end before the runtime on it does. */
function patchedOf({ supported, deprecated }: BaseReport): string {
  if (supported) return `patched until ${deprecated}`;
  const today = new Date().toISOString().slice(0, deprecated.length);
  return deprecated < today ? `ended on ${deprecated}` : `its system ended (${deprecated})`;
}

/** As whole as there is room for. */
function digestLines({ digests }: BaseReport, columns: number): readonly string[] {
  if (digests === undefined) return [];
  const lines = Object.entries(digests).map(([architecture, digest]) => {
    const whole = `    ${architecture} ${digest}`;
    return whole.length <= columns ? whole : `    ${architecture} ${shortDigest(digest)}`;
  });
  return lines.length > 0 ? lines : ["    not in the registry"];
}
