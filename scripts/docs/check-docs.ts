import type { Rule } from "../../src/lint/rule.ts";
import { RULES } from "../../src/lint/run-rules.ts";

/** Returns docs/check.md, generated from the rules. */
export function checkMarkdown(): string {
  return `${[
    "# What `check` verifies",
    "<!-- Generated from src/lint/rules by scripts/docs/write.ts. Do not edit. -->",
    INTRODUCTION,
    `| rule | severity | Lambda expects that | otherwise |\n| --- | --- | --- | --- |\n${RULES.map(row).join("\n")}`,
  ].join("\n\n")}\n`;
}

const INTRODUCTION = `\`lambda-pack check\` reports at once what Lambda would otherwise report one problem at a time, each after a push and a
deploy. It checks the image of any tool, and with \`--base\` a directory before it is built. \`lambda-pack build\` runs
the same rules, except those that only give advice, before it sends anything; an error stops the build. \`--allow RULE\`
switches one rule off, \`build --no-check\` switches all of them off. Nothing is unpacked, started or sent: layers are
read as streams.

An **error** means that Lambda refuses the image or cannot start the function. A **warning** means that something will
probably fail. **info** is advice. The table shows the usual severity of each rule: a rule that cannot be certain
reports a warning instead of an error. When the layers of the base are not read, a table of AWS's base images is used
instead; \`--deep\` always reads them. \`lambda-pack deploy\` also checks that an existing function has the same
architecture and package type.`;

function row({ id, severity, expects, otherwise }: Rule): string {
  return `| \`${id}\` | ${severity} | ${cell(expects)} | ${cell(otherwise)} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
