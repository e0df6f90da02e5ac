import { Option as Definition, type Help, Command as Parser } from "commander";
import type { Command, ListedCommand, Positional } from "../command.ts";
import { flagForm, flagSummary, flagsOf, isRequired } from "./flags.ts";

const MIN_COLUMNS = 20;
/** Longer lines are hard to read. */
const MAX_COLUMNS = 100;
/** In narrower terminals the summaries are below the names instead of beside them. */
const BESIDE_FROM_COLUMNS = 70;
const NAME_COLUMNS = 30;
const NARROW_COLUMN = 6;

const EXIT_STATUS =
  "Exit status: 0 done, 1 failed, 2 wrong usage, 3 check found errors, 4 credentials or permission, 5 registry or network (retrying is safe).";

/** Formats the page of `lambda-pack --help`. No line is wider than `columns`. */
export function overview(commands: readonly ListedCommand[], columns: number): string {
  const parser = new Parser("lambda-pack")
    .usage("<command> [flags]")
    .description("Build and push AWS Lambda container images without Docker.")
    .helpOption("-h, --help", "show help; lambda-pack <command> --help shows a command's flags")
    .helpCommand(false)
    .version("", "-v, --version", "show the version");
  for (const { name, summary, group } of commands)
    parser.addCommand(new Parser(name).summary(summary).helpGroup(`${group}:`));
  return page(parser, columns, [EXIT_STATUS]);
}

/** Formats the page of `lambda-pack <command> --help`. No line is wider than `columns`. */
export function commandHelp({ name, summary }: ListedCommand, command: Command, columns: number): string {
  const parser = new Parser(`lambda-pack ${name}`)
    .usage(usageOf(command))
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .helpOption(false);
  for (const positional of command.positionals)
    parser.argument(`<${positional.name}>`, command.options[positional.option]?.summary ?? "");
  for (const flag of flagsOf(command)) {
    parser.addOption(
      new Definition(flagForm(flag), flagSummary(flag)).helpGroup(`${flag.option.group ?? "Flags"}:`),
    );
  }
  return page(parser, columns, examplesOf(command));
}

/** Formats the arguments after the command: `<source> <dest...> --function NAME [flags]`. */
export function usageOf(command: Command): string {
  const required = flagsOf(command).filter(({ option }) => isRequired(option));
  const words = [
    ...command.positionals.map(positionalForm),
    ...required.map(({ name, option }) => `${name} ${option.placeholder ?? "VALUE"}`),
  ];
  return [...words, "[flags]"].join(" ");
}

function positionalForm({ name, required, repeatable }: Positional): string {
  const word = repeatable ? `${name}...` : name;
  return required ? `<${word}>` : `[${word}]`;
}

function examplesOf({ examples }: Command): readonly string[] {
  if (examples.length === 0) return [];
  return ["Examples:", ...examples.flatMap(({ line, purpose }) => [`  # ${purpose}`, `  ${line}`])];
}

function page(parser: Parser, columns: number, after: readonly string[]): string {
  const helpWidth = Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, columns));
  parser.configureHelp({
    helpWidth,
    minWidthToWrap: 10,
    subcommandTerm: (command) => command.name(),
    optionTerm: ({ flags }) => flags.replace(/[<>]/g, ""),
    formatItem,
    commandUsage: usageLine,
  });
  const helper = parser.createHelp();
  const lines = after.flatMap((line) => indentedLines(line, helper));
  return `${[parser.helpInformation().trimEnd(), ...(lines.length > 0 ? [lines.join("\n")] : [])].join("\n\n")}\n`;
}

/** Puts the summary beside the name, or below it if the terminal is narrow or the name is long. */
function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? MAX_COLUMNS;
  const column = width < BESIDE_FROM_COLUMNS ? NARROW_COLUMN : Math.min(NAME_COLUMNS, termWidth + 4);
  const lines = helper.boxWrap(description, width - column).split("\n");
  const indented = lines.map((line) => `${" ".repeat(column)}${line}`);
  if (term.length + 4 > column) return [`  ${term}`, ...indented].join("\n");
  return [`  ${term.padEnd(column - 2)}${lines[0]}`, ...indented.slice(1)].join("\n");
}

const USAGE_LABEL = "Usage: ".length;

function usageLine(this: Help, command: Parser): string {
  const width = (this.helpWidth ?? 80) - USAGE_LABEL;
  return this.boxWrap(`${command.name()} ${command.usage()}`, width).replaceAll(
    "\n",
    `\n${" ".repeat(USAGE_LABEL)}`,
  );
}

/** Wraps a line; a command gets backslashes, so that it can be pasted into a shell. */
function indentedLines(line: string, helper: Help): readonly string[] {
  const [indent = ""] = /^ */.exec(line) ?? [];
  const isCommand = line.startsWith("  lambda-pack");
  const width = (helper.helpWidth ?? 80) - indent.length - (isCommand ? 2 : 0);
  const parts = helper.boxWrap(line.trim(), width).split("\n");
  return parts.map(
    (part, index) => `${indent}${part.trim()}${isCommand && index < parts.length - 1 ? " \\" : ""}`,
  );
}
