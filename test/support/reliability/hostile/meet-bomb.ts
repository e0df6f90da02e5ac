import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MEDIA_TYPES } from "../../../../src/oci/media-types.ts";
import { TestRegistry } from "../../registry/registry.ts";
import { tryRun } from "../../run.ts";
import { type Bomb, type Command, imageWith } from "./bombs.ts";

const bin = fileURLToPath(new URL("../../../../src/cli/bin.ts", import.meta.url));
const recordPeak = fileURLToPath(new URL("record-peak.ts", import.meta.url));
/** Three lines of an error, or the findings of a check. */
const LONGEST = 4000;

/** What a command came to. */
export interface Survived {
  readonly status: number;
  readonly ms: number;
  /** Bytes, resident at most. */
  readonly peak: number;
  /** What is wrong with that, in words. */
  readonly flaw: string | undefined;
}

/** A registry that holds the bomb, for as many commands as one likes. */
export async function placed({ layer, change }: Bomb): Promise<TestRegistry> {
  const registry = await TestRegistry.start();
  const image = await imageWith(layer?.() ?? Buffer.from("a layer"));
  registry.addBlob("app", image.config);
  registry.addBlob("app", image.layer);
  registry.addManifest("app", MEDIA_TYPES.oci.manifest, image.manifest, "v1");
  if (change) {
    const { kind, to } = change;
    registry.fault = (request) => (request.kind === kind ? { kind: "change", change: to } : undefined);
  }
  return registry;
}

/** One command, in a process of its own. */
export async function survive(bomb: Bomb, command: Command, { host }: TestRegistry): Promise<Survived> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-bomb-"));
  const peakFile = join(directory, "peak");
  try {
    writeFileSync(join(directory, "app.py"), "def handler(event, context):\n    return 1\n");
    const env = {
      HOME: directory,
      DOCKER_CONFIG: directory,
      XDG_CACHE_HOME: join(directory, "cache"),
      PEAK_FILE: peakFile,
    };
    const tsx = import.meta.resolve("tsx");
    const started = performance.now();
    const args = [
      "--import",
      tsx,
      "--import",
      recordPeak,
      bin,
      ...argumentsOf(command, `${host}/app:v1`, directory),
    ];
    const { status, stdout, stderr } = await tryRun(process.execPath, args, { env, cwd: directory });
    const ms = performance.now() - started;
    const [expected, says] = bomb.ends[command];
    const said = stdout + stderr;
    const flaw =
      status !== expected
        ? `exit ${status} instead of ${expected}: ${said.slice(-600)}`
        : !says.test(said.replaceAll(/\s+/g, " "))
          ? `does not say ${says}: ${said.slice(-600)}`
          : said.length > LONGEST
            ? `${said.length} characters`
            : undefined;
    return { status, ms, peak: Number(readFileSync(peakFile, "utf8")), flaw };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function argumentsOf(command: Command, image: string, directory: string): readonly string[] {
  const source = join(directory, "app.py");
  const out = `oci:${join(directory, "out")}:v1`;
  const common = ["--progress", "none"];
  const allowed = ["--allow", "runtime-client", "--allow", "entrypoint"];
  switch (command) {
    case "check --deep":
      return ["check", image, "--deep", ...common];
    case "inspect":
      return ["inspect", image, ...common];
    case "push":
      return ["push", image, out, ...common];
    case "build":
    case "build --deep": {
      const deep = command === "build" ? [] : ["--deep"];
      return [
        "build",
        join(source, ".."),
        "--base",
        image,
        "--exclude",
        "cache",
        "--exclude",
        "peak",
        "--to",
        out,
        ...(command === "build" ? allowed : []),
        ...deep,
        ...common,
      ];
    }
  }
}
