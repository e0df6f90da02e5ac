import { existsSync, statSync } from "node:fs";
import { basename, posix, resolve } from "node:path";
import { type BaseSource, parseBase } from "../../../base/base.ts";
import { misuse } from "../../../errors.ts";
import { readIgnoreFile } from "../../../layer/ignore/ignore.ts";
import { openRoot, parseTarget } from "../../../layer/source-root.ts";
import { isTag } from "../../../oci/reference.ts";
import type { ImageLocation, Target } from "../../../session/image-location.ts";
import type { Environment } from "../../../session/session.ts";
import type { Values } from "../../options/read.ts";
import type { COMPOSITION_OPTIONS } from "../option-groups.ts";

/** The parts of the image in addition to the source directory, in the order of their layers. */
export interface CompositionPlan {
  readonly copies: readonly CopyPlan[];
  readonly lambdaLayers: readonly LambdaLayerPlan[];
  /** undefined: the image has no web adapter. */
  readonly webAdapter: CopyPlan | undefined;
  readonly extensions: readonly string[];
  readonly runtimeClient: boolean;
  readonly directories: readonly DirectoryPlan[];
}

/** Files of another image. */
export interface CopyPlan {
  /** The option as it was written, for messages. */
  readonly option: string;
  readonly image: BaseSource;
  /** The reference as the user wrote it. */
  readonly reference: string;
  /** Absolute path in that image. */
  readonly source: string;
  /** Absolute path in the image that is built. */
  readonly target: string;
  /** true: the target was written with a trailing slash. */
  readonly intoDirectory: boolean;
  readonly layer: string;
}

/** Another directory of this machine. */
export interface DirectoryPlan {
  readonly directory: string;
  /** Absolute path in the image. */
  readonly target: string;
}

type CompositionValues = Values<typeof COMPOSITION_OPTIONS>;

/** The version of the AWS Lambda Web Adapter for `--web-adapter` without a value. */
const ADAPTER_VERSION = "1.0.0";
const ADAPTER_IMAGE = "public.ecr.aws/awsguru/aws-lambda-adapter";
const ADAPTER_PLACE = "/opt/extensions/lambda-adapter";

/**
 * Checks the options, and the files and directories that they name, before any request.
 * @throws USAGE, REFERENCE_INVALID, DIRECTORY_UNREADABLE, IGNORE_PATTERN
 */
export function parseComposition(
  values: CompositionValues & { readonly entrypoint: readonly string[] | undefined },
  environment: Environment,
): CompositionPlan {
  const other = values.entrypoint ? "--entrypoint" : isOn(values.webAdapter) ? "--web-adapter" : undefined;
  if (values.runtimeClient && other !== undefined)
    throw misuse(
      `${other} has no effect with --runtime-client, which starts the handler`,
      "leave out one of the two",
    );
  return {
    copies: values.copyFrom.map((text) => parseCopy(text, environment)),
    lambdaLayers: values.lambdaLayer.map(parseLambdaLayer),
    webAdapter: parseAdapter(values.webAdapter, environment),
    extensions: values.extension.map(parseExtension),
    runtimeClient: values.runtimeClient,
    directories: values.add.map(parseDirectory),
  };
}

/** Lists the destinations and the images that files are copied from. */
export function placesOf(
  destinations: readonly Target[],
  { copies, webAdapter }: CompositionPlan,
): readonly Pick<ImageLocation, "kind">[] {
  const images = [...copies, ...(webAdapter ? [webAdapter] : [])].map(({ image }) => image);
  const sources = images.map((image) => ({ kind: image.kind === "registry" ? "registry" : "oci" }) as const);
  return [...destinations.map(({ location }) => location), ...sources];
}

/**
 * The image may contain colons, as in `oci:/directory:tag`: the last two before a slash separate.
 */
const COPY = /^(.+):(\/[^:]*):(\/[^:]*)$/s;

function parseCopy(text: string, environment: Environment): CopyPlan {
  const [, reference, source = "", written = ""] = COPY.exec(text) ?? [];
  if (reference === undefined)
    throw misuse(
      `--copy-from ${text} is not IMAGE:/source:/target`,
      "for example --copy-from public.ecr.aws/docker/library/busybox:1.37:/bin/busybox:/opt/bin/",
    );
  const target = `/${parseTarget(written)}`;
  return {
    option: `--copy-from ${text}`,
    image: sourceImage(reference, environment),
    reference,
    source: posix.resolve("/", source),
    target,
    intoDirectory: written.endsWith("/"),
    layer: `copy ${target}`,
  };
}

function sourceImage(reference: string, environment: Environment): BaseSource {
  const image = parseBase(reference, environment);
  if (image.kind !== "scratch") return image;
  throw misuse("--copy-from scratch has no files", "name an image");
}

function parseAdapter(value: string | undefined, environment: Environment): CopyPlan | undefined {
  if (!isOn(value)) return undefined;
  const version = value === "true" ? ADAPTER_VERSION : value;
  const isImage = /[/:]/.test(version);
  if (!isImage && !isTag(version))
    throw misuse(
      `--web-adapter ${version} is not a version and no image`,
      `write --web-adapter=${ADAPTER_VERSION}`,
    );
  const reference = isImage ? version : `${ADAPTER_IMAGE}:${version}`;
  return {
    option: `--web-adapter ${reference}`,
    image: sourceImage(reference, environment),
    reference,
    source: "/lambda-adapter",
    target: ADAPTER_PLACE,
    intoDirectory: false,
    layer: "web-adapter",
  };
}

function isOn(value: string | undefined): value is string {
  return value !== undefined && value !== "false";
}

function parseExtension(directory: string): string {
  openRoot(directory);
  const programs = resolve(directory, "extensions");
  if (existsSync(programs) && statSync(programs).isDirectory()) return directory;
  throw misuse(
    `--extension ${directory}: there is no directory extensions in it, which holds an extension's programs`,
    `put the program into ${posix.join(directory, "extensions")}, as in the zip of a Lambda layer`,
  );
}

function parseDirectory(text: string): DirectoryPlan {
  const [, directory, target = ""] = /^(.+):(\/.*)$/s.exec(text) ?? [];
  if (directory === undefined)
    throw misuse(`--add ${text} is not DIR:/target`, `for example --add ${text}:/var/task/shared`);
  openRoot(directory);
  readIgnoreFile(directory, undefined);
  return { directory, target: `/${parseTarget(target)}` };
}

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
function parseLambdaLayer(text: string): LambdaLayerPlan {
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
