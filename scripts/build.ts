import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./build/bundle.ts";
import { thirdParty } from "./build/third-party.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is published, in `folder`, but for the types: JavaScript and the licences of what came along. */
export async function buildPackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const files = await bundle(folder);
  cpSync(join(root, "src/runtime/programs"), join(folder, "lib/programs"), { recursive: true });
  writeFileSync(join(folder, "THIRD-PARTY.txt"), thirdParty(root, files));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPackage(join(root, "dist"));
