import type { AnyFlags, Command, Flag, Positional } from "./command.ts";
import { OUTPUT_FLAGS } from "./commands/common.ts";
import { flagName, wrap } from "./text.ts";

const FEWEST_COLUMNS = 20;
/** Wider lines are hard to read. */
const MOST_COLUMNS = 100;
/** From here on the summaries stand beside the names; below, under them. */
const TWO_COLUMNS_FROM = 70;
const NAMES_AT_MOST = 30;

interface Row {
  readonly name: string;
  readonly says: string;
}

/** What `lambda-pack --help` shows, no line wider than `columns`. */
export function overview(commands: readonly Command[], columns: number): string {
  const width = usable(columns);
  return page([
    paragraph(
      "lambda-pack: from a source folder to an AWS Lambda container image, with no Docker daemon.",
      width,
    ),
    section("Usage", paragraph("lambda-pack <command> [flags]", width - 2)),
    section(
      "Commands",
      table(
        commands.map(({ name, summary }) => ({ name, says: summary })),
        width - 2,
      ),
    ),
    section("On every command", table(flagRows(OUTPUT_FLAGS), width - 2)),
    section(
      "Examples",
      commands.flatMap((command) => examples(command, width - 2)),
    ),
    paragraph("lambda-pack <command> --help shows the flags of a command.", width),
  ]);
}

/** What `lambda-pack <command> --help` shows, no line wider than `columns`. */
export function commandHelp(command: Command, columns: number): string {
  const width = usable(columns);
  return page([
    paragraph(`lambda-pack ${command.name}: ${command.summary}`, width),
    section("Usage", paragraph(usage(command), width - 2)),
    section("Arguments", table(command.positionals.map(positionalRow), width - 2)),
    section("Flags", table(flagRows(command.flags), width - 2)),
    section("On every command", table(flagRows(OUTPUT_FLAGS), width - 2)),
    section("Examples", examples(command, width - 2)),
  ]);
}

/** `lambda-pack push <source> <dest>… [flags]`. */
export function usage({ name, positionals, flags }: Command): string {
  const required = Object.entries(flags).filter(([, flag]) => flag.required);
  const words = [...positionals.map(positionalForm), ...required.map(([key, flag]) => flagForm(key, flag))];
  return ["lambda-pack", name, ...words, "[flags]"].join(" ");
}

/** `--tag TAG`, `-h, --help`. */
export function flagForm(key: string, { placeholder, short, alone }: Flag<unknown>): string {
  const name = `${short ? `-${short}, ` : ""}--${flagName(key)}`;
  if (alone !== undefined) return `${name}[=${placeholder}]`;
  return placeholder === undefined ? name : `${name} ${placeholder}`;
}

/** Summary, whether it repeats, the default and the variable, as one sentence or so. */
export function flagSays({ summary, repeatable, required, defaultText, variable }: Flag<unknown>): string {
  const notes = [
    required && "required",
    repeatable && "may be repeated",
    variable && `or ${variable}`,
    defaultText && `default ${defaultText}`,
  ].filter((note) => typeof note === "string");
  return notes.length === 0 ? summary : `${summary} (${notes.join("; ")})`;
}

export function positionalForm({ name, required, repeatable }: Positional): string {
  return `${required ? `<${name}>` : `[${name}]`}${repeatable ? "…" : ""}`;
}

function positionalRow(positional: Positional): Row {
  return { name: positionalForm(positional), says: positional.summary };
}

function flagRows(flags: AnyFlags): readonly Row[] {
  return Object.entries(flags).map(([key, flag]) => ({ name: flagForm(key, flag), says: flagSays(flag) }));
}

function examples({ examples }: Command, width: number): readonly string[] {
  return examples.flatMap(({ line, says }) => [
    ...commandLine(line, width),
    ...indented(paragraph(says, width - 4), 4),
  ]);
}

/** Broken so that it can be pasted into a shell, where the terminal is wide enough for that. */
function commandLine(line: string, width: number): readonly string[] {
  const words = line.split(" ");
  const lines = wrap(line, width - 2);
  if (words.some((word) => word.length > width - 2)) return lines;
  return lines.map((part, index) => (index < lines.length - 1 ? `${part} \\` : part));
}

function table(rows: readonly Row[], width: number): readonly string[] {
  if (width < TWO_COLUMNS_FROM) {
    return rows.flatMap(({ name, says }) => [
      ...paragraph(name, width),
      ...indented(paragraph(says, width - 4), 4),
    ]);
  }
  const names = Math.min(NAMES_AT_MOST, Math.max(0, ...rows.map(({ name }) => name.length)));
  return rows.flatMap(({ name, says }) => beside(name, paragraph(says, width - names - 2), names + 2));
}

/** A name too long for its column has a line of its own. */
function beside(name: string, lines: readonly string[], column: number): readonly string[] {
  const [first = "", ...rest] = lines;
  return name.length > column - 2
    ? [name, ...indented(lines, column)]
    : [`${name.padEnd(column)}${first}`, ...indented(rest, column)];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...indented(lines, 2)];
}

function indented(lines: readonly string[], by: number): readonly string[] {
  return lines.map((line) => `${" ".repeat(by)}${line}`);
}

function paragraph(text: string, width: number): readonly string[] {
  return wrap(text, width);
}

function page(blocks: readonly (readonly string[])[]): string {
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function usable(columns: number): number {
  return Math.max(FEWEST_COLUMNS, Math.min(MOST_COLUMNS, columns));
}
