#!/usr/bin/env node
// CommonJS, because an ES module starts libuv's pool while it is read: too late for
// UV_THREADPOOL_SIZE. In syntax that Node 12 reads, for the message below.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error: lambda-pack needs Node 20.19 or newer, and this is Node ${process.versions.node}\n` +
      "  fix: install a newer Node, for example with nvm install 22\n",
  );
  process.exit(1);
}
process.env["UV_THREADPOOL_SIZE"] ??= String(require("node:os").availableParallelism());
void import("./bin.ts");
