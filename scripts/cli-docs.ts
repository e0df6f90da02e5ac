import type { AnyFlags, Command } from "../src/cli/command.ts";
import { OUTPUT_FLAGS } from "../src/cli/commands/common.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { flagForm, flagSays, positionalForm, usage } from "../src/cli/help.ts";

/** docs/cli.md, as the command table has it. */
export function cliMarkdown(): string {
  return `${[
    "# The command line",
    "<!-- Written by scripts/write-cli-docs.ts from the command table; do not edit. -->",
    INTRODUCTION,
    ...COMMANDS.flatMap(commandBlocks),
    "## On every command",
    flagTable(OUTPUT_FLAGS),
  ].join("\n\n")}\n`;
}

const INTRODUCTION = [
  "stdout carries one line, the image by digest, or with `--json` one object; of commands that only look, what they found.",
  "Everything else goes to stderr. A flag wins over an environment variable.",
  "Exit status: 0 done, 1 build failed, 2 wrong usage, 3 check found errors (or `diff --exit-code` a difference),",
  "4 credentials or permission, 5 registry or network and safe to run again, 130 or 143 stopped by a signal;",
  "[errors.md](errors.md) has it for each error.",
].join("\n");

function commandBlocks(command: Command): readonly string[] {
  const { name, summary, positionals, flags, examples } = command;
  return [
    `## ${name}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    `\`\`\`\n${usage(command)}\n\`\`\``,
    positionals.map((one) => `- \`${positionalForm(one)}\`: ${one.summary}`).join("\n"),
    flagTable(flags),
    `\`\`\`sh\n${examples.map(({ line, says }) => `# ${says}\n${line}`).join("\n\n")}\n\`\`\``,
  ];
}

function flagTable(flags: AnyFlags): string {
  const rows = Object.entries(flags).map(
    ([key, flag]) => `| \`${cell(flagForm(key, flag))}\` | ${cell(flagSays(flag))} |`,
  );
  return ["| flag | |", "| --- | --- |", ...rows].join("\n");
}

/** A bar ends a cell even inside code. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
