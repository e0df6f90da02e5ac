import { writeFileSync } from "node:fs";
import { schemaText } from "../src/commands/config/schema.ts";
import { outputSchemaText } from "./output-schema.ts";

// Both are published, so that they always fit the installed version.
writeFileSync(new URL("../schema.json", import.meta.url), schemaText());
writeFileSync(new URL("../output-schema.json", import.meta.url), outputSchemaText());
