import { compareVersions } from "../../lambda/binary/elf.ts";
import { type Architecture, architectureOf } from "../../oci/platform.ts";
import { type ImageFacts, taskRoot, within } from "../facts.ts";
import { cLibraryOf } from "../runtime.ts";
import type { Native } from "./files.ts";
import type { NativePackage } from "./package.ts";

/** The names that tools use for each architecture. */
const NAMES = {
  x86_64: { npm: "x64", pip: "x86_64", go: "amd64", rid: "linux-x64", prisma: "rhel" },
  arm64: { npm: "arm64", pip: "aarch64", go: "arm64", rid: "linux-arm64", prisma: "linux-arm64" },
} as const satisfies Record<Architecture, object>;

type Names = (typeof NAMES)[Architecture];

/** Commands that install or build files for the image's platform. */
export interface Hints {
  readonly forFile: (native: Pick<Native, "path" | "package">) => string;
  /** For files that the app's author compiles. */
  readonly build: string;
}

export function hintsFor(facts: ImageFacts): Hints {
  const names = NAMES[architectureOf(facts.settings) ?? "x86_64"];
  const build = `build it for linux/${names.go}: GOOS=linux GOARCH=${names.go} CGO_ENABLED=0 go build, cargo build --target ${names.pip}-unknown-linux-musl, or any compiler on a machine like the base`;
  const node = nodeHints(facts, names);
  const python = pipHint(facts, names);
  return {
    build,
    forFile: (native) => {
      const { manager, name = "" } = native.package;
      if (manager === "npm") return node(native);
      if (manager === "pip") return python(native.package);
      if (manager === "prisma") return prismaHint(prismaTarget(facts));
      if (manager === "dotnet") return `dotnet publish -r ${names.rid} --self-contained false`;
      if (manager === "gem") return `on a linux/${names.go} machine: bundle install --redownload (${name})`;
      return build;
    },
  };
}

/**
 * Returns hints for Node packages: npm's flags install packages for another platform, but a file
 * that an install script compiled or downloaded has to be rebuilt.
 */
function nodeHints(facts: ImageFacts, { npm: cpu, go }: Names): Hints["forFile"] {
  const libc = cLibraryOf(facts)?.libc ?? "glibc";
  const usual = nodeManager(facts);
  const install: Readonly<Record<NodeManager, string>> = {
    npm: `npm install --os=linux --cpu=${cpu} --libc=${libc}`,
    pnpm: `pnpm install --os=linux --cpu=${cpu} --libc=${libc} (before pnpm 10.14: pnpm install --force)`,
    yarn: `yarn config set --json supportedArchitectures '{"os":["linux"],"cpu":["${cpu}"],"libc":["${libc}"]}' && yarn install`,
  };
  const rebuild = (manager: NodeManager, name: string) =>
    `npm_config_platform=linux npm_config_arch=${cpu} ${manager} rebuild ${name}; if that compiles it, run it on a linux/${go} machine`;
  return ({ path, package: { name = "", isPlatformPackage } }) => {
    const manager = storeOf(path) ?? usual;
    const command = isPlatformPackage ? install[manager] : rebuild(manager, name);
    return `${projectOf(path, facts)}${command}`;
  };
}

/** Returns where to run the command: without a package.json npm would remove installed packages. */
function projectOf(path: string, facts: ImageFacts): string {
  const directory = path.slice(0, /(?:^|\/)(?:node_modules|\.yarn)\//.exec(path)?.index ?? 0);
  if (!facts.files.view.get(directory === "" ? "package.json" : `${directory}/package.json`))
    return "where its package.json is: ";
  const target = targetOf(directory, facts);
  return target === "." ? "" : `cd ${target} && `;
}

type NodeManager = "npm" | "pnpm" | "yarn";

function storeOf(path: string): NodeManager | undefined {
  if (path.includes("/.pnpm/")) return "pnpm";
  return /(?:^|\/)(?:\.yarn\/unplugged|node_modules\/\.store)\//.test(path) ? "yarn" : undefined;
}

function nodeManager({ files: { view }, settings }: ImageFacts): NodeManager {
  const root = taskRoot({ settings });
  const has = (name: string) => view.get(`${root}/${name}`) !== undefined;
  if (has("package-lock.json")) return "npm";
  if (has("pnpm-lock.yaml")) return "pnpm";
  return has(".yarnrc.yml") && has("yarn.lock") ? "yarn" : "npm";
}

/** Returns the name for Amazon Linux, by its OpenSSL version (prisma.io/docs, "binaryTargets"). */
export function prismaTarget({ base, settings }: Pick<ImageFacts, "base" | "settings">): string {
  const { prisma } = NAMES[architectureOf(settings) ?? "x86_64"];
  return `${prisma}-openssl-${base === undefined || base.system === "AL2023" ? "3.0.x" : "1.0.x"}`;
}

export function prismaHint(target: string): string {
  return `binaryTargets = ["native", "${target}"] in the generator of schema.prisma, then: npx prisma generate`;
}

function pipHint(facts: ImageFacts, { pip: machine }: Names): (one: NativePackage) => string {
  const system = cLibraryOf(facts);
  const hasNewer = system?.libc === "glibc" && compareVersions(system.glibc, "2.28") >= 0;
  const tags =
    system?.libc === "musl"
      ? ["musllinux_1_1", "musllinux_1_2"]
      : ["manylinux2014", ...(hasNewer ? ["manylinux_2_28"] : [])]; // pip accepts only the tags given (PEP 600)
  const platforms = tags.map((tag) => `--platform ${tag}_${machine}`).join(" ");
  const python = facts.base?.repository === "python" ? ` --python-version ${facts.base.tag}` : "";
  return ({ name = "", version, site = "" }) => {
    const what = version === undefined ? name : `--no-deps ${name}==${version}`;
    return `pip install --target ${targetOf(site, facts)} --upgrade ${platforms} --only-binary=:all:${python} ${what}`;
  };
}

function targetOf(site: string, facts: ImageFacts): string {
  const path = site.replace(/\/$/, "");
  const root = taskRoot(facts);
  if (path === root || path === "") return ".";
  return within(root, path) ?? `/${path}`;
}
