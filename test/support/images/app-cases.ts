import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CheckOptions } from "../../../src/commands/check/options.ts";
import { build, check } from "../../../src/index.ts";
import type { Finding } from "../../../src/lint/run-rules.ts";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { contentOf } from "../../../src/oci/content.ts";
import type { Image } from "../../../src/oci/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { platformOf } from "../../../src/oci/platform.ts";
import { elf } from "../formats/elf.ts";
import { TestRegistry } from "../registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../trees.ts";
import { publishBase } from "./base.ts";
import { BASE_LAYER, file, layerOf } from "./check-image.ts";

/** A source directory over one of AWS's bases, and what `check` reports of it. */
export interface AppCase {
  readonly base: string;
  readonly tree: Tree;
  readonly options?: Partial<CheckOptions>;
  /** The rule, its severity, and text of the finding: path, message and hint. Without them: no error and no warning. */
  readonly rule?: string;
  readonly severity?: Finding["severity"];
  readonly says?: RegExp;
  /** The image tells less than the directory and its options. */
  readonly isDirectoryOnly?: boolean;
}

const PROGRAMS: Readonly<Record<string, string>> = {
  ...{ python: "python3.12", nodejs: "node", java: "java", dotnet: "dotnet", ruby: "ruby" },
};

/** The files that rules look up in one of AWS's bases. */
export async function awsBase(language: string): Promise<Image> {
  const system = BASE_LAYER.filter(({ name }) => !/^var\/(?:lang\/bin|runtime)\/./.test(name));
  const program = PROGRAMS[language];
  const runtime =
    program === undefined
      ? []
      : [file(`var/lang/bin/${program}`, elf(), 0o755), file("var/runtime/bootstrap", "#!/bin/sh\n", 0o755)];
  const { blob, diffId } = await layerOf([...system, ...runtime]);
  return compose(emptyImage(platformOf("x86_64"), "oci"), {
    layers: [{ name: "os", layer: { ...contentOf(MEDIA_TYPES.oci.layer, blob), diffId } }],
    entrypoint: ["/lambda-entrypoint.sh"],
    workingDir: "/var/task",
    env: { PATH: "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", LAMBDA_TASK_ROOT: "/var/task" },
    created: new Date(0),
  });
}

/** Tests each case twice: the directory, and the image that a build makes of it. */
export function describeAppCases(name: string, cases: Readonly<Record<string, AppCase>>): void {
  describe(name, () => {
    let registry: TestRegistry;
    before(async () => {
      registry = await TestRegistry.start();
      for (const base of new Set(Object.values(cases).map((one) => one.base))) {
        const [repository = "", tag = ""] = base.split(":");
        await publishBase(registry, `lambda/${repository}`, tag, await awsBase(repository));
      }
    });
    after(() => registry.stop());

    for (const [title, appCase] of Object.entries(cases))
      it(`${name}: ${title}`, () => testCase(appCase, `${registry.host}/lambda`));
  });
}

async function testCase({ base, tree, options = {}, ...expected }: AppCase, bases: string): Promise<void> {
  const environment = { LAMBDA_PACK_BASE_REGISTRY: bases, HOME: temporaryDirectory() };
  const common = { cache: false, environment };
  const directory = makeTree(tree);
  judge("directory", (await check({ ...common, source: directory, base, ...options })).findings, expected);
  const to = `oci:${join(temporaryDirectory(), "out")}:v1`;
  const { handler, cmd = handler === undefined ? undefined : [handler], env, entrypoint } = options;
  const started = { ...(cmd && { cmd }), ...(env && { env }), ...(entrypoint && { entrypoint }) };
  await build({ ...common, directory, base, to, check: false, ...started });
  if (expected.isDirectoryOnly) return;
  judge("image", (await check({ ...common, source: to, allow: ["base-support"] })).findings, expected);
}

function judge(
  where: string,
  findings: readonly Finding[],
  { rule, severity, says = /./ }: Pick<AppCase, "rule" | "severity" | "says">,
): void {
  const texts = findings.map(
    (one) => `${one.severity} ${one.rule}: ${one.path ?? ""} ${one.message} fix: ${one.hint}`,
  );
  if (rule === undefined) {
    const loud = texts.filter((text) => !text.startsWith("info") && !text.includes("base-support"));
    assert.deepEqual(loud, [], where);
    return;
  }
  const found = texts.filter((text) => text.startsWith(`${severity ?? "error"} ${rule}:`));
  assert.equal(found.length, 1, `${where}: ${texts.join("\n")}`);
  assert.match(found[0] ?? "", says, where);
}
