import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { providedApp } from "../../support/components/real-apps.ts";
import {
  type Mode,
  PASSWORD,
  type RealRegistry,
  startRegistry,
  USER,
} from "../../support/components/registries.ts";
import { pullWithSkopeo } from "../../support/components/skopeo.ts";

describeReal(
  "Debian's docker-registry",
  ["docker-registry", "skopeo", "htpasswd", "openssl", "mmdebstrap", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-registries-"));
    const app = join(directory, "app");
    /** Open, over the data that all the others share: it holds the base and shows what arrived. */
    let open: RealRegistry;

    before(async () => {
      open = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(open.url);
      await providedApp(app);
    });
    after(async () => {
      await open?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    /** Builds the app over the registry's own base and into it. */
    async function build(registry: RealRegistry, name: string, env: Readonly<Record<string, string>> = {}) {
      const command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
      try {
        const to = `${registry.host}/app/${name}:v1`;
        return await command.run(["build", app, "--base", "provided:al2023", "--to", to], { env });
      } finally {
        command.remove();
      }
    }

    async function withRegistry(mode: Mode, use: (registry: RealRegistry) => Promise<void>): Promise<void> {
      const registry = await startRegistry(mode, open.storage);
      try {
        await use(registry);
      } finally {
        await registry.stop();
      }
    }

    /** A docker config for `host`, as `docker login` writes it. */
    function loggedIn(host: string, password = PASSWORD): Readonly<Record<string, string>> {
      const config = mkdtempSync(join(directory, "config-"));
      const auth = Buffer.from(`${USER}:${password}`).toString("base64");
      writeFileSync(join(config, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
      return { DOCKER_CONFIG: config };
    }

    async function assertArrived(name: string, stdout: string): Promise<void> {
      const digest = stdout.trim().split("@")[1];
      const { manifest } = await pullWithSkopeo(
        `docker://${open.host}/app/${name}@${digest}`,
        join(directory, name),
      );
      assert.ok(manifest.layers.length > 2);
    }

    it("with passwords takes the image from who is logged in", async () => {
      await withRegistry({ kind: "basic" }, async (registry) => {
        const { status, stdout, stderr } = await build(registry, "basic", loggedIn(registry.host));
        assert.equal(status, 0, stderr);
        await assertArrived("basic", stdout);
      });
    });

    it("with passwords refuses who is not logged in: exit 4, and where to log in", async () => {
      await withRegistry({ kind: "basic" }, async (registry) => {
        const { status, stdout, stderr } = await build(registry, "basic");
        assert.equal(status, 4, stderr);
        assert.equal(stdout, "");
        assert.ok(stderr.includes(registry.host), stderr);
        assert.match(stderr, /log ?in/i);
      });
    });

    it("with passwords refuses a wrong one: exit 4, and the password is not repeated", async () => {
      await withRegistry({ kind: "basic" }, async (registry) => {
        const wrong = "n0t-the-passw0rd";
        const { status, stderr } = await build(registry, "basic", loggedIn(registry.host, wrong));
        assert.equal(status, 4, stderr);
        assert.ok(!stderr.includes(wrong), stderr);
      });
    });

    it("over TLS takes the image when its authority is in NODE_EXTRA_CA_CERTS", async () => {
      await withRegistry({ kind: "tls" }, async (registry) => {
        const { status, stdout, stderr } = await build(registry, "tls", {
          NODE_EXTRA_CA_CERTS: registry.authority ?? "",
        });
        assert.equal(status, 0, stderr);
        await assertArrived("tls", stdout);
      });
    });

    it("over TLS with an unknown authority is not trusted: exit 5, and what to set", async () => {
      await withRegistry({ kind: "tls" }, async (registry) => {
        const { status, stderr } = await build(registry, "tls");
        assert.equal(status, 5, stderr);
        assert.match(stderr, /certificate/i);
        assert.match(stderr, /NODE_EXTRA_CA_CERTS/);
      });
    });

    it("with a token server takes the image from who is logged in", async () => {
      await withRegistry({ kind: "token", lifeSeconds: 300 }, async (registry) => {
        const { status, stdout, stderr } = await build(registry, "token", loggedIn(registry.host));
        assert.equal(status, 0, stderr);
        await assertArrived("token", stdout);
      });
    });

    it("with a token server lets anybody pull, and only those who are logged in push: exit 4", async () => {
      await withRegistry({ kind: "token", lifeSeconds: 300 }, async (registry) => {
        const { status, stderr } = await build(registry, "token-anonymous");
        assert.equal(status, 4, stderr);
        const asked = await registry.requests();
        assert.ok(asked.some((line) => /^GET .*\/lambda\/provided\/manifests\/.* 200$/.test(line)));
        assert.ok(!asked.some((line) => /^PUT .* 201$/.test(line)));
      });
    });

    it("read-only gives the base and refuses the image: exit 5, and why", async () => {
      await withRegistry({ kind: "read-only" }, async (registry) => {
        const { status, stdout, stderr } = await build(registry, "read-only");
        assert.equal(status, 5, stderr);
        assert.equal(stdout, "");
        assert.match(stderr, /405|read-only/i);
        assert.ok(stderr.includes(registry.host), stderr);
      });
    });

    it("that is gone: exit 5, and which one it is", async () => {
      const registry = await startRegistry({ kind: "anonymous" });
      await registry.stop();
      const { status, stderr } = await build(registry, "gone");
      assert.equal(status, 5, stderr);
      assert.ok(stderr.includes(registry.host), stderr);
    });
  },
);
