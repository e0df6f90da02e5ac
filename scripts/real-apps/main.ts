import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseImage, pushBaseImages } from "../../test/support/components/base-images.ts";
import { startRegistry } from "../../test/support/components/registries.ts";
import { APPS } from "./apps.ts";
import { describeOutcome, writePage } from "./page.ts";
import { type Outcome, tryApp } from "./try-app.ts";

/** Returns the stand-in for a base image that an app names. */
function baseImage(base: string): BaseImage {
  const [name = "", tag = ""] = base.split(":");
  if (name === "nodejs")
    return { name, tag, family: "oci", layers: ["system", `nodejs-${tag}`, "runtime-nodejs"] };
  if (name === "python")
    return { name, tag, family: "docker", layers: ["system", "python", "runtime-python"] };
  if (name === "java") return { name, tag, family: "docker", layers: ["system", "java"] };
  return { name, tag, family: "docker", layers: ["system"] };
}

const all = APPS.map(({ name }) => name);

async function tryAll(names: readonly string[], work: string): Promise<readonly Outcome[]> {
  const apps = APPS.filter(({ name }) => names.includes(name));
  const registry = await startRegistry({ kind: "anonymous" });
  const outcomes: Outcome[] = [];
  try {
    await pushBaseImages(registry.url, [...new Set(apps.map(({ base }) => base))].map(baseImage));
    for (const app of apps) {
      const directory = join(work, app.name);
      mkdirSync(directory);
      const outcome = await tryApp(app, { work: directory, registry: registry.host });
      process.stdout.write(`${describeOutcome(outcome)}\n`);
      outcomes.push(outcome);
      writePage([outcome], all, new Date());
    }
  } finally {
    await registry.stop();
  }
  return outcomes;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no app is called ${unknown.join(", ")}\nfix: use names of ${all.join(", ")}\n`);
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), "lambda-pack-real-apps-"));
const remove = () => rmSync(work, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));
}
process.on("exit", remove);
const outcomes = await tryAll(names, work);
process.exitCode = outcomes.some(({ failed }) => failed) ? 1 : 0;
