#!/usr/bin/env node
{
  const fs: typeof import("node:fs") = require("node:fs");
  const path: typeof import("node:path") = require("node:path");

  /** Help pages that `npm run build` has rendered, by width (scripts/write-ready-help.ts): asked for by people who wait, they load nothing else. */
  const WIDTHS = [100, 80, 60, 40];
  const COLUMNS_OF_A_PIPE = 80;

  const SOON_MS = 150;

  /** The name of the page that `words` ask for; undefined when they may ask for something else. */
  const pageOf = ([first = "", second, ...more]: readonly string[]): string | undefined => {
    if (more.length > 0) return undefined;
    if (first === "--help" || first === "-h" || first === "help") return second ?? "overview";
    return second === "--help" || second === "-h" ? first : undefined;
  };

  /** Where there is no page, help is made as everything else is. */
  const readyHelp = (words: readonly string[], columns: number | undefined): string | undefined => {
    const page = pageOf(words);
    const width = WIDTHS.find((one) => one <= (columns || COLUMNS_OF_A_PIPE));
    if (page === undefined || width === undefined || !/^[a-z]+$/.test(page)) return undefined;
    try {
      return fs.readFileSync(path.join(__dirname, "help", String(width), `${page}.txt`), "utf8");
    } catch {
      return undefined;
    }
  };

  const help = readyHelp(process.argv.slice(2), process.stdout.columns);
  if (help === undefined) {
    // CommonJS on purpose: the ESM loader reads files through libuv's pool, so by the time an ESM entry runs, the pool
    // has already been started with 4 threads and UV_THREADPOOL_SIZE is no longer looked at.
    process.env["UV_THREADPOOL_SIZE"] ??= String(require("node:os").availableParallelism());
    // V8's young generation stays as small as it is: it would grow to 48 MB that hold little but garbage. A new thread sets that back (V8's
    // Heap::ConfigureHeap, for the whole process). Not at once: under other flags V8 does not take what Node's own modules were compiled to
    // beforehand, which costs 10 to 20 ms, and what is done sooner needs no memory.
    const v8: typeof import("node:v8") = require("node:v8");
    const stayYoung = (): void => v8.setFlagsFromString("--semi-space-growth-factor=1");
    process.on("worker", (worker) => worker.once("online", stayYoung));
    setTimeout(stayYoung, SOON_MS).unref();
    // Stack traces that name our files take their maps, which cost time to read.
    if (process.argv.includes("--verbose")) process.setSourceMapsEnabled(true);
    void import("./bin.ts"); // in the package that is compiled.cts, which runs it
  } else {
    process.stdout.on("error", () => {}); // a reader that has gone is no fault
    process.stdout.write(help);
  }
}
