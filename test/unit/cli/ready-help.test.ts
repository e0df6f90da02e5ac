import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeReadyHelp } from "../../../scripts/write-ready-help.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { commandHelp, overview } from "../../../src/cli/help.ts";
import { temporaryFolder } from "../../support/trees.ts";

/** The entry alone, with the pages beside it: whatever else it would load is not there. */
const folder = temporaryFolder();
copyFileSync(fileURLToPath(new URL("../../../src/cli/bin.cts", import.meta.url)), join(folder, "bin.cts"));
writeReadyHelp(join(folder, "help"));

const execute = promisify(execFile);
const run = async (...words: readonly string[]) =>
  (await execute(process.execPath, ["--import", "tsx", join(folder, "bin.cts"), ...words])).stdout;

describe("help that is rendered with the build", { concurrency: 4 }, () => {
  for (const words of [["--help"], ["-h"], ["help"]]) {
    it(`is the overview for ${words.join(" ")}, in a pipe 80 columns wide`, async () => {
      assert.equal(await run(...words), overview(COMMANDS, 80));
    });
  }

  for (const command of COMMANDS.slice(0, 2)) {
    it(`is that of ${command.name} for ${command.name} --help and help ${command.name}`, async () => {
      assert.equal(await run(command.name, "--help"), commandHelp(command, 80));
      assert.equal(await run("help", command.name), commandHelp(command, 80));
    });
  }

  for (const words of [
    ["build"],
    ["build", "app", "--help"],
    ["nonsense", "--help"],
    ["../../x", "--help"],
    ["--version"],
  ]) {
    it(`leaves ${words.join(" ")} to the rest of the program`, async () => {
      await assert.rejects(run(...words), { message: /bin\.ts|ERR_MODULE_NOT_FOUND/ });
    });
  }
});
