import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { InvokeResult } from "../../../src/index.ts";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import {
  type LayerEntry,
  namesInOrder,
  readDirectory,
  readWithBsdTar,
  readWithGnuTar,
  readWithPython,
} from "../../support/components/layer-readers.ts";
import { nodeApp, providedApp, pythonApp } from "../../support/components/real-apps.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { runImage } from "../../support/components/run-image.ts";
import { type PulledImage, pullWithSkopeo, type RawConfig } from "../../support/components/skopeo.ts";
import { run } from "../../support/run.ts";

interface App {
  readonly title: string;
  readonly name: string;
  readonly make: (directory: string) => Promise<void>;
  readonly base: string;
  /** How many layers of the image are the base's. */
  readonly baseLayers: number;
  readonly cmd: readonly string[];
  readonly family: "docker" | "oci";
  /** Its answer to {"name": "Ada"}. */
  readonly answer: unknown;
}

const SANDBOX = { user: [993, 990], taskIsWritable: false };

const APPS: readonly App[] = [
  {
    ...{ title: "a Python app with packages", name: "py", make: pythonApp, base: "python:3.12" },
    ...{ baseLayers: 4, cmd: ["app.handler"], family: "docker" },
    answer: {
      ...{ greeting: "Grüße an Ada", url: "https://example.com/?name=Ada", native: true },
      ...SANDBOX,
    },
  },
  {
    ...{ title: "a Node app with packages", name: "js", make: nodeApp, base: "nodejs:22" },
    ...{ baseLayers: 4, cmd: ["index.handler"], family: "oci" },
    answer: {
      ...{ greeting: "Grüße an Ada", xml: { a: { b: 1 } }, newer: true },
      ...{ id: "3f0c3f4f-0949-5099-bf07-37fbd371773c", ...SANDBOX },
    },
  },
  {
    ...{ title: "a runtime of one's own", name: "own", make: providedApp, base: "provided:al2023" },
    ...{ baseLayers: 2, cmd: ["bootstrap"], family: "docker" },
    answer: { handler: "bootstrap", event: { name: "Ada" }, user: [993, 990], motto: "no daemon" },
  },
];

const REFERENCE = /^127\.0\.0\.1:\d+\/app\/[a-z]+@sha256:[0-9a-f]{64}$/;

/** Names, links and bytes of all that is not a directory, in the order of names. */
function factsOf(entries: readonly LayerEntry[]): readonly string[] {
  return entries
    .filter(({ kind }) => kind !== "directory")
    .map(({ name, kind, link, sha256 = "" }) => [name, kind, link, sha256].join(" "))
    .sort();
}

