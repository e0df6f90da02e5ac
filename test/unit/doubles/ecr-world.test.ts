import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { type Agent, get as httpsGet } from "node:https";
import process from "node:process";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import { HttpsProxyAgent } from "hpagent";
import { type Asked, ask, complaint } from "../../support/ecr/client.ts";
import { publicQuirks } from "../../support/ecr/quirks.ts";
import { runInWorld, startInWorld } from "../../support/ecr/run.ts";
import { type EcrWorld, ecrWorld, HOSTS } from "../../support/ecr/world.ts";

let clock = Date.now();
let world: EcrWorld;
before(async () => {
  world = await ecrWorld({ now: () => clock });
});
after(() => world.stop());
beforeEach(() => {
  Object.assign(world.public.quirks, publicQuirks());
});

/** Through the proxy, with the world's authority. */
const call = (url: string, asked: Asked = {}) =>
  ask(url, { proxy: String(world.environment["HTTPS_PROXY"]), ca: world.certificates.pem, ...asked });

describe("a world with ECR in it", () => {
  it("has ECR under its own name, its blobs at storage that wants no credentials", async () => {
    const digest = world.ecr.repository("app").addBlob("layer");
    const authorization = world.ecr.login();
    const url = `https://${world.registry}/v2/app/blobs/${digest}`;
    const { status, headers } = await call(url, { headers: { authorization } });
    assert.equal(status, 307);
    assert.equal(new URL(String(headers.location)).host, HOSTS.storage);
    assert.equal(String((await call(String(headers.location))).body), "layer");
    assert.deepEqual(world.strayAuthorizations(), []);
    await call(String(headers.location), { headers: { authorization } });
    assert.deepEqual(
      world.strayAuthorizations().map(({ host }) => host),
      [HOSTS.storage],
    );
  });

  it("has nothing else: what is asked for elsewhere is refused and remembered", async () => {
    await assert.rejects(call("https://169.254.169.254/v2/"), /403/);
    assert.deepEqual(world.proxy.refused, ["169.254.169.254:443"]);
  });

  it("takes uploads at the other host of a Location", async () => {
    world.ecr.quirks.location = "other-host";
    const headers = { authorization: world.ecr.login() };
    const begun = await call(`https://${world.registry}/v2/app/blobs/uploads/`, {
      method: "POST",
      body: "",
      headers,
    });
    const location = String(begun.headers.location);
    assert.equal(new URL(location).host, HOSTS.uploads);
    assert.equal((await call(location, { method: "PATCH", body: "x" })).status, 201);
    world.ecr.quirks.location = "absolute";
  });

  it("shows an expired certificate when told so", async () => {
    world.ecr.origin.leaf = { expired: true };
    await assert.rejects(call(`https://${world.registry}/v2/`), { code: "CERT_HAS_EXPIRED" });
    world.ecr.origin.leaf = {};
    assert.equal((await call(`https://${world.registry}/v2/`)).status, 401);
  });

  it("knows its secrets in a text", () => {
    const token = world.ecr.tokens.issued.at(-1);
    const { AWS_SECRET_ACCESS_KEY: secret = "" } = world.environment;
    assert.deepEqual(world.leaks(`nothing ${world.registry}`), []);
    assert.deepEqual(world.leaks(`key ${secret}`), [secret, secret]);
    const encoded = Buffer.from(`AWS:${token}`).toString("base64");
    assert.deepEqual(world.leaks(`Basic ${encoded}`), [encoded]);
  });
});

