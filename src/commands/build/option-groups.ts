import { INSTALL_HOWS, type InstallHow } from "../../dependencies/detect.ts";
import { firstOf, inBundle, withoutChecks } from "../options/no-effect.ts";
import { inGroup, off, optional, texts, withDefault } from "../options/read.ts";
import { labels, layerRule, variables } from "../options/records.ts";
import {
  commandWords,
  handlerText,
  instance,
  listOf,
  text,
  textOrToggle,
  wordOrToggle,
} from "../options/types.ts";

/** Options of a build that also apply to the check of a directory. */
export const SOURCE_OPTIONS = inGroup("Files", {
  layer: withDefault(
    listOf(layerRule),
    [],
    "put matching files into a layer of their own; the first match wins",
    {
      placeholder: "NAME=GLOB",
      noEffect: ({ found }) =>
        found?.emptyLayers.length ? `no file is left for ${quoted(found.emptyLayers)}` : undefined,
    },
  ),
  exclude: texts("leave files out, in .dockerignore syntax", {
    placeholder: "GLOB",
    noEffect: ({ found }) =>
      found?.unmatched?.length ? `${quoted(found.unmatched)} leaves out no file` : undefined,
  }),
  ignoreFile: optional(text, "file with patterns of files to leave out", {
    placeholder: "FILE",
    defaultText: ".lambdaignore, .containerignore or .dockerignore",
    noEffect: inBundle,
  }),
  ownFiles: withDefault(
    instance("a list of paths", isPaths),
    [],
    "files that the caller writes and that are never packed",
  ),
  omitDev: off("leave out the packages in node_modules that only development needs", { noEffect: inBundle }),
  allowSecret: texts("pack this file although it looks like a secret", {
    placeholder: "PATH",
    noEffect: ({ found }) =>
      found?.unneeded.length ? `no secret was found in ${quoted(found.unneeded)}` : undefined,
  }),
});

export const INSTALL_OPTIONS = inGroup("Dependencies", {
  install: withDefault(
    wordOrToggle<InstallHow>(INSTALL_HOWS, { true: "auto", false: "none" }),
    "none",
    `install what the lock file names, for the image's platform: ${INSTALL_HOWS.slice(1).join(", ")}`,
    {
      placeholder: "HOW",
      defaultText: "none; without a value: by the lock file in the directory",
      details: "`true` is auto, by the lock file that is there; `false` is none",
      group: "Common",
      noEffect: ({ found }) => (found?.installs === false ? "the bundle has all of its packages" : undefined),
    },
  ),
  extra: texts("also install this extra of uv.lock, pylock.toml or poetry.lock", { placeholder: "NAME" }),
  group: texts("also install this dependency group of uv.lock, pylock.toml, poetry.lock or Pipfile.lock", {
    placeholder: "NAME",
  }),
});

/** Options of the image config. */
export const CONFIG_OPTIONS = inGroup("Image", {
  env: withDefault(variables, {}, "set an environment variable; K alone copies it from your environment", {
    placeholder: "K=V",
    short: "e",
  }),
  envFile: texts("file of variables, NAME=value on each line", { placeholder: "FILE" }),
  label: withDefault(labels, {}, "set a label", { placeholder: "K=V" }),
  entrypoint: optional(commandWords, "ENTRYPOINT: one word each time, or a JSON array", {
    placeholder: "WORD",
    defaultText: "the base's",
  }),
  cmd: optional(commandWords, "CMD: one word each time, or a JSON array", {
    placeholder: "WORD",
    defaultText: "the handler",
  }),
  workdir: optional(text, "working directory", { placeholder: "DIR", defaultText: "the base's" }),
  target: optional(text, "directory of the image that the files go to", {
    placeholder: "DIR",
    defaultText: "the base's WORKDIR, else /var/task",
  }),
});

export const RULE_OPTIONS = inGroup("Checks", {
  allow: texts("let the image break this rule; docs/check.md lists them", {
    placeholder: "RULE",
    noEffect: withoutChecks,
  }),
  deep: off("also check the files of the base image, whose layers are downloaded", {
    noEffect: firstOf(withoutChecks, ({ base }) => (base === "scratch" ? "scratch has no files" : undefined)),
  }),
  snapstart: off("the function uses SnapStart: set the label if the base needs it"),
});

export const HANDLER_OPTION = {
  handler: optional(handlerText, "the function handler; becomes CMD", {
    placeholder: "app.handler",
    defaultText: "found from the usual file names",
    group: "Common",
    noEffect: ({ values }) => (values["cmd"] === undefined ? undefined : "cmd says what starts"),
  }),
};

export const LOCK_FILE_OPTION = {
  lockFile: optional(text, "path of the lock file", {
    placeholder: "FILE",
    defaultText: "lambda-pack.lock in the directory",
    group: "Base lock",
  }),
};

export const DOCKERFILE_OPTIONS = {
  file: optional(text, "build what this Dockerfile says, if it needs no shell (docs/dockerfile.md)", {
    ...{ placeholder: "DOCKERFILE", short: "f", group: "Dockerfile" },
  }),
  stage: optional(text, "stage of the Dockerfile that becomes the image", {
    ...{ placeholder: "NAME", defaultText: "the last one", group: "Dockerfile" },
  }),
  buildArg: withDefault(
    variables,
    {},
    "value of an ARG of the Dockerfile; K alone copies it from your environment",
    { placeholder: "K=V", group: "Dockerfile" },
  ),
};

/** Options that add files to those of the source directory. */
export const COMPOSITION_OPTIONS = inGroup("Composition", {
  copyFrom: texts("add files of another image", { placeholder: "IMAGE:/SOURCE:/TARGET" }),
  add: texts("add another directory, with its own ignore file", { placeholder: "DIR:/TARGET" }),
  lambdaLayer: texts("unpack a Lambda layer into /opt", { placeholder: "ARN|ZIP" }),
  extension: texts("copy the directory of a Lambda extension into /opt", { placeholder: "DIR" }),
  webAdapter: optional(
    textOrToggle,
    "add the AWS Lambda Web Adapter: the function is a web server, which --cmd starts",
    {
      placeholder: "VERSION|IMAGE",
      defaultText: "none; without a value: version 1.0.0",
      details: "`true` adds version 1.0.0",
    },
  ),
  runtimeClient: off("add a runtime interface client, for a Node or Python base that is not AWS's"),
});

function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
