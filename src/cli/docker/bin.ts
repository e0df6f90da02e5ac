import manifest from "../../../package.json" with { type: "json" };
import { start } from "../io.ts";
import { dockerMain } from "./main.ts";

const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());

start((io) =>
  dockerMain(process.argv.slice(2), {
    ...io,
    ...{ stdin: process.stdin, directory: process.cwd(), signal: stop.signal, version: manifest.version },
  }),
);