describe("ECR Public", () => {
  const lambda = () => world.public.repository("lambda/python");
  const manifest = `https://${HOSTS.public}/v2/lambda/python/manifests/3.12`;
  const tokenFor = async (authorization?: string) => {
    const url = `https://${HOSTS.public}/token/?service=public.ecr.aws&scope=aws`;
    const { body } = await call(url, { headers: authorization === undefined ? {} : { authorization } });
    return `Bearer ${JSON.parse(String(body)).token}`;
  };

  it("challenges for a token, gives one to anybody and shows manifests for it (Q24)", async () => {
    lambda().addManifest({ schemaVersion: 2 }, "application/vnd.oci.image.index.v1+json", "3.12");
    const { status, headers } = await call(manifest);
    assert.equal(status, 401);
    assert.equal(
      headers["www-authenticate"],
      'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
    );
    const authorization = await tokenFor();
    assert.equal((await call(manifest, { headers: { authorization } })).status, 200);
  });

  it("never answers HEAD of a blob (Q16) and redirects GET to its CDN", async () => {
    const url = `https://${HOSTS.public}/v2/lambda/python/blobs/${lambda().addBlob("layer")}`;
    const headers = { authorization: await tokenFor() };
    assert.equal((await call(url, { method: "HEAD", headers })).status, 401);
    const told = await call(url, { headers });
    assert.equal(new URL(String(told.headers.location)).host, HOSTS.cdn);
    assert.equal(String((await call(String(told.headers.location))).body), "layer");
  });

  it("takes no push from anybody", async () => {
    const headers = { authorization: await tokenFor() };
    const begun = await call(`https://${HOSTS.public}/v2/lambda/python/blobs/uploads/`, {
      method: "POST",
      headers,
    });
    assert.equal(begun.status, 401);
  });

  it("denies a pull with an old login, and takes one with a new login", async () => {
    const stale = { authorization: await tokenFor("Basic QVdTOm9sZA==") };
    assert.match(complaint(await call(manifest, { headers: stale })), /^403 DENIED .* has expired/);
    const fresh = { authorization: await tokenFor(world.public.login("us-east-1")) };
    assert.equal((await call(manifest, { headers: fresh })).status, 200);
  });

  it("lets nobody pull faster than its rate without a login (Q24)", async () => {
    world.public.quirks.anonymousPulls = 1;
    const headers = { authorization: await tokenFor() };
    const pull = async () => (await call(manifest, { headers })).status;
    assert.deepEqual([await pull(), await pull()], [200, 429]);
    clock += 1000;
    assert.equal(await pull(), 200);
  });
});

describe("a process of the world", () => {
  const printed = "process.stdout.write(JSON.stringify([process.env.AWS_REGION, process.env.HOME]))";

  it("has the world's environment and ends as it ends", async () => {
    const { code, stdout } = await runInWorld(world, `${printed}; process.exitCode = 3`);
    assert.deepEqual([code, JSON.parse(stdout)], [3, ["eu-west-1", world.directory]]);
  });

  it("trusts the world's authority", async () => {
    const script = `
      import { HttpsProxyAgent } from ${JSON.stringify(import.meta.resolve("hpagent"))};
      import { get } from "node:https";
      const agent = new HttpsProxyAgent({ proxy: process.env.HTTPS_PROXY });
      get("https://${world.registry}/v2/", { agent }, ({ statusCode }) => { console.log(statusCode); process.exit(); });`;
    const { stdout, stderr } = await runInWorld(world, script);
    assert.equal(`${stdout}${stderr}`, "401\n");
  });

  it("can be sent a signal", async () => {
    const { child, result } = startInWorld(world, "setInterval(() => {}, 1000); console.log('up')");
    child.stdout?.once("data", () => child.kill("SIGTERM"));
    assert.equal((await result).signal, "SIGTERM");
  });
});

describe("a test file that imports trusting.ts", () => {
  it("trusts the world's authority in its own process", async () => {
    const agent: Agent = new HttpsProxyAgent({ proxy: String(world.environment["HTTPS_PROXY"]) });
    const body = await new Promise<string>((resolve, reject) => {
      httpsGet(`https://${world.registry}/v2/`, { agent }, (response) => {
        text(response).then(resolve, reject);
      }).on("error", reject);
    });
    assert.match(body, /UNAUTHORIZED/);
  });

  it("has no AWS and proxy settings of the machine", () => {
    const left = Object.keys(process.env).filter((name) => /^AWS_|_proxy$/i.test(name));
    assert.deepEqual(left, []);
  });
});
