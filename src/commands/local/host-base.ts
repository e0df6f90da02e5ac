import type { Base } from "../../base/base.ts";
import { LambdaPackError } from "../../errors.ts";
import type { Language } from "../../lambda/bases.ts";
import { emptyImage } from "../../oci/compose.ts";
import { platformOf } from "../../oci/platform.ts";
import { findNode, findPython } from "../../runtime/host/interpreter.ts";
import type { Environment } from "../../session/plan.ts";
import { machineArchitecture } from "./options.ts";

/**
 * Creates a base that describes this machine: the target for bundling and installing if a function
 * runs with this machine's Node or Python.
 * @throws USAGE for another language; RUNTIME_MISSING
 */
export async function hostBase(language: Language | undefined, environment: Environment): Promise<Base> {
  const architecture = machineArchitecture();
  const { settings, ...image } = emptyImage(platformOf(architecture), "oci");
  const config = { Entrypoint: ["/lambda-entrypoint.sh"], WorkingDir: "/var/task" };
  return {
    image: { ...image, settings: { ...settings, config } },
    reference: "this machine",
    facts: {
      ...(await interpreterOf(language, environment)),
      ...{ system: "AL2023", architectures: [architecture], deprecated: "9999-12-31" },
    },
  };
}

async function interpreterOf(
  language: Language | undefined,
  environment: Environment,
): Promise<{ readonly repository: Language; readonly tag: string }> {
  if (language === "nodejs") {
    const { version } = await findNode(environment);
    return { repository: language, tag: version.split(".")[0] ?? "" };
  }
  if (language === "python") {
    const { version } = await findPython(environment);
    return { repository: language, tag: version.split(".").slice(0, 2).join(".") };
  }
  throw new LambdaPackError(
    "USAGE",
    `--install without a sandbox is for Node and Python, and this is ${language}`,
    {
      hint: "add --sandbox to invoke: the directory is built and runs as an image",
    },
  );
}
