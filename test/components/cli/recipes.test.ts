import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { componentPath } from "../../support/components/components.ts";
import { installPackages } from "../../support/components/npm-packages.ts";
import { recipeWorkshop, replaced, snippet, snippets } from "../../support/components/recipes.ts";
import { tryRun } from "../../support/run.ts";

// docs/recipes.md names these versions.
const SERVERLESS = ["serverless@3.40.0"];
const PULUMI = ["@pulumi/pulumi@3.248.0", "@pulumi/aws@7.48.0", "typescript@5.9.3", "ts-node@10.9.2"];
const CDK = ["cdk-assets@4.7.3", "aws-cdk-lib@2.270.0", "constructs@10.8.1"]; // those of cdk.test.ts

/** Runs a Pulumi program, or `run` of an SST config, and prints each resource. Nothing is created. */
const MOCKS = `
import { register } from "node:module";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
const [program, preview] = process.argv.slice(2);
const newResource = ({ name, inputs }) => (console.log(JSON.stringify(inputs)), { id: name, state: inputs });
pulumi.runtime.setMocks({ newResource, call: ({ inputs }) => inputs }, "orders", "test", preview === "preview");
Object.assign(globalThis, { aws, $config: (config) => config });
register("@pulumi/pulumi/cmd/run/hooks.js", import.meta.url);
const { default: config } = await import(program);
await config?.run();
`;

const SAM = "AWS SAM and CloudFormation";
const TERRAFORM = "Terraform and OpenTofu";
const skipUnless = (program: string) => (componentPath(program) ? {} : { skip: `needs ${program}` });

