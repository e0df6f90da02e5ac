import { writeFileSync } from "node:fs";
import { cliMarkdown } from "./cli-docs.ts";

writeFileSync(new URL("../docs/cli.md", import.meta.url), await cliMarkdown());
