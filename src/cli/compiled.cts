/**
 * Runs the command, program.cjs beside this file, with what V8 compiled of it last time: that is a third of the time of a small build.
 * It is kept beside the program, since whoever can write there can change the program as well; where this user cannot, it is compiled each time.
 */
{
  const fs: typeof import("node:fs") = require("node:fs");
  const { Module }: typeof import("node:module") = require("node:module");
  const path: typeof import("node:path") = require("node:path");
  const v8: typeof import("node:v8") = require("node:v8");
  const vm: typeof import("node:vm") = require("node:vm");
  const { createHash }: typeof import("node:crypto") = require("node:crypto");

  const PROGRAM = path.join(__dirname, "program.cjs");
  const KEPT = path.join(__dirname, "compiled");
  const SUM_BYTES = 32;

  /** What `lambda-pack build` needs is not what `lambda-pack deploy` does. */
  const command = process.argv.find((word, index) => index > 1 && /^[a-z]{1,16}$/.test(word)) ?? "none";

  const sumOf = (bytes: Buffer | string): Buffer => createHash("sha256").update(bytes).digest();

  /** undefined where there is none, or it was damaged: V8 takes what it is given. */
  const read = (file: string): Buffer | undefined => {
    try {
      const bytes = fs.readFileSync(file);
      const data = bytes.subarray(SUM_BYTES);
      return sumOf(data).equals(bytes.subarray(0, SUM_BYTES)) ? data : undefined;
    } catch {
      return undefined;
    }
  };

  /** Only ever saves time: what goes wrong is not told. */
  const keep = (file: string, script: InstanceType<typeof vm.Script>): void => {
    try {
      fs.accessSync(__dirname, fs.constants.W_OK);
      // As it was when the program was compiled: V8 takes it under the same flags only, and bin.cts has changed one meanwhile.
      v8.setFlagsFromString("--semi-space-growth-factor=2");
      const data = script.createCachedData();
      const partial = `${file}.${process.pid}`;
      fs.mkdirSync(KEPT, { recursive: true });
      fs.writeFileSync(partial, Buffer.concat([sumOf(data), data]));
      fs.renameSync(partial, file);
    } catch {}
  };

  const run = (): void => {
    const source = fs.readFileSync(PROGRAM, "utf8");
    const file = path.join(
      KEPT,
      `${command}-${process.version}-${process.arch}-${sumOf(source).toString("hex", 0, 8)}`,
    );
    const cachedData = read(file);
    const script = new vm.Script(Module.wrap(source), {
      filename: PROGRAM,
      ...(cachedData && { cachedData }),
    });
    const isTaken = cachedData !== undefined && script.cachedDataRejected === false;
    // At the end, when all that this command needs has been compiled.
    if (!isTaken) process.once("exit", (status) => status === 0 && keep(file, script));
    const program = { exports: {} };
    script.runInThisContext()(program.exports, require, program, PROGRAM, __dirname);
  };

  // From 22.8 on Node does it by itself. Source maps come with what Node loads, not with scripts.
  const isBuiltIn = require("node:module").enableCompileCache?.(KEPT) !== undefined;
  if (isBuiltIn || process.argv.includes("--verbose")) require("./program.cjs");
  else run();
}
