import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/trees.ts";

const execute = promisify(execFile);
const script = fileURLToPath(new URL("../support/build-variants.ts", import.meta.url));

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

/** Becomes nobody, with the right to read this checkout wherever it lies: a CI's folder may be closed to everybody else. */
const AS_NOBODY = [
  ..."setpriv --reuid=65534 --regid=65534 --clear-groups".split(" "),
  ..."--inh-caps=+dac_override --ambient-caps=+dac_override".split(" "),
];

/** What the processes run under: half of them as nobody, where we may become nobody; else all as who we are. */
function prefixOf(index: number): readonly string[] {
  return process.getuid?.() === 0 && index % 2 === 1 ? AS_NOBODY : [];
}

async function digestsIn(
  { umask, ...variables }: Surroundings,
  prefix: readonly string[],
): Promise<readonly string[]> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o777);
  const node = [process.execPath, "--import", import.meta.resolve("tsx"), script, folder, umask];
  const [program = "", ...parameters] = [...prefix, ...node];
  const { stdout } = await execute(program, parameters, {
    env: { ...process.env, ...variables, HOME: folder },
  });
  return stdout.trim().split("\n");
}

describe("the digest of an app", () => {
  it("is one in 64 surroundings: time zone, locale, threads, umask, user, order, times, cache", async () => {
    const all = await Promise.all(
      SURROUNDINGS.map((surroundings, index) => digestsIn(surroundings, prefixOf(index))),
    );
    const digests = all.flat();
    assert.equal(digests.length, 64);
    assert.deepEqual([...new Set(digests)].length, 1, [...new Set(digests)].join());
  });
});
