#!/usr/bin/env node
import { main } from "./main.ts";

// Seven lines of the AWS SDK about Node 20, on the first request, are not what the user asked for.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

/** A reader that has gone (`| head -1`) is not a fault. Everything else is told where the text was written. */
const ignore = (): void => {};
process.stdout.on("error", ignore);
process.stderr.on("error", ignore);

const status = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exit: (code) => process.exit(code),
  now: () => performance.now(),
  load: () => import("../index.ts"),
});
// Sockets kept alive for a next request and idle workers must not keep the shell waiting.
process.exit(status);
