import assert from "node:assert/strict";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPackage } from "../../../scripts/build.ts";
import { awsWorld } from "../aws/world.ts";
import { lambdaBase, publishBase } from "../images/base.ts";
import { TestRegistry } from "../registry/registry.ts";
import { type Ran, tryRun } from "../run.ts";
import { addTree, temporaryDirectory } from "../trees.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/recipes.md"), "utf8");

/** The fenced blocks of one language in docs/recipes.md, under one heading or on the whole page. */
export function snippets(language: string, heading?: string): readonly string[] {
  const sections = page.split(/^## /m);
  const text = heading === undefined ? page : sections.find((section) => section.startsWith(`${heading}\n`));
  return [...(text ?? "").matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , block = ""]) => block);
}

/** One of those blocks, counted from 0. Throws if it is not there. */
export function snippet(heading: string, language: string, index = 0): string {
  const found = snippets(language, heading)[index];
  assert.ok(found, `docs/recipes.md has ${index + 1} blocks of ${language} under "${heading}"`);
  return found;
}

/** Replaces text. Throws if it is not there. */
export function replaced(text: string, from: string, to: string): string {
  assert.ok(text.includes(from), `"${from}" is in:\n${text}`);
  return text.replaceAll(from, to);
}

/** A function for each of the bases that the recipes name. */
const APP = {
  "app/app.py": "def handler(event, context):\n    return 1\n",
  "app/app.mjs": "export const handler = async () => 1;\n",
  "app/package.json": '{"name":"app"}',
  "app/package-lock.json": '{"name":"app","lockfileVersion":3,"packages":{"":{"name":"app"}}}',
};

type Strings = Readonly<Record<string, string>>;

/** The built package, a stand-in for AWS with the repository `orders`, and the base images. */
export async function recipeWorkshop() {
  const programs = temporaryDirectory();
  const lambdaPack = join(programs, "package");
  await buildPackage(join(lambdaPack, "dist"));
  cpSync(join(root, "package.json"), join(lambdaPack, "package.json"));
  symlinkSync(join(root, "node_modules"), join(lambdaPack, "node_modules"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${lambdaPack}/dist/bin.cjs" "$@"\n`;
  addTree(programs, { "lambda-pack": { file: program, mode: 0o755 } });
  const bases = await TestRegistry.start();
  await publishBase(bases, "lambda/python", "3.13", lambdaBase());
  await publishBase(bases, "lambda/nodejs", "22", lambdaBase());
  const world = await awsWorld();
  const orders = world.ecr.repository("orders");
  const environment = {
    ...world.environment,
    LAMBDA_PACK_BASE_REGISTRY: `${bases.host}/lambda`,
    GIT_COMMIT: "0123abc",
    PATH: `${programs}:${process.env["PATH"]}`,
  };
  return {
    /** The directory of the package. */
    lambdaPack,
    /** How many writing requests came to ECR's registry so far. */
    writes: () => world.ecr.log.filter(({ method }) => /POST|PUT|PATCH/.test(method)).length,
    /** A directory with `files` and the function `app`, and what runs a shell script there. Empties ECR. */
    project(files: Strings, directory = temporaryDirectory()) {
      for (const stored of [orders.manifests, orders.blobs, orders.tags]) stored.clear();
      addTree(directory, { ...APP, ...files });
      const tryShell = (script: string, more: Strings = {}): Promise<Ran> =>
        tryRun("sh", ["-euc", script], { cwd: directory, env: { ...environment, ...more } });
      const shell = async (script: string, more: Strings = {}): Promise<string> => {
        const { status, stdout, stderr } = await tryShell(script, more);
        assert.equal(status, 0, stdout + stderr);
        return stdout;
      };
      return { directory, shell, tryShell };
    },
    /** Throws unless the text is an image of `orders` by digest that is in ECR. */
    assertPushed(image: unknown): void {
      const prefix = `${world.registry}/orders@`;
      assert.ok(typeof image === "string" && image.startsWith(prefix), String(image));
      assert.ok(orders.manifests.has(image.slice(prefix.length)), `${image} is in ECR`);
    },
    stop: () => Promise.all([bases.stop(), world.stop()]),
  };
}
