import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build, check } from "../../../src/index.ts";
import { jar } from "../../support/formats/jar.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const JAVA: Tree = {
  "lib/app.jar": jar("META-INF/MANIFEST.MF", "com/example/App.class", "com/example/App$1.class"),
  "lib/aws-lambda-java-core-1.2.3.jar": jar("com/amazonaws/services/lambda/runtime/RequestHandler.class"),
  "com/example/Plain.class": "",
};
const DOTNET: Tree = {
  "App.dll": "MZ",
  "App.deps.json": "{}",
  "App.runtimeconfig.json": "{}",
  "Amazon.Lambda.Core.dll": "MZ",
};

interface Case {
  readonly base: "java:21" | "dotnet:8";
  readonly handler: string;
  readonly tree: Tree;
  /** Of a wrong one: what build and check say. */
  readonly says?: RegExp;
  readonly near?: RegExp;
}

const java = { base: "java:21", tree: JAVA } as const;
const dotnet = { base: "dotnet:8", tree: DOTNET } as const;
const CASES: Readonly<Record<string, Case>> = {
  "a class in a jar of lib": { ...java, handler: "com.example.App::handleRequest" },
  "a class in the directory": { ...java, handler: "com.example.Plain" },
  "a class that is in no jar": {
    ...{ ...java, handler: "com.exmaple.App::handleRequest" },
    says: /needs com\/exmaple\/App\.class in the root of the app, or in a jar of its directory lib/,
    near: /com\.example\.App/,
  },
  "a class that a damaged jar may have": {
    ...{ base: "java:21", handler: "com.example.App" },
    tree: { "lib/app.jar": `PK\u0005\u0006${"\0".repeat(8)}${"\u007f".repeat(8)}\0\0` },
  },
  "a class in a jar that was cut short": {
    ...{ base: "java:21", handler: "com.example.App" },
    tree: { "lib/app.jar": "PK\u0003\u0004 and no end" },
    ...{ says: /lib\/app\.jar is not a jar: it is no zip file, or was cut short/, near: /mvn package/ },
  },
  "an assembly": { ...dotnet, handler: "App::App.Function::Handle" },
  "an executable assembly": { ...dotnet, handler: "App" },
  "an assembly that is not there": {
    ...{ ...dotnet, handler: "Ap::App.Function::Handle" },
    says: /needs Ap\.dll in the root of the app/,
    near: /App::App/,
  },
  "an assembly without its runtimeconfig.json": {
    ...{ base: "dotnet:8", handler: "App::App.Function::Handle" },
    tree: { "App.dll": "MZ", "App.deps.json": "{}" },
    says: /needs exactly one \.runtimeconfig\.json.*GenerateRuntimeConfigurationFiles/,
  },
  "two deps.json": {
    ...{ base: "dotnet:8", handler: "App::App.Function::Handle" },
    tree: { ...DOTNET, "Tests.deps.json": "{}" },
    says: /needs exactly one \.deps\.json in the root of the app, which has App\.deps\.json, Tests\.deps\.json/,
  },
};

describe("a compiled handler, from its directory to its image", () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
    await publishBase(registry, "lambda/java", "21", lambdaBase("x86_64"));
    await publishBase(registry, "lambda/dotnet", "8", lambdaBase("x86_64"));
  });
  after(() => registry.stop());

  const common = () => ({
    cache: false,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
  });
  const handlerFindings = async (options: Parameters<typeof check>[0]) => {
    const { findings } = await check({ ...common(), ...options });
    return findings.filter(({ rule }) => rule === "handler");
  };

  for (const [name, { base, handler, tree, says, near = /./ }] of Object.entries(CASES)) {
    it(`${name} is ${says ? "refused with what it needs" : "found"}, in the directory and in the image`, async () => {
      const directory = makeTree(tree);
      const to = `oci:${join(temporaryDirectory(), "out")}:v1`;
      const options = { ...common(), directory, base, to };
      const inDirectory = await handlerFindings({ source: directory, base, handler });
      if (!says) {
        await build({ ...options, handler });
        assert.deepEqual([inDirectory, await handlerFindings({ source: to })], [[], []]);
        return;
      }
      await assert.rejects(build({ ...options, handler }), {
        code: "HANDLER_NOT_FOUND",
        message: says,
        hint: near,
      });
      await build({ ...options, cmd: [handler], check: false });
      for (const [finding] of [inDirectory, await handlerFindings({ source: to })]) {
        assert.match(finding?.message ?? "", says);
        assert.match(finding?.hint ?? "", near);
        assert.equal(finding?.severity, "error");
      }
    });
  }
});
