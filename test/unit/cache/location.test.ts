import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultCacheDirectory } from "../../../src/cache/directory.ts";

describe("the default place of the cache", () => {
  const cases: readonly (readonly [
    name: string,
    environment: Readonly<Record<string, string>>,
    platform: string,
    home: string,
    expected: string,
  ])[] = [
    [
      "LAMBDA_PACK_CACHE_DIR first",
      { LAMBDA_PACK_CACHE_DIR: "/c", XDG_CACHE_HOME: "/x" },
      "linux",
      "/home/me",
      "/c",
    ],
    ["below XDG_CACHE_HOME", { XDG_CACHE_HOME: "/x" }, "linux", "/home/me", "/x/lambda-pack"],
    [
      "not below an XDG_CACHE_HOME that is relative",
      { XDG_CACHE_HOME: "x" },
      "linux",
      "/home/me",
      "/home/me/.cache/lambda-pack",
    ],
    ["in ~/.cache", { LAMBDA_PACK_CACHE_DIR: "" }, "linux", "/home/me", "/home/me/.cache/lambda-pack"],
    ["in ~/Library/Caches on macOS", {}, "darwin", "/Users/me", "/Users/me/Library/Caches/lambda-pack"],
    [
      "in LOCALAPPDATA on Windows",
      { LOCALAPPDATA: "D:\\Local" },
      "win32",
      "C:\\Users\\me",
      "D:\\Local\\lambda-pack\\cache",
    ],
    [
      "in AppData on Windows without it",
      {},
      "win32",
      "C:\\Users\\me",
      "C:\\Users\\me\\AppData\\Local\\lambda-pack\\cache",
    ],
  ];
  for (const [name, environment, platform, home, expected] of cases) {
    it(`the default place of the cache is ${name}`, () =>
      assert.equal(defaultCacheDirectory(environment, platform, home), expected));
  }
});
