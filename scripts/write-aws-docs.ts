import "../test/support/ecr/trusting.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { recordings } from "../test/support/aws/recordings.ts";

/**
 * Records every terminal output of docs/aws.md again. The commands are those of
 * test/support/aws/recordings.ts, in the order of the page.
 */
const page = new URL("../docs/aws.md", import.meta.url);
const recorded = [...(await recordings())];
const text = readFileSync(page, "utf8").replace(
  /^```console\n[\s\S]*?^```$/gm,
  () => `\`\`\`console\n${recorded.shift() ?? ""}\`\`\``,
);
if (recorded.length > 0) throw new Error(`the page has no room for ${recorded.join("\n")}`);
writeFileSync(page, text);
