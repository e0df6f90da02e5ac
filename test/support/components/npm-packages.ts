import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../run.ts";

/** Installs packages, each as NAME@VERSION, once for this machine and user. Returns the directory that has their node_modules. */
export async function installPackages(packages: readonly string[]): Promise<string> {
  const all = join(tmpdir(), `lambda-pack-components-${process.getuid?.() ?? 0}`);
  const directory = join(all, packages.join("-").replaceAll("/", "+"));
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, "package.json"), '{"private":true}');
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", unfinished, ...packages]);
  if (!existsSync(directory)) renameSync(unfinished, directory);
  return directory;
}
