import { BASES_OPTIONS } from "../../commands/bases.ts";
import type { BaseReport } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { shortDigest } from "../text/format.ts";
import { wrap } from "../text/wrap.ts";

export const bases = defineCommand({
  positionals: [{ option: "language", name: "lang", required: false, repeatable: false }],
  options: BASES_OPTIONS,
  examples: [
    { line: "lambda-pack bases python --resolve", purpose: "Python bases with their current digests" },
  ],
  async run(options, { load, context }) {
    const found = await (await load()).listBases({ ...options, ...context });
    return { text: (columns) => textOf(found, columns), json: { bases: found } };
  },
});

/**
 * Formats the bases by language: the facts that all of them share, then each base on one line, or
 * on three where the terminal is too narrow.
 */
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

/** Formats the end of support; that of Amazon Linux can be before that of the runtime. */
function patchedOf({ supported, deprecated }: BaseReport): string {
  if (supported) return `patched until ${deprecated}`;
  const today = new Date().toISOString().slice(0, deprecated.length);
  return deprecated < today ? `ended on ${deprecated}` : `Amazon Linux ended on ${deprecated}`;
}

/** Formats each digest in full where there is room for it, else shortened. */
function digestLines({ digests }: BaseReport, columns: number): readonly string[] {
  if (digests === undefined) return [];
  const lines = Object.entries(digests).map(([architecture, digest]) => {
    const whole = `    ${architecture} ${digest}`;
    return whole.length <= columns ? whole : `    ${architecture} ${shortDigest(digest)}`;
  });
  return lines.length > 0 ? lines : ["    not in the registry"];
}
