import { main } from "./main.ts";

// The AWS SDK would print seven lines about Node 20 on its first request.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

// A closed reader (`| head -1`) is not an error. Other errors reach the callback of the write.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

// If the event loop runs empty before the end, Node would exit with 0.
process.exitCode = 1;
const status = main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exit: (code) => process.exit(code),
  now: () => performance.now(),
  load: () => import("./api.ts"),
});
// Idle keep-alive sockets and workers would delay the exit.
void status.then((code) => process.exit(code));
