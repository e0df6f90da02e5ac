import { statSync } from "node:fs";
import { basename } from "node:path";
import { misuse } from "../../../errors.ts";

/** A Lambda layer: a zip on this machine, or a published version. */
export type LambdaLayerPlan =
  | { readonly kind: "zip"; readonly path: string; readonly layer: string }
  | {
      readonly kind: "version";
      /** The ARN with the version. */
      readonly arn: string;
      /** The ARN without the version. */
      readonly name: string;
      readonly version: number;
      readonly region: string;
      readonly layer: string;
    };

const ARN = /^(arn:[a-z-]+:lambda:([a-z0-9-]+):\d{12}:layer:([A-Za-z0-9_-]{1,140}))(?::(\d{1,15}))?$/;

/**
 * Parses a value of --lambda-layer.
 * @throws USAGE for an ARN without a version, or a missing file
 */
export function parseLambdaLayer(text: string): LambdaLayerPlan {
  if (!text.startsWith("arn:")) return zipPlan(text);
  const [, name, region = "", short = "", version] = ARN.exec(text) ?? [];
  if (name === undefined)
    throw misuse(`--lambda-layer ${text} is not the ARN of a layer`, `write ${EXAMPLE}`);
  if (version === undefined)
    throw misuse(
      `--lambda-layer ${text} has no version, and the image would change whenever a new one is published`,
      `add the version, for example ${text}:1; aws lambda list-layer-versions --layer-name ${text} lists them`,
    );
  const layer = `lambda-layer ${short}:${version}`;
  return { kind: "version", arn: text, name, version: Number(version), region, layer };
}

const EXAMPLE = "arn:aws:lambda:eu-west-1:123456789012:layer:NAME:1, or the path of a zip file";

function zipPlan(path: string): LambdaLayerPlan {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory())
    throw misuse(`--lambda-layer ${path} is a directory`, `write --add ${path}:/opt, or name a zip file`);
  if (!found?.isFile())
    throw misuse(
      `--lambda-layer ${path}: there is no such file`,
      "name a zip file, or the ARN of a layer's version",
    );
  return { kind: "zip", path, layer: `lambda-layer ${basename(path).replace(/\.zip$/i, "")}` };
}
