import { writeFileSync } from "node:fs";
import { checkMarkdown } from "./check-docs.ts";

writeFileSync(new URL("../docs/check.md", import.meta.url), checkMarkdown());
