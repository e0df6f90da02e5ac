import type { Rule } from "../src/lint/rule.ts";
import { RULES } from "../src/lint/run-rules.ts";

/** docs/check.md, as the rules have it. */
export function checkMarkdown(): string {
  return `${[
    "# What check holds an image to",
    "<!-- Written by scripts/write-check-docs.ts from src/lambda/rules; do not edit. -->",
    INTRODUCTION,
    `| rule | severity | Lambda expects that | otherwise |\n| --- | --- | --- | --- |\n${RULES.map(row).join("\n")}`,
  ].join("\n\n")}\n`;
}

const INTRODUCTION = `\`lambda-pack check\` tells everything at once that Lambda would tell one by one, after a push and a deploy each: for an image of any tool, and with
\`--base\` for a folder before it is built. \`lambda-pack build\` holds what it built to the same rules, but for advice, before anything is sent; an error stops it.
\`--allow RULE\` lets an image break one rule, \`build --no-check\` all of them. Layers are read as streams: nothing is unpacked, run or sent.

An **error** is what Lambda refuses or cannot start, a **warning** what probably fails, **info** advice. The severity below is the usual one: a rule may be
milder where it is less sure, and says so in what it finds. Where the base's layers are not read, the table of AWS's bases stands in for them; \`--deep\` reads them.
Whether an existing function has the same architecture and package type is looked at by \`lambda-pack deploy\`.`;

function row({ id, severity, expects, otherwise }: Rule): string {
  return `| \`${id}\` | ${severity} | ${cell(expects)} | ${cell(otherwise)} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