describe("the recipes of docs/recipes.md, with ECR on 127.0.0.1", () => {
  let workshop: Awaited<ReturnType<typeof recipeWorkshop>>;
  before(async () => {
    workshop = await recipeWorkshop();
  });
  after(() => workshop.stop());

  it("each script ends with the status of a build that fails, before its deployment tool starts", async () => {
    const scripts = snippets("sh").filter((script) => script.includes("lambda-pack build"));
    assert.equal(scripts.length, 6);
    const tools = "build() { return 42; }; sam() { :; }; terraform() { :; }; npx() { :; }\n";
    const { tryShell } = workshop.project({});
    for (const script of scripts) {
      const { status } = await tryShell(tools + replaced(script, "lambda-pack build", "build"));
      assert.equal(status, 42, script);
    }
  });

  it("SAM: cfn-lint accepts the template", skipUnless("cfn-lint"), async () => {
    await workshop.project({ "template.yaml": snippet(SAM, "yaml") }).shell("cfn-lint template.yaml");
  });

  it("SAM: sam deploy gets the image by digest as the parameter ImageUri", async () => {
    const words = await workshop.project({}).shell(replaced(snippet(SAM, "sh"), "sam deploy", "echo"));
    workshop.assertPushed(words.trim().split("ImageUri=")[1]);
  });

  it("Terraform: the program of the external data source prints one object of strings", async () => {
    const [, program = ""] = /program = \["(.*)"\]/.exec(snippet(TERRAFORM, "hcl")) ?? [];
    const { shell } = workshop.project({ "image.sh": snippet(TERRAFORM, "sh") });
    const result = JSON.parse(await shell(`chmod +x image.sh; echo '{}' | ${program}`));
    assert.deepEqual(Object.keys(result), ["image_uri"]);
    workshop.assertPushed(result.image_uri);
  });

  it("Terraform: the plan has the image by digest", skipUnless("terraform"), async (t) => {
    const external = "data.external.orders.result.image_uri";
    const lambda = replaced(snippet(TERRAFORM, "hcl", 1), external, "var.image_uri");
    const skipped = ["credentials_validation", "requesting_account_id", "metadata_api_check"];
    const provider = `provider "aws" {\n${skipped.map((name) => `skip_${name} = true\n`).join("")}}\n`;
    const role = `resource "aws_iam_role" "orders" {\nassume_role_policy = "{}"\n}\n`;
    const main = lambda + snippet(TERRAFORM, "hcl", 2) + provider + role;
    const { directory, shell } = workshop.project({ "main.tf": main });
    // TF_CLI_ARGS_init=-plugin-dir=DIRECTORY makes Terraform take the provider from this machine.
    const init = await tryRun("terraform", ["init", "-input=false", "-no-color"], { cwd: directory });
    if (init.status !== 0) return t.skip("needs hashicorp/aws, which terraform init does not find");
    const plan = "terraform plan -input=false -no-color";
    const planned = await shell(replaced(snippet(TERRAFORM, "sh", 1), "terraform apply", plan));
    return workshop.assertPushed(/ image_uri += "(.*)"/.exec(planned)?.[1]);
  });

  describe("with packages from npm", skipUnless("npm"), () => {
    /** What runs a shell script in an ES module beside Pulumi's packages. */
    async function pulumiShell(program: string, text: string) {
      const directory = mkdtempSync(join(await installPackages(PULUMI), "project-"));
      process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
      mkdirSync(join(directory, "node_modules"));
      symlinkSync(workshop.lambdaPack, join(directory, "node_modules/lambda-pack"));
      const settings = { "package.json": '{"type":"module"}', "tsconfig.json": snippet("Pulumi", "json") };
      const files = { ...settings, [program]: text, "mocks.mjs": MOCKS };
      const { shell } = workshop.project(files, directory);
      return (script: string) => shell(script, { TS_NODE_TRANSPILE_ONLY: "true" });
    }

    it("Pulumi: the function gets the image by digest, and a preview sends nothing", async () => {
      const shell = await pulumiShell("index.ts", snippet("Pulumi", "ts"));
      const writes = workshop.writes();
      const preview = JSON.parse(await shell("node mocks.mjs ./index.ts preview"));
      assert.equal(workshop.writes(), writes);
      const { imageUri } = JSON.parse(await shell("node mocks.mjs ./index.ts"));
      workshop.assertPushed(imageUri);
      assert.equal(preview.imageUri, imageUri);
    });

    it("SST: the function of sst.config.ts gets the image by digest", async () => {
      const shell = await pulumiShell("sst.config.ts", snippet("SST", "ts"));
      const script = replaced(snippet("SST", "sh"), "npx sst deploy", "node mocks.mjs ./sst.config.ts");
      workshop.assertPushed(JSON.parse(await shell(script)).imageUri);
    });

    it("Serverless Framework: the packaged template has the image by digest", async () => {
      const program = join(await installPackages(SERVERLESS), "node_modules/serverless/bin/serverless.js");
      const heading = "Serverless Framework";
      const { directory, shell } = workshop.project({ "serverless.yml": snippet(heading, "yaml") });
      await shell(replaced(snippet(heading, "sh"), "npx serverless deploy", `node ${program} package`));
      const template = join(directory, ".serverless/cloudformation-template-update-stack.json");
      const { OrdersLambdaFunction } = JSON.parse(readFileSync(template, "utf8")).Resources;
      workshop.assertPushed(OrdersLambdaFunction.Properties.Code.ImageUri);
    });

    it("CDK: the synthesized template has the image by digest", async () => {
      const app = `const cdk = require("aws-cdk-lib");
        const ecr = require("aws-cdk-lib/aws-ecr");
        const lambda = require("aws-cdk-lib/aws-lambda");
        const app = new cdk.App();
        class Orders extends cdk.Stack { constructor() { super(app, "S"); ${snippet("CDK, by digest", "ts")} } }
        new Orders();
        console.log(JSON.stringify(app.synth().getStackByName("S").template));`;
      const NODE_PATH = join(await installPackages(CDK), "node_modules");
      const script = replaced(snippet("CDK, by digest", "sh"), "npx cdk deploy", "node app.cjs");
      const template = await workshop.project({ "app.cjs": app }).shell(script, { NODE_PATH });
      const [, digest] = /"\/orders@(sha256:\w+)"/.exec(template) ?? [];
      workshop.assertPushed(`123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@${digest}`);
    });
  });
});
