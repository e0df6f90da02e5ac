import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeDirectories } from "../../blobs/disk.ts";
import { replaceFile } from "../../blobs/partial.ts";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { defaultCacheDirectory } from "../../cache/directory.ts";
import type { BuildOptions, Environment } from "../../index.ts";

/** What a local name refers to. Docker would store an image; this stores how to make it. */
export type LocalImage =
  | {
      readonly kind: "build";
      readonly name: string;
      readonly options: Omit<BuildOptions, "environment" | "onEvent" | "signal">;
      /** The digest of the image that the build produced. */
      readonly digest: string;
    }
  | { readonly kind: "archive"; readonly name: string; readonly path: string };

interface Login {
  readonly username: string;
  readonly password: string;
}

/** The local names and the logins, which the processes of one deployment share. */
export type LocalState = ReturnType<typeof openState>;

const LIMIT = 1024 * 1024;

/** Opens the state in the cache directory of this user; only the user can read it. */
export function openState(environment: Environment) {
  const directory = join(defaultCacheDirectory(environment, process.platform, homedir()), "docker");
  const images = join(directory, "images");
  const loginFile = join(directory, "logins.json");
  const pathOf = (name: string) => join(images, `${createHash("sha256").update(name).digest("hex")}.json`);
  const write = async (path: string, value: object): Promise<void> => {
    makeDirectories(images, 0o700);
    await replaceFile(path, JSON.stringify(value), { access: "private" });
  };
  // Only this command writes these files. A damaged file counts as missing.
  const find = (path: string) => readJson(path) as LocalImage | undefined;
  return {
    find: (name: string) => find(pathOf(name)),
    all: (): readonly LocalImage[] => names(images).flatMap((name) => find(join(images, name)) ?? []),
    keep: (image: LocalImage) => write(pathOf(image.name), image),
    /** Returns the logins by host. */
    logins: () => (readJson(loginFile) ?? {}) as Readonly<Record<string, Login>>,
    async keepLogin(host: string, login: Login): Promise<void> {
      await write(loginFile, { ...(readJson(loginFile) ?? {}), [host]: login });
    },
  };
}

function names(directory: string): readonly string[] {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(directory) : [];
}

function readJson(path: string): object | undefined {
  const bytes = readConfigurationFile(path, {
    maxBytes: LIMIT,
    code: "CREDENTIALS_INVALID",
    hint: `remove ${path}, and run the deployment again`,
  });
  try {
    const value: unknown = JSON.parse(bytes?.toString("utf8") ?? "null");
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
