import type { ListedCommand } from "./command.ts";

const IMAGES = "Images";
const LOCAL = "On this machine";
const AWS = "AWS";
const OTHER = "Other";

export const COMMANDS: readonly ListedCommand[] = [
  {
    ...{ name: "build", group: IMAGES, summary: "build an image from a directory and push it" },
    load: async () => (await import("./commands/build.ts")).build,
  },
  {
    ...{ name: "push", group: IMAGES, summary: "copy an image to one or more destinations" },
    load: async () => (await import("./commands/images.ts")).push,
  },
  {
    ...{ name: "check", group: IMAGES, summary: "check an image or directory against Lambda's rules" },
    load: async () => (await import("./commands/check.ts")).check,
  },
  {
    ...{ name: "inspect", group: IMAGES, summary: "show an image's config, layers, largest files and waste" },
    load: async () => (await import("./commands/images.ts")).inspect,
  },
  {
    ...{ name: "diff", group: IMAGES, summary: "compare two images: config, layers and files" },
    load: async () => (await import("./commands/images.ts")).diff,
  },
  {
    ...{ name: "import", group: IMAGES, summary: "write lambda-pack.jsonc from a Dockerfile" },
    load: async () => (await import("./commands/config.ts")).importing,
  },
  {
    ...{ name: "config", group: IMAGES, summary: "show the settings of each function in lambda-pack.jsonc" },
    load: async () => (await import("./commands/config.ts")).config,
  },
  {
    ...{ name: "bases", group: IMAGES, summary: "list AWS's base images" },
    load: async () => (await import("./commands/bases.ts")).bases,
  },
  {
    ...{ name: "invoke", group: LOCAL, summary: "run a function once, without Docker" },
    load: async () => (await import("./commands/invoke.ts")).invoke,
  },
  {
    ...{ name: "dev", group: LOCAL, summary: "serve a function and restart it when its files change" },
    load: async () => (await import("./commands/dev.ts")).dev,
  },
  {
    ...{ name: "cache", group: LOCAL, summary: "show, prune or verify the build cache" },
    load: async () => (await import("./commands/cache.ts")).cache,
  },
  {
    ...{
      name: "deploy",
      group: AWS,
      summary: "build, push, update functions and wait until they are Active",
    },
    load: async () => (await import("./commands/functions.ts")).deploy,
  },
  {
    ...{ name: "status", group: AWS, summary: "show a function's state, image, versions and aliases" },
    load: async () => (await import("./commands/functions.ts")).status,
  },
  {
    ...{ name: "prune", group: AWS, summary: "delete ECR images that no function uses" },
    load: async () => (await import("./commands/repositories.ts")).prune,
  },
  {
    ...{ name: "repo", group: AWS, summary: "create an ECR repository, its policy or an IAM policy" },
    load: async () => (await import("./commands/repositories.ts")).repo,
  },
  {
    ...{ name: "completion", group: OTHER, summary: "print a completion script for bash, zsh or fish" },
    load: async () => (await import("./commands/other.ts")).completion,
  },
  {
    ...{ name: "version", group: OTHER, summary: "print the version" },
    load: async () => (await import("./commands/other.ts")).version,
  },
];
