import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LambdaPackError } from "../../errors.ts";
import { digestOf } from "../../oci/digest.ts";
import type { LockFile } from "../detect.ts";
import type { Installation } from "../installation.ts";
import { readFile, unavailable } from "../lock-file.ts";
import type { TargetPlatform } from "../target.ts";
import { entriesIn, succeedTool } from "./run.ts";

/** Must be raised with every change of the call below. */
const FORMAT = 1;

/** Files of Bundler with times and paths of this machine. */
const BOOKKEEPING = /(?:^|\/)(?:cache|build_info|doc)\/|\.(?:log|out)$|gem_make\.out$/;

/**
 * Installs the gems of a Gemfile.lock into vendor/bundle with Bundler, where Lambda's Ruby finds
 * them. Bundler compiles for this machine, so gems with native code are refused for another
 * platform.
 * @param ruby the base's version, `3.4`; undefined if it is not known
 */
export function bundlerInstallation(
  { directory, file }: LockFile,
  target: TargetPlatform,
  ruby: string | undefined,
): Installation {
  const text = readFile(join(directory, file));
  return {
    way: "bundler",
    lockFile: file,
    key: digestOf(JSON.stringify(["bundler", FORMAT, target, ruby, digestOf(text)])),
    packages: [],
    replaces: ["vendor/bundle"],
    warnings: [],
    async install({ environment, workDirectory, signal }) {
      const work = join(workDirectory, "bundler");
      mkdirSync(work, { mode: 0o700 });
      for (const name of ["Gemfile", file, ".ruby-version"])
        if (existsSync(join(directory, name))) cpSync(join(directory, name), join(work, name));
      await succeedTool({
        command: ["bundle", "install", "--quiet"],
        cwd: work,
        environment: {
          ...environment,
          BUNDLE_DEPLOYMENT: "true",
          BUNDLE_PATH: "vendor/bundle",
          BUNDLE_WITHOUT: "development:test",
          BUNDLE_APP_CONFIG: join(workDirectory, "bundle-config"),
        },
        howToGet: "install Ruby of the base's version and Bundler: gem install bundler",
        signal,
      });
      const isKept = (path: string) => path.startsWith("vendor/bundle/") && !BOOKKEEPING.test(path);
      const entries = await entriesIn(work, isKept, signal);
      const used = entries
        .map(({ path }) => /^vendor\/bundle\/ruby\/(\d+\.\d+)/.exec(path)?.[1])
        .find(Boolean);
      if (ruby !== undefined && used !== undefined && used !== ruby) throw otherRuby(used, ruby);
      const native = entries.find(({ path }) => /\.(?:so|bundle|dll)$/.test(path));
      if (native && !isThisMachine(target)) throw compiled(native.path, target);
      return { entries, packages: [] };
    },
  };
}

function isThisMachine({ os, cpu }: TargetPlatform): boolean {
  return process.platform === os && process.arch === cpu;
}

/** Reports another Ruby, which would look for gems in a directory with its own version. */
function otherRuby(used: string, ruby: string): LambdaPackError {
  return unavailable(
    `Bundler installed for Ruby ${used}, and the base has ${ruby}, which would not find the gems`,
    `build with Ruby ${ruby}, or choose the base of this Ruby: --base ruby:${used}`,
  );
}

function compiled(path: string, { os, cpu }: TargetPlatform): LambdaPackError {
  return unavailable(
    `${path} was compiled for ${process.platform} ${process.arch}, and the image is for ${os} ${cpu}`,
    `build on a machine with ${os} ${cpu}, such as a CI runner of that kind`,
  );
}