describeReal(
  "the main road, from a directory to a running function",
  [
    "docker-registry",
    "skopeo",
    "umoci",
    "buildah",
    "runc",
    "oci-image-tool",
    "mmdebstrap",
    "tar",
    "bsdtar",
    "python3",
    "root",
  ],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-main-road-"));
    // mkdtemp's 0700 would hide the unpacked images from Lambda's user.
    chmodSync(directory, 0o755);
    let registry: RealRegistry;
    let command: Command;

    before(async () => {
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    for (const app of APPS) {
      describe(app.title, () => {
        const source = join(directory, `${app.name}-app`);
        const tagged = () => `${registry.host}/app/${app.name}:v1`;
        const build = (from = source, to = tagged()) => ["build", from, "--base", app.base, "--to", to];
        let reference: string;
        let pulled: PulledImage;

        before(async () => {
          await app.make(source);
          reference = await command.succeed(build());
          pulled = await pullWithSkopeo(`docker://${tagged()}`, join(directory, `${app.name}-pulled`));
        });

        it("is told by its digest, on one line", () => {
          assert.match(reference, REFERENCE);
        });

        it("runs as Lambda would run it, and answers event after event", async () => {
          const { outcomes } = await runImage(`docker://${reference}`, [{ name: "Ada" }, { name: "Ada" }]);
          const answers = outcomes.map((outcome) => [outcome.kind, JSON.parse(outcome.body)]);
          assert.deepEqual(answers, [
            ["result", app.answer],
            ["result", app.answer],
          ]);
        });

        it("answers the same to lambda-pack invoke, in a sandbox of namespaces", async () => {
          const output = await command.succeed([
            "invoke",
            reference,
            "--event",
            '{"name":"Ada"}',
            "--timeout=20",
            "--json",
          ]);
          const { response, ranWith } = JSON.parse(output) as InvokeResult;
          assert.deepEqual(JSON.parse(response ?? ""), app.answer);
          assert.match(ranWith, /in a sandbox of namespaces, no network/);
        });

        it("starts the handler that was found, with as many histories as layers", () => {
          assert.deepEqual(pulled.config.config.Cmd, app.cmd);
          assert.equal(pulled.config.history.length, pulled.manifest.layers.length);
        });

        it("keeps the base's family of media types in every part", () => {
          const { mediaType, config, layers } = pulled.manifest;
          const families = [mediaType, config.mediaType, ...layers.map((layer) => layer.mediaType)].map(
            (type) => (type.startsWith("application/vnd.docker.") ? "docker" : "oci"),
          );
          assert.deepEqual(new Set(families), new Set([app.family]));
        });

        it("has layers that GNU tar, bsdtar and Python read as the same", async () => {
          const ours = pulled.layers.slice(app.baseLayers);
          assert.ok(ours.length > 0);
          for (const layer of ours) {
            const python = await readWithPython(layer);
            assert.deepEqual(await readWithGnuTar(layer, `${layer}-gnu`), python);
            assert.deepEqual(await readWithBsdTar(layer, `${layer}-bsd`), python);
          }
        });

        it("has in each layer every directory before what is in it, and no name twice", async () => {
          for (const layer of pulled.layers.slice(app.baseLayers)) {
            const names = await namesInOrder(layer);
            const orphans = names.filter((name, index) => {
              const parent = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : undefined;
              return parent !== undefined && !names.slice(0, index).includes(parent);
            });
            assert.deepEqual(orphans, []);
            assert.equal(new Set(names).size, names.length);
          }
        });

        it("has every file of the app exactly once, with its bytes", async () => {
          const ours = pulled.layers.slice(app.baseLayers);
          const packed = (await Promise.all(ours.map(readWithPython))).flat();
          const place = ({ name }: LayerEntry) =>
            app.name === "own" && name === "bootstrap" ? "var/runtime" : "var/task";
          const expected = (await readDirectory(source)).map((entry) => ({
            ...entry,
            name: `${place(entry)}/${entry.name}`,
          }));
          assert.deepEqual(factsOf(packed), factsOf(expected));
        });

        it("is a valid image to oci-image-tool", async () => {
          const layout = join(directory, `${app.name}-layout`);
          await run("skopeo", [
            "copy",
            "-q",
            "--src-tls-verify=false",
            `docker://${reference}`,
            `oci:${layout}:v1`,
          ]);
          await run("oci-image-tool", ["validate", "--type", "image", "--ref", "name=v1", layout]);
        });

        it("is a base to buildah", async () => {
          const [root, runroot] = [
            join(directory, `${app.name}-buildah`),
            join(directory, `${app.name}-buildah-run`),
          ];
          const buildah = (...args: readonly string[]) =>
            run("buildah", ["--storage-driver", "vfs", "--root", root, "--runroot", runroot, ...args]);
          const name = (await buildah("from", "--tls-verify=false", reference)).trim();
          const { OCIv1 } = JSON.parse(await buildah("inspect", name)) as { readonly OCIv1: RawConfig };
          assert.deepEqual(OCIv1.config.Cmd, app.cmd);
          await buildah("rm", name);
        });

        it("has the same digest from another directory with other modes and times, umask, time zone and language", async () => {
          const other = join(directory, "elsewhere", app.name);
          const script =
            'umask 077; mkdir -p "$2" && cp -R "$1/." "$2" && find "$2" -exec touch -hd "2001-02-03 04:05:06" {} +';
          await run("sh", ["-c", script, "sh", source, other]);
          const again = await command.succeed(
            [...build(other, `${registry.host}/app/${app.name}:v2`), "--no-cache"],
            {
              umask: "077",
              env: { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" },
            },
          );
          assert.equal(again, reference);
        });

        it("moves no blob when it is sent a second time", async () => {
          const earlier = (await registry.requests()).length;
          assert.equal(await command.succeed(build()), reference);
          const asked = (await registry.requests()).slice(earlier);
          const uploads = asked.filter((line) => line.includes("/uploads/"));
          assert.deepEqual(uploads, []);
        });
      });
    }
  },
);
