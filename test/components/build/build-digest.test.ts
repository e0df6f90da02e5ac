import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { bundled } from "../../support/processes/bundled.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const execute = promisify(execFile);

interface Surroundings {
  readonly TZ: string;
  readonly LC_ALL: string;
  readonly UV_THREADPOOL_SIZE: string;
  readonly umask: string;
}

/** Each process with another of everything; within each eight builds. */
const SURROUNDINGS: readonly Surroundings[] = [
  { TZ: "UTC", LC_ALL: "C", UV_THREADPOOL_SIZE: "1", umask: "022" },
  { TZ: "Asia/Kathmandu", LC_ALL: "de_DE.UTF-8", UV_THREADPOOL_SIZE: "2", umask: "077" },
  { TZ: "America/St_Johns", LC_ALL: "tr_TR.UTF-8", UV_THREADPOOL_SIZE: "3", umask: "000" },
  { TZ: "Pacific/Apia", LC_ALL: "sv_SE.UTF-8", UV_THREADPOOL_SIZE: "4", umask: "027" },
  { TZ: "Europe/London", LC_ALL: "ja_JP.UTF-8", UV_THREADPOOL_SIZE: "5", umask: "002" },
  { TZ: "Africa/Casablanca", LC_ALL: "POSIX", UV_THREADPOOL_SIZE: "6", umask: "007" },
  { TZ: "Antarctica/Troll", LC_ALL: "et_EE.UTF-8", UV_THREADPOOL_SIZE: "7", umask: "037" },
  { TZ: "America/Sao_Paulo", LC_ALL: "zh_CN.UTF-8", UV_THREADPOOL_SIZE: "8", umask: "033" },
];

/** Nobody, where we may become nobody; else who we are. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** This Node as nobody may start it: a copy, where it stands in a directory that is closed to others. */
function nodeForNobody(): string {
  if (spawnSync(process.execPath, ["--version"], { cwd: "/", ...NOBODY }).status === 0)
    return process.execPath;
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const copy = join(directory, "node");
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

async function digestsIn(
  node: string,
  program: string,
  { umask, ...variables }: Surroundings,
  user: { readonly uid?: number; readonly gid?: number },
): Promise<readonly string[]> {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o777);
  const env = { ...process.env, ...variables, HOME: directory, TMPDIR: directory };
  const { stdout } = await execute(node, [program, directory, umask], { env, cwd: directory, ...user });
  return stdout.trim().split("\n");
}

describe("the digest of an app", () => {
  it("is one in 64 surroundings: time zone, locale, threads, umask, user, order, times, cache", async () => {
    const program = await bundled("build-variants.ts");
    const node = nodeForNobody();
    const all = await Promise.all(
      SURROUNDINGS.map((surroundings, index) =>
        digestsIn(node, program, surroundings, index % 2 === 0 ? {} : NOBODY),
      ),
    );
    const digests = all.flat();
    assert.equal(digests.length, 64);
    assert.deepEqual([...new Set(digests)].length, 1, [...new Set(digests)].join());
  });
});
