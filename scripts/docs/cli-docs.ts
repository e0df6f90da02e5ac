import { type Flag, flagForm, flagSummary, flagsOf, outputFlags } from "../../src/cli/arguments/flags.ts";
import { usageOf } from "../../src/cli/arguments/help.ts";
import type { ListedCommand } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

/** Returns docs/cli.md, generated from the options of the commands. */
export async function cliMarkdown(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map(commandBlocks));
  return `${[
    "# The command line",
    "<!-- Written by scripts/docs/write.ts from the options of the commands; do not edit. -->",
    INTRODUCTION,
    ...commands.flat(),
    "## Flags of every command",
    flagTable(outputFlags()),
  ].join("\n\n")}\n`;
}

const INTRODUCTION = `stdout carries one line, the image by digest, or with \`--json\` one object. Read-only commands print their report to
stdout. Everything else goes to stderr. There a warning or an error says \`warning:\` or \`error:\` and what is wrong, and the
next line \`fix:\` and what to do; with \`--json\` both are JSON, one object on each line.

A flag in camelCase is the option of the API and the key of the configuration file: \`--cache-dir\` is \`cacheDir\`. A
switch that is on by default has the flag that turns it off: \`--no-check\` is \`check: false\`. A flag wins over its
environment variable, and the variable over the configuration file. A variable of a repeatable flag holds values
separated by spaces.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 check found errors (or \`diff --exit-code\` a difference),
4 credentials or permission, 5 registry or network error (retrying is safe), 124 timeout of an invocation,
130 or 143 stopped by a signal. See [errors.md](errors.md) for the exit status of each error.`;

async function commandBlocks({ name, summary, load }: ListedCommand): Promise<readonly string[]> {
  const command = await load();
  const common = new Set(outputFlags().map((flag) => flag.name));
  const own = flagsOf(command).filter((flag) => !common.has(flag.name));
  const positionals = command.positionals.map(
    (one) => `- \`<${one.name}>\`: ${command.options[one.option]?.summary}`,
  );
  const examples = command.examples.map(({ line, purpose }) => `# ${purpose}\n${line}`).join("\n\n");
  return [
    `## ${name}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    `\`\`\`\nlambda-pack ${name} ${usageOf(command)}\n\`\`\``,
    positionals.join("\n"),
    own.length === 0 ? "" : flagTable(own),
    examples === "" ? "" : `\`\`\`sh\n${examples}\n\`\`\``,
  ].filter((block) => block !== "");
}

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => `| \`${cell(flagForm(flag))}\` | ${cell(flagSummary(flag))} |`);
  return ["| flag | |", "| --- | --- |", ...rows].join("\n");
}

/** Escapes text for a table cell: a `|` ends a cell even inside code. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
