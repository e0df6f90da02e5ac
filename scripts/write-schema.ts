import { writeFileSync } from "node:fs";
import { schemaText } from "../src/commands/config/schema.ts";

// schema.json is published, so that "$schema" always fits the installed version.
writeFileSync(new URL("../schema.json", import.meta.url), schemaText());
