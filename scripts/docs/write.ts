// Writes what is generated: docs/cli.md, docs/check.md, the terminal outputs of docs/aws.md, the two
// schemas and action/action.yml.
import "../../test/support/ecr/trusting.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { schemaText } from "../../src/commands/config/table.ts";
import { recordings } from "../../test/support/aws/recordings.ts";
import { actionYml } from "./action-yml.ts";
import { checkMarkdown } from "./check-docs.ts";
import { cliMarkdown } from "./cli-docs.ts";
import { outputSchemaText } from "./output-schema.ts";

const root = new URL("../../", import.meta.url);

/** Runs the commands of the page again, in its order, and replaces what they printed. */
async function awsMarkdown(): Promise<string> {
  const recorded = [...(await recordings())];
  const page = readFileSync(new URL("docs/aws.md", root), "utf8").replace(
    /^```console\n[\s\S]*?^```$/gm,
    () => `\`\`\`console\n${recorded.shift() ?? ""}\`\`\``,
  );
  if (recorded.length > 0) throw new Error(`the page has no room for ${recorded.join("\n")}`);
  return page;
}

const files: Readonly<Record<string, string>> = {
  "docs/cli.md": await cliMarkdown(),
  "docs/check.md": checkMarkdown(),
  "docs/aws.md": await awsMarkdown(),
  "action/action.yml": await actionYml(),
  // Both are published, so that they always fit the installed version.
  "schema.json": schemaText(),
  "output-schema.json": outputSchemaText(),
};
for (const [name, text] of Object.entries(files)) writeFileSync(new URL(name, root), text);
